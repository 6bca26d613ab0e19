//! What every explanation needs: the ways in which parts of a rule hold for a row.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::super::compare::BEYOND;
use super::super::define::{defined, definitions};
use super::super::evaluation::{Evaluation, Round};
use super::super::program::{Atom, Literal, Program, RelationId, Rule, Term, Variable};
use super::super::symbols::{Sym, Symbols, Value};

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

/// No more rows than this are explained in one explanation: beyond, it explains nothing.
const MAX_NODES: usize = 400;
/// Rules upon rules deeper than this are not followed.
pub(super) const MAX_DEPTH: usize = 24;

/// The values of a rule's variables, as far as they are known.
pub(super) type Binding = [Option<Sym>];

/// What is known of a value of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Cell {
    Known(Sym),
    /// Any value, but the same one as in this column, which may be the cell's own.
    LikeColumn(usize),
}

/// A row of which not every value may be known.
pub(super) type Pattern = [Cell];

pub(super) fn known(row: &[Sym]) -> Vec<Cell> {
    row.iter().copied().map(Cell::Known).collect()
}

impl Cell {
    pub fn sym(self) -> Option<Sym> {
        if let Cell::Known(sym) = self { Some(sym) } else { None }
    }
}

/// A rule whose head is a row, as far as the row is known.
pub(super) struct Unified {
    /// The body, with one name for variables that must have one value.
    pub body: Vec<Literal>,
    /// The values that follow from the row.
    pub binding: Vec<Option<Sym>>,
    /// For each variable the one that stands for it in the body.
    same: Vec<usize>,
}

impl Unified {
    /// The values of all variables of the rule for those of its body.
    pub fn spread(&self, way: &Binding) -> Vec<Option<Sym>> {
        self.same.iter().map(|at| way[*at]).collect()
    }
}

pub(super) struct Explainer<'a> {
    pub program: &'a Program,
    pub symbols: &'a Symbols,
    pub evaluation: &'a Evaluation,
    /// Rows that are explained already, to which a repetition refers.
    pub shown: BTreeSet<(RelationId, Vec<Cell>)>,
    /// Whether one way in which a row holds is enough, and each row is explained once.
    pub is_brief: bool,
    /// The absent rows being explained, from the outside in.
    pub path: Vec<(RelationId, Vec<Cell>)>,
    nodes: usize,
    /// For recursive strata, when their rows were derived.
    pub rounds: BTreeMap<usize, Vec<Round>>,
}

impl<'a> Explainer<'a> {
    pub fn new(program: &'a Program, symbols: &'a Symbols, evaluation: &'a Evaluation) -> Self {
        Explainer {
            program,
            symbols,
            evaluation,
            shown: BTreeSet::new(),
            is_brief: false,
            path: Vec::new(),
            nodes: 0,
            rounds: BTreeMap::new(),
        }
    }

    /// Whether there is room for one more row in the explanation.
    pub fn is_full(&mut self, depth: usize) -> bool {
        self.nodes += 1;
        self.nodes > MAX_NODES || depth > MAX_DEPTH
    }

    pub fn rule_ref(&self, rule: &Rule) -> RuleRef {
        RuleRef { file: rule.file.to_string(), line: rule.line, text: rule.text.to_string() }
    }

    /// The rule with the row as its head; none if the head cannot be that row.
    pub fn unify(&self, rule: &Rule, row: &Pattern) -> Option<Unified> {
        let mut same: Vec<usize> = (0..rule.variables.len()).collect();
        let mut binding = vec![None; same.len()];
        for (term, cell) in rule.head.terms.iter().zip(row) {
            let other = if let Cell::LikeColumn(at) = cell { &rule.head.terms[*at] } else { term };
            let mut value = cell.sym();
            for term in [term, other] {
                let found = match term {
                    Term::Variable(Variable(at)) => binding[same[*at]],
                    _ => Some(self.constant(term)?),
                };
                if value.is_some() && found.is_some() && value != found {
                    return None;
                }
                value = value.or(found);
            }
            let stand_in = other.variable().or(term.variable()).map(|variable| same[variable.0]);
            let Some(stand_in) = stand_in else { continue };
            binding[stand_in] = value;
            if let Some(Variable(at)) = term.variable() {
                let merged = same[at];
                same.iter_mut().filter(|it| **it == merged).for_each(|it| *it = stand_in);
            }
        }
        let renamed = |term: &Term| match term {
            Term::Variable(Variable(at)) => Term::Variable(Variable(same[*at])),
            _ => term.clone(),
        };
        let body = rule.body.iter().map(|literal| with_terms(literal, &renamed)).collect();
        Some(Unified { body, binding, same })
    }

