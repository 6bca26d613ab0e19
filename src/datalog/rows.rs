//! Rows of symbols, packed into integers.
//!
//! Up to two columns are one `u64`, up to four one `u128`, up to eight a small array: a
//! row is then compared, sorted and moved as one value, and the first column is the most
//! significant, so that packed order is column order and all rows with a common prefix
//! lie side by side.

use std::hash::Hash;
use std::ops::Deref;

use super::MAX_COLUMNS;
use super::symbols::Sym;

/// A row that fits one value. What it means depends on the number of columns, which
/// the relation knows.
pub(super) trait Packed: Copy + Ord + Hash {
    fn pack(row: impl Iterator<Item = Sym>, columns: usize) -> Self;
    fn column(self, at: usize, columns: usize) -> Sym;
    /// The least row with these first columns.
    fn low(prefix: impl Iterator<Item = Sym>, known: usize, columns: usize) -> Self;
    /// The greatest row with the first `known` columns of `self`.
    fn high(self, known: usize, columns: usize) -> Self;
}

// Packing takes symbols apart and puts them together: no bit is lost, as each shift is a
// multiple of the width of a symbol.
#[allow(clippy::cast_possible_truncation)]
impl Packed for u64 {
    fn pack(row: impl Iterator<Item = Sym>, _columns: usize) -> Self {
        row.fold(0, |packed, sym| packed << 32 | u64::from(sym))
    }

    fn column(self, at: usize, columns: usize) -> Sym {
        (self >> (32 * (columns - 1 - at))) as Sym
    }

    fn low(prefix: impl Iterator<Item = Sym>, known: usize, columns: usize) -> Self {
        let packed = Self::pack(prefix, known);
        if known == columns { packed } else { packed.checked_shl(32 * (columns - known) as u32).unwrap_or(0) }
    }

    fn high(self, known: usize, columns: usize) -> Self {
        self | 1u64.checked_shl(32 * (columns - known) as u32).unwrap_or(0).wrapping_sub(1)
    }
}

#[allow(clippy::cast_possible_truncation)]
impl Packed for u128 {
    fn pack(row: impl Iterator<Item = Sym>, _columns: usize) -> Self {
        row.fold(0, |packed, sym| packed << 32 | u128::from(sym))
    }

    fn column(self, at: usize, columns: usize) -> Sym {
        (self >> (32 * (columns - 1 - at))) as Sym
    }

    fn low(prefix: impl Iterator<Item = Sym>, known: usize, columns: usize) -> Self {
        let packed = Self::pack(prefix, known);
        if known == columns { packed } else { packed.checked_shl(32 * (columns - known) as u32).unwrap_or(0) }
    }

    fn high(self, known: usize, columns: usize) -> Self {
        self | 1u128.checked_shl(32 * (columns - known) as u32).unwrap_or(0).wrapping_sub(1)
    }
}

/// Five to eight columns; the rest is zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Wide([Sym; MAX_COLUMNS]);

impl Packed for Wide {
    fn pack(row: impl Iterator<Item = Sym>, _columns: usize) -> Self {
        let mut packed = [0; MAX_COLUMNS];
        packed.iter_mut().zip(row).for_each(|(place, sym)| *place = sym);
        Wide(packed)
    }

    fn column(self, at: usize, _columns: usize) -> Sym {
        self.0[at]
    }

    fn low(prefix: impl Iterator<Item = Sym>, known: usize, columns: usize) -> Self {
        Self::pack(prefix.take(known), columns)
    }

    fn high(mut self, known: usize, columns: usize) -> Self {
        self.0[known..columns].fill(Sym::MAX);
        self
    }
}

/// One row of a relation; a slice of its symbols.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    syms: [Sym; MAX_COLUMNS],
    columns: usize,
}

impl Row {
    pub(super) fn from_packed<T: Packed>(packed: T, columns: usize) -> Self {
        let mut syms = [0; MAX_COLUMNS];
        syms.iter_mut().take(columns).enumerate().for_each(|(at, sym)| *sym = packed.column(at, columns));
        Row { syms, columns }
    }
}

impl Deref for Row {
    type Target = [Sym];

    fn deref(&self) -> &[Sym] {
        &self.syms[..self.columns]
    }
}

impl PartialEq for Row {
    fn eq(&self, other: &Self) -> bool {
        self[..] == other[..]
    }
}

impl Eq for Row {}

impl PartialOrd for Row {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Row {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self[..].cmp(&other[..])
    }
}

/// Many rows of one relation, in a row.
#[derive(Debug, Clone)]
pub(super) enum RowSet {
    Narrow(Vec<u64>),
    Middle(Vec<u128>),
    Wide(Vec<Wide>),
}

