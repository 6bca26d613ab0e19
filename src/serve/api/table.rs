//! Tables (meta.k8s.io/v1 Table), by which kubectl shows objects of which it knows nothing,
//! and metadata alone (PartialObjectMetadata).

use std::sync::Arc;

use serde_json::{Value, json};

use super::cells::{Cell, cells};
use crate::app::api::Entry;

/// How tables of a resource are made.
pub struct Tables {
    cells: Vec<Cell>,
    version: &'static str,
    /// How much of each object stands in its row.
    object: Include,
    now: i64,
}

/// How much of each object stands in its row (`includeObject`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Include {
    /// Nothing.
    None,
    /// Its metadata.
    Metadata,
    /// All of it.
    Object,
}

impl Include {
    /// What a client has asked for.
    pub fn parse(text: &str) -> Option<Include> {
        match text {
            "" | "Metadata" => Some(Include::Metadata),
            "None" => Some(Include::None),
            "Object" => Some(Include::Object),
            _ => None,
        }
    }
}

impl Tables {
    /// Those of a resource at a time.
    pub fn new(resource: usize, version: &'static str, object: Include, now: i64) -> Tables {
        Tables { cells: cells(resource), version, object, now }
    }

    /// A table of objects. One that follows another in a watch has no heads.
    pub fn table(&self, metadata: &Value, objects: &[Value], heads: bool) -> Value {
        let mut table = json!({ "kind": "Table", "apiVersion": format!("meta.k8s.io/{}", self.version),
            "metadata": metadata, "columnDefinitions": [], "rows": [] });
        if heads {
            table["columnDefinitions"] = self.cells.iter().map(head).collect();
        }
        table["rows"] = objects.iter().map(|object| self.row(object)).collect();
        table
    }

    /// The table of a list, as text: of a large one no more than a row is there in another form.
    pub fn list(&self, metadata: &Value, entries: &[Arc<Entry>]) -> String {
        let rows = entries.iter().map(|entry| self.row(&entry.value()).to_string());
        filled(self.table(metadata, &[], true), "rows", rows)
    }

    fn row(&self, object: &Value) -> Value {
        let cells: Vec<String> = self.cells.iter().map(|it| (it.cell)(object, self.now)).collect();
        let shown = match self.object {
            Include::None => return json!({ "cells": cells, "object": null }),
            Include::Metadata => partial(object, self.version),
            Include::Object => object.clone(),
        };
        json!({ "cells": cells, "object": shown })
    }
}

/// An object as text, with these items in a list of it that is empty.
pub fn filled(mut object: Value, list: &str, items: impl Iterator<Item = String>) -> String {
    if let Some(fields) = object.as_object_mut() {
        fields.remove(list);
    }
    let mut text = object.to_string();
    text.pop();
    text.push_str(&format!(",\"{list}\":["));
    for (nth, item) in items.enumerate() {
        if nth > 0 {
            text.push(',');
        }
        text.push_str(&item);
    }
    text.push_str("]}\n");
    text
}

fn head(cell: &Cell) -> Value {
    let format = if cell.name == "Name" { "name" } else { "" };
    json!({ "name": cell.name, "type": "string", "format": format, "description": "",
        "priority": cell.priority })
}

/// The metadata of an object alone.
pub fn partial(object: &Value, version: &str) -> Value {
    json!({ "kind": "PartialObjectMetadata", "apiVersion": format!("meta.k8s.io/{version}"),
        "metadata": object["metadata"] })
}

/// The same of an entry.
pub fn partial_of(entry: &Entry, version: &str) -> Value {
    partial(&entry.value(), version)
}
