//! Patches: RFC 6902, RFC 7396, and Kubernetes' strategic merge, which goes by the types.

use serde_json::{Map, Value};

use super::refused::{Reason, Refused};
use super::typed::Typed;
use crate::kube::merge::Merge;

/// A JSON patch has so many operations at most, as an API server takes.
const OPERATIONS: usize = 10_000;
/// What its copies make of an object is so large at most, in bytes.
const LARGEST: usize = 3 << 20;

/// Carries out a JSON patch.
///
/// # Errors
/// When it is none, does not fit the object, or makes too much of it.
pub fn json(target: &mut Value, patch: &Value) -> Result<(), Refused> {
    let operations: json_patch::Patch = serde_json::from_value(patch.clone())
        .map_err(|error| bad(&format!("error decoding patch: {error}")))?;
    if operations.0.len() > OPERATIONS {
        let message = format!(
            "The allowed maximum operations in a JSON patch is {OPERATIONS}, got {}",
            operations.0.len()
        );
        return Err(Refused::new(Reason::RequestEntityTooLarge, message));
    }
    for operation in &operations.0 {
        // A failed test is an answer to a question that was understood.
        json_patch::patch(target, std::slice::from_ref(operation)).map_err(|error| {
            let message = format!("the server rejected our request due to an error in our request: {error}");
            Refused::new(Reason::Invalid, message)
        })?;
        let copies = matches!(operation, json_patch::PatchOperation::Copy(_));
        if copies && target.to_string().len() > LARGEST {
            return Err(Refused::new(Reason::RequestEntityTooLarge, "the JSON patch copies too much"));
        }
    }
    Ok(())
}

fn bad(message: &str) -> Refused {
    Refused::new(Reason::BadRequest, message)
}

/// Carries out a merge patch.
pub fn merge(target: &mut Value, patch: &Value) {
    json_patch::merge(target, patch);
}

/// Carries out a strategic merge patch on an object of a type.
///
/// # Errors
/// When it has a directive that there is none of, or an item of a list without its key.
pub fn strategic(target: &mut Value, patch: &Value, of: Typed) -> Result<(), Refused> {
    let Some(patch) = patch.as_object() else {
        *target = patch.clone();
        return Ok(());
    };
    match patch.get("$patch").and_then(Value::as_str) {
        Some("replace") => {
            let mut whole = patch.clone();
            whole.remove("$patch");
            *target = whole.into();
            return Ok(());
        }
        Some("delete") => {
            *target = Value::Object(Map::new());
            return Ok(());
        }
        Some("merge") | None => {}
        Some(other) => return Err(bad(&format!("Unknown patch type found: {other}"))),
    }
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Some(fields) = target.as_object_mut() else { return Ok(()) };
    if let Some(kept) = patch.get("$retainKeys").and_then(Value::as_array) {
        fields.retain(|name, _| kept.iter().any(|it| it == name));
    }
    for (name, value) in patch {
        match name.split_once('/') {
            Some(("$deleteFromPrimitiveList", list)) => {
                let gone = value.as_array().map_or(&[][..], Vec::as_slice);
                if let Some(items) = fields.get_mut(list).and_then(Value::as_array_mut) {
                    items.retain(|item| !gone.contains(item));
                }
            }
            Some(("$setElementOrder", _)) => {}
            _ if name.starts_with('$') => {}
            _ if value.is_null() => {
                fields.remove(name);
            }
            _ => field(fields, name, value, of)?,
        }
    }
    for (name, order) in patch {
        if let Some(("$setElementOrder", list)) = name.split_once('/')
            && let Some(items) = fields.get_mut(list).and_then(Value::as_array_mut)
            && let Some(order) = order.as_array()
        {
            put_in_order(items, order, of.key(list));
        }
    }
    Ok(())
}

fn field(fields: &mut Map<String, Value>, name: &str, value: &Value, of: Typed) -> Result<(), Refused> {
    let inner = of.field(name);
    match (value, of.merge(name)) {
        (Value::Object(_), _) => strategic(fields.entry(name).or_insert(Value::Null), value, inner),
        (Value::Array(items), Some(Merge::Keyed(keys))) => {
            let target = fields.entry(name).or_insert_with(|| Value::Array(Vec::new()));
            if !target.is_array() {
                *target = Value::Array(Vec::new());
            }
            match target.as_array_mut() {
                Some(target) => list(target, items, keys[0], inner.item()),
                None => Ok(()),
            }
        }
        (Value::Array(items), Some(Merge::Set)) if fields.get(name).is_some_and(Value::is_array) => {
            if let Some(target) = fields.get_mut(name).and_then(Value::as_array_mut) {
                let more: Vec<Value> = items.iter().filter(|it| !target.contains(it)).cloned().collect();
                target.extend(more);
            }
            Ok(())
        }
        _ => {
            fields.insert(name.to_owned(), value.clone());
            Ok(())
        }
    }
}

