//! A key and its value as others wrote them.

use crate::diagnostic::Diagnostic;

/// A key as others wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// The key, without what all begin with.
    pub key: String,
    /// Its value; nothing where it is gone.
    pub value: Option<Vec<u8>>,
    /// The revision at which that was so.
    pub revision: i64,
}

/// What is told of a value that is none of ours, or no longer.
pub(super) fn damaged(key: &str, why: &str) -> Diagnostic {
    Diagnostic::error("damaged-value", format!("the value of the key `{key}` cannot be read"))
        .because(why)
        .help("nothing was changed; delete the key with `etcdctl del` and apply the manifests again, or restore a snapshot")
}
