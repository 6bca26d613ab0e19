//! Which fields of an object differ, by their paths.
//!
//! Items of a list that have names of their own are the same item by that name, wherever it
//! stands; other lists are told as a whole.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::{Map, Value};

/// A field that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Field {
    /// Its path, as `spec.template.spec.containers[main].image`.
    pub path: String,
    /// What it was; nothing if it was not there.
    pub from: Option<Value>,
    /// What it is; nothing if it is not there.
    pub to: Option<Value>,
}

/// What an API server writes into an object by itself.
const KEPT_BY_SERVERS: [&str; 5] = [
    "metadata.uid",
    "metadata.resourceVersion",
    "metadata.generation",
    "metadata.creationTimestamp",
    "metadata.managedFields",
];

/// The names by which the items of lists are known.
const NAMES: [&str; 2] = ["name", "key"];

/// The fields in which two objects differ, in order of their paths.
pub(super) fn fields(old: &Value, new: &Value) -> Vec<Field> {
    let mut found = Vec::new();
    compare(String::new(), Some(old), Some(new), &mut found);
    found.retain(|field| !KEPT_BY_SERVERS.iter().any(|kept| field.path.starts_with(kept)));
    found
}

fn compare(path: String, old: Option<&Value>, new: Option<&Value>, found: &mut Vec<Field>) {
    match (old, new) {
        (Some(old), Some(new)) if old == new => {}
        (Some(Value::Object(old)), Some(Value::Object(new))) => maps(&path, old, new, found),
        // Where an object had no spec at all, what is in it is what came.
        (None, Some(Value::Object(new))) if is_top(&path) => maps(&path, &Map::new(), new, found),
        (Some(Value::Object(old)), None) if is_top(&path) => maps(&path, old, &Map::new(), found),
        (Some(Value::Array(old)), Some(Value::Array(new))) => match named(old).zip(named(new)) {
            Some((old, new)) => {
                for name in old.keys().chain(new.keys()).collect::<BTreeSet<_>>() {
                    let at = format!("{path}[{name}]");
                    compare(at, old.get(name).copied(), new.get(name).copied(), found);
                }
            }
            None => found.push(Field { path, from: Some(old.clone().into()), to: Some(new.clone().into()) }),
        },
        (from, to) => found.push(Field { path, from: from.cloned(), to: to.cloned() }),
    }
}

fn is_top(path: &str) -> bool {
    !path.contains(['.', '['])
}

fn maps(path: &str, old: &Map<String, Value>, new: &Map<String, Value>, found: &mut Vec<Field>) {
    for key in old.keys().chain(new.keys()).collect::<BTreeSet<_>>() {
        let at = match path {
            "" => key.clone(),
            path if key.contains(['.', '[', ']']) => format!("{path}[{key}]"),
            path => format!("{path}.{key}"),
        };
        compare(at, old.get(key), new.get(key), found);
    }
}

/// The items by their names, if each has one of its own.
fn named(items: &[Value]) -> Option<BTreeMap<&str, &Value>> {
    NAMES.iter().find_map(|name| {
        let by_name: BTreeMap<&str, &Value> =
            items.iter().map(|item| Some((item.get(name)?.as_str()?, item))).collect::<Option<_>>()?;
        (by_name.len() == items.len()).then_some(by_name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn told(old: Value, new: Value) -> Vec<String> {
        let text = |value: Option<Value>| value.map_or_else(|| "-".to_owned(), |value| value.to_string());
        let fields = fields(&old, &new).into_iter();
        fields.map(|it| format!("{} {} {}", it.path, text(it.from), text(it.to))).collect()
    }

    #[test]
    fn items_with_names_are_the_same_wherever_they_stand() {
        let old = json!({ "c": [{ "name": "a", "image": "a:1" }, { "name": "b", "image": "b:1" }] });
        let new = json!({ "c": [{ "name": "b", "image": "b:2" }, { "name": "a", "image": "a:1" }] });
        assert_eq!(told(old, new), [r#"c[b].image "b:1" "b:2""#]);
    }

    #[test]
    fn what_came_and_went_and_lists_without_names_are_told_whole() {
        let old = json!({ "l": { "a.io/b": "1" }, "x": [1, 2], "t": [{ "key": "k" }, { "key": "k" }] });
        let new = json!({ "l": { "c": "1" }, "x": [2], "t": [{ "key": "k" }] });
        let expected = [
            r#"l[a.io/b] "1" -"#,
            r#"l.c - "1""#,
            r#"t [{"key":"k"},{"key":"k"}] [{"key":"k"}]"#,
            "x [1,2] [2]",
        ];
        assert_eq!(told(old, new), expected);
    }

    #[test]
    fn what_a_server_writes_is_no_difference() {
        let old = json!({ "metadata": { "uid": "1", "labels": {} } });
        assert!(told(old, json!({ "metadata": { "uid": "2", "labels": {} } })).is_empty());
    }
}
