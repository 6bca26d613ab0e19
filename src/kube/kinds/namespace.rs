//! A Namespace: what the system knows of it is its name, and rules may ask for more.

use serde_json::{Map, Value, json};

use super::info::{Fact, KindInfo, NameForm, Rows};
use crate::kube::columns::{Column, text};
use crate::kube::defaults::made;

pub(super) const KIND: KindInfo = KindInfo {
    name: "Namespace",
    api_version: "v1",
    removed: &[],
    resource: "namespace",
    plural: "namespaces",
    short: &["ns"],
    namespaced: false,
    names: NameForm::Label,
    counts_changes: false,
    defaults,
    status: || json!({ "phase": "Active" }),
    columns: &[Column::new("STATUS", |namespace, _| phase(namespace)), Column::AGE],
    facts: &[
        Fact {
            relation: "namespace",
            rows: Rows::Itself,
            says: ("there is the namespace {0}", "there is no namespace[ {0}]"),
        },
        Fact {
            relation: "namespace_label",
            rows: Rows::Entries(&["metadata", "labels"]),
            says: ("the namespace {0} has the label {1}={2}", "the namespace {0} has no label {1}[={2}]"),
        },
        Fact {
            relation: "namespace_annotation",
            rows: Rows::Entries(&["metadata", "annotations"]),
            says: (
                "the namespace {0} has the annotation {1}={2}",
                "the namespace {0} has no annotation {1}[={2}]",
            ),
        },
    ],
};

/// The label with its name that every namespace has.
fn defaults(namespace: &mut Map<String, Value>) {
    let name = namespace.get("metadata").map(|meta| meta["name"].clone()).filter(Value::is_string);
    if let Some(name) = name
        && let Some(labels) = made(namespace, "metadata").and_then(|meta| made(meta, "labels"))
    {
        labels.insert("kubernetes.io/metadata.name".to_owned(), name);
    }
}

fn phase(namespace: &Value) -> String {
    match text(&namespace["status"]["phase"]) {
        "" => "Active".to_owned(),
        phase => phase.to_owned(),
    }
}