    /// Up to `most` ways, that `accept` takes, in which literals hold under a binding.
    pub fn ways(
        &self,
        literals: &[Literal],
        binding: &Binding,
        most: usize,
        accept: &mut dyn FnMut(&Binding) -> bool,
    ) -> Vec<Vec<Option<Sym>>> {
        let filled = |term: &Term| self.filled_term(term, binding);
        let body: Vec<Literal> = literals.iter().map(|literal| with_terms(literal, &filled)).collect();
        let mut bound = vec![false; binding.len()];
        let positive = body.iter().filter_map(Literal::positive);
        positive.flat_map(Atom::variables).for_each(|variable| bound[variable.0] = true);
        definitions(&body).into_iter().for_each(|(_, variable)| bound[variable.0] = true);
        let mut found: Vec<Vec<Option<Sym>>> = Vec::new();
        self.evaluation.solve(&body, binding.len(), self.symbols, &mut |slots| {
            let known = binding.iter().zip(slots).zip(&bound);
            let way: Vec<Option<Sym>> = known
                .map(|((known, slot), bound)| known.or((*bound && *slot != BEYOND).then_some(*slot)))
                .collect();
            if !found.contains(&way) && accept(&way) {
                found.push(way);
            }
            found.len() < most
        });
        found
    }

    /// Looks at each way in which literals hold; nothing where it was too much.
    pub fn each_way(
        &self,
        literals: &[Literal],
        variables: usize,
        look: &mut dyn FnMut(&Binding),
    ) -> Option<()> {
        let positive = literals.iter().filter_map(Literal::positive);
        let mut bound = vec![false; variables];
        positive.flat_map(Atom::variables).for_each(|variable| bound[variable.0] = true);
        definitions(literals).into_iter().for_each(|(_, variable)| bound[variable.0] = true);
        let stopped = self.evaluation.solve(literals, variables, self.symbols, &mut |slots| {
            let value = |(slot, bound): (&Sym, &bool)| (*bound && *slot != BEYOND).then_some(*slot);
            let way: Vec<Option<Sym>> = slots.iter().zip(&bound).map(value).collect();
            look(&way);
            true
        });
        stopped.is_none().then_some(())
    }

    /// Whether a literal gives a value that no row can hold.
    pub fn is_beyond(&self, literal: &Literal, binding: &Binding) -> bool {
        let literal = with_terms(literal, &|term| self.filled_term(term, binding));
        self.evaluation.solve(&[literal], binding.len(), self.symbols, &mut |_| true).is_some()
    }

    /// A binding with the values that follow from it, by what the body says is equal to them.
    pub fn completed(&self, body: &[Literal], mut way: Vec<Option<Sym>>) -> Vec<Option<Sym>> {
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

    pub fn filled_term(&self, term: &Term, binding: &Binding) -> Term {
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

    /// The symbol of a constant, which may be one that no row has.
    fn constant(&self, term: &Term) -> Option<Sym> {
        self.symbols.worked_out(term.constant()?)
    }

    /// What is known of an atom's row.
    pub fn pattern(&self, atom: &Atom, binding: &Binding) -> Vec<Cell> {
        let cell = |(at, term): (usize, &Term)| {
            let first = |variable| atom.terms.iter().position(|term| term.variable() == Some(variable));
            let known = match term {
                Term::Variable(variable) => binding.get(variable.0).copied().flatten(),
                _ => self.constant(term),
            };
            known.map_or(Cell::LikeColumn(term.variable().and_then(first).unwrap_or(at)), Cell::Known)
        };
        atom.terms.iter().enumerate().map(cell).collect()
    }
}

/// A literal with other terms.
fn with_terms(literal: &Literal, change: &dyn Fn(&Term) -> Term) -> Literal {
    let mut literal = literal.clone();
    match &mut literal {
        Literal::Positive(atom) | Literal::Negative(atom) => {
            atom.terms.iter_mut().for_each(|term| *term = change(term));
        }
        Literal::Comparison(comparison) => {
            comparison.left = comparison.left.map(change);
            comparison.right = comparison.right.map(change);
        }
    }
    literal
}
