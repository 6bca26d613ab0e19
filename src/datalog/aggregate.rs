//! What aggregates are: one value made of many.
//!
//! `N = count : { pod_on(Pod, Node) }` is about the different ways in which its body holds,
//! for each group: the values of the variables that also stand outside. `lift` turns it into
//! relations, `fold` works them out. `first 2 Node by Created : { … }` is folded as well: the
//! values of each group get places, of which the rule wants the first.

use std::sync::Arc;

/// What becomes of the rows of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fold {
    /// One value.
    One(Aggregate),
    /// Some of them, each with its place.
    First(First),
}

/// The first rows of a group, by what stands in their last columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct First {
    /// The columns that they are ordered by, and whether the greatest comes first.
    pub keys: Arc<[(usize, bool)]>,
    /// How many of the last columns are what is taken; by them, all else being equal.
    pub values: usize,
    /// How many are wanted, if that is known before any row is.
    pub most: Option<usize>,
}

impl Fold {
    /// How many columns stand for the group, in a head of so many.
    pub fn groups(&self, head: usize) -> usize {
        match self {
            Fold::One(_) => head - 1,
            Fold::First(first) => head - 1 - first.values,
        }
    }

    /// The aggregate, if nothing has a value too: 0.
    pub fn of_nothing(&self) -> bool {
        matches!(self, Fold::One(aggregate) if aggregate.of_nothing())
    }
}

/// How many values make one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aggregate {
    /// `count`: in how many ways the body holds.
    Count,
    /// `sum`: a value of each way, added up.
    Sum,
    /// `min`: the least of them.
    Min,
    /// `max`: the greatest of them.
    Max,
    /// `mean`: their sum divided by how many they are, cut off towards zero.
    Mean,
}

impl Aggregate {
    /// All of them, by name.
    pub(super) const ALL: [(&str, Aggregate); 5] = [
        ("count", Aggregate::Count),
        ("sum", Aggregate::Sum),
        ("min", Aggregate::Min),
        ("max", Aggregate::Max),
        ("mean", Aggregate::Mean),
    ];

    /// Whether nothing makes a value too: there are 0, and their sum is 0.
    #[must_use]
    pub fn of_nothing(self) -> bool {
        matches!(self, Aggregate::Count | Aggregate::Sum)
    }

    /// What some values come to, none of which stands for none at all. So many 64-bit
    /// numbers as there can be never leave 128 bits.
    pub(super) fn of(self, values: impl Iterator<Item = i64>) -> Option<i128> {
        let values = values.map(i128::from);
        match self {
            Aggregate::Count => i128::try_from(values.count()).ok().filter(|count| *count > 0),
            Aggregate::Sum => values.reduce(|sum, value| sum + value),
            Aggregate::Min => values.min(),
            Aggregate::Max => values.max(),
            Aggregate::Mean => {
                let of = |(sum, count), value| (sum + value, count + 1);
                let (sum, count) = values.fold((0, 0), of);
                (count > 0).then(|| sum / count)
            }
        }
    }
}
