//! The rows of a program's relations for some facts, to be read.
//!
//! How they come to be there is elsewhere: all of them in `evaluate`, those of one rule in
//! `derive`, those of a recursive stratum in `fixpoint`, a change in `update`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use rustc_hash::FxHashMap;

use super::budget::{Budget, Limits};
use super::plan::{Known, RulePlan, Start, Tables};
use super::program::{Program, RelationId, Stratum};
use super::rows::{Row, RowSet};
use super::symbols::{Sym, Symbols};
use super::table::Table;
use crate::diagnostic::Diagnostic;

/// The rows of some relations that were first derived together.
pub(super) type Round = Vec<(RelationId, RowSet)>;

/// Rows that were derived, by relation.
pub(super) type Found = BTreeMap<RelationId, RowSet>;

/// What every run of a rule needs to know.
#[derive(Clone, Copy)]
pub(super) struct Work<'a> {
    pub symbols: &'a Symbols,
    pub budget: &'a Budget,
}

/// The rows of a program's relations for some facts.
///
/// Only what the wanted relations need is there: others are empty. A clone is a snapshot:
/// it shares all rows with the original until one of them is updated.
#[derive(Clone)]
pub struct Evaluation {
    pub(super) program: Program,
    pub(super) tables: Tables,
    pub(super) limits: Limits,
    /// By rule: the values its head is made of.
    pub(super) heads: Vec<Vec<Known>>,
    pub(super) plans: Plans,
}

/// The plans of rules that start from rows, which are asked for at each change. Copies of
/// an evaluation make their own.
#[derive(Default)]
pub(super) struct Plans(pub Mutex<FxHashMap<(usize, Start), Planned>>);

/// A plan, and how many rows the atoms of the rule had when it was made.
pub(super) struct Planned {
    pub plan: Arc<RulePlan>,
    pub rows: Vec<usize>,
}

impl Clone for Plans {
    fn clone(&self) -> Self {
        Plans::default()
    }
}

impl Evaluation {
    /// The program that was evaluated.
    #[must_use]
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// Whether the relation was needed, so that its rows are there.
    #[must_use]
    pub fn has(&self, relation: RelationId) -> bool {
        self.table(relation).is_some()
    }

    /// The rows of a relation, sorted by their symbols.
    pub fn rows(&self, relation: RelationId) -> impl Iterator<Item = Row> + '_ {
        self.rows_with_prefix(relation, &[])
    }

    /// The rows of a relation that start with some values, sorted by their symbols.
    pub fn rows_with_prefix(
        &self,
        relation: RelationId,
        prefix: &[Sym],
    ) -> impl Iterator<Item = Row> + use<'_> {
        self.table(relation).map(|table| table.prefix(prefix)).into_iter().flatten()
    }

    /// Whether a relation has a row.
    #[must_use]
    pub fn contains(&self, relation: RelationId, row: &[Sym]) -> bool {
        self.table(relation).is_some_and(|table| table.contains(row))
    }

    /// How many rows a relation has.
    #[must_use]
    pub fn len(&self, relation: RelationId) -> usize {
        self.table(relation).map_or(0, Table::len)
    }

    /// Whether a relation has no rows.
    #[must_use]
    pub fn is_empty(&self, relation: RelationId) -> bool {
        self.len(relation) == 0
    }

    /// The relations that were derived, or filled, and came to no rows.
    pub fn without_rows(&self) -> impl Iterator<Item = RelationId> + '_ {
        let all = self.program.body.declarations.iter().map(|it| it.id);
        all.filter(|id| self.has(*id) && self.is_empty(*id))
    }

    pub(super) fn table(&self, relation: RelationId) -> Option<&Table> {
        self.tables.get(relation.index()).and_then(Option::as_deref)
    }

    pub(super) fn columns(&self, relation: RelationId) -> usize {
        self.program.declaration(relation).columns.len()
    }

    /// Refuses so many rows of a relation, or what all rows together take with them.
    pub(super) fn check(&self, id: RelationId, rows: usize, work: Work<'_>) -> Result<(), Diagnostic> {
        let refused = work.budget.refuses(rows, RowSet::width(self.columns(id)), || self.bytes());
        refused.map_or(Ok(()), |stop| Err(work.budget.error(stop, &self.program, id, None)))
    }

    /// What it may use from the next change on.
    pub fn limit(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// What all rows and indexes take.
    pub(super) fn bytes(&self) -> usize {
        self.tables.iter().flatten().map(|table| table.bytes()).sum()
    }

    /// Takes all rows of a stratum out.
    pub(super) fn clear(&mut self, stratum: &Stratum) {
        for id in &stratum.relations {
            let columns = self.columns(*id);
            self.tables[id.index()] = Some(Arc::new(Table::new(columns, RowSet::new(columns))));
        }
    }
}
