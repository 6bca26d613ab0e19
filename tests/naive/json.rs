//! Short ways to read JSON.

use serde_json::Value;

/// The string at `name`, empty where there is none.
pub fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or("")
}

/// The list at `name`, empty where there is none.
pub fn list<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    value[name].as_array().into_iter().flatten()
}

/// The name of an object.
pub fn name(object: &Value) -> &str {
    text(&object["metadata"], "name")
}

/// The time at `name` in seconds.
pub fn time(value: &Value, name: &str) -> Option<i64> {
    dsrules::kube::seconds(&value[name])
}
