//! The key of an object in our documents.

use serde::Serialize;

use crate::kube::ObjectKey;

/// A key whose namespace is left out where there is none.
#[derive(Debug, Serialize)]
pub(super) struct Key {
    #[serde(skip_serializing_if = "String::is_empty")]
    namespace: String,
    name: String,
}

impl From<ObjectKey> for Key {
    fn from(key: ObjectKey) -> Self {
        Key { namespace: key.namespace.to_string(), name: key.name.to_string() }
    }
}
