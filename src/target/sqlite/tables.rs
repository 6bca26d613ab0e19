//! The tables of the kinds, and how columns name a kind.

use super::fault::Fault;
use crate::kube::Kind;

/// The table of a kind.
pub(super) fn table(kind: Kind) -> &'static str {
    match kind {
        Kind::Namespace => "namespaces",
        Kind::Node => "nodes",
        Kind::DaemonSet => "daemonsets",
        Kind::ControllerRevision => "controllerrevisions",
        Kind::Pod => "pods",
    }
}

/// The kind that a column names.
pub(super) fn kind(name: &str) -> Result<Kind, Fault> {
    Kind::from_name(name).ok_or_else(|| Fault::Content(format!("a row has the unknown kind `{name}`")))
}
