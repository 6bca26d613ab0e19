//! A relation's rows, in as many orders as joins need.
//!
//! Each index is a big sorted base, which is a datafrog relation, and two small sorted
//! sets beside it: rows added since and rows of the base removed since. So a change of
//! a few rows costs a few steps in small trees, whatever the size of the base; when the
//! sets have grown to a fraction of the base, they are merged into it.
//!
//! Indexes are made when a plan first asks for one, also where the relation is only
//! being read (a query, an explanation): they form a chain that only grows.
//!
//! ```text
//!  rows = base - removed + added       removed is part of base, added has none of it
//! ```

use std::collections::BTreeSet;
use std::sync::{Mutex, OnceLock, PoisonError};

use datafrog::Relation;
use rustc_hash::FxHashMap;

use super::rows::{Packed, Row, RowSet, Wide};
use super::symbols::Sym;

/// The overlay is merged once it is larger than the base divided by this.
const FRACTION: usize = 8;
/// Overlays of fewer rows than this are left alone, however small the base is.
const SMALL: usize = 16;
/// So many rows are looked at to estimate how many values a column has.
const SAMPLE: usize = 256;

/// The rows of a relation in one order of its columns.
#[derive(Clone)]
pub(super) struct Index<T: Ord> {
    /// At each place, which column of the relation stands there.
    pub order: Vec<usize>,
    pub base: Relation<T>,
    pub added: BTreeSet<T>,
    pub removed: BTreeSet<T>,
    next: OnceLock<Box<Index<T>>>,
}

/// The indexes of a relation; the first has its columns in declared order.
pub(super) struct Indexes<T: Ord> {
    pub columns: usize,
    first: Index<T>,
    estimates: Mutex<Estimates>,
}

/// For sets of columns, as bits, how many different values they have about.
#[derive(Default)]
struct Estimates {
    distinct: FxHashMap<usize, f64>,
    /// How many rows there were.
    rows: usize,
}

/// A relation by the width of its rows.
#[derive(Clone)]
pub(super) enum Table {
    Narrow(Indexes<u64>),
    Middle(Indexes<u128>),
    Wide(Indexes<Wide>),
}

impl<T: Ord + Clone> Clone for Indexes<T> {
    fn clone(&self) -> Self {
        Indexes { columns: self.columns, first: self.first.clone(), estimates: Mutex::default() }
    }
}

impl<T: Packed> Index<T> {
    fn new(order: Vec<usize>, rows: Vec<T>) -> Self {
        Index {
            order,
            base: Relation { elements: rows },
            added: BTreeSet::new(),
            removed: BTreeSet::new(),
            next: OnceLock::new(),
        }
    }

    fn len(&self) -> usize {
        self.base.elements.len() - self.removed.len() + self.added.len()
    }

    fn contains(&self, row: T) -> bool {
        self.added.contains(&row)
            || (self.base.elements.binary_search(&row).is_ok() && !self.removed.contains(&row))
    }

    /// All rows from `low` to `high`, in order.
    fn range(&self, low: T, high: T) -> impl Iterator<Item = T> + '_ {
        let base = &self.base.elements;
        let from = base.partition_point(|row| *row < low);
        let to = from + base[from..].partition_point(|row| *row <= high);
        let mut base = base[from..to].iter().filter(|row| !self.removed.contains(row)).peekable();
        let mut added = self.added.range(low..=high).peekable();
        std::iter::from_fn(move || match (base.peek(), added.peek()) {
            (Some(one), Some(other)) if one < other => base.next().copied(),
            (_, Some(_)) => added.next().copied(),
            _ => base.next().copied(),
        })
    }

    /// `added` has nothing that is there, `removed` only what is there; both sorted.
    fn apply(&mut self, added: &[T], removed: &[T]) {
        let overlay = self.added.len() + self.removed.len() + added.len() + removed.len();
        let merge = overlay > SMALL && overlay > self.base.elements.len() / FRACTION;
        if merge {
            let mut rows: Vec<T> = if self.added.is_empty() && self.removed.is_empty() {
                std::mem::take(&mut self.base.elements)
            } else {
                self.range_all().collect()
            };
            if !removed.is_empty() {
                rows.retain(|row| removed.binary_search(row).is_err());
            }
            self.added.clear();
            self.removed.clear();
            self.base = Relation { elements: rows }.merge(Relation { elements: added.to_vec() });
            return;
        }
        for row in removed {
            if !self.added.remove(row) {
                self.removed.insert(*row);
            }
        }
        for row in added {
            if !self.removed.remove(row) {
                self.added.insert(*row);
            }
        }
    }
}

