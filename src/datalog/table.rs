//! A relation's rows, in as many orders as joins need.
//!
//! Each index is a big sorted base, which is a datafrog relation, and two small sorted
//! sets beside it: rows added since and rows of the base removed since. So a change of
//! a few rows costs a few steps in small trees, whatever the size of the base; when the
//! sets have grown to a fraction of the base, they are merged into it.
//!
//! Indexes are made when a join first asks for one, also where the relation is only
//! being read (a query, an explanation): they form a chain that only grows.
//!
//! Relations that have the same rows (all that is counted is live, all that is live runs)
//! share one base, and its other orders.
//!
//! ```text
//!  rows = base - removed + added       removed is part of base, added has none of it
//! ```

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use datafrog::Relation;
use rustc_hash::FxHashMap;

use super::rows::{ByWidth, Cells, Row, RowSet, by_width};
use super::symbols::Sym;

/// The overlay is merged once it is larger than the base divided by this.
const FRACTION: usize = 8;
/// Overlays of fewer rows than this are left alone, however small the base is.
const SMALL: usize = 16;
/// Fewer rows than this are not worth being shared.
const WORTH_SHARING: usize = 1 << 12;
/// So many rows are looked at to estimate how many values a column has.
const SAMPLE: usize = 256;

/// Sorted rows, of one relation or of several.
struct Base<const W: usize> {
    rows: Relation<Cells<W>>,
    /// The same rows in other orders of their columns.
    others: Mutex<Vec<(Vec<usize>, Arc<Base<W>>)>>,
}

impl<const W: usize> Base<W> {
    fn new(rows: Relation<Cells<W>>) -> Arc<Self> {
        Arc::new(Base { rows, others: Mutex::default() })
    }

    /// The same rows with their columns in another order.
    fn in_order(&self, order: &[usize]) -> Arc<Self> {
        let mut others = self.others.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, other)) = others.iter().find(|(other, _)| other == order) {
            return other.clone();
        }
        let other = Base::new(Relation { elements: in_order(&self.rows.elements, order) });
        others.push((order.to_vec(), other.clone()));
        other
    }
}

/// The rows of a relation in one order of its columns.
#[derive(Clone)]
pub(super) struct Index<const W: usize> {
    /// At each place, which column of the relation stands there.
    pub order: Vec<usize>,
    base: Arc<Base<W>>,
    pub added: BTreeSet<Cells<W>>,
    pub removed: BTreeSet<Cells<W>>,
    next: OnceLock<Box<Index<W>>>,
}

/// The indexes of a relation; the first has its columns in declared order.
pub(super) struct Indexes<const W: usize> {
    columns: usize,
    first: Index<W>,
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
pub(super) type Table = ByWidth<Indexes<2>, Indexes<4>, Indexes<8>>;

impl<const W: usize> Clone for Indexes<W> {
    fn clone(&self) -> Self {
        Indexes { columns: self.columns, first: self.first.clone(), estimates: Mutex::default() }
    }
}

fn permuted<const W: usize>(row: &Cells<W>, order: &[usize]) -> Cells<W> {
    Cells::pack(order.iter().map(|at| *row.column(*at)))
}

/// Rows of declared order in another order.
pub(super) fn in_order<const W: usize>(rows: &[Cells<W>], order: &[usize]) -> Vec<Cells<W>> {
    if order.is_sorted() {
        return rows.to_vec();
    }
    let mut rows: Vec<Cells<W>> = rows.iter().map(|row| permuted(row, order)).collect();
    if !rows.is_sorted() {
        rows.sort_unstable();
    }
    rows
}

impl<const W: usize> Index<W> {
    fn new(order: Vec<usize>, base: Arc<Base<W>>) -> Self {
        Index { order, base, added: BTreeSet::new(), removed: BTreeSet::new(), next: OnceLock::new() }
    }

    /// The rows that were there before what was added and removed since.
    pub fn base(&self) -> &[Cells<W>] {
        &self.base.rows.elements
    }

    /// Whether nothing was added or removed since.
    fn is_base(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty()
    }

    fn len(&self) -> usize {
        self.base().len() - self.removed.len() + self.added.len()
    }

    fn contains(&self, row: &Cells<W>) -> bool {
        self.added.contains(row) || (self.base().binary_search(row).is_ok() && !self.removed.contains(row))
    }

    /// All rows that start with a prefix of so many columns, in order.
    fn range(&self, low: Cells<W>, known: usize) -> impl Iterator<Item = Cells<W>> + '_ {
        let high = low.high(known);
        let base = self.base();
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

    fn all(&self) -> impl Iterator<Item = Cells<W>> + '_ {
        self.range(Cells::pack(std::iter::empty()), 0)
    }

