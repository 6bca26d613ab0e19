//! How an object is named and where it came from.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A name that is shared rather than copied.
pub type Name = Arc<str>;

/// Labels or annotations, shared between the objects that have the same ones.
pub type Labels = Arc<BTreeMap<Name, Name>>;

/// Namespace and name; the namespace is empty for what stands in none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ObjectKey {
    /// The namespace, or empty.
    pub namespace: Name,
    /// The name.
    pub name: Name,
}

/// By namespace, then name. Namespaces are mostly one and the same text, which need not be read.
impl Ord for ObjectKey {
    fn cmp(&self, other: &Self) -> Ordering {
        let same = Arc::ptr_eq(&self.namespace, &other.namespace);
        let first = if same { Ordering::Equal } else { self.namespace.cmp(&other.namespace) };
        first.then_with(|| self.name.cmp(&other.name))
    }
}

impl PartialOrd for ObjectKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl ObjectKey {
    /// The key of `name` in `namespace` (empty for a node or a namespace).
    pub fn new(namespace: impl Into<Name>, name: impl Into<Name>) -> Self {
        ObjectKey { namespace: namespace.into(), name: name.into() }
    }
}

/// `namespace/name`, or the name alone where there is no namespace.
impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.namespace.is_empty() {
            write!(f, "{}/", self.namespace)?;
        }
        f.write_str(&self.name)
    }
}

/// Where an object was written: file, document of that file, line and column.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Origin {
    /// The path as the user named it, or `<stdin>`.
    pub file: Name,
    /// The YAML document within the file, from 0.
    pub document: u32,
    /// The field path within that document: empty, or `items[3]` for a List's.
    pub path: String,
}
