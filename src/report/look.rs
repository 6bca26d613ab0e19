//! How a plan is to look.

use super::paint::Paint;

/// How much of a long list is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// The first few of each, and how many more there are.
    Short,
    /// Everything.
    Wide,
}

/// How a plan is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// How much of it.
    pub detail: Detail,
    /// Whether it is coloured.
    pub paint: Paint,
    /// Whether it is told as something that was done, rather than is to be done.
    pub done: bool,
}
