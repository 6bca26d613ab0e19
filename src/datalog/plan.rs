//! How a rule is evaluated: the steps of its join, as a run carries them out.

use std::sync::Arc;

use super::compare::{Compare, Compute};
use super::program::{Atom, RelationId, Term};
use super::source::Span;
use super::symbols::{Sym, Value};
use super::table::Table;

/// What the bindings start from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Start {
    /// Nothing is bound.
    Nothing,
    /// Rows of the atom of this literal are handed in.
    Literal(usize),
    /// Rows of the head are handed in.
    Head,
}

/// A value that is known when it is asked for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Known {
    Constant(Sym),
    Slot(usize),
}

impl Known {
    pub fn value(self, binding: &[Sym]) -> Sym {
        match self {
            Known::Constant(sym) => sym,
            Known::Slot(slot) => binding[slot],
        }
    }
}

/// What is done with a column of a row that is handed in.
#[derive(Debug, Clone, Copy)]
pub(super) enum Take {
    /// It must be this.
    Constant(Sym),
    /// It becomes the value of the slot.
    Bind(usize),
    /// It must be the value of the slot.
    Same(usize),
}

/// A look at the rows of an index that start with what is known.
#[derive(Debug, Clone)]
pub(super) struct Probe {
    pub relation: RelationId,
    /// The columns of the relation in the order of the index.
    pub order: Vec<usize>,
    pub prefix: Vec<Known>,
}

impl Probe {
    /// Whether it is at the same rows for every binding.
    pub fn is_fixed(&self) -> bool {
        self.prefix.iter().all(|known| matches!(known, Known::Constant(_)))
    }
}

/// What a binding must pass.
#[derive(Debug, Clone)]
pub(super) enum Check {
    /// Whether there are rows.
    Rows { wanted: bool, look: Probe },
    /// A comparison.
    Compare(Compare),
    /// A value that is worked out; what is behind it may need it.
    Compute(Compute),
}

/// An atom that can bind what a step binds.
#[derive(Debug, Clone)]
pub(super) struct Proposer {
    pub look: Probe,
    /// Columns of the index and the slots that get their values.
    pub take: Vec<(usize, usize)>,
    /// Columns of the index that must be equal.
    pub same: Vec<(usize, usize)>,
    /// Of rows that are equal in so many first columns one is enough.
    pub distinct: usize,
    /// What it asks of values that another one proposed, unless the next step asks it.
    pub check: Option<Probe>,
    /// Its place in the body.
    pub literal: usize,
}

/// One leapjoin. Of several proposers each binds one and the same variable.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub proposers: Vec<Proposer>,
    pub checks: Vec<Check>,
    /// What atoms that are not finished ask, by their place in the body.
    pub early: Vec<(usize, Probe)>,
}

/// How a rule is evaluated.
#[derive(Debug, Clone, Default)]
pub(super) struct RulePlan {
    /// A constant of the rule occurs nowhere: it cannot derive anything.
    pub never: bool,
    /// No constant of the rule occurs nowhere, so the plan holds when there are more.
    pub lasts: bool,
    pub slots: usize,
    /// What is done with the columns of the rows handed in.
    pub start: Vec<(usize, Take)>,
    /// Without rows handed in, the rows to start from; none for a body without atoms.
    pub source: Option<Proposer>,
    /// What the bindings at the start must pass.
    pub checks: Vec<Check>,
    pub steps: Vec<Step>,
    /// The slots whose values are worked out and kept, and where that stands.
    pub computed: Vec<(usize, Span)>,
}

impl RulePlan {
    /// The values that it works out.
    pub fn computes(&self) -> impl Iterator<Item = &Compute> {
        let checks = self.checks.iter().chain(self.steps.iter().flat_map(|step| &step.checks));
        checks.filter_map(|check| if let Check::Compute(compute) = check { Some(compute) } else { None })
    }
}

/// The tables, by [`RelationId`].
pub(super) type Tables = Vec<Option<Arc<Table>>>;

/// The values a head is made of, with the symbols that constants are given.
pub(super) fn head_values(head: &Atom, mut intern: impl FnMut(Value<'_>) -> Sym) -> Vec<Known> {
    let cell = |term: &Term| match term {
        Term::Variable(variable) => Known::Slot(variable.0),
        // `_` was refused when the program was checked.
        _ => Known::Constant(term.constant().map_or(0, &mut intern)),
    };
    head.terms.iter().map(cell).collect()
}
