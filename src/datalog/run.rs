//! A plan carried out: bindings go from step to step in batches.
//!
//! Each step is one datafrog leapjoin. The source is a batch of bindings. For each of
//! them every atom with the step's variable counts the values it has for what is bound;
//! the one with the fewest proposes them; the others, negated atoms and comparisons
//! intersect, that is, keep what they allow; and what is left extends the binding. A
//! batch that is full goes on at once, so no intermediate relation is ever stored.
//!
//! What a step or a filter looks up in a large index is looked up in the order of that
//! index, a batch at a time: a search that starts where the last one ended stays in the
//! cache, where one at random would miss it at every turn.
//!
//! An index can also be seen as it was before a change (see `update`): then rows added
//! by it are passed over and rows removed by it are looked at too.

use datafrog::{Leapers, Relation};

use super::budget::{Bits, Stop};
use super::compare::BEYOND;
use super::filters::{Filters, arrange};
use super::plan::{Probe, Proposer, RulePlan, Step, Take};
use super::program::MAX_VARIABLES;
use super::rows::{ByWidth, Cells, RowSet, by_width};
use super::symbols::Sym;
use super::view::{AnyView, Context, Range, View};

/// So many bindings are handed on together: few enough to stay in the cache, unless what
/// they are looked up in does not, which is worth doing for many at a time.
const BATCH: usize = 1 << 12;
const LARGE_BATCH: usize = 1 << 16;

/// Runs a plan from nothing, or from rows of what it starts with;
/// `emit` gets the slots of each binding found.
pub(super) fn run(
    context: &Context<'_>,
    plan: &RulePlan,
    rows: Option<&RowSet>,
    emit: &mut dyn FnMut(&[Sym]),
) {
    if plan.never {
        return;
    }
    if plan.computed.is_empty() {
        return run_any(context, plan, rows, emit);
    }
    // What is beyond a row's numbers matters only where all else holds.
    run_any(context, plan, rows, &mut |binding| {
        let Some((slot, span)) = plan.computed.iter().find(|(slot, _)| binding[*slot] == BEYOND) else {
            return emit(binding);
        };
        let compute = plan.computes().find(|compute| compute.slot() == *slot);
        let bits = compute.map_or(Bits::Row, |compute| compute.beyond(binding, context.symbols));
        context.meter.stop(Stop::Overflow(bits, *span));
    });
}

fn run_any(context: &Context<'_>, plan: &RulePlan, rows: Option<&RowSet>, emit: &mut dyn FnMut(&[Sym])) {
    // Few widths, so that each is compiled once and bindings stay small.
    match plan.slots {
        0..=4 => run_wide::<4>(context, plan, rows, emit),
        5..=8 => run_wide::<8>(context, plan, rows, emit),
        9..=16 => run_wide::<16>(context, plan, rows, emit),
        _ => run_wide::<{ MAX_VARIABLES }>(context, plan, rows, emit),
    }
}

fn run_wide<const N: usize>(
    context: &Context<'_>,
    plan: &RulePlan,
    rows: Option<&RowSet>,
    emit: &mut dyn FnMut(&[Sym]),
) {
    let steps: Option<Vec<Joined<'_>>> = plan.steps.iter().map(|step| Joined::new(context, step)).collect();
    let Some(steps) = steps else { return };
    let filters = Filters::new(context, &plan.checks);
    let mut batch = Relation { elements: Vec::new() };
    let size = batch_size(&filters, &steps);
    let nothing = [0; N];
    let mut start = |binding: [Sym; N]| {
        if !context.meter.is_stopped() && filters.at_once(context, &binding) {
            batch.elements.push(binding);
            if batch.elements.len() == size {
                go_on(context, &filters, &steps, &mut batch, emit);
            }
        }
    };
    if let Some(rows) = rows {
        by_width!(rows, rows => for row in rows {
            let mut binding = nothing;
            if plan.start.iter().all(|(at, take)| take_column(*row.column(*at), *take, &mut binding)) {
                start(binding);
            }
        });
    } else if let Some(source) = &plan.source {
        let Some(view) = AnyView::new(context, &source.look) else { return };
        by_width!(&view, view => {
            let (range, rows) = view.find(&source.look, &nothing);
            context.meter.spend(rows);
            view.visit(&range, source.distinct, |row| {
                let mut binding = nothing;
                if source.binds(row, &mut binding) {
                    start(binding);
                }
            });
        });
    } else {
        start(nothing);
    }
    go_on(context, &filters, &steps, &mut batch, emit);
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

impl Proposer {
    /// Extends a binding by a row; not if values differ that must be equal.
    fn binds<const W: usize>(&self, row: &Cells<W>, binding: &mut [Sym]) -> bool {
        self.take.iter().for_each(|(at, slot)| binding[*slot] = *row.column(*at));
        self.same.iter().all(|(one, other)| row.column(*one) == row.column(*other))
    }
}

/// A step with the indexes it looks at.
struct Joined<'a> {
    proposers: Vec<(&'a Proposer, AnyView<'a>)>,
    filters: Filters<'a>,
    /// What is looked at in the order of its index.
    large: Option<&'a Probe>,
}

