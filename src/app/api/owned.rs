//! Sets of fields, as `managedFields` has them (FieldsV1): which leaves of an object somebody set.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::typed::Typed;
use crate::kube::merge::Merge;

/// A step on the way to a leaf.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// A field, or an entry of a map.
    Field(String),
    /// An item of a list, by its keys, as JSON.
    Key(String),
    /// A value of a set, as JSON.
    Value(String),
}

/// The way to a leaf.
pub type Path = Vec<Step>;
/// Leaves.
pub type Set = BTreeSet<Path>;

/// The leaves of an object.
#[must_use]
pub fn leaves(value: &Value, of: Typed) -> Set {
    let mut set = Set::new();
    let mut path = Path::new();
    walk(value, of, None, &mut path, &mut set);
    set
}

fn walk(value: &Value, of: Typed, merge: Option<Merge>, path: &mut Path, out: &mut Set) {
    match (value, merge) {
        (Value::Null, _) => {}
        (Value::Object(map), merge) if merge != Some(Merge::Whole) && !of.is_whole() => {
            if map.is_empty() && !path.is_empty() {
                out.insert(path.clone());
            }
            for (name, value) in map {
                path.push(Step::Field(name.clone()));
                walk(value, of.field(name), of.merge(name), path, out);
                path.pop();
            }
        }
        (Value::Array(items), Some(Merge::Keyed(keys))) => {
            for item in items {
                path.push(Step::Key(key_of(item, keys)));
                out.insert(path.clone());
                walk(item, of.item(), None, path, out);
                path.pop();
            }
        }
        (Value::Array(items), Some(Merge::Set)) => {
            for item in items {
                path.push(Step::Value(item.to_string()));
                out.insert(path.clone());
                path.pop();
            }
        }
        _ => {
            out.insert(path.clone());
        }
    }
}

/// The keys of an item, with the one that has a default.
fn key_of(item: &Value, keys: &[&str]) -> String {
    let mut named = Map::new();
    for key in keys {
        match item.get(*key) {
            Some(value) => named.insert((*key).to_owned(), value.clone()),
            None if *key == "protocol" => named.insert((*key).to_owned(), json!("TCP")),
            None => None,
        };
    }
    Value::Object(named).to_string()
}

/// Where among items one with these keys is.
fn position(items: &[Value], key: &str) -> Option<usize> {
    let named: Map<String, Value> = serde_json::from_str(key).ok()?;
    let names: Vec<&str> = named.keys().map(String::as_str).collect();
    items.iter().position(|item| key_of(item, &names) == key)
}

/// What stands at the end of a path.
#[must_use]
pub fn at<'v>(value: &'v Value, path: &[Step]) -> Option<&'v Value> {
    let Some((step, rest)) = path.split_first() else { return Some(value) };
    let inner = match step {
        Step::Field(name) => value.get(name)?,
        Step::Key(key) => {
            let items = value.as_array()?;
            &items[position(items, key)?]
        }
        Step::Value(text) => value.as_array()?.iter().find(|it| it.to_string() == *text)?,
    };
    at(inner, rest)
}

/// Takes out what stands at the end of a path, and lists and maps that are empty then.
pub fn remove(value: &mut Value, path: &[Step]) {
    let Some((step, rest)) = path.split_first() else { return };
    match step {
        Step::Field(name) => {
            let Some(map) = value.as_object_mut() else { return };
            if rest.is_empty() {
                map.remove(name);
            } else if let Some(inner) = map.get_mut(name) {
                remove(inner, rest);
                if inner.as_object().is_some_and(Map::is_empty) || inner.as_array().is_some_and(Vec::is_empty)
                {
                    map.remove(name);
                }
            }
        }
        Step::Key(key) => {
            let Some(items) = value.as_array_mut() else { return };
            match position(items, key) {
                Some(at) if rest.is_empty() => {
                    items.remove(at);
                }
                Some(at) => remove(&mut items[at], rest),
                None => {}
            }
        }
        Step::Value(text) => {
            if let Some(items) = value.as_array_mut() {
                let gone: Option<Value> = serde_json::from_str(text).ok();
                items.retain(|it| Some(it) != gone.as_ref());
            }
        }
    }
}