impl<T: Packed> Indexes<T> {
    fn new(columns: usize, rows: Vec<T>) -> Self {
        Indexes { columns, first: Index::new((0..columns).collect(), rows), estimates: Mutex::default() }
    }

    fn all(&self) -> impl Iterator<Item = &Index<T>> {
        std::iter::successors(Some(&self.first), |index| index.next.get().map(|next| &**next))
    }

    /// The index at a place that `ensure` gave.
    pub fn index(&self, at: usize) -> &Index<T> {
        self.all().nth(at).unwrap_or(&self.first)
    }

    /// The place of the index of that order, built if need be.
    fn ensure(&self, order: &[usize]) -> usize {
        let (mut index, mut at) = (&self.first, 0);
        while index.order != order {
            index = index.next.get_or_init(|| {
                let rows = self.first.range_all().map(|row| self.permuted(row, order)).collect();
                Box::new(Index::new(order.to_vec(), sorted(rows)))
            });
            at += 1;
        }
        at
    }

    fn permuted(&self, row: T, order: &[usize]) -> T {
        T::pack(order.iter().map(|at| row.column(*at, self.columns)), self.columns)
    }

    /// Rows of the first index's order in another order.
    pub fn in_order(&self, rows: &[T], order: &[usize]) -> Vec<T> {
        if order == self.first.order {
            return rows.to_vec();
        }
        sorted(rows.iter().map(|row| self.permuted(*row, order)).collect())
    }

    fn apply(&mut self, added: &[T], removed: &[T]) {
        let columns = self.columns;
        let permuted = |rows: &[T], order: &[usize]| {
            let row = |row: &T| T::pack(order.iter().map(|at| row.column(*at, columns)), columns);
            sorted(rows.iter().map(row).collect())
        };
        let mut next = Some(&mut self.first);
        while let Some(index) = next {
            let (added, removed) = (permuted(added, &index.order), permuted(removed, &index.order));
            index.apply(&added, &removed);
            next = index.next.get_mut().map(|next| &mut **next);
        }
    }

    /// How many rows share the values of some columns, on average.
    fn fan_out(&self, mask: usize) -> f64 {
        let rows = self.first.len();
        if mask == 0 || rows == 0 {
            return count(rows);
        }
        if mask == (1 << self.columns) - 1 {
            return 1.0;
        }
        let mut estimates = self.estimates.lock().unwrap_or_else(PoisonError::into_inner);
        if rows > estimates.rows * 2 || rows * 2 < estimates.rows {
            *estimates = Estimates { rows, ..Estimates::default() };
        }
        let distinct = *estimates.distinct.entry(mask).or_insert_with(|| self.distinct(mask));
        (count(rows) / distinct).max(1.0)
    }

    /// How many different values some columns have, guessed from a sample: `n` rows with
    /// `c` repetitions among them speak for about `n * n / 2c` values.
    fn distinct(&self, mask: usize) -> f64 {
        let base = &self.first.base.elements;
        let columns: Vec<usize> = (0..self.columns).filter(|at| mask & 1 << at != 0).collect();
        let mut sample: Vec<T> = if base.len() <= SAMPLE {
            let all = self.first.range_all().take(SAMPLE);
            all.map(|row| self.projected(row, &columns)).collect()
        } else {
            // A fixed multiplicative sequence: scattered over the rows, and always the same.
            let scattered = (1..=SAMPLE).map(|n| n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 16);
            scattered.map(|n| self.projected(base[n % base.len()], &columns)).collect()
        };
        let taken = count(sample.len());
        sample.sort_unstable();
        sample.dedup();
        let distinct = count(sample.len());
        let all = count(self.first.len());
        if distinct >= taken {
            return all;
        }
        (taken * taken / (2.0 * (taken - distinct))).max(distinct).min(all)
    }

    fn projected(&self, row: T, columns: &[usize]) -> T {
        T::low(columns.iter().map(|at| row.column(*at, self.columns)), columns.len(), self.columns)
    }

    fn prefix(&self, prefix: &[Sym]) -> impl Iterator<Item = Row> + '_ {
        let known = prefix.len().min(self.columns);
        let low = T::low(prefix.iter().copied().take(known), known, self.columns);
        self.first.range(low, low.high(known, self.columns)).map(|row| Row::from_packed(row, self.columns))
    }
}

impl<T: Packed> Index<T> {
    fn range_all(&self) -> impl Iterator<Item = T> + '_ {
        let low = T::low(std::iter::empty(), 0, self.order.len());
        self.range(low, low.high(0, self.order.len()))
    }
}

// Only an estimate is made of it.
#[allow(clippy::cast_precision_loss)]
fn count(rows: usize) -> f64 {
    rows as f64
}

fn sorted<T: Ord>(mut rows: Vec<T>) -> Vec<T> {
    if !rows.is_sorted() {
        rows.sort_unstable();
    }
    rows
}

