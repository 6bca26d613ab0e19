//! Filters of a step as a run applies them.
//!
//! A comparison, or a look into a small index, is done on each binding at once. Looks into
//! a large index are done for a whole batch, in the order of the index; the bindings
//! themselves keep their order, as what comes out sorted need not be sorted again.

use super::plan::{Compare, Filter, Known};
use super::run::Context;
use super::symbols::Sym;
use super::view::AnyView;

/// The filters of a step.
pub(super) struct Tests<'a> {
    compares: Vec<&'a Compare>,
    small: Vec<Lookup<'a>>,
    large: Vec<Lookup<'a>>,
}

struct Lookup<'a> {
    wanted: bool,
    view: AnyView<'a>,
    prefix: &'a [Known],
}

impl Lookup<'_> {
    fn holds(&self, binding: &[Sym]) -> bool {
        self.view.exists(self.prefix, binding) == self.wanted
    }
}

impl<'a> Tests<'a> {
    pub fn new(context: &Context<'a>, filters: &'a [Filter]) -> Self {
        let mut tests = Tests { compares: Vec::new(), small: Vec::new(), large: Vec::new() };
        for filter in filters {
            match filter {
                Filter::Compare(compare) => tests.compares.push(compare),
                Filter::Rows { wanted, relation, index, prefix } => {
                    let view = AnyView::new(context.tables, context.before, *relation, *index);
                    if !wanted && view.is_empty() {
                        // It holds for everything.
                        continue;
                    }
                    let kind = if view.is_large() { &mut tests.large } else { &mut tests.small };
                    kind.push(Lookup { wanted: *wanted, view, prefix });
                }
            }
        }
        tests
    }

    pub fn are_done_at_once(&self) -> bool {
        self.large.is_empty()
    }

    /// The tests that are done on each binding as it comes.
    pub fn at_once(&self, context: &Context<'_>, binding: &[Sym]) -> bool {
        self.compares.iter().all(|compare| compare.holds(binding, context.symbols))
            && self.small.iter().all(|lookup| lookup.holds(binding))
    }

    /// The tests that are done on a batch; what fails is taken out.
    pub fn together<const N: usize>(&self, batch: &mut Vec<[Sym; N]>) {
        for lookup in &self.large {
            let slots = slots(lookup.prefix);
            let key = |binding: &[Sym; N]| key(binding, &slots);
            if batch.is_sorted_by_key(key) {
                batch.retain(|binding| lookup.holds(binding));
                continue;
            }
            let mut order: Vec<(u64, usize)> =
                batch.iter().enumerate().map(|(at, binding)| (key(binding), at)).collect();
            order.sort_unstable();
            let mut kept = vec![false; batch.len()];
            for (_, at) in order {
                kept[at] = lookup.holds(&batch[at]);
            }
            let mut kept = kept.iter();
            batch.retain(|_| kept.next() == Some(&true));
        }
    }
}

/// Puts a batch into the order in which an index holds what is looked up in it.
pub(super) fn arrange<const N: usize>(batch: &mut [[Sym; N]], prefix: &[Known]) {
    let slots = slots(prefix);
    let key = |binding: &[Sym; N]| key(binding, &slots);
    if !batch.is_sorted_by_key(key) {
        batch.sort_unstable_by_key(key);
    }
}

fn slots(prefix: &[Known]) -> Vec<usize> {
    let slot = |known: &Known| match known {
        Known::Slot(slot) => Some(*slot),
        Known::Constant(_) => None,
    };
    prefix.iter().filter_map(slot).collect()
}

/// The first two values looked up; equal ones lie near enough together.
fn key(binding: &[Sym], slots: &[usize]) -> u64 {
    match slots {
        [] => 0,
        [one] => u64::from(binding[*one]),
        [one, two, ..] => u64::from(binding[*one]) << 32 | u64::from(binding[*two]),
    }
}
