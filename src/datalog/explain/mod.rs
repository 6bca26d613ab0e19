//! Why a row is there, and why one is not.
//!
//! Nothing is recorded while rules are evaluated: an explanation asks them again, for the
//! one row in question. *Why* is a tree of rules down to input rows; *why not* shows, for
//! each rule that could have derived the row, what holds of it and the first part that
//! does not. Both are data with all values as text; [`std::fmt::Display`] shows them as
//! an indented tree.

mod shown;
mod tree;
mod why;
mod why_not;

pub use tree::{Goal, Part, Tried, tree};

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::define::{defined, definitions};
use super::evaluate::{Evaluation, Round};
use super::program::{Atom, Comparison, Literal, Program, RelationId, Rule, Term, Variable};
use super::symbols::{Sym, Symbols, Value};

/// A row that is there, and how it got there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Derivation {
    /// The relation.
    pub relation: String,
    /// The values of the row.
    pub values: Vec<String>,
    /// The row as one would write it: `label("n1", "zone", "a")`.
    pub fact: String,
    /// The sentence over the rule, its variables filled in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sentence: Option<String>,
    /// The rule; none for an input.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<RuleRef>,
    /// What the rule needed, in the order of its body.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub because: Vec<Subgoal>,
    /// What was left out here, if something was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// A rule by its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RuleRef {
    /// The text it is from.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// As it was written.
    pub text: String,
}

/// A part of a rule's body that holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Subgoal {
    /// There is such a row.
    Row(Derivation),
    /// There is no such row; `_` stands for any value.
    Absent(String),
    /// A comparison, its values filled in.
    Comparison(String),
}

/// A row that is not there, and what was missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WhyNot {
    /// The relation.
    pub relation: String,
    /// The row; `_` stands for any value.
    pub fact: String,
    /// The rules that could have derived it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attempts: Vec<Attempt>,
    /// What there is to say beside the rules.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// A rule that could have derived a row and did not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Attempt {
    /// The sentence over the rule, filled in as far as values are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sentence: Option<String>,
    /// The rule.
    pub rule: RuleRef,
    /// The parts that hold, up to the one that does not.
    pub holds: Vec<Subgoal>,
    /// The first part that does not.
    pub fails: Failure,
}

/// Why a part of a rule does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Failure {
    /// There is no such row, and why.
    Missing(WhyNot),
    /// There is a row where there must be none, and why it is there.
    Blocked(Derivation),
    /// A comparison that is false, its values filled in.
    Comparison(String),
}

/// Explains a row; `None` if it is not there.
#[must_use]
pub fn why(
    program: &Program,
    symbols: &Symbols,
    evaluation: &Evaluation,
    relation: RelationId,
    row: &[Sym],
) -> Option<Derivation> {
    let mut explainer = Explainer::new(program, symbols, evaluation);
    evaluation.contains(relation, row).then(|| explainer.why(relation, row, 0))
}

/// The sentence of the rule that derived a row, and that rule, without what it rests on;
/// `None` if the row is not there or nothing derives it.
#[must_use]
pub fn said(
    program: &Program,
    symbols: &Symbols,
    evaluation: &Evaluation,
    relation: RelationId,
    row: &[Sym],
) -> Option<(String, RuleRef)> {
    let mut explainer = Explainer::new(program, symbols, evaluation);
    // As if it were as deep as one goes: the rows below it are named and not explained.
    let derivation = evaluation.contains(relation, row).then(|| explainer.why(relation, row, MAX_DEPTH))?;
    let rule = derivation.rule?;
    Some((derivation.sentence.unwrap_or(derivation.fact), rule))
}

/// Explains the absence of a row.
#[must_use]
pub fn why_not(
    program: &Program,
    symbols: &Symbols,
    evaluation: &Evaluation,
    relation: RelationId,
    row: &[Sym],
) -> WhyNot {
    let pattern: Vec<Option<Sym>> = row.iter().copied().map(Some).collect();
    Explainer::new(program, symbols, evaluation).why_not(relation, &pattern, 0)
}

/// No more rows than this are explained in one explanation: beyond, it explains nothing.
const MAX_NODES: usize = 400;
/// Rules upon rules deeper than this are not followed.
const MAX_DEPTH: usize = 24;
/// So many ways in which one rule fails are shown.
const MAX_WAYS: usize = 3;

/// A row where not every value is known.
type Pattern = [Option<Sym>];

struct Explainer<'a> {
    program: &'a Program,
    symbols: &'a Symbols,
    evaluation: &'a Evaluation,
    /// Rows that are explained already, to which a repetition refers.
    shown: BTreeSet<(RelationId, Vec<Sym>)>,
    /// Absent rows that are explained already.
    missed: BTreeSet<(RelationId, Vec<Option<Sym>>)>,
    /// The absent rows being explained, from the outside in.
    path: Vec<(RelationId, Vec<Option<Sym>>)>,
    nodes: usize,
    /// For recursive strata, when their rows were derived.
    rounds: BTreeMap<usize, Vec<Round>>,
}

impl<'a> Explainer<'a> {
    fn new(program: &'a Program, symbols: &'a Symbols, evaluation: &'a Evaluation) -> Self {
        Explainer {
            program,
            symbols,
            evaluation,
            shown: BTreeSet::new(),
            missed: BTreeSet::new(),
            path: Vec::new(),
            nodes: 0,
            rounds: BTreeMap::new(),
        }
    }

    /// Whether there is room for one more row in the explanation.
    fn is_full(&mut self, depth: usize) -> bool {
        self.nodes += 1;
        self.nodes > MAX_NODES || depth > MAX_DEPTH
    }

    fn rule_ref(&self, rule: &Rule) -> RuleRef {
        RuleRef { file: rule.file.to_string(), line: rule.line, text: rule.text.to_string() }
    }