    /// `added` has nothing that is there, `removed` only what is there; both sorted.
    fn apply(&mut self, added: &[Cells<W>], removed: &[Cells<W>]) {
        let overlay = self.added.len() + self.removed.len() + added.len() + removed.len();
        let merge = overlay > SMALL && overlay > self.base().len() / FRACTION;
        if merge {
            let own =
                Arc::get_mut(&mut self.base).filter(|_| self.added.is_empty() && self.removed.is_empty());
            let mut rows: Vec<Cells<W>> = match own {
                Some(base) => std::mem::take(&mut base.rows.elements),
                None => self.all().collect(),
            };
            if !removed.is_empty() {
                rows.retain(|row| removed.binary_search(row).is_err());
            }
            self.added.clear();
            self.removed.clear();
            self.base = Base::new(Relation { elements: rows }.merge(Relation { elements: added.to_vec() }));
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

impl<const W: usize> Indexes<W> {
    fn new(columns: usize, rows: Vec<Cells<W>>) -> Self {
        let base = Base::new(Relation { elements: rows });
        Indexes { columns, first: Index::new((0..columns).collect(), base), estimates: Mutex::default() }
    }

    fn all(&self) -> impl Iterator<Item = &Index<W>> {
        std::iter::successors(Some(&self.first), |index| index.next.get().map(|next| &**next))
    }

    /// The index of that order, built if need be.
    pub fn index(&self, order: &[usize]) -> &Index<W> {
        let mut index = &self.first;
        while index.order != order {
            index = index.next.get_or_init(|| {
                let base = if self.first.is_base() {
                    self.first.base.in_order(order)
                } else {
                    let rows: Vec<Cells<W>> = self.first.all().collect();
                    Base::new(Relation { elements: in_order(&rows, order) })
                };
                Box::new(Index::new(order.to_vec(), base))
            });
        }
        index
    }

    /// Takes the base of another relation that has the same rows, and says whether it has.
    fn share(&mut self, other: &Self) -> bool {
        let (one, same) = (&self.first, &other.first);
        let alike = one.base().len() >= WORTH_SHARING
            && self.columns == other.columns
            && one.is_base()
            && same.is_base()
            && one.base() == same.base();
        if alike {
            self.first.base = other.first.base.clone();
        }
        alike
    }

    fn apply(&mut self, added: &[Cells<W>], removed: &[Cells<W>]) {
        self.first.apply(added, removed);
        let mut next = self.first.next.get_mut();
        while let Some(index) = next {
            let (added, removed) = (in_order(added, &index.order), in_order(removed, &index.order));
            index.apply(&added, &removed);
            next = index.next.get_mut();
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
        let base = self.first.base();
        let columns: Vec<usize> = (0..self.columns).filter(|at| mask & 1 << at != 0).collect();
        let mut sample: Vec<Cells<W>> = if base.len() <= SAMPLE {
            self.first.all().take(SAMPLE).map(|row| permuted(&row, &columns)).collect()
        } else {
            // A fixed multiplicative sequence: scattered over the rows, and always the same.
            let scattered = (1..=SAMPLE).map(|n| n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 16);
            scattered.map(|n| permuted(&base[n % base.len()], &columns)).collect()
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

    fn prefix(&self, prefix: &[Sym]) -> impl Iterator<Item = Row> + '_ {
        let known = prefix.len().min(self.columns);
        let low = Cells::pack(prefix.iter().copied().take(known));
        self.first.range(low, known).map(|row| Row::of(&row, self.columns))
    }
}

// Only an estimate is made of it.
#[allow(clippy::cast_precision_loss)]
fn count(rows: usize) -> f64 {
    rows as f64
}

impl Table {
    /// A table of sorted rows.
    pub fn new(columns: usize, rows: RowSet) -> Self {
        by_width!(map rows, rows => Indexes::new(columns, rows))
    }

    pub fn columns(&self) -> usize {
        by_width!(self, table => table.columns)
    }

    pub fn len(&self) -> usize {
        by_width!(self, table => table.first.len())
    }

    /// Keeps its rows once, if another relation has the same ones; says whether it has.
    pub fn share(&mut self, other: &Table) -> bool {
        match (self, other) {
            (Table::Narrow(table), Table::Narrow(other)) => table.share(other),
            (Table::Middle(table), Table::Middle(other)) => table.share(other),
            (Table::Wide(table), Table::Wide(other)) => table.share(other),
            _ => false,
        }
    }

    /// What its rows take in all of its indexes.
    pub fn bytes(&self) -> usize {
        let indexes = by_width!(self, table => table.all().count());
        indexes * self.len() * RowSet::width(self.columns())
    }

    pub fn contains(&self, row: &[Sym]) -> bool {
        row.len() == self.columns()
            && by_width!(self, table => table.first.contains(&Cells::pack(row.iter().copied())))
    }

    /// The rows that start with `prefix`, in order.
    pub fn prefix<'a>(&'a self, prefix: &[Sym]) -> Box<dyn Iterator<Item = Row> + 'a> {
        by_width!(self, table => Box::new(table.prefix(prefix)))
    }

    /// A copy of all rows, sorted.
    pub fn all(&self) -> RowSet {
        by_width!(map self, table => table.first.all().collect())
    }

    /// Whether there is an index whose order is accepted.
    pub fn order(&self, accept: impl Fn(&[usize]) -> bool) -> Option<&[usize]> {
        by_width!(self, table => table.all().map(|index| &index.order[..]).find(|order| accept(order)))
    }

    /// How many rows share the values of the columns whose bits are set, on average; an
    /// estimate.
    pub fn fan_out(&self, mask: usize) -> f64 {
        by_width!(self, table => table.fan_out(mask))
    }

    /// Keeps of sorted rows those that are (`there`) or are not in the table.
    pub fn keep(&self, rows: &mut RowSet, there: bool) {
        by_width!(self, rows, (table, rows) => rows.retain(|row| table.first.contains(row) == there));
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
            _ => unreachable!("rows of different widths"),
        }
    }
}
