//! Rows of symbols in fixed widths.
//!
//! A row of up to two columns is two cells, of up to four it is four, of up to eight it
//! is eight. The last column comes first, so that two cells are read as one number and
//! rows are compared, sorted and moved as numbers; yet each value has a place in memory
//! that a join can propose.

use std::cmp::Ordering;
use std::iter::FusedIterator;
use std::ops::Deref;

use super::symbols::Sym;

/// A relation has at most so many columns.
pub const MAX_COLUMNS: usize = 8;

/// A row; columns that the relation does not have are 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Cells<const W: usize>([Sym; W]);

impl<const W: usize> Cells<W> {
    /// The row of these values: the least one that starts with them.
    pub fn pack(mut row: impl FusedIterator<Item = Sym>) -> Self {
        // Each place is known when this is compiled, so the row is made in registers: read as
        // numbers right after it was stored value by value, it would wait for the store.
        let mut cells = [0; W];
        cells.iter_mut().rev().for_each(|cell| *cell = row.next().unwrap_or(0));
        Cells(cells)
    }

    pub fn column(&self, at: usize) -> &Sym {
        &self.0[W - 1 - at]
    }

    /// The greatest row with the same first `known` columns.
    pub fn high(mut self, known: usize) -> Self {
        let open = self.0.iter_mut().rev().enumerate();
        open.for_each(|(column, cell)| *cell = if column < known { *cell } else { Sym::MAX });
        self
    }

    fn pair(&self, at: usize) -> u64 {
        u64::from(self.0[at + 1]) << 32 | u64::from(self.0[at])
    }
}

impl<const W: usize> Ord for Cells<W> {
    fn cmp(&self, other: &Self) -> Ordering {
        let pairs = (0..W / 2).rev().map(|at| self.pair(2 * at).cmp(&other.pair(2 * at)));
        pairs.fold(Ordering::Equal, Ordering::then)
    }
}

impl<const W: usize> PartialOrd for Cells<W> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }

    // What sorting and searching ask: two numbers compared, without the three-way detour.
    fn lt(&self, other: &Self) -> bool {
        match W {
            2 => self.pair(0) < other.pair(0),
            4 => {
                let number = |row: &Self| u128::from(row.pair(2)) << 64 | u128::from(row.pair(0));
                number(self) < number(other)
            }
            _ => self.cmp(other) == Ordering::Less,
        }
    }

    fn le(&self, other: &Self) -> bool {
        !other.lt(self)
    }
}

/// One thing by the width of a relation's rows.
#[derive(Debug, Clone)]
pub(super) enum ByWidth<A, B, C> {
    Narrow(A),
    Middle(B),
    Wide(C),
}

/// Does the same with one thing, or with two of the same width, whatever the width is.
macro_rules! by_width {
    ($it:expr, $name:ident => $body:expr) => {
        match $it {
            ByWidth::Narrow($name) => $body,
            ByWidth::Middle($name) => $body,
            ByWidth::Wide($name) => $body,
        }
    };
    // One relation's things have one width.
    ($one:expr, $other:expr, ($a:ident, $b:ident) => $body:expr) => {
        match ($one, $other) {
            (ByWidth::Narrow($a), ByWidth::Narrow($b)) => $body,
            (ByWidth::Middle($a), ByWidth::Middle($b)) => $body,
            (ByWidth::Wide($a), ByWidth::Wide($b)) => $body,
            _ => unreachable!("rows of different widths"),
        }
    };
    // A thing made of another, of the same width.
    (map $it:expr, $name:ident => $body:expr) => {
        match $it {
            ByWidth::Narrow($name) => ByWidth::Narrow($body),
            ByWidth::Middle($name) => ByWidth::Middle($body),
            ByWidth::Wide($name) => ByWidth::Wide($body),
        }
    };
    // A thing made for so many columns.
    (new $columns:expr => $body:expr) => {
        match $columns {
            0..=2 => ByWidth::Narrow($body),
            3..=4 => ByWidth::Middle($body),
            _ => ByWidth::Wide($body),
        }
    };
}
pub(super) use by_width;

/// One row of a relation; a slice of its symbols. Rows of one relation are compared by
/// them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    syms: [Sym; MAX_COLUMNS],
    columns: usize,
}