impl<'a> Joined<'a> {
    fn new(context: &Context<'a>, step: &'a Step) -> Option<Self> {
        let view = |proposer: &'a Proposer| Some((proposer, AnyView::new(context, &proposer.look)?));
        let proposers = step.proposers.iter().map(view).collect::<Option<Vec<_>>>()?;
        let large = proposers.iter().find(|(it, view)| view.is_large() && !it.look.is_fixed());
        let large = large.map(|(proposer, _)| &proposer.look);
        Some(Joined { proposers, filters: Filters::new(context, &step.checks), large })
    }
}

/// Tests a batch, takes it through the steps, and leaves it empty.
fn go_on<const N: usize>(
    context: &Context<'_>,
    filters: &Filters<'_>,
    steps: &[Joined<'_>],
    batch: &mut Relation<[Sym; N]>,
    emit: &mut dyn FnMut(&[Sym]),
) {
    filters.together(context, &mut batch.elements);
    match steps.split_first() {
        None => batch.elements.iter().for_each(|binding| emit(binding)),
        Some((step, rest)) => {
            if let Some(look) = step.large {
                arrange(&mut batch.elements, look);
            }
            if let [(proposer, view)] = &step.proposers[..] {
                by_width!(view, view => {
                    let range = Range::default();
                    let leapers = One { context, proposer, view, range };
                    let extend = |row: &Cells<_>, binding: &mut [Sym; N]| proposer.binds(row, binding);
                    join(context, leapers, extend, step, rest, batch, emit);
                });
            } else if let Some((_, slot)) = step.proposers.first().and_then(|(it, _)| it.take.first()) {
                let leapers = Many { context, proposers: &step.proposers, slot: *slot, fixed: Vec::new() };
                let extend = |value: &Sym, binding: &mut [Sym; N]| {
                    binding[*slot] = *value;
                    true
                };
                join(context, leapers, extend, step, rest, batch, emit);
            }
        }
    }
    batch.elements.clear();
}

/// How many bindings are tested and taken through the steps together.
fn batch_size(filters: &Filters<'_>, steps: &[Joined<'_>]) -> usize {
    let large = |step: &Joined<'_>| step.large.is_some() || step.filters.has_large();
    if filters.has_large() || steps.iter().any(large) { LARGE_BATCH } else { BATCH }
}

