//! An index as one run of a plan sees it: now, or as it was before a change.

use std::cell::{Cell, OnceCell};
use std::collections::BTreeSet;
use std::sync::Arc;

use rustc_hash::FxHashSet;

use super::plan::Known;
use super::program::RelationId;
use super::rows::{Packed, RowSet, Wide};
use super::run::Delta;
use super::symbols::Sym;
use super::table::{Indexes, Table};

/// An index of more rows than this does not fit a core's own cache.
const LARGE: usize = 1 << 14;

/// The rows a run sees.
pub(super) struct View<'a, T: Packed> {
    pub columns: usize,
    pub base: &'a [T],
    pub added: &'a BTreeSet<T>,
    removed: &'a BTreeSet<T>,
    /// Rows that are there but are passed over, and rows that are not but are looked at.
    minus: Vec<T>,
    plus: Vec<T>,
    /// Where the last range was found; the next one is often near.
    near: Cell<usize>,
    /// How often a whole row was looked up.
    probes: Cell<usize>,
    /// The rows of the base, once that pays.
    members: OnceCell<FxHashSet<T>>,
}

impl<'a, T: Packed> View<'a, T> {
    fn new(table: &'a Indexes<T>, index: usize, minus: &[T], plus: &[T]) -> Self {
        let found = table.index(index);
        View {
            columns: table.columns,
            base: &found.base.elements,
            added: &found.added,
            removed: &found.removed,
            minus: table.in_order(minus, &found.order),
            plus: table.in_order(plus, &found.order),
            near: Cell::new(0),
            probes: Cell::new(0),
            members: OnceCell::new(),
        }
    }

    pub fn bounds(&self, prefix: &[Known], binding: &[Sym]) -> (T, T) {
        let value = |known: &Known| match known {
            Known::Constant(sym) => *sym,
            Known::Slot(slot) => binding[*slot],
        };
        let low = T::low(prefix.iter().map(value), prefix.len(), self.columns);
        (low, low.high(prefix.len(), self.columns))
    }

    /// The part of the base between the bounds.
    pub fn find(&self, low: T, high: T) -> (usize, usize) {
        let from = seek(self.base, self.near.get(), |row| *row < low);
        self.near.set(from);
        (from, seek(self.base, from, |row| *row <= high))
    }

    fn is_empty(&self) -> bool {
        self.base.is_empty() && self.added.is_empty() && self.plus.is_empty()
    }

    /// How many rows between the bounds are not in the base.
    pub fn count_beside(&self, low: T, high: T) -> usize {
        let added = if self.added.is_empty() { 0 } else { self.added.range(low..=high).count() };
        added + self.plus(low, high).len()
    }

    fn plus(&self, low: T, high: T) -> &[T] {
        if self.plus.is_empty() {
            return &[];
        }
        let from = self.plus.partition_point(|row| *row < low);
        let to = from + self.plus[from..].partition_point(|row| *row <= high);
        &self.plus[from..to]
    }

    /// Whether all rows of the base are seen.
    fn hides_none(&self) -> bool {
        self.removed.is_empty() && self.minus.is_empty()
    }

    fn hides(&self, row: &T) -> bool {
        (!self.removed.is_empty() && self.removed.contains(row))
            || (!self.minus.is_empty() && self.minus.binary_search(row).is_ok())
    }

    pub fn visit<'v>(
        &'v self,
        distinct: usize,
        from: usize,
        to: usize,
        (low, high): (T, T),
        mut each: impl FnMut(&'v T),
    ) {
        let all = self.hides_none();
        if all && distinct >= self.columns {
            self.base[from..to].iter().for_each(&mut each);
        } else {
            let mut at = from;
            while at < to {
                let row = &self.base[at];
                at += 1;
                if !all && self.hides(row) {
                    continue;
                }
                each(row);
                if distinct < self.columns {
                    let last = row.high(distinct, self.columns);
                    at = seek(&self.base[..to], at, |row| *row <= last);
                }
            }
        }
        if !self.added.is_empty() {
            self.added.range(low..=high).filter(|row| !self.hides(row)).for_each(&mut each);
        }
        self.plus(low, high).iter().for_each(&mut each);
    }