impl Row {
    pub(super) fn new(row: impl Iterator<Item = Sym>) -> Self {
        let mut it = Row { syms: [0; MAX_COLUMNS], columns: 0 };
        for (cell, sym) in it.syms.iter_mut().zip(row) {
            *cell = sym;
            it.columns += 1;
        }
        it
    }

    pub(super) fn of<const W: usize>(cells: &Cells<W>, columns: usize) -> Self {
        let mut syms = [0; MAX_COLUMNS];
        syms.iter_mut().take(columns).enumerate().for_each(|(at, sym)| *sym = *cells.column(at));
        Row { syms, columns }
    }
}

impl Deref for Row {
    type Target = [Sym];

    fn deref(&self) -> &[Sym] {
        &self.syms[..self.columns]
    }
}

/// Many rows of one relation, in a row.
pub(super) type RowSet = ByWidth<Vec<Cells<2>>, Vec<Cells<4>>, Vec<Cells<8>>>;

impl RowSet {
    pub fn new(columns: usize) -> Self {
        by_width!(new columns => Vec::new())
    }

    /// How many bytes a row of so many columns takes.
    pub fn width(columns: usize) -> usize {
        match columns {
            0..=2 => size_of::<Cells<2>>(),
            3..=4 => size_of::<Cells<4>>(),
            _ => size_of::<Cells<8>>(),
        }
    }

    pub fn len(&self) -> usize {
        by_width!(self, rows => rows.len())
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn push(&mut self, row: impl FusedIterator<Item = Sym>) {
        by_width!(self, rows => rows.push(Cells::pack(row)));
    }

    pub fn extend(&mut self, more: RowSet) {
        by_width!(self, more, (rows, more) => rows.extend(more));
    }

    /// Makes it a sorted set; cheap if it is one.
    pub fn sort(&mut self) {
        by_width!(self, rows => sort(rows));
    }

    pub fn iter(&self, columns: usize) -> impl Iterator<Item = Row> + '_ {
        let row = move |at| by_width!(self, rows => Row::of(&rows[at], columns));
        (0..self.len()).map(row)
    }

    /// Of sorted rows: whether this is one.
    pub fn contains(&self, row: &[Sym]) -> bool {
        by_width!(self, rows => rows.binary_search(&Cells::pack(row.iter().copied())).is_ok())
    }

    /// Takes out the rows of another sorted set.
    pub fn subtract(&mut self, other: &RowSet) {
        by_width!(self, other, (rows, other) => rows.retain(|row| other.binary_search(row).is_err()));
    }

    pub fn shrink(&mut self) {
        by_width!(self, rows => rows.shrink_to_fit());
    }
}

fn sort<T: Ord>(rows: &mut Vec<T>) {
    match rows.windows(2).filter(|pair| pair[0] >= pair[1]).count() {
        0 => return,
        // A few sorted runs, as joins give them: the stable sort merges them.
        ends if ends < rows.len() / 16 => rows.sort(),
        _ => rows.sort_unstable(),
    }
    rows.dedup();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<const W: usize>(columns: usize) {
        let row: Vec<Sym> = (0..columns).map(|at| Sym::MAX - u32::try_from(at).unwrap_or(0) * 7).collect();
        let pack = |row: &[Sym]| Cells::<W>::pack(row.iter().copied());
        assert_eq!(&*Row::of(&pack(&row), columns), row.as_slice());
        for known in 0..=columns {
            let low = pack(&row[..known]);
            assert!(low <= pack(&row) && pack(&row) <= low.high(known), "{columns} {known}");
            if known > 0 {
                let mut other = row.clone();
                other[known - 1] -= 1;
                assert!(pack(&other) < low && low > pack(&other), "{columns} {known}");
                assert_eq!(pack(&other).cmp(&low), other.as_slice().cmp(&row[..known]), "{columns} {known}");
            }
        }
    }

    #[test]
    fn rows_with_a_prefix_lie_between_its_bounds() {
        (0..=2).for_each(check::<2>);
        (3..=4).for_each(check::<4>);
        (5..=8).for_each(check::<8>);
    }
}
