//! A key's value, with the revisions that matter.

/// A key's value, and the revisions that made it and wrote it last.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entry {
    /// The revision that made the key.
    pub created: i64,
    /// The revision that wrote it last.
    pub modified: i64,
    /// The value.
    pub value: Vec<u8>,
}
