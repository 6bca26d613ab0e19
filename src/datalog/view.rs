//! An index as one run of a plan sees it: now, or as it was before a change.

use std::cell::{Cell, OnceCell};
use std::collections::BTreeSet;
use std::sync::Arc;

use rustc_hash::FxHashSet;

use super::budget::Meter;
use super::plan::Probe;
use super::rows::{ByWidth, Cells, RowSet, by_width};
use super::symbols::{Sym, Symbols};
use super::table::{Indexes, Table, in_order};

/// An index of more rows than this does not fit a core's own cache.
const LARGE: usize = 1 << 14;

/// What a change did to a relation; both sorted.
#[derive(Debug, Clone)]
pub(super) struct Delta {
    pub added: RowSet,
    pub removed: RowSet,
}

impl Delta {
    /// That of a relation of so many columns that did not change.
    pub fn new(columns: usize) -> Self {
        Delta { added: RowSet::new(columns), removed: RowSet::new(columns) }
    }

    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty()
    }
}

/// The rows a run sees.
pub(super) struct View<'a, const W: usize> {
    columns: usize,
    base: &'a [Cells<W>],
    added: &'a BTreeSet<Cells<W>>,
    removed: &'a BTreeSet<Cells<W>>,
    /// Rows that are there but are passed over, and rows that are not but are looked at.
    minus: Vec<Cells<W>>,
    plus: Vec<Cells<W>>,
    /// Where the last range was found; the next one is often near.
    near: Cell<usize>,
    /// How often a whole row was looked up.
    probes: Cell<usize>,
    /// The rows of the base, once that pays.
    members: OnceCell<FxHashSet<Cells<W>>>,
}

/// The rows that start with what is known.
#[derive(Debug, Clone, Copy)]
pub(super) struct Range<const W: usize> {
    low: Cells<W>,
    high: Cells<W>,
    /// Its part of the base.
    from: usize,
    to: usize,
}

impl<const W: usize> Default for Range<W> {
    fn default() -> Self {
        let low = Cells::pack(std::iter::empty());
        Range { low, high: low, from: 0, to: 0 }
    }
}

impl<'a, const W: usize> View<'a, W> {
    fn new(table: &'a Indexes<W>, order: &[usize], minus: &[Cells<W>], plus: &[Cells<W>]) -> Self {
        let found = table.index(order);
        View {
            columns: order.len(),
            base: found.base(),
            added: &found.added,
            removed: &found.removed,
            minus: in_order(minus, order),
            plus: in_order(plus, order),
            near: Cell::new(0),
            probes: Cell::new(0),
            members: OnceCell::new(),
        }
    }

    /// Finds the rows that a look is at, and how many there are at most.
    pub fn find(&self, look: &Probe, binding: &[Sym]) -> (Range<W>, usize) {
        let (low, high) = bounds(look, binding);
        let from = seek(self.base, self.near.get(), |row| *row < low);
        self.near.set(from);
        let to =
            if look.prefix.is_empty() { self.base.len() } else { seek(self.base, from, |row| *row <= high) };
        let added = if self.added.is_empty() { 0 } else { self.added.range(low..=high).count() };
        (Range { low, high, from, to }, to - from + added + self.plus(low, high).len())
    }

    fn plus(&self, low: Cells<W>, high: Cells<W>) -> &[Cells<W>] {
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

    /// Whether it is the base that is seen, and nothing beside.
    fn is_base(&self) -> bool {
        self.hides_none() && self.added.is_empty() && self.plus.is_empty()
    }

    fn hides(&self, row: &Cells<W>) -> bool {
        (!self.removed.is_empty() && self.removed.contains(row))
            || (!self.minus.is_empty() && self.minus.binary_search(row).is_ok())
    }

    /// The rows of a range if they lie in the base side by side.
    pub fn slice(&self, range: &Range<W>, distinct: usize) -> Option<&'a [Cells<W>]> {
        (self.is_base() && distinct >= self.columns).then(|| &self.base[range.from..range.to])
    }

