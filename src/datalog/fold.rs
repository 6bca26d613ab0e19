//! The values of aggregates, group by group.
//!
//! The rows that an aggregate is about start with their group, so a group is a range of the
//! first index. A change of some rows folds their groups again, and no others.

use std::collections::BTreeSet;

use super::aggregate::Aggregate;
use super::budget::Stop;
use super::compare::BEYOND;
use super::evaluation::{Evaluation, Found, Work};
use super::plan::RulePlan;
use super::program::{Atom, Literal, RelationId, Rule, Stratum, Term, Variable};
use super::rows::{Row, RowSet};
use super::symbols::{Sym, Value};
use super::view::Delta;
use crate::diagnostic::Diagnostic;

/// A rule by its place, how it folds, and the relation of the rows that it folds.
pub(super) type Folded = (usize, Aggregate, RelationId);

impl Evaluation {
    /// The aggregate that a stratum works out, with its rule and the rows it is about.
    pub(super) fn folds(&self, stratum: &Stratum) -> Option<Folded> {
        let at = *stratum.rules.first()?;
        let rule = &self.program.body.rules[at];
        let aggregate = rule.fold?;
        match rule.body.first() {
            Some(Literal::Positive(rows)) => Some((at, aggregate, rows.relation)),
            _ => None,
        }
    }

    /// The values of all groups.
    pub(super) fn fold(
        &self,
        stratum: &Stratum,
        work: Work<'_>,
        found: &mut Found,
    ) -> Result<(), Diagnostic> {
        let Some((at, aggregate, rows)) = self.folds(stratum) else { return Ok(()) };
        let rule = &self.program.body.rules[at];
        let width = rule.head.terms.len();
        let set = found.entry(rule.head.relation).or_insert_with(|| RowSet::new(width));
        let mut group: Vec<Row> = Vec::new();
        for row in self.rows(rows) {
            if group.first().is_some_and(|first| first[..width - 1] != row[..width - 1]) {
                self.push(rule, aggregate, &group, work, set)?;
                group.clear();
            }
            group.push(row);
        }
        self.push(rule, aggregate, &group, work, set)
    }

    /// What a change of the rows does to the values of their groups.
    pub(super) fn refold(
        &self,
        (at, aggregate, rows): Folded,
        delta: &Delta,
        work: Work<'_>,
    ) -> Result<Delta, Diagnostic> {
        let rule = &self.program.body.rules[at];
        let width = rule.head.terms.len();
        let columns = self.columns(rows);
        let changed = delta.added.iter(columns).chain(delta.removed.iter(columns));
        let groups: BTreeSet<Vec<Sym>> = changed.map(|row| row[..width - 1].to_vec()).collect();
        let (mut added, mut removed) = (RowSet::new(width), RowSet::new(width));
        for group in groups {
            self.rows_with_prefix(rule.head.relation, &group)
                .for_each(|row| removed.push(row.iter().copied()));
            let now: Vec<Row> = self.rows_with_prefix(rows, &group).collect();
            self.push(rule, aggregate, &now, work, &mut added)?;
        }
        added.sort();
        removed.sort();
        let kept = added.clone();
        added.subtract(&removed);
        removed.subtract(&kept);
        Ok(Delta { added, removed })
    }

    /// Adds the value of a group, which may be beyond the numbers that rows have: that is an
    /// error of the rule that asks for it, if all else holds.
    fn push(
        &self,
        rule: &Rule,
        aggregate: Aggregate,
        group: &[Row],
        work: Work<'_>,
        set: &mut RowSet,
    ) -> Result<(), Diagnostic> {
        let number = |row: &Row| match row.last().map(|sym| work.symbols.value(*sym)) {
            Some(Value::Number(number)) => number,
            // What is counted needs no number.
            _ => 0,
        };
        let (Some(first), Some(value)) = (group.first(), aggregate.of(group.iter().map(number))) else {
            return Ok(());
        };
        let sym = match i64::try_from(value) {
            Err(_) => BEYOND,
            Ok(number) => work.symbols.worked_out(Value::Number(number)).ok_or_else(|| {
                work.budget.error(Stop::Values, &self.program, rule.head.relation, Some(rule))
            })?,
        };
        let groups = rule.head.terms.len() - 1;
        set.push(first[..groups].iter().copied().chain([sym]));
        Ok(())
    }

    /// Has a plan watch for values of aggregates that no row may have, where they are asked
    /// for: one that stands nowhere else is not.
    pub(super) fn watched(&self, mut plan: RulePlan, head: &Atom, body: &[Literal]) -> RulePlan {
        let is_asked = |variable: &Variable| {
            let in_body = |literal: &Literal| match literal {
                Literal::Positive(atom) | Literal::Negative(atom) => {
                    atom.variables().any(|it| it == *variable)
                }
                Literal::Comparison(comparison) => comparison.variables().any(|it| it == *variable),
            };
            let in_head = head.variables().any(|it| it == *variable);
            in_head || body.iter().filter(|literal| in_body(literal)).count() > 1
        };
        let values = body.iter().filter_map(Literal::positive).filter_map(|atom| self.value_of(atom));
        plan.computed.extend(values.filter(is_asked).map(|variable| variable.0));
        plan
    }

    /// The variable that gets the value of an aggregate.
    fn value_of(&self, atom: &Atom) -> Option<Variable> {
        self.program.declaration(atom.relation).within?;
        match atom.terms.last() {
            Some(Term::Variable(variable)) => Some(*variable),
            _ => None,
        }
    }
}
