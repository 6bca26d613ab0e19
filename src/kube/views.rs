//! Small readings of JSON that all views share.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Name, time};

/// A map of strings (labels, annotations, a node selector); other values are left out,
/// validation has refused them before.
#[must_use]
pub fn labels_of(value: &Value) -> BTreeMap<Name, Name> {
    value
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(key, value)| Some((key.as_str().into(), value.as_str()?.into())))
        .collect()
}

/// An RFC 3339 time as seconds of Unix time.
#[must_use]
pub fn seconds(value: &Value) -> Option<i64> {
    time(value.as_str()?)
}

/// The string at `name`, empty where there is none.
pub(super) fn text(value: &Value, name: &str) -> Name {
    value[name].as_str().unwrap_or("").into()
}

/// The list at `name`, empty where there is none.
pub fn list<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    value[name].as_array().into_iter().flatten()
}
