//! A rule's body while it is planned: which atoms are still to be joined, and what is
//! known of the number of their rows.

use std::sync::Arc;

use super::program::{Atom, Literal, Term, Variable};
use super::table::Table;

/// A body, partly planned. Sets of variables, literals and columns are bits.
pub(super) struct OpenBody<'a> {
    pub literals: &'a [Literal],
    tables: &'a [Option<Arc<Table>>],
    /// The variables of each literal, and those of an atom that stand there twice.
    variables: Vec<(u32, u32)>,
    /// The variables of the head in order, and all that are asked for in the end.
    pub head: Vec<Variable>,
    asked: u32,
    pub bound: u32,
    /// Literals that are dealt with.
    pub done: u64,
}

pub(super) fn bit(variable: Variable) -> u32 {
    1 << variable.0
}

impl<'a> OpenBody<'a> {
    /// A body of which nothing is planned. A query has no head.
    pub fn new(head: Option<&Atom>, literals: &'a [Literal], tables: &'a [Option<Arc<Table>>]) -> Self {
        let variables = |literal: &Literal| match literal {
            Literal::Positive(atom) | Literal::Negative(atom) => {
                atom.variables().fold((0, 0), |(all, twice), it| (all | bit(it), twice | all & bit(it)))
            }
            Literal::Comparison(comparison) => (comparison.variables().fold(0, |all, it| all | bit(it)), 0),
        };
        let variables = literals.iter().map(variables).collect();
        // A query asks for all of its variables.
        let asked = head.map_or(u32::MAX, |head| head.variables().fold(0, |all, it| all | bit(it)));
        let head = head.into_iter().flat_map(Atom::variables).collect();
        OpenBody { literals, tables, variables, head, asked, bound: 0, done: 0 }
    }

    pub fn is_open(&self, at: usize) -> bool {
        self.done & 1 << at == 0
    }

    /// The atoms that are not dealt with.
    pub fn open(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.literals.len())
            .filter(|at| self.is_open(*at) && matches!(self.literals[*at], Literal::Positive(_)))
    }

    /// Those of them that have one of these variables.
    pub fn having(&self, variables: u32) -> impl Iterator<Item = usize> + '_ {
        self.open().filter(move |at| self.variables(*at) & variables != 0)
    }

    /// The table of an atom, and its terms.
    pub fn table(&self, at: usize) -> Option<(&'a Table, &'a [Term])> {
        match &self.literals[at] {
            Literal::Positive(atom) | Literal::Negative(atom) => {
                Some((self.tables[atom.relation.index()].as_deref()?, &atom.terms))
            }
            Literal::Comparison(_) => None,
        }
    }

    /// The variables that stand in an atom twice.
    pub fn twice(&self, at: usize) -> u32 {
        self.variables[at].1
    }

    /// The variables of a literal.
    pub fn variables(&self, at: usize) -> u32 {
        self.variables[at].0
    }

    /// The variables that an atom has still to bind: not those that stand nowhere else, or
    /// only in what is dealt with.
    pub fn wanted(&self, at: usize) -> u32 {
        let (all, twice) = self.variables[at];
        let others = (0..self.literals.len()).filter(|other| *other != at && self.is_open(*other));
        let needed = others.fold(self.asked | twice, |needed, other| needed | self.variables(other));
        all & needed & !self.bound
    }

    /// How many rows an atom has where these variables and its constants are known, and
    /// how many of them are different in others too; about.
    pub fn fan_out(&self, at: usize, known: u32, new: u32) -> (f64, f64) {
        let Some((table, terms)) = self.table(at) else { return (0.0, 1.0) };
        let known = columns(terms, known) | constants(terms);
        (table.fan_out(known), table.fan_out(known | columns(terms, new)))
    }
}

/// The columns that have one of these variables.
pub(super) fn columns(terms: &[Term], variables: u32) -> usize {
    let has = |term: &Term| matches!(term, Term::Variable(it) if variables & bit(*it) != 0);
    terms.iter().enumerate().fold(0, |mask, (at, term)| mask | usize::from(has(term)) << at)
}

pub(super) fn constants(terms: &[Term]) -> usize {
    let is = |term: &Term| usize::from(term.constant().is_some());
    terms.iter().enumerate().fold(0, |mask, (at, term)| mask | is(term) << at)
}
