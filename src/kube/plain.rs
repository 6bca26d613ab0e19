//! An object of a kind that has no view of its own.

use std::sync::Arc;

use serde_json::Value;

use super::Meta;

/// What is kept in memory of an object of which only that is asked which stands in the
/// list of its kind.
#[derive(Debug, Clone, PartialEq)]
pub struct Plain {
    /// Metadata.
    pub meta: Meta,
    /// The whole object as it was written; null where it is of a kind that is not managed and
    /// no rule asks for it.
    pub value: Arc<Value>,
}