/// Merges items by their key.
fn list(target: &mut Vec<Value>, patch: &[Value], key: &str, of: Typed) -> Result<(), Refused> {
    if patch.iter().any(|item| item["$patch"] == "replace" && item.get(key).is_none()) {
        target.clear();
    }
    for item in patch {
        let directive = item["$patch"].as_str().unwrap_or("");
        let Some(value) = item.get(key) else {
            if directive == "replace" {
                continue;
            }
            return Err(bad(&format!("map: {item} does not contain declared merge key: {key}")));
        };
        let found = target.iter().position(|it| it.get(key) == Some(value));
        match (directive, found) {
            ("delete", _) => target.retain(|it| it.get(key) != Some(value)),
            (_, Some(at)) => strategic(&mut target[at], item, of)?,
            (_, None) => {
                let mut new = Value::Null;
                strategic(&mut new, item, of)?;
                target.push(new);
            }
        }
    }
    Ok(())
}

/// Puts the items that are named in this order, where items that are named stand.
fn put_in_order(items: &mut [Value], order: &[Value], key: Option<&str>) {
    let same = |item: &Value, named: &Value| match key {
        Some(key) => item.get(key).is_some() && item.get(key) == named.get(key),
        None => item == named,
    };
    let place = |item: &Value| order.iter().position(|named| same(item, named));
    let places: Vec<usize> =
        items.iter().enumerate().filter(|(_, item)| place(item).is_some()).map(|(at, _)| at).collect();
    let mut named: Vec<Value> = places.iter().map(|at| items[*at].clone()).collect();
    named.sort_by_key(|item| place(item));
    for (at, item) in places.into_iter().zip(named) {
        items[at] = item;
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    fn patched(mut target: Value, patch: Value) -> Value {
        strategic(&mut target, &patch, Typed::of("DaemonSet")).unwrap();
        target
    }

    fn with(containers: Value) -> Value {
        json!({ "spec": { "template": { "spec": { "containers": containers } } } })
    }

    #[test]
    fn lists_are_merged_by_their_keys() {
        let before = with(json!([{ "name": "a", "image": "a:1", "args": ["x"] }, { "name": "b" }]));
        let patch = with(json!([{ "name": "a", "image": "a:2" }, { "name": "c" }]));
        let after =
            with(json!([{ "name": "a", "image": "a:2", "args": ["x"] }, { "name": "b" }, { "name": "c" }]));
        assert_eq!(patched(before.clone(), patch), after);
        let patch = with(json!([{ "name": "a", "$patch": "delete" }, { "name": "b", "args": ["y"] }]));
        assert_eq!(patched(before.clone(), patch), with(json!([{ "name": "b", "args": ["y"] }])));
        let patch = with(json!([{ "$patch": "replace" }, { "name": "z" }]));
        assert_eq!(patched(before.clone(), patch), with(json!([{ "name": "z" }])));
        let mut target = before;
        assert!(strategic(&mut target, &with(json!([{ "image": "a" }])), Typed::of("DaemonSet")).is_err());
    }

    #[test]
    fn directives_are_followed_and_not_kept() {
        let before = json!({ "metadata": { "finalizers": ["a", "b"], "labels": { "x": "1", "y": "2" } },
            "spec": { "updateStrategy": { "type": "RollingUpdate", "rollingUpdate": {} }, "template": { "a": 1 } } });
        let patch = json!({ "metadata": { "$deleteFromPrimitiveList/finalizers": ["a"], "finalizers": ["c"],
                "$setElementOrder/finalizers": ["c", "b"], "labels": { "x": null } },
            "spec": { "updateStrategy": { "$retainKeys": ["type"], "type": "OnDelete" },
                "template": { "$patch": "replace", "b": 2 } } });
        let after = json!({ "metadata": { "finalizers": ["c", "b"], "labels": { "y": "2" } },
            "spec": { "updateStrategy": { "type": "OnDelete" }, "template": { "b": 2 } } });
        assert_eq!(patched(before, patch), after);
    }

    #[test]
    fn a_patch_that_copies_without_end_is_refused() {
        let doubled = json!([{ "op": "copy", "from": "/a", "path": "/a/b" }]);
        let mut target = json!({ "a": { "x": "y".repeat(1000) } });
        json(&mut target, &doubled).unwrap();
        let copied = |nth: usize| json!({ "op": "copy", "from": "/a", "path": format!("/a/{}", nth % 2) });
        let copies: Vec<Value> = (0..40).map(copied).collect();
        let refused = json(&mut target, &copies.into()).unwrap_err();
        assert_eq!(refused.reason, Reason::RequestEntityTooLarge);
        let refused = json(&mut target, &json!([{ "op": "test", "path": "/z", "value": 1 }])).unwrap_err();
        assert_eq!(refused.reason, Reason::Invalid);
    }
}
