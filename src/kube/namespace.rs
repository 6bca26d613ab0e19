//! A namespace: nothing is asked of it, it is only kept and shown.

use std::sync::Arc;

use serde_json::Value;

use super::{Meta, ObjectKey};

/// What is kept in memory of a Namespace.
#[derive(Debug, Clone, PartialEq)]
pub struct Namespace {
    /// Metadata; the key's namespace is empty.
    pub meta: Meta,
    /// The whole object as it was written.
    pub value: Arc<Value>,
}

impl Namespace {
    /// Reads a Namespace.
    #[must_use]
    pub fn from_value(key: ObjectKey, value: Arc<Value>) -> Self {
        Namespace { meta: Meta::from_value(key, &value), value }
    }
}
