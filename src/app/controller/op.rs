//! One write of a key, with what is expected to be there.

/// What a key is to be before it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Before {
    /// It is not there.
    Absent,
    /// This revision wrote it last.
    Revision(i64),
    /// Whatever.
    Any,
}

/// One write of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Op {
    /// The key.
    pub key: String,
    /// The value; nothing where it is deleted.
    pub value: Option<Vec<u8>>,
    /// What must be there.
    pub before: Before,
}