/// A path as errors name it: `.spec.containers[name="a"].image`.
#[must_use]
pub fn shown(path: &[Step]) -> String {
    let step = |step: &Step| match step {
        Step::Field(name) => format!(".{name}"),
        Step::Value(value) => format!("[={value}]"),
        Step::Key(key) => {
            let named: BTreeMap<String, Value> = serde_json::from_str(key).unwrap_or_default();
            let named: Vec<String> = named.iter().map(|(name, value)| format!("{name}={value}")).collect();
            format!("[{}]", named.join(","))
        }
    };
    path.iter().map(step).collect()
}

/// A set as FieldsV1.
#[must_use]
pub fn to_fields(set: &Set) -> Value {
    let mut root = json!({});
    for path in set {
        let mut node = &mut root;
        for step in path {
            let name = match step {
                Step::Field(name) => format!("f:{name}"),
                Step::Key(key) => format!("k:{key}"),
                Step::Value(value) => format!("v:{value}"),
            };
            node = &mut node[name];
            if node.is_null() {
                *node = json!({});
            }
        }
        // A leaf that has others below it says that it is one itself.
        if matches!(path.last(), Some(Step::Key(_))) {
            node["."] = json!({});
        }
    }
    root
}

/// The set that FieldsV1 says.
#[must_use]
pub fn from_fields(fields: &Value) -> Set {
    let mut set = Set::new();
    read(fields, &mut Path::new(), &mut set);
    set
}

fn read(node: &Value, path: &mut Path, out: &mut Set) {
    let Some(map) = node.as_object() else { return };
    if !path.is_empty() && (map.is_empty() || map.contains_key(".")) {
        out.insert(path.clone());
    }
    for (name, inner) in map {
        let step = match name.split_once(':') {
            Some(("f", name)) => Step::Field(name.to_owned()),
            Some(("k", key)) => Step::Key(canonical(key)),
            Some(("v", value)) => Step::Value(canonical(value)),
            _ => continue,
        };
        path.push(step);
        read(inner, path, out);
        path.pop();
    }
}

fn canonical(json: &str) -> String {
    serde_json::from_str::<Value>(json).map_or_else(|_| json.to_owned(), |value| value.to_string())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn leaves_are_those_of_the_types() {
        let object = json!({ "metadata": { "labels": { "a": "b" }, "finalizers": ["x"] }, "spec": {
            "selector": { "matchLabels": { "a": "b" } },
            "template": { "spec": { "tolerations": [{}], "containers": [
                { "name": "c", "image": "i", "ports": [{ "containerPort": 80 }] }] } } } });
        let set = leaves(&object, Typed::of("DaemonSet"));
        let shown: Vec<String> = set.iter().map(|path| shown(path)).collect();
        let container = ".spec.template.spec.containers[name=\"c\"]";
        let port = format!("{container}.ports[containerPort=80,protocol=\"TCP\"]");
        let expected = [
            ".metadata.finalizers[=\"x\"]".to_owned(),
            ".metadata.labels.a".to_owned(),
            ".spec.selector".to_owned(),
            container.to_owned(),
            format!("{container}.image"),
            format!("{container}.name"),
            port.clone(),
            format!("{port}.containerPort"),
            ".spec.template.spec.tolerations".to_owned(),
        ];
        assert_eq!(shown, expected);
        assert_eq!(from_fields(&to_fields(&set)), set);
        for path in &set {
            assert!(at(&object, path).is_some(), "{path:?}");
        }
        let mut rest = object;
        for path in &set {
            remove(&mut rest, path);
        }
        assert_eq!(leaves(&rest, Typed::of("DaemonSet")), Set::new());
    }
}
