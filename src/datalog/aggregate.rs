//! What aggregates are: one value made of many.
//!
//! `N = count : { pod_on(Pod, Node) }` is about the different ways in which its body holds,
//! for each group: the values of the variables that also stand outside. `lift` turns it into
//! relations, `fold` works them out.

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
}

impl Aggregate {
    /// All of them, by name.
    pub(super) const ALL: [(&str, Aggregate); 4] = [
        ("count", Aggregate::Count),
        ("sum", Aggregate::Sum),
        ("min", Aggregate::Min),
        ("max", Aggregate::Max),
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
        }
    }
}
