//! The tables of the kinds, and how columns name a kind.

use super::fault::Fault;
use crate::kube::{Kind, ObjectKey};

/// The table of a kind; kinds without one of their own share one.
pub(super) fn table(kind: Kind) -> &'static str {
    match kind {
        Kind::Node => "nodes",
        Kind::DaemonSet => "daemonsets",
        Kind::ControllerRevision => "controllerrevisions",
        Kind::Pod => "pods",
        _ => "objects",
    }
}

/// The columns of the key in the table of a kind, with the values that an object has there.
pub(super) fn keys(kind: Kind, key: &ObjectKey) -> Vec<(&'static str, &str)> {
    let (namespace, name) = (("namespace", &*key.namespace), ("name", &*key.name));
    match table(kind) {
        "objects" => vec![("kind", kind.name()), namespace, name],
        _ if kind.namespaced() => vec![namespace, name],
        _ => vec![name],
    }
}

/// The kind that a column names.
pub(super) fn kind(name: &str) -> Result<Kind, Fault> {
    Kind::from_name(name).ok_or_else(|| Fault::Newer(name.to_owned()))
}
