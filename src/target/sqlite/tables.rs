//! The tables of the kinds, how their rows are written, and how columns name a kind.

use super::columns;
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

/// The condition that a row has the key of an object, whose columns are bound first.
pub(super) fn is(keys: &[(&str, &str)]) -> String {
    let is: Vec<String> = keys.iter().zip(1..).map(|((name, _), at)| format!("{name} = ?{at}")).collect();
    is.join(" AND ")
}

/// The statement that makes a row, with the columns of its key bound first and then the
/// `rest`; or that changes the row that is there in the version bound last.
pub(super) fn insert_or_update(table: &str, keys: &[(&str, &str)], rest: &str, replaces: bool) -> String {
    let all = keys.len() + rest.split(',').count();
    let marks = columns::marks(all);
    if !replaces {
        let key = keys.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
        return format!("INSERT INTO {table} ({key}, {rest}, sum) VALUES ({marks}, row_sum({marks}))");
    }
    let (set, is) = (columns::assign(rest, keys.len() + 1), is(keys));
    format!("UPDATE {table} SET {set}, sum = row_sum({marks}) WHERE {is} AND resource_version = ?{}", all + 1)
}

/// The kind that a column names.
pub(super) fn kind(name: &str) -> Result<Kind, Fault> {
    Kind::known_as(name).ok_or_else(|| Fault::Content(format!("`{name}` is no kind")))
}