    fn exists(&self, prefix: &[Known], binding: &[Sym]) -> bool {
        let (low, high) = self.bounds(prefix, binding);
        if low == high
            && let Some(found) = self.is_member(low)
        {
            return found;
        }
        // Where the range ends need not be known: mostly its first row tells.
        let from = seek(self.base, self.near.get(), |row| *row < low);
        self.near.set(from);
        let hides_none = self.hides_none();
        let in_range = self.base[from..].iter().take_while(|row| **row <= high);
        in_range.take(if hides_none { 1 } else { usize::MAX }).any(|row| hides_none || !self.hides(row))
            || (!self.added.is_empty() && self.added.range(low..=high).any(|row| !self.hides(row)))
            || !self.plus(low, high).is_empty()
    }

    /// Whether a whole row is there, if that is known: a small index that has been asked
    /// for more rows than it has gets a set of them, which is faster than searching.
    fn is_member(&self, row: T) -> Option<bool> {
        let probes = self.probes.get() + 1;
        self.probes.set(probes);
        let is_base = self.hides_none() && self.added.is_empty() && self.plus.is_empty();
        if probes <= self.base.len() || self.base.len() > LARGE || !is_base {
            return None;
        }
        let members = self.members.get_or_init(|| self.base.iter().copied().collect());
        Some(members.contains(&row))
    }
}

/// The first place whose row is not `before`, searched from `near` outwards.
fn seek<T>(rows: &[T], near: usize, before: impl Fn(&T) -> bool) -> usize {
    let near = near.min(rows.len());
    let mut step = 1;
    if near < rows.len() && before(&rows[near]) {
        let mut from = near;
        while from + step < rows.len() && before(&rows[from + step]) {
            from += step;
            step *= 2;
        }
        let to = (from + step).min(rows.len());
        from + 1 + rows[from + 1..to].partition_point(before)
    } else {
        let mut to = near;
        while to >= step && !before(&rows[to - step]) {
            to -= step;
            step *= 2;
        }
        let from = to.saturating_sub(step);
        from + rows[from..to].partition_point(before)
    }
}

/// A view by the width of its rows.
pub(super) enum AnyView<'a> {
    Narrow(View<'a, u64>),
    Middle(View<'a, u128>),
    Wide(View<'a, Wide>),
    /// A relation without a table.
    Empty,
}

impl<'a> AnyView<'a> {
    /// With `before`, as it was before those changes.
    pub fn new(
        tables: &'a [Option<Arc<Table>>],
        before: Option<&[Option<Delta>]>,
        relation: RelationId,
        index: usize,
    ) -> Self {
        let Some(table) = tables[relation.index()].as_deref() else { return AnyView::Empty };
        let delta = before.and_then(|deltas| deltas[relation.index()].as_ref());
        let delta = delta.map(|delta| (&delta.added, &delta.removed));
        match (table, delta) {
            (Table::Narrow(table), Some((RowSet::Narrow(added), RowSet::Narrow(removed)))) => {
                AnyView::Narrow(View::new(table, index, added, removed))
            }
            (Table::Middle(table), Some((RowSet::Middle(added), RowSet::Middle(removed)))) => {
                AnyView::Middle(View::new(table, index, added, removed))
            }
            (Table::Wide(table), Some((RowSet::Wide(added), RowSet::Wide(removed)))) => {
                AnyView::Wide(View::new(table, index, added, removed))
            }
            (Table::Narrow(table), _) => AnyView::Narrow(View::new(table, index, &[], &[])),
            (Table::Middle(table), _) => AnyView::Middle(View::new(table, index, &[], &[])),
            (Table::Wide(table), _) => AnyView::Wide(View::new(table, index, &[], &[])),
        }
    }

    pub fn is_empty(&self) -> bool {
        match self {
            AnyView::Narrow(view) => view.is_empty(),
            AnyView::Middle(view) => view.is_empty(),
            AnyView::Wide(view) => view.is_empty(),
            AnyView::Empty => true,
        }
    }

    /// Whether looking things up in it at random would be slow.
    pub fn is_large(&self) -> bool {
        let rows = match self {
            AnyView::Narrow(view) => view.base.len(),
            AnyView::Middle(view) => view.base.len(),
            AnyView::Wide(view) => view.base.len(),
            AnyView::Empty => 0,
        };
        rows > LARGE
    }

    pub fn exists(&self, prefix: &[Known], binding: &[Sym]) -> bool {
        match self {
            AnyView::Narrow(view) => view.exists(prefix, binding),
            AnyView::Middle(view) => view.exists(prefix, binding),
            AnyView::Wide(view) => view.exists(prefix, binding),
            AnyView::Empty => false,
        }
    }
}
