//! The first field in which an object says something else than before.

use serde_json::Value;

use crate::validate::path::{FieldPath, Step};

/// A value is told in so many characters.
const LONG: usize = 60;

/// A field with what it was and what it is, as a person reads it.
pub(super) struct Differs {
    pub(super) path: FieldPath,
    pub(super) was: String,
    pub(super) is: String,
}

/// What users write of an object, in the order in which it says most of a plan.
const SAID: [&[&str]; 5] =
    [&["spec"], &["metadata", "labels"], &["metadata", "annotations"], &["data"], &["status"]];

/// The first difference of what users write; nothing where there is none that is known.
pub(super) fn differs(was: &Value, is: &Value) -> Option<Differs> {
    SAID.iter().find_map(|way| {
        let at = |value: &Value| way.iter().fold(value.clone(), |value, step| value[*step].clone());
        let path = way.iter().fold(FieldPath::default(), |path, step| path.field(step));
        let is_added = |value: &Value| value.is_null();
        // A status is the system's where the manifest has none.
        if way == &["status"] && is_added(&at(is)) { None } else { first(&at(was), &at(is), path) }
    })
}

fn first(was: &Value, is: &Value, path: FieldPath) -> Option<Differs> {
    if was == is {
        return None;
    }
    match (was, is) {
        (Value::Object(before), Value::Object(now)) => {
            let gone = before.keys().filter(|key| !now.contains_key(*key));
            // What is new or other comes first; what an API server fills in is not in a manifest.
            now.keys().chain(gone).find_map(|key| {
                let value = |of: &serde_json::Map<String, Value>| of.get(key).cloned().unwrap_or(Value::Null);
                first(&value(before), &value(now), path.clone().field(key))
            })
        }
        (Value::Array(before), Value::Array(now)) if !before.is_empty() && !now.is_empty() => {
            (0..before.len().max(now.len())).find_map(|at| {
                let value = |of: &[Value]| of.get(at).cloned().unwrap_or(Value::Null);
                let mut path = path.clone();
                path.0.push(Step::Index(at));
                first(&value(before), &value(now), path)
            })
        }
        _ => Some(Differs { path, was: told(was), is: told(is) }),
    }
}

/// A value in a few words; nothing where there is none.
fn told(value: &Value) -> String {
    let text = match value {
        Value::Null => return String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    match text.char_indices().nth(LONG) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text,
    }
}