impl RowSet {
    pub fn new(columns: usize) -> Self {
        match columns {
            0..=2 => RowSet::Narrow(Vec::new()),
            3..=4 => RowSet::Middle(Vec::new()),
            _ => RowSet::Wide(Vec::new()),
        }
    }

    /// How many bytes a row of so many columns takes.
    pub fn width(columns: usize) -> usize {
        match columns {
            0..=2 => size_of::<u64>(),
            3..=4 => size_of::<u128>(),
            _ => size_of::<Wide>(),
        }
    }

    pub fn len(&self) -> usize {
        match self {
            RowSet::Narrow(rows) => rows.len(),
            RowSet::Middle(rows) => rows.len(),
            RowSet::Wide(rows) => rows.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn push(&mut self, row: &[Sym]) {
        let syms = row.iter().copied();
        match self {
            RowSet::Narrow(rows) => rows.push(Packed::pack(syms, row.len())),
            RowSet::Middle(rows) => rows.push(Packed::pack(syms, row.len())),
            RowSet::Wide(rows) => rows.push(Packed::pack(syms, row.len())),
        }
    }

    pub fn extend(&mut self, more: RowSet) {
        match (self, more) {
            (RowSet::Narrow(rows), RowSet::Narrow(more)) => rows.extend(more),
            (RowSet::Middle(rows), RowSet::Middle(more)) => rows.extend(more),
            (RowSet::Wide(rows), RowSet::Wide(more)) => rows.extend(more),
            _ => {}
        }
    }

    /// Makes it a sorted set; cheap if it is one.
    pub fn sort(&mut self) {
        match self {
            RowSet::Narrow(rows) => sort(rows),
            RowSet::Middle(rows) => sort(rows),
            RowSet::Wide(rows) => sort(rows),
        }
    }

    pub fn row(&self, at: usize, columns: usize) -> Row {
        match self {
            RowSet::Narrow(rows) => Row::from_packed(rows[at], columns),
            RowSet::Middle(rows) => Row::from_packed(rows[at], columns),
            RowSet::Wide(rows) => Row::from_packed(rows[at], columns),
        }
    }

    pub fn iter(&self, columns: usize) -> impl Iterator<Item = Row> + '_ {
        (0..self.len()).map(move |at| self.row(at, columns))
    }

    /// Of sorted rows: whether this is one.
    pub fn contains(&self, row: &[Sym]) -> bool {
        let syms = row.iter().copied();
        match self {
            RowSet::Narrow(rows) => rows.binary_search(&Packed::pack(syms, row.len())).is_ok(),
            RowSet::Middle(rows) => rows.binary_search(&Packed::pack(syms, row.len())).is_ok(),
            RowSet::Wide(rows) => rows.binary_search(&Packed::pack(syms, row.len())).is_ok(),
        }
    }

    /// Takes out the rows of another sorted set.
    pub fn subtract(&mut self, other: &RowSet) {
        match (self, other) {
            (RowSet::Narrow(rows), RowSet::Narrow(other)) => {
                rows.retain(|row| other.binary_search(row).is_err())
            }
            (RowSet::Middle(rows), RowSet::Middle(other)) => {
                rows.retain(|row| other.binary_search(row).is_err())
            }
            (RowSet::Wide(rows), RowSet::Wide(other)) => rows.retain(|row| other.binary_search(row).is_err()),
            _ => {}
        }
    }

    pub fn shrink(&mut self) {
        match self {
            RowSet::Narrow(rows) => rows.shrink_to_fit(),
            RowSet::Middle(rows) => rows.shrink_to_fit(),
            RowSet::Wide(rows) => rows.shrink_to_fit(),
        }
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

    fn bounds<T: Packed>(prefix: &[Sym], columns: usize) -> (T, T) {
        let low = T::low(prefix.iter().copied(), prefix.len(), columns);
        (low, low.high(prefix.len(), columns))
    }

    fn check<T: Packed + std::fmt::Debug>(columns: usize) {
        let row: Vec<Sym> = (0..columns).map(|at| Sym::MAX - u32::try_from(at).unwrap_or(0) * 7).collect();
        let packed = T::pack(row.iter().copied(), columns);
        assert_eq!(&*Row::from_packed(packed, columns), row.as_slice());
        for known in 0..=columns {
            let (low, high) = bounds::<T>(&row[..known], columns);
            assert!(low <= packed && packed <= high, "{columns} {known}");
            if known > 0 {
                let mut other = row.clone();
                other[known - 1] -= 1;
                assert!(T::pack(other.iter().copied(), columns) < low, "{columns} {known}");
            }
        }
    }

    #[test]
    fn rows_with_a_prefix_lie_between_its_bounds() {
        (0..=2).for_each(check::<u64>);
        (3..=4).for_each(check::<u128>);
        (5..=8).for_each(check::<Wide>);
    }
}
