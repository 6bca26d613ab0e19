//! A recursive stratum, by datafrog's iteration.
//!
//! Each relation of the stratum is a datafrog variable. A round runs each rule once for
//! each of its recursive atoms, with that atom restricted to the rows that were new in
//! the round before (semi-naive); the variables tell new rows from known ones and when
//! there are none.
//!
//! A rule with two recursive atoms looks one of them up, which a variable has no index
//! for: then, and where rows were there before, the rounds' rows go into the table too.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafrog::{Iteration, Relation, Variable};

use super::evaluation::{Evaluation, Found, Round, Work};
use super::plan::Start;
use super::program::{RelationId, Stratum};
use super::rows::{ByWidth, Cells, RowSet, by_width};
use super::table::Table;
use crate::diagnostic::Diagnostic;

/// The rows of a relation that grows.
type Growing = ByWidth<Variable<Cells<2>>, Variable<Cells<4>>, Variable<Cells<8>>>;

impl Evaluation {
    /// Adds rows to a recursive stratum, and all that follows from them in it. `rounds`
    /// gets the rows that were new in each round, also when a limit ends it.
    pub(super) fn grow(
        &mut self,
        stratum: &Stratum,
        found: Found,
        work: Work<'_>,
        mut rounds: Option<&mut Vec<Round>>,
    ) -> Result<(), Diagnostic> {
        let mut iteration = Iteration::new();
        let variable = |id: &RelationId| (*id, by_width!(new self.columns(*id) => iteration.variable("")));
        let variables: BTreeMap<RelationId, Growing> = stratum.relations.iter().map(variable).collect();
        let rules = &self.program.body.rules;
        // Whether rows go into the tables in each round, or all of them in the end.
        let at_once = rounds.is_some()
            || stratum.rules.iter().any(|at| stratum.own(&rules[*at].body).nth(1).is_some())
            || stratum.relations.iter().any(|id| !self.is_empty(*id));
        let mut rows: BTreeMap<RelationId, usize> =
            stratum.relations.iter().map(|id| (*id, self.len(*id))).collect();
        self.insert(found, &variables);
        while iteration.changed() {
            let mut round = Round::new();
            for (id, variable) in &variables {
                let new: RowSet =
                    by_width!(map variable, variable => variable.recent.borrow().elements.clone());
                if new.is_empty() {
                    continue;
                }
                let total = rows.entry(*id).or_default();
                *total += new.len();
                self.check(*id, *total, work)?;
                if at_once && let Some(table) = self.tables[id.index()].as_mut().map(Arc::make_mut) {
                    table.apply(&new, &RowSet::new(table.columns()));
                }
                if let Some(rounds) = &mut rounds {
                    // Noted one by one: what is in a table must be known after an error.
                    match rounds.last_mut().filter(|_| !round.is_empty()) {
                        Some(last) => last.push((*id, new.clone())),
                        None => rounds.push(vec![(*id, new.clone())]),
                    }
                }
                round.push((*id, new));
            }
            let mut found = Found::new();
            for (id, new) in &round {
                for (at, literal) in stratum.uses.get(id).into_iter().flatten() {
                    self.derive(*at, Start::Literal(*literal), Some(new), None, work, &mut found)?;
                }
            }
            self.insert(found, &variables);
        }
        if !at_once {
            for (id, variable) in variables {
                let rows: RowSet = by_width!(map variable, variable => variable.complete().elements);
                self.tables[id.index()] = Some(Arc::new(Table::new(self.columns(id), rows)));
            }
        }
        Ok(())
    }

    /// Hands what was found to the variables, but for what was there before.
    fn insert(&self, found: Found, variables: &BTreeMap<RelationId, Growing>) {
        for (id, mut rows) in found {
            rows.sort();
            if let (Some(table), Some(variable)) = (&self.tables[id.index()], variables.get(&id)) {
                table.keep(&mut rows, false);
                by_width!(variable, rows, (variable, rows) => variable.insert(Relation { elements: rows }));
            }
        }
    }
}
