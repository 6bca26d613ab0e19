//! What became of an object, in kubectl's words.

use serde::{Deserialize, Serialize};

/// kubectl's words for what happened to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// It was not there.
    Created,
    /// It was there and differs.
    Configured,
    /// It was there, just so.
    Unchanged,
    /// It left the input and was removed.
    Pruned,
    /// A delete command removed it.
    Deleted,
}

impl Change {
    /// The word, as kubectl says it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Change::Created => "created",
            Change::Configured => "configured",
            Change::Unchanged => "unchanged",
            Change::Pruned => "pruned",
            Change::Deleted => "deleted",
        }
    }
}
