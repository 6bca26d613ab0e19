//! What an API server fills in before it looks at an object.
//!
//! It happens on a copy, to validate it or to compare templates, that is thrown away:
//! nothing of it is ever written back over what the user wrote. Most defaults stand in
//! the table of fields; those that depend on something else in the object are here, and
//! those of whole kinds with what else is known of the kind.

use serde_json::{Map, Value, json};

use super::image::has_latest_tag;
use super::shape::{self, Field, Shape};

/// Fills in the defaults of a type and of everything under it.
pub(super) fn fill(type_name: &str, object: &mut Map<String, Value>) {
    let Some(of_type) = shape::of_name(type_name) else { return };
    for name in &of_type.filled {
        let field = &of_type.fields[name];
        if let Some(default) = &field.default
            && object.get(*name).is_none_or(|value| is_unset(field, value))
        {
            object.insert((*name).to_owned(), default.clone());
        }
    }
    depending(type_name, object);
    for name in &of_type.filled {
        if type_name == "DaemonSetUpdateStrategy" && object.get("type") != Some(&json!("RollingUpdate")) {
            continue;
        }
        let field = &of_type.fields[name];
        match (object.get_mut(*name), &field.shape) {
            (Some(value), shape) if !value.is_null() => fill_value(shape, value),
            // What is no pointer is always there, and so are the defaults in it.
            (_, Shape::Object(inner)) if !field.pointer => {
                let mut made = Map::new();
                fill(inner, &mut made);
                if !made.is_empty() {
                    object.insert((*name).to_owned(), made.into());
                }
            }
            _ => {}
        }
    }
}

fn fill_value(shape: &Shape, value: &mut Value) {
    match (shape, value) {
        (Shape::Object(name), Value::Object(object)) => fill(name, object),
        (Shape::List(inner), Value::Array(items)) => {
            for item in items {
                // Null in a list is an empty one, which gets its defaults as any other.
                if item.is_null() && matches!(**inner, Shape::Object(_)) {
                    *item = json!({});
                }
                fill_value(inner, item);
            }
        }
        (Shape::Map(inner), Value::Object(entries)) => {
            entries.values_mut().for_each(|entry| fill_value(inner, entry));
        }
        _ => {}
    }
}

/// Whether a field with a default says nothing: a pointer that is not set, or the zero
/// of what is no pointer.
fn is_unset(field: &Field, value: &Value) -> bool {
    value.is_null() || !field.pointer && (*value == json!("") || *value == json!(0))
}

/// The defaults that follow from another field.
fn depending(type_name: &str, object: &mut Map<String, Value>) {
    match type_name {
        "Container" | "EphemeralContainer" => pull_policy(object, "image", "imagePullPolicy"),
        "ImageVolumeSource" => pull_policy(object, "reference", "pullPolicy"),
        "Volume" if object.iter().all(|(name, value)| name == "name" || value.is_null()) => {
            object.insert("emptyDir".to_owned(), json!({}));
        }
        "DaemonSetUpdateStrategy" if object.get("type") == Some(&json!("RollingUpdate")) => {
            absent(object, "rollingUpdate", || json!({}));
        }
        _ => {}
    }
}

fn pull_policy(object: &mut Map<String, Value>, image: &str, policy: &str) {
    let image = object.get(image).and_then(Value::as_str).unwrap_or("");
    let value = if has_latest_tag(image) { "Always" } else { "IfNotPresent" };
    if object.get(policy).is_none_or(|it| it.is_null() || it == "") {
        object.insert(policy.to_owned(), value.into());
    }
}

/// Whether nothing is in it: an empty map or list is not kept.
pub(super) fn says_nothing(value: &Value) -> bool {
    value.as_array().is_some_and(Vec::is_empty) || value.as_object().is_some_and(Map::is_empty)
}

/// The object at `name`, made if it is not there.
pub(super) fn made<'m>(map: &'m mut Map<String, Value>, name: &str) -> Option<&'m mut Map<String, Value>> {
    let inner = map.entry(name).or_insert_with(|| json!({}));
    if inner.is_null() || says_nothing(inner) {
        *inner = json!({});
    }
    inner.as_object_mut()
}

pub(super) fn present<'m>(map: &'m mut Map<String, Value>, name: &str) -> Option<&'m mut Map<String, Value>> {
    map.get_mut(name).and_then(Value::as_object_mut)
}

pub(super) fn each(map: &mut Map<String, Value>, name: &str, fill: impl Fn(&mut Map<String, Value>)) {
    let list = map.get_mut(name).and_then(Value::as_array_mut);
    list.into_iter().flatten().filter_map(Value::as_object_mut).for_each(fill);
}

pub(super) fn absent(map: &mut Map<String, Value>, name: &str, value: impl FnOnce() -> Value) {
    if map.get(name).is_none_or(Value::is_null) {
        map.insert(name.to_owned(), value());
    }
}