impl Table {
    /// A table of sorted rows.
    pub fn new(columns: usize, rows: RowSet) -> Self {
        match rows {
            RowSet::Narrow(rows) => Table::Narrow(Indexes::new(columns, rows)),
            RowSet::Middle(rows) => Table::Middle(Indexes::new(columns, rows)),
            RowSet::Wide(rows) => Table::Wide(Indexes::new(columns, rows)),
        }
    }

    pub fn columns(&self) -> usize {
        match self {
            Table::Narrow(table) => table.columns,
            Table::Middle(table) => table.columns,
            Table::Wide(table) => table.columns,
        }
    }

    pub fn len(&self) -> usize {
        match self {
            Table::Narrow(table) => table.first.len(),
            Table::Middle(table) => table.first.len(),
            Table::Wide(table) => table.first.len(),
        }
    }

    /// What its rows take in all of its indexes.
    pub fn bytes(&self) -> usize {
        let indexes = match self {
            Table::Narrow(table) => table.all().count(),
            Table::Middle(table) => table.all().count(),
            Table::Wide(table) => table.all().count(),
        };
        indexes * self.len() * RowSet::width(self.columns())
    }

    pub fn contains(&self, row: &[Sym]) -> bool {
        if row.len() != self.columns() {
            return false;
        }
        let syms = row.iter().copied();
        match self {
            Table::Narrow(table) => table.first.contains(Packed::pack(syms, row.len())),
            Table::Middle(table) => table.first.contains(Packed::pack(syms, row.len())),
            Table::Wide(table) => table.first.contains(Packed::pack(syms, row.len())),
        }
    }

    /// The rows that start with `prefix`, in order.
    pub fn prefix<'a>(&'a self, prefix: &[Sym]) -> Box<dyn Iterator<Item = Row> + 'a> {
        match self {
            Table::Narrow(table) => Box::new(table.prefix(prefix)),
            Table::Middle(table) => Box::new(table.prefix(prefix)),
            Table::Wide(table) => Box::new(table.prefix(prefix)),
        }
    }

    /// A copy of all rows, sorted.
    pub fn all(&self) -> RowSet {
        match self {
            Table::Narrow(table) => RowSet::Narrow(table.first.range_all().collect()),
            Table::Middle(table) => RowSet::Middle(table.first.range_all().collect()),
            Table::Wide(table) => RowSet::Wide(table.first.range_all().collect()),
        }
    }

    pub fn ensure(&self, order: &[usize]) -> usize {
        match self {
            Table::Narrow(table) => table.ensure(order),
            Table::Middle(table) => table.ensure(order),
            Table::Wide(table) => table.ensure(order),
        }
    }

    /// The orders there are indexes for.
    pub fn orders(&self) -> Vec<&[usize]> {
        match self {
            Table::Narrow(table) => table.all().map(|index| index.order.as_slice()).collect(),
            Table::Middle(table) => table.all().map(|index| index.order.as_slice()).collect(),
            Table::Wide(table) => table.all().map(|index| index.order.as_slice()).collect(),
        }
    }

    /// How many rows share the values of the columns whose bits are set, on average; an
    /// estimate.
    pub fn fan_out(&self, mask: usize) -> f64 {
        match self {
            Table::Narrow(table) => table.fan_out(mask),
            Table::Middle(table) => table.fan_out(mask),
            Table::Wide(table) => table.fan_out(mask),
        }
    }

    /// Keeps of sorted rows those that are (`there`) or are not in the table.
    pub fn keep(&self, rows: &mut RowSet, there: bool) {
        match (self, rows) {
            (Table::Narrow(table), RowSet::Narrow(rows)) => {
                rows.retain(|row| table.first.contains(*row) == there)
            }
            (Table::Middle(table), RowSet::Middle(rows)) => {
                rows.retain(|row| table.first.contains(*row) == there)
            }
            (Table::Wide(table), RowSet::Wide(rows)) => {
                rows.retain(|row| table.first.contains(*row) == there)
            }
            _ => {}
        }
    }

    /// Adds rows that are not there and removes rows that are; both sorted.
    pub fn apply(&mut self, added: &RowSet, removed: &RowSet) {
        match (self, added, removed) {
            (Table::Narrow(table), RowSet::Narrow(added), RowSet::Narrow(removed)) => {
                table.apply(added, removed)
            }
            (Table::Middle(table), RowSet::Middle(added), RowSet::Middle(removed)) => {
                table.apply(added, removed)
            }
            (Table::Wide(table), RowSet::Wide(added), RowSet::Wide(removed)) => table.apply(added, removed),
            _ => {}
        }
    }
}