    /// The rows of a range, in order but for those that are not in the base; of rows of
    /// the base that are equal in the first `distinct` columns one.
    pub fn visit<'v>(&'v self, range: &Range<W>, distinct: usize, mut each: impl FnMut(&'v Cells<W>)) {
        if let Some(rows) = self.slice(range, distinct) {
            return rows.iter().for_each(each);
        }
        let all = self.hides_none();
        let mut at = range.from;
        while at < range.to {
            let row = &self.base[at];
            at += 1;
            if !all && self.hides(row) {
                continue;
            }
            each(row);
            if distinct < self.columns {
                let last = row.high(distinct);
                at = seek(&self.base[..range.to], at, |row| *row <= last);
            }
        }
        if !self.added.is_empty() {
            self.added.range(range.low..=range.high).filter(|row| !self.hides(row)).for_each(&mut each);
        }
        self.plus(range.low, range.high).iter().for_each(&mut each);
    }

    fn exists(&self, look: &Probe, binding: &[Sym]) -> bool {
        let (low, high) = bounds(look, binding);
        if look.prefix.len() == self.columns
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
    fn is_member(&self, row: Cells<W>) -> Option<bool> {
        let probes = self.probes.get() + 1;
        self.probes.set(probes);
        if probes <= self.base.len() || self.base.len() > LARGE || !self.is_base() {
            return None;
        }
        let members = self.members.get_or_init(|| self.base.iter().copied().collect());
        Some(members.contains(&row))
    }
}

fn bounds<const W: usize>(look: &Probe, binding: &[Sym]) -> (Cells<W>, Cells<W>) {
    let low = Cells::pack(look.prefix.iter().map(|known| known.value(binding)));
    (low, low.high(look.prefix.len()))
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

/// What the steps of one run share.
pub(super) struct Context<'a> {
    pub tables: &'a [Option<Arc<Table>>],
    pub symbols: &'a Symbols,
    /// To see the tables as they were before these changes.
    pub before: Option<&'a [Option<Delta>]>,
    /// Rows that may still be looked at; stopped, it ends the run early.
    pub meter: &'a Meter,
}

/// A view by the width of its rows.
pub(super) type AnyView<'a> = ByWidth<View<'a, 2>, View<'a, 4>, View<'a, 8>>;

impl<'a> AnyView<'a> {
    /// The index that a look is at. None for a relation that was not evaluated.
    pub fn new(context: &Context<'a>, look: &Probe) -> Option<Self> {
        let (at, order) = (look.relation.index(), &look.order);
        let table = context.tables[at].as_deref()?;
        let none = Delta::new(table.columns());
        let delta = context.before.and_then(|deltas| deltas[at].as_ref()).unwrap_or(&none);
        Some(match (table, &delta.added, &delta.removed) {
            (Table::Narrow(table), RowSet::Narrow(added), RowSet::Narrow(removed)) => {
                AnyView::Narrow(View::new(table, order, added, removed))
            }
            (Table::Middle(table), RowSet::Middle(added), RowSet::Middle(removed)) => {
                AnyView::Middle(View::new(table, order, added, removed))
            }
            (Table::Wide(table), RowSet::Wide(added), RowSet::Wide(removed)) => {
                AnyView::Wide(View::new(table, order, added, removed))
            }
            _ => unreachable!("rows of different widths"),
        })
    }

    pub fn is_empty(&self) -> bool {
        by_width!(self, view => view.base.is_empty() && view.added.is_empty() && view.plus.is_empty())
    }

    /// Whether looking things up in it at random would be slow.
    pub fn is_large(&self) -> bool {
        by_width!(self, view => view.base.len() > LARGE)
    }

    /// Whether a row starts with what is known.
    pub fn exists(&self, look: &Probe, binding: &[Sym]) -> bool {
        by_width!(self, view => view.exists(look, binding))
    }
}
