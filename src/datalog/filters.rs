//! What a run keeps of the values that were proposed.
//!
//! A comparison, or a look into a small index, is done for each value at once, as the
//! leapjoin intersects. Looks into an index that does not fit the cache are done for a
//! whole batch of bindings, in the order of that index; the bindings themselves keep
//! their order, as what comes out sorted need not be sorted again.

use super::compare::Compare;
use super::plan::{Check, Known, Look};
use super::run::Context;
use super::symbols::Sym;
use super::view::AnyView;

/// The filters of a step.
pub(super) struct Filters<'a> {
    compares: Vec<&'a Compare>,
    small: Vec<Lookup<'a>>,
    large: Vec<Lookup<'a>>,
}

/// Whether there are rows.
pub(super) struct Lookup<'a> {
    wanted: bool,
    view: AnyView<'a>,
    look: &'a Look,
}

impl Lookup<'_> {
    fn holds(&self, binding: &[Sym]) -> bool {
        self.view.exists(self.look, binding) == self.wanted
    }
}

impl<'a> Filters<'a> {
    pub fn new(context: &Context<'a>, checks: &'a [Check]) -> Self {
        let mut filters = Filters { compares: Vec::new(), small: Vec::new(), large: Vec::new() };
        for check in checks {
            match check {
                Check::Compare(compare) => filters.compares.push(compare),
                Check::Rows { wanted, look } => {
                    let Some(view) = context.view(look) else { continue };
                    // If there is nothing, nothing being there holds for everything.
                    if *wanted || !view.is_empty() {
                        let kind = if view.is_large() { &mut filters.large } else { &mut filters.small };
                        kind.push(Lookup { wanted: *wanted, view, look });
                    }
                }
            }
        }
        filters
    }

    pub fn has_none_at_once(&self) -> bool {
        self.compares.is_empty() && self.small.is_empty()
    }

    pub fn has_large(&self) -> bool {
        !self.large.is_empty()
    }

    /// What is tested as a value is proposed.
    pub fn at_once(&self, context: &Context<'_>, binding: &[Sym]) -> bool {
        self.compares.iter().all(|compare| compare.holds(binding, context.symbols))
            && self.small.iter().all(|lookup| lookup.holds(binding))
    }

    /// What is tested on a batch; bindings that fail are taken out.
    pub fn together<const N: usize>(&self, batch: &mut Vec<[Sym; N]>) {
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
    }
}

/// Puts a batch into the order in which an index holds what is looked up in it.
pub(super) fn arrange<const N: usize>(batch: &mut [[Sym; N]], look: &Look) {
    let slots = slots(look);
    let key = |binding: &[Sym; N]| key(binding, &slots);
    if !batch.is_sorted_by_key(key) {
        batch.sort_unstable_by_key(key);
    }
}

fn slots(look: &Look) -> Vec<usize> {
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
