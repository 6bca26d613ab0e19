//! A plan carried out: bindings go from step to step in batches.
//!
//! Each step is one datafrog leapjoin: the source is a batch of bindings, the leaper
//! finds for each the range of an index that starts with what is known, and the closure
//! takes the new values, tests the filters and hands what is left to the next step. A
//! batch that is full goes on at once, so no intermediate relation is ever stored.
//!
//! What a step or a filter looks up in a large index is looked up in the order of that
//! index, a batch at a time: a search that starts where the last one ended stays in the
//! cache, where one at random would miss it at every turn.
//!
//! An index can also be seen as it was before a change (see `update`): then rows added
//! by it are passed over and rows removed by it are looked at too.

use std::sync::Arc;

use datafrog::{Leapers, Relation};

use super::budget::Meter;
use super::plan::{Plan, Step, Take};
use super::rows::{Packed, Row, RowSet};
use super::symbols::{Sym, Symbols};
use super::table::Table;
use super::test::{Tests, arrange};
use super::view::{AnyView, View};

/// So many bindings are handed on together: few enough to stay in the cache, unless what
/// they are looked up in does not, which is worth doing for many at a time.
const BATCH: usize = 1 << 12;
const LARGE_BATCH: usize = 1 << 16;

/// What a change did to a relation; both sorted.
#[derive(Debug, Clone)]
pub(super) struct Delta {
    pub added: RowSet,
    pub removed: RowSet,
}

/// What the steps of one run share.
pub(super) struct Context<'a> {
    pub tables: &'a [Option<Arc<Table>>],
    pub symbols: &'a Symbols,
    /// To see the tables as they were before these changes.
    pub before: Option<&'a [Option<Delta>]>,
    /// Rows that may still be looked at; stopped, it ends the run early.
    pub meter: &'a Meter,
}

/// Runs a plan from nothing; `emit` gets the slots of each binding found.
pub(super) fn run(context: &Context<'_>, plan: &Plan, emit: &mut dyn FnMut(&[Sym])) {
    run_rows(context, plan, std::iter::once(None), emit);
}

/// Runs a plan from rows of the relation it starts with.
pub(super) fn run_from(
    context: &Context<'_>,
    plan: &Plan,
    rows: &RowSet,
    columns: usize,
    emit: &mut dyn FnMut(&[Sym]),
) {
    run_rows(context, plan, rows.iter(columns).map(Some), emit);
}

fn run_rows(
    context: &Context<'_>,
    plan: &Plan,
    rows: impl Iterator<Item = Option<Row>>,
    emit: &mut dyn FnMut(&[Sym]),
) {
    if plan.never {
        return;
    }
    // Few widths, so that each is compiled once and bindings stay small.
    match plan.slots {
        0..=4 => run_wide::<4>(context, plan, rows, emit),
        5..=8 => run_wide::<8>(context, plan, rows, emit),
        9..=16 => run_wide::<16>(context, plan, rows, emit),
        _ => run_wide::<{ super::MAX_VARIABLES }>(context, plan, rows, emit),
    }
}

fn run_wide<const N: usize>(
    context: &Context<'_>,
    plan: &Plan,
    rows: impl Iterator<Item = Option<Row>>,
    emit: &mut dyn FnMut(&[Sym]),
) {
    let steps: Vec<Joined<'_>> = plan.steps.iter().map(|step| Joined::new(context, step)).collect();
    let tests = Tests::new(context, &plan.start_filters);
    let mut batch = Relation { elements: Vec::new() };
    let size = batch_size(&tests, &steps);
    for row in rows {
        if context.meter.is_stopped() {
            return;
        }
        let mut binding = [0; N];
        let fits = row
            .is_none_or(|row| plan.start.iter().all(|(at, take)| take_column(row[*at], *take, &mut binding)));
        if fits && tests.at_once(context, &binding) {
            batch.elements.push(binding);
            if batch.elements.len() == size {
                go_on(context, &tests, &steps, &mut batch, emit);
            }
        }
    }
    go_on(context, &tests, &steps, &mut batch, emit);
}

fn take_column(sym: Sym, take: Take, binding: &mut [Sym]) -> bool {
    match take {
        Take::Constant(constant) => sym == constant,
        Take::Same(slot) => sym == binding[slot],
        Take::Bind(slot) => {
            binding[slot] = sym;
            true
        }
    }
}

