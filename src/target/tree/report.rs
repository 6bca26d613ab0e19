//! What was done to the tree.

use serde::Serialize;

use crate::diagnostic::Diagnostic;

/// What was done to the tree.
#[derive(Debug, Clone, Default)]
pub struct TreeReport {
    /// What was created, rewritten or removed, by path.
    pub changes: Vec<TreeChange>,
    /// How many files were just so.
    pub unchanged: usize,
    /// What could not be done, and what a kubelet will refuse; all else was done.
    pub problems: Vec<Diagnostic>,
    /// Whether nothing was done at all, as some pod cannot be written in the tree's format.
    pub is_refused: bool,
}

impl TreeReport {
    /// Adds what was done elsewhere in the tree.
    pub(super) fn add(&mut self, other: TreeReport) {
        self.changes.extend(other.changes);
        self.unchanged += other.unchanged;
        self.problems.extend(other.problems);
        self.is_refused |= other.is_refused;
    }
}

/// One file that was changed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct TreeChange {
    /// The path below the tree's folder.
    pub path: String,
    /// What was done.
    pub done: Done,
}

/// What was done to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Done {
    /// It was not there.
    Created,
    /// It was there with another content.
    Rewritten,
    /// It is gone.
    Removed,
}