/// One leapjoin: what it finds goes on.
fn join<'v, const N: usize, V: Ord + 'v>(
    context: &Context<'_>,
    leapers: impl Leapers<'v, [Sym; N], V>,
    extend: impl Fn(&V, &mut [Sym; N]) -> bool,
    step: &Joined<'_>,
    rest: &[Joined<'_>],
    batch: &Relation<[Sym; N]>,
    emit: &mut dyn FnMut(&[Sym]),
) {
    let ends = rest.is_empty() && !step.filters.has_together();
    let mut next = Relation { elements: Vec::new() };
    let size = batch_size(&step.filters, rest);
    // The result is the empty tuple, so datafrog stores nothing: bindings are passed on.
    Relation::<()>::from_leapjoin(batch, leapers, |binding, value| {
        let mut binding = *binding;
        if !extend(value, &mut binding) || !step.filters.at_once(context, &binding) {
            return;
        }
        if ends {
            emit(&binding);
        } else {
            next.elements.push(binding);
            if next.elements.len() == size {
                go_on(context, &step.filters, rest, &mut next, emit);
            }
        }
    });
    if !next.elements.is_empty() {
        go_on(context, &step.filters, rest, &mut next, emit);
    }
}

/// The leapers of a step in which one atom proposes: whole rows, as they may bind several
/// variables.
struct One<'v, 'a, const W: usize> {
    context: &'v Context<'a>,
    proposer: &'v Proposer,
    view: &'v View<'a, W>,
    range: Range<W>,
}

impl<'v, const N: usize, const W: usize> Leapers<'v, [Sym; N], Cells<W>> for One<'v, '_, W> {
    fn for_each_count(&mut self, binding: &[Sym; N], mut op: impl FnMut(usize, usize)) {
        if self.context.meter.is_stopped() {
            return op(0, 0);
        }
        let count;
        (self.range, count) = self.view.find(&self.proposer.look, binding);
        self.context.meter.spend(count);
        op(0, count);
    }

    fn propose(&mut self, _binding: &[Sym; N], _at: usize, values: &mut Vec<&'v Cells<W>>) {
        match self.view.slice(&self.range, self.proposer.distinct) {
            Some(rows) => values.extend(rows),
            None => self.view.visit(&self.range, self.proposer.distinct, |row| values.push(row)),
        }
    }

    fn intersect(&mut self, _binding: &[Sym; N], _at: usize, _values: &mut Vec<&'v Cells<W>>) {}
}

/// The leapers of a step in which several atoms may propose values of a variable.
struct Many<'v, 'a> {
    context: &'v Context<'a>,
    proposers: &'v [(&'v Proposer, AnyView<'a>)],
    slot: usize,
    /// By proposer, how many it has for every binding.
    fixed: Vec<Option<usize>>,
}

impl Many<'_, '_> {
    fn count(&self, at: usize, binding: &[Sym]) -> usize {
        let (proposer, view) = &self.proposers[at];
        by_width!(view, view => view.find(&proposer.look, binding).1)
    }
}

impl<'v, const N: usize> Leapers<'v, [Sym; N], Sym> for Many<'v, '_> {
    fn for_each_count(&mut self, binding: &[Sym; N], mut op: impl FnMut(usize, usize)) {
        if self.context.meter.is_stopped() {
            return op(0, 0);
        }
        if self.fixed.is_empty() {
            let looks = self.proposers.iter().map(|(it, _)| &it.look).enumerate();
            let fixed = looks.map(|(at, look)| look.is_fixed().then(|| self.count(at, binding)));
            self.fixed = fixed.collect();
        }
        let mut least = usize::MAX;
        for at in 0..self.fixed.len() {
            if least == 0 {
                break;
            }
            let count = self.fixed[at].unwrap_or_else(|| self.count(at, binding));
            op(at, count);
            least = least.min(count);
        }
        self.context.meter.spend(least);
    }

    fn propose(&mut self, binding: &[Sym; N], at: usize, values: &mut Vec<&'v Sym>) {
        let (proposer, view) = &self.proposers[at];
        let column = proposer.look.prefix.len();
        by_width!(view, view => {
            let (range, _) = view.find(&proposer.look, binding);
            view.visit(&range, proposer.distinct, |row| values.push(row.column(column)));
        });
    }

    fn intersect(&mut self, binding: &[Sym; N], at: usize, values: &mut Vec<&'v Sym>) {
        let mut extended = *binding;
        for (other, (proposer, view)) in self.proposers.iter().enumerate() {
            if let Some(check) = proposer.check.as_ref().filter(|_| other != at) {
                values.retain(|value| {
                    extended[self.slot] = **value;
                    view.exists(check, &extended)
                });
            }
        }
    }
}
