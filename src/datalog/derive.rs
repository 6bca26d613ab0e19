//! One rule run once, within what is left of its budget.

use std::sync::{Arc, PoisonError};

use super::budget::{Budget, Stop};
use super::evaluation::{Evaluation, Found, Planned, Work};
use super::plan::{RulePlan, Start};
use super::planner::plan;
use super::program::{Literal, Rule, Variable};
use super::rows::RowSet;
use super::run::run;
use super::symbols::{Sym, Symbols};
use super::view::{Context, Delta};
use crate::diagnostic::Diagnostic;

/// So many bytes may be derived before repeated rows are looked for again.
const MORE: usize = 1 << 26;

impl Evaluation {
    /// Runs a rule, from nothing or from rows, and adds what it derives to the rows found
    /// for its head.
    pub(super) fn derive(
        &self,
        at: usize,
        start: Start,
        rows: Option<&RowSet>,
        before: Option<&[Option<Delta>]>,
        work: Work<'_>,
        found: &mut Found,
    ) -> Result<(), Diagnostic> {
        let program = self.program.clone();
        let rule = &program.body.rules[at];
        if start == Start::Nothing && self.lacks_rows(rule) {
            return Ok(());
        }
        let set = found.entry(rule.head.relation).or_insert_with(|| RowSet::new(rule.head.terms.len()));
        let meter = work.budget.meter(at);
        let began = work.budget.begin(rule, &meter);
        // So a round is counted, and the clock looked at, even if the rule looks nothing up.
        meter.spend(rows.map_or(0, RowSet::len));
        let plan = self.plan(at, start, work.symbols);
        let context = Context { tables: &self.tables, symbols: work.symbols, before, meter: &meter };
        let head = &self.heads[at];
        // Rows are made a set from time to time, so repeated ones never pile up.
        let width = RowSet::width(head.len());
        let most = self.limits.rows_per_relation.min(self.limits.bytes_per_relation / width);
        let mut check_at = (set.len() * 2).max(1 << 20).min(most.saturating_add(1));
        let mut emitted = 0;
        run(&context, &plan, rows, &mut |binding| {
            if meter.is_stopped() {
                return;
            }
            emitted += 1;
            set.push(head.iter().map(|known| known.value(binding)));
            if set.len() >= check_at {
                set.sort();
                if let Some(stop) = work.budget.refuses(set.len(), width, || self.bytes()) {
                    meter.stop(stop);
                }
                check_at = (set.len() * 2).max(1 << 20).max(check_at).min(set.len() + MORE / width);
            }
        });
        work.budget.take(at, &meter);
        work.budget.end(at, &began, &meter, emitted);
        let error = |stop| work.budget.error(stop, &program, rule.head.relation, Some(rule));
        meter.stopped().map_or(Ok(()), |stop| Err(error(stop)))
    }

    /// Finds what makes a body true that no rule has; `emit` gets the values of its
    /// variables and says whether it wants more. Gives why it ended early.
    pub(super) fn solve(
        &self,
        body: &[Literal],
        variables: usize,
        symbols: &Symbols,
        emit: &mut dyn FnMut(&[Sym]) -> bool,
    ) -> Option<Stop> {
        let plan = plan(None, body, variables, Start::Nothing, symbols, &self.tables);
        self.solved(&plan, symbols, emit)
    }

    /// The same for a question: a value that is `asked` for and that no row can hold ends it.
    pub(super) fn answer(
        &self,
        body: &[Literal],
        variables: usize,
        asked: &[usize],
        symbols: &Symbols,
        emit: &mut dyn FnMut(&[Sym]) -> bool,
    ) -> Option<Stop> {
        let plan = plan(None, body, variables, Start::Nothing, symbols, &self.tables);
        let plan = self.watched(plan, &|variable: Variable| asked.contains(&variable.0), body);
        self.solved(&plan, symbols, emit)
    }

    fn solved(
        &self,
        plan: &RulePlan,
        symbols: &Symbols,
        emit: &mut dyn FnMut(&[Sym]) -> bool,
    ) -> Option<Stop> {
        let meter = Budget::new(&self.limits, 1).meter(0);
        let context = Context { tables: &self.tables, symbols, before: None, meter: &meter };
        run(&context, plan, None, &mut |binding| {
            if !meter.is_stopped() && !emit(binding) {
                meter.stop(Stop::Enough);
            }
        });
        meter.stopped()
    }

    /// The plan of a rule: the last one, as long as the relations are about as large.
    fn plan(&self, at: usize, start: Start, symbols: &Symbols) -> Arc<RulePlan> {
        let rule = &self.program.body.rules[at];
        let new = || {
            let variables = rule.variables.len();
            let plan = plan(Some(&rule.head), &rule.body, variables, start, symbols, &self.tables);
            let in_head = |variable| rule.head.variables().any(|it| it == variable);
            Arc::new(self.watched(plan, &in_head, &rule.body))
        };
        if start == Start::Nothing {
            return new();
        }
        let mut plans = self.plans.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_near = |(rows, then): (usize, &usize)| rows <= then * 2 + 16 && *then <= rows * 2 + 16;
        if let Some(found) = plans.get(&(at, start))
            && self.rows_of_atoms(rule).zip(&found.rows).all(is_near)
        {
            return found.plan.clone();
        }
        let plan = new();
        // A constant that occurs nowhere may occur the next time.
        if plan.lasts && !plan.never {
            let planned = Planned { plan: plan.clone(), rows: self.rows_of_atoms(rule).collect() };
            plans.insert((at, start), planned);
        }
        plan
    }

    fn rows_of_atoms<'a>(&'a self, rule: &'a Rule) -> impl Iterator<Item = usize> + 'a {
        let rows = |literal: &Literal| literal.atom().map_or(0, |atom| self.len(atom.relation));
        rule.body.iter().map(rows)
    }

    /// Whether an atom of the rule has no rows at all: then no index is worth building.
    pub(super) fn lacks_rows(&self, rule: &Rule) -> bool {
        rule.body.iter().filter_map(Literal::positive).any(|atom| self.is_empty(atom.relation))
    }
}
