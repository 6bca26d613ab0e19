//! The table that `get` shows of a kind's objects: the kind's own columns, and those of
//! every table.

use serde_json::Value;

use super::Table;
use crate::kube::Kind;
use crate::kube::columns::{Column, text};

/// Which columns a table has, beside the kind's own.
#[derive(Debug, Clone, Copy, Default)]
pub struct Columns {
    /// A first column with the namespace (`-A`).
    pub namespace: bool,
    /// `-o wide`.
    pub wide: bool,
    /// Names behind their kind, as `pod/a`: where several kinds were asked for.
    pub kind: bool,
    /// The time now, for ages, in seconds of Unix time.
    pub now: i64,
}

/// An empty table for objects of `kind`; [`cells`] makes its rows.
#[must_use]
pub fn columns(kind: Kind, columns: Columns) -> Table {
    let namespace = columns.namespace && kind.namespaced();
    let mut heads: Vec<&str> = if namespace { vec!["NAMESPACE", "NAME"] } else { vec!["NAME"] };
    heads.extend(shown(kind, columns).map(|column| column.head));
    Table::new(heads)
}

/// The row of one object.
#[must_use]
pub fn cells(kind: Kind, object: &Value, columns: Columns) -> Vec<String> {
    let name = text(&object["metadata"]["name"]);
    let mut row = Vec::new();
    if columns.namespace && kind.namespaced() {
        row.push(text(&object["metadata"]["namespace"]).to_owned());
    }
    row.push(if columns.kind { format!("{}/{name}", kind.resource()) } else { name.to_owned() });
    row.extend(shown(kind, columns).map(|column| (column.cell)(object, columns.now)));
    row
}

/// The kind's own columns.
fn shown(kind: Kind, columns: Columns) -> impl Iterator<Item = &'static Column> {
    kind.info().columns.iter().filter(move |column| columns.wide || !column.wide)
}
