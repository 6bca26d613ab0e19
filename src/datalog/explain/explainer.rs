//! What every explanation needs: the ways in which parts of a rule hold for a row.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

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

/// A row where not every value is known.
pub(super) type Pattern = [Option<Sym>];

pub(super) struct Explainer<'a> {
    pub program: &'a Program,
    pub symbols: &'a Symbols,
    pub evaluation: &'a Evaluation,
    /// Rows that are explained already, to which a repetition refers.
    pub shown: BTreeSet<(RelationId, Vec<Sym>)>,
    /// The absent rows being explained, from the outside in.
    pub path: Vec<(RelationId, Vec<Option<Sym>>)>,
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

    /// The values of a rule's variables when its head is the row.
    pub fn unify(&self, rule: &Rule, row: &Pattern) -> Option<Vec<Option<Sym>>> {
        let mut binding = vec![None; rule.variables.len()];
        for (term, sym) in rule.head.terms.iter().zip(row) {
            let Some(sym) = sym else { continue };
            match term {
                Term::Variable(Variable(at)) => match binding[*at] {
                    Some(known) if known != *sym => return None,
                    _ => binding[*at] = Some(*sym),
                },
                _ if term.constant().is_some_and(|value| value != self.symbols.value(*sym)) => return None,
                _ => {}
            }
        }
        Some(binding)
    }

    /// Up to `most` ways, that `accept` takes, in which literals hold under a binding.
    pub fn ways(
        &self,
        literals: &[Literal],
        binding: &Pattern,
        most: usize,
        accept: &mut dyn FnMut(&Pattern) -> bool,
    ) -> Vec<Vec<Option<Sym>>> {
        let body: Vec<Literal> = literals.iter().map(|literal| self.filled(literal, binding)).collect();
        let mut bound = vec![false; binding.len()];
        let positive = body.iter().filter_map(Literal::positive);
        positive.flat_map(Atom::variables).for_each(|variable| bound[variable.0] = true);
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

    /// A literal with known values in the place of variables.
    fn filled(&self, literal: &Literal, binding: &Pattern) -> Literal {
        let filled = |term: &Term| self.filled_term(term, binding);
        let mut literal = literal.clone();
        match &mut literal {
            Literal::Positive(atom) | Literal::Negative(atom) => {
                atom.terms.iter_mut().for_each(|term| *term = filled(term));
            }
            Literal::Comparison(comparison) => {
                comparison.left = comparison.left.map(&filled);
                comparison.right = comparison.right.map(&filled);
            }
        }
        literal
    }

    pub fn filled_term(&self, term: &Term, binding: &Pattern) -> Term {
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
    pub fn pattern(&self, atom: &Atom, binding: &Pattern) -> Vec<Option<Sym>> {
        let value = |term: &Term| match term {
            Term::Variable(variable) => binding.get(variable.0).copied().flatten(),
            _ => term.constant().and_then(|value| self.symbols.find(value)),
        };
        atom.terms.iter().map(value).collect()
    }
}