    /// The values of a rule's variables when its head is the row.
    fn unify(&self, rule: &Rule, row: &Pattern) -> Option<Vec<Option<Sym>>> {
        let mut binding = vec![None; rule.variables.len()];
        for (term, sym) in rule.head.terms.iter().zip(row) {
            let Some(sym) = sym else { continue };
            match term {
                Term::Variable(Variable(at)) => match binding[*at] {
                    Some(known) if known != *sym => return None,
                    _ => binding[*at] = Some(*sym),
                },
                Term::Text(text) if self.symbols.value(*sym) != Value::Text(text) => return None,
                Term::Number(number) if self.symbols.value(*sym) != Value::Number(*number) => return None,
                _ => {}
            }
        }
        Some(binding)
    }

    /// Up to `most` ways, that `accept` takes, in which literals hold under a binding.
    fn ways(
        &self,
        literals: &[Literal],
        binding: &Pattern,
        most: usize,
        accept: &mut dyn FnMut(&Pattern) -> bool,
    ) -> Vec<Vec<Option<Sym>>> {
        let body: Vec<Literal> = literals.iter().map(|literal| self.filled(literal, binding)).collect();
        let mut bound = vec![false; binding.len()];
        for literal in &body {
            if let Literal::Positive(atom) = literal {
                atom.variables().for_each(|variable| bound[variable.0] = true);
            }
        }
        definitions(&body).into_iter().for_each(|(_, variable)| bound[variable.0] = true);
        let mut found: Vec<Vec<Option<Sym>>> = Vec::new();
        self.evaluation.solve(&body, binding.len(), self.symbols, &mut |slots| {
            let known = binding.iter().zip(slots).zip(&bound);
            let way: Vec<Option<Sym>> =
                known.map(|((known, slot), bound)| known.or(bound.then_some(*slot))).collect();
            if !found.contains(&way) && accept(&way) {
                found.push(way);
            }
            found.len() < most
        });
        found
    }

    /// A binding with the values that follow from it, by what the body says is equal to them.
    fn completed(&self, body: &[Literal], mut way: Vec<Option<Sym>>) -> Vec<Option<Sym>> {
        loop {
            let more = body.iter().find_map(|literal| {
                let Literal::Comparison(comparison) = literal else { return None };
                defined(comparison, |variable| way[variable.0].is_some())?;
                self.ways(std::slice::from_ref(literal), &way, 1, &mut |_| true).pop()
            });
            match more.filter(|more| *more != way) {
                Some(more) => way = more,
                None => return way,
            }
        }
    }

    /// A literal with known values in the place of variables.
    fn filled(&self, literal: &Literal, binding: &Pattern) -> Literal {
        match literal {
            Literal::Positive(atom) => Literal::Positive(self.filled_atom(atom, binding)),
            Literal::Negative(atom) => Literal::Negative(self.filled_atom(atom, binding)),
            Literal::Comparison(comparison) => {
                Literal::Comparison(self.filled_comparison(comparison, binding))
            }
        }
    }

    fn filled_atom(&self, atom: &Atom, binding: &Pattern) -> Atom {
        let terms = atom.terms.iter().map(|term| self.filled_term(term, binding)).collect();
        Atom { terms, ..atom.clone() }
    }

    fn filled_comparison(&self, comparison: &Comparison, binding: &Pattern) -> Comparison {
        let filled = |term: &Term| self.filled_term(term, binding);
        let (left, right) = (comparison.left.map(&filled), comparison.right.map(&filled));
        Comparison { left, right, ..comparison.clone() }
    }

    fn filled_term(&self, term: &Term, binding: &Pattern) -> Term {
        let known = match term {
            Term::Variable(variable) => binding.get(variable.0).copied().flatten(),
            _ => None,
        };
        match known.map(|sym| self.symbols.value(sym)) {
            Some(Value::Text(text)) => Term::Text(text.into()),
            Some(Value::Number(number)) => Term::Number(number),
            None => term.clone(),
        }
    }

    /// What is known of an atom's row.
    fn pattern(&self, atom: &Atom, binding: &Pattern) -> Vec<Option<Sym>> {
        let value = |term: &Term| match term {
            Term::Variable(variable) => binding.get(variable.0).copied().flatten(),
            Term::Any => None,
            Term::Text(text) => self.symbols.find_text(text),
            Term::Number(number) => self.symbols.find_number(*number),
        };
        atom.terms.iter().map(value).collect()
    }

    /// A row that is there and fits an atom.
    fn row_of(
        &self,
        atom: &Atom,
        binding: &Pattern,
        accept: &mut dyn FnMut(&[Sym]) -> bool,
    ) -> Option<Vec<Sym>> {
        let mut atom = self.filled_atom(atom, binding);
        let columns = atom.terms.len();
        // Each column that is still open becomes a variable of its own number, and equal
        // variables stay equal.
        let mut places: Vec<(Term, usize)> = Vec::new();
        for (at, term) in atom.terms.iter_mut().enumerate() {
            let place = match term {
                Term::Text(_) | Term::Number(_) => continue,
                Term::Variable(_) => {
                    places.iter().find(|(seen, _)| seen == term).map_or(at, |(_, place)| *place)
                }
                Term::Any => at,
            };
            places.push((term.clone(), place));
            *term = Term::Variable(Variable(place));
        }
        let literal = Literal::Positive(atom.clone());
        let row = |way: &Pattern| self.pattern(&atom, way).into_iter().collect::<Option<Vec<Sym>>>();
        let open = vec![None; columns];
        let ways = self.ways(&[literal], &open, 1, &mut |way| row(way).is_some_and(|row| accept(&row)));
        ways.first().and_then(|way| row(way))
    }
}
