//! What a run keeps of the values that were proposed.
//!
//! A comparison, or a look into a small index, is done for each value at once, as it
//! extends a binding. Looks into an index that does not fit the cache are done for a
//! whole batch of bindings, in the order of that index; the bindings themselves keep
//! their order, as what comes out sorted need not be sorted again. What is worked out
//! changes a binding, so it and what is behind it is done for a batch too.

use super::compare::{Compare, Compute};
use super::plan::{Check, Known, Probe};
use super::symbols::Sym;
use super::view::{AnyView, Context};

/// The filters of a step.
pub(super) struct Filters<'a> {
    compares: Vec<&'a Compare>,
    small: Vec<Lookup<'a>>,
    large: Vec<Lookup<'a>>,
    /// From the first value on that is worked out.
    late: Vec<Late<'a>>,
}

enum Late<'a> {
    Compute(&'a Compute),
    Compare(&'a Compare),
    Rows(Lookup<'a>),
}

/// Whether there are rows.
pub(super) struct Lookup<'a> {
    wanted: bool,
    view: AnyView<'a>,
    look: &'a Probe,
}

impl Lookup<'_> {
    fn holds(&self, binding: &[Sym]) -> bool {
        self.view.exists(self.look, binding) == self.wanted
    }
}

impl<'a> Filters<'a> {
    pub fn new(context: &Context<'a>, checks: &'a [Check]) -> Self {
        let mut filters =
            Filters { compares: Vec::new(), small: Vec::new(), large: Vec::new(), late: Vec::new() };
        for check in checks {
            match check {
                Check::Compute(compute) => filters.late.push(Late::Compute(compute)),
                Check::Compare(compare) if filters.late.is_empty() => filters.compares.push(compare),
                Check::Compare(compare) => filters.late.push(Late::Compare(compare)),
                Check::Rows { wanted, look } => {
                    let Some(view) = AnyView::new(context, look) else { continue };
                    // If there is nothing, nothing being there holds for everything.
                    if *wanted || !view.is_empty() {
                        let is_large = view.is_large();
                        let lookup = Lookup { wanted: *wanted, view, look };
                        match is_large {
                            _ if !filters.late.is_empty() => filters.late.push(Late::Rows(lookup)),
                            true => filters.large.push(lookup),
                            false => filters.small.push(lookup),
                        }
                    }
                }
            }
        }
        filters
    }

    pub fn has_large(&self) -> bool {
        !self.large.is_empty()
    }

    /// Whether bindings have to be looked at a batch at a time.
    pub fn has_together(&self) -> bool {
        self.has_large() || !self.late.is_empty()
    }

    /// What is tested as a value extends a binding.
    pub fn at_once(&self, context: &Context<'_>, binding: &[Sym]) -> bool {
        self.compares.iter().all(|compare| compare.holds(binding, context.symbols, context.meter))
            && self.small.iter().all(|lookup| lookup.holds(binding))
    }

    /// What is tested on a batch; bindings that fail are taken out.
    pub fn together<const N: usize>(&self, context: &Context<'_>, batch: &mut Vec<[Sym; N]>) {
        for lookup in &self.large {
            let slots = slots(lookup.look);
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
        if !self.late.is_empty() {
            batch.retain_mut(|binding| self.late.iter().all(|late| late.passes(context, binding)));
        }
    }
}

impl Late<'_> {
    fn passes(&self, context: &Context<'_>, binding: &mut [Sym]) -> bool {
        match self {
            Late::Compute(compute) => compute.fill(binding, context.symbols, context.meter),
            Late::Compare(compare) => compare.holds(binding, context.symbols, context.meter),
            Late::Rows(lookup) => lookup.holds(binding),
        }
    }
}

/// Puts a batch into the order in which an index holds what is looked up in it.
pub(super) fn arrange<const N: usize>(batch: &mut [[Sym; N]], look: &Probe) {
    let slots = slots(look);
    let key = |binding: &[Sym; N]| key(binding, &slots);
    if !batch.is_sorted_by_key(key) {
        batch.sort_unstable_by_key(key);
    }
}

fn slots(look: &Probe) -> Vec<usize> {
    let slot = |known: &Known| match known {
        Known::Slot(slot) => Some(*slot),
        Known::Constant(_) => None,
    };
    look.prefix.iter().filter_map(slot).collect()
}

/// The first two values looked up; equal ones lie near enough together.
fn key(binding: &[Sym], slots: &[usize]) -> u64 {
    match slots {
        [] => 0,
        [one] => u64::from(binding[*one]),
        [one, two, ..] => u64::from(binding[*one]) << 32 | u64::from(binding[*two]),
    }
}