/// Tests a batch, takes it through the steps, and leaves it empty.
fn go_on<const N: usize>(
    context: &Context<'_>,
    tests: &Tests<'_>,
    steps: &[Joined<'_>],
    batch: &mut Relation<[Sym; N]>,
    emit: &mut dyn FnMut(&[Sym]),
) {
    tests.together(&mut batch.elements);
    match steps.split_first() {
        None => batch.elements.iter().for_each(|binding| emit(binding)),
        Some((step, rest)) => {
            if step.view.is_large() {
                arrange(&mut batch.elements, &step.step.prefix);
            }
            match &step.view {
                AnyView::Narrow(view) => join(context, step, view, rest, batch, emit),
                AnyView::Middle(view) => join(context, step, view, rest, batch, emit),
                AnyView::Wide(view) => join(context, step, view, rest, batch, emit),
                AnyView::Empty => {}
            }
        }
    }
    batch.elements.clear();
}

/// How many bindings are tested and taken through the steps together.
fn batch_size(tests: &Tests<'_>, steps: &[Joined<'_>]) -> usize {
    let large = |step: &Joined<'_>| step.view.is_large() || !step.tests.are_done_at_once();
    if tests.are_done_at_once() && !steps.iter().any(large) { BATCH } else { LARGE_BATCH }
}

/// A step with the index it looks at.
struct Joined<'a> {
    step: &'a Step,
    view: AnyView<'a>,
    tests: Tests<'a>,
}

impl<'a> Joined<'a> {
    fn new(context: &Context<'a>, step: &'a Step) -> Self {
        Joined {
            step,
            view: AnyView::new(context.tables, context.before, step.relation, step.index),
            tests: Tests::new(context, &step.filters),
        }
    }
}

fn join<const N: usize, T: Packed>(
    context: &Context<'_>,
    joined: &Joined<'_>,
    view: &View<'_, T>,
    rest: &[Joined<'_>],
    batch: &Relation<[Sym; N]>,
    emit: &mut dyn FnMut(&[Sym]),
) {
    let step = joined.step;
    let ends = rest.is_empty() && joined.tests.are_done_at_once();
    let mut next = Relation { elements: Vec::new() };
    let size = batch_size(&joined.tests, rest);
    let mut found = |binding: &[Sym; N], row: T| {
        let mut binding = *binding;
        for (at, take) in &step.take {
            if !take_column(row.column(*at, view.columns), *take, &mut binding) {
                return;
            }
        }
        if !joined.tests.at_once(context, &binding) || context.meter.is_stopped() {
            return;
        }
        if ends {
            emit(&binding);
            return;
        }
        next.elements.push(binding);
        if next.elements.len() == size {
            go_on(context, &joined.tests, rest, &mut next, emit);
        }
    };
    if step.prefix.is_empty() {
        // A scan: to collect references to a whole relation first would be a waste.
        for binding in &batch.elements {
            context.meter.spend(view.base.len() + view.added.len());
            let low = T::low(std::iter::empty(), 0, view.columns);
            let high = low.high(0, view.columns);
            view.visit(step.distinct, 0, view.base.len(), (low, high), |row| {
                if !context.meter.is_stopped() {
                    found(binding, *row);
                }
            });
        }
    } else {
        let leaper = Leap { context, step, view, from: 0, to: 0, bounds: None };
        // The result is the empty tuple, so datafrog stores nothing: `found` passes rows on.
        Relation::<()>::from_leapjoin(batch, leaper, |binding, row| found(binding, *row));
    }
    if !next.elements.is_empty() {
        go_on(context, &joined.tests, rest, &mut next, emit);
    }
}

/// Proposes the rows of an index that start with what a binding knows.
struct Leap<'a, T: Packed> {
    context: &'a Context<'a>,
    step: &'a Step,
    view: &'a View<'a, T>,
    from: usize,
    to: usize,
    bounds: Option<(T, T)>,
}

impl<'a, const N: usize, T: Packed> Leapers<'a, [Sym; N], T> for Leap<'a, T> {
    fn for_each_count(&mut self, binding: &[Sym; N], mut op: impl FnMut(usize, usize)) {
        if self.context.meter.is_stopped() {
            op(0, 0);
            return;
        }
        let (low, high) = self.view.bounds(&self.step.prefix, binding);
        (self.from, self.to) = self.view.find(low, high);
        self.bounds = Some((low, high));
        let view = self.view;
        let count = self.to - self.from + view.count_beside(low, high);
        self.context.meter.spend(count);
        op(0, count);
    }

    fn propose(&mut self, _binding: &[Sym; N], _at: usize, values: &mut Vec<&'a T>) {
        if let Some(bounds) = self.bounds {
            self.view.visit(self.step.distinct, self.from, self.to, bounds, |row| values.push(row));
        }
    }

    fn intersect(&mut self, _binding: &[Sym; N], _at: usize, _values: &mut Vec<&'a T>) {}
}
