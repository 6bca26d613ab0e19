//! The answers to a query: many rows of few values.
//!
//! Millions of answers must not take gigabytes. A row is small numbers side by side, with no
//! allocation of its own; and rows are put in the order of their values by the ranks of these,
//! so that values are compared once for each that is different, not once for each row.

use super::program::MAX_VARIABLES;
use super::symbols::{Sym, Symbols};

/// Repeated rows are looked for once there are so many.
const SOME: usize = 1 << 20;

/// Rows of one width.
trait Rows {
    fn push(&mut self, values: &mut dyn Iterator<Item = Sym>);
    fn len(&self) -> usize;
    fn row(&self, at: usize) -> &[Sym];
    /// Makes them a sorted set.
    fn settle(&mut self);
    /// Puts something else in the place of each of the first values of all rows.
    fn replace(&mut self, columns: usize, with: &mut dyn FnMut(Sym) -> Sym);
}

impl<const W: usize> Rows for Vec<[Sym; W]> {
    fn push(&mut self, values: &mut dyn Iterator<Item = Sym>) {
        let mut row = [0; W];
        row.iter_mut().zip(values).for_each(|(cell, value)| *cell = value);
        Vec::push(self, row);
    }

    fn len(&self) -> usize {
        Vec::len(self)
    }

    fn row(&self, at: usize) -> &[Sym] {
        &self[at]
    }

    fn settle(&mut self) {
        self.sort_unstable();
        self.dedup();
    }

    fn replace(&mut self, columns: usize, with: &mut dyn FnMut(Sym) -> Sym) {
        let cells = self.iter_mut().flat_map(|row| row.iter_mut().take(columns));
        cells.for_each(|cell| *cell = with(*cell));
    }
}

/// Rows as they are found; some may be there more than once.
pub(super) struct Gathered {
    rows: Box<dyn Rows>,
    columns: usize,
    most: usize,
    check_at: usize,
}

impl Gathered {
    /// None yet, of so many columns; no more than fit these bounds.
    pub fn new(columns: usize, rows: usize, bytes: usize) -> Self {
        let (width, empty): (usize, Box<dyn Rows>) = match columns {
            0..=1 => (1, Box::new(Vec::<[Sym; 1]>::new())),
            2 => (2, Box::new(Vec::<[Sym; 2]>::new())),
            3..=4 => (4, Box::new(Vec::<[Sym; 4]>::new())),
            5..=8 => (8, Box::new(Vec::<[Sym; 8]>::new())),
            _ => (MAX_VARIABLES, Box::new(Vec::<[Sym; MAX_VARIABLES]>::new())),
        };
        let most = rows.min(bytes / (width * size_of::<Sym>()));
        Gathered { rows: empty, columns, most, check_at: SOME.min(most.saturating_add(1)) }
    }

    /// Takes a row in; false if there are too many.
    pub fn push(&mut self, mut values: impl Iterator<Item = Sym>) -> bool {
        self.rows.push(&mut values);
        if self.rows.len() < self.check_at {
            return true;
        }
        self.rows.settle();
        self.check_at = (self.rows.len() * 2).max(SOME).min(self.most.saturating_add(1));
        self.rows.len() <= self.most
    }

    /// All of them, each once, in the order of their values.
    pub fn sorted(mut self, symbols: &Symbols) -> Answers {
        self.rows.settle();
        let mut ranks = vec![Sym::MAX; symbols.len()];
        let mut values = Vec::new();
        self.rows.replace(self.columns, &mut |sym| {
            if std::mem::replace(&mut ranks[sym as usize], 0) == Sym::MAX {
                values.push(sym);
            }
            sym
        });
        values.sort_by_key(|sym| symbols.value(*sym));
        values.iter().zip(0..).for_each(|(sym, rank)| ranks[*sym as usize] = rank);
        self.rows.replace(self.columns, &mut |sym| ranks[sym as usize]);
        self.rows.settle();
        Answers { rows: self.rows, columns: self.columns, values }
    }
}

/// What a query found: rows of values, each once, sorted by their values.
pub struct Answers {
    /// In place of a value its rank among all that there are.
    rows: Box<dyn Rows>,
    columns: usize,
    values: Vec<Sym>,
}

impl Answers {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All of them in order.
    pub fn rows(&self) -> impl Iterator<Item = impl Iterator<Item = Sym> + '_> + '_ {
        let value = |rank: &u32| self.values[*rank as usize];
        (0..self.len()).map(move |at| self.rows.row(at).iter().take(self.columns).map(value))
    }

    /// For each column the most that a measure has for one of the values in the first rows.
    /// Each value is measured once.
    pub fn widest(&self, rows: usize, measure: impl FnMut(Sym) -> usize) -> Vec<usize> {
        let measures: Vec<usize> = self.values.iter().copied().map(measure).collect();
        let mut widest = vec![0; self.columns];
        for at in 0..self.len().min(rows) {
            let ranks = self.rows.row(at).iter();
            let both = widest.iter_mut().zip(ranks);
            both.for_each(|(widest, rank)| *widest = measures[*rank as usize].max(*widest));
        }
        widest
    }
}

impl std::fmt::Debug for Answers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.rows().map(Iterator::collect::<Vec<Sym>>)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_any_width_are_sets_in_the_order_of_their_values() {
        let mut symbols = Symbols::new();
        let syms = ["c", "a", "b"].map(|text| symbols.text(text));
        for columns in [1, 2, 3, 5, 9, 32] {
            let mut found = Gathered::new(columns, 100, usize::MAX);
            for sym in syms.iter().chain(&syms) {
                let last = std::iter::once(*sym);
                assert!(found.push(std::iter::repeat_n(syms[0], columns - 1).chain(last)));
            }
            let answers = found.sorted(&symbols);
            let last = |row: Vec<Sym>| row.last().map(|sym| symbols.value(*sym).to_string());
            let shown: Vec<_> = answers.rows().map(|row| last(row.collect())).collect();
            assert_eq!(shown, ["a", "b", "c"].map(|text| Some(text.to_owned())), "{columns}");
            assert_eq!(answers.widest(2, |sym| sym as usize).last(), Some(&2));
        }
    }

    #[test]
    fn too_many_are_refused_and_repeated_ones_count_once() {
        let mut found = Gathered::new(1, 2, usize::MAX);
        assert_eq!(
            [1, 1, 1, 2, 2, 1, 3].map(|sym| found.push([sym].into_iter())),
            [true, true, true, true, true, true, false]
        );
        assert!(!Gathered::new(2, 100, 7).push([1, 2].into_iter()));
        let mut nothing = Gathered::new(0, 100, usize::MAX);
        assert!(nothing.push([].into_iter()) && nothing.push([].into_iter()));
        assert_eq!(nothing.sorted(&Symbols::new()).len(), 1);
    }
}
