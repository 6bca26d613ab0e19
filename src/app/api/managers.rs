//! Who set which fields (`metadata.managedFields`), and server-side apply by it.

use serde_json::{Map, Value, json};

use super::owned::{Set, Step, at, from_fields, leaves, remove, shown, to_fields};
use super::refused::{Cause, Reason, Refused};
use super::typed::Typed;
use crate::kube::merge::Merge;
use crate::kube::timestamp;

/// Somebody who writes an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Writer {
    /// Who.
    pub manager: String,
    /// `Apply` or `Update`.
    pub operation: &'static str,
    /// The part of the object, as `status`; empty for the whole.
    pub part: String,
    /// When, in seconds of Unix time.
    pub now: i64,
}

/// Somebody with the fields that are theirs.
#[derive(Debug, Clone)]
struct Manager {
    manager: String,
    operation: String,
    version: String,
    part: String,
    time: Value,
    fields: Set,
}

impl Manager {
    fn is(&self, writer: &Writer) -> bool {
        self.manager == writer.manager && self.operation == writer.operation && self.part == writer.part
    }
}

fn managers(object: &Value) -> Vec<Manager> {
    let text = |value: &Value| value.as_str().unwrap_or("").to_owned();
    let entries = object["metadata"]["managedFields"].as_array();
    let entry = |it: &Value| Manager {
        manager: text(&it["manager"]),
        operation: text(&it["operation"]),
        version: text(&it["apiVersion"]),
        part: text(&it["subresource"]),
        time: it["time"].clone(),
        fields: from_fields(&it["fieldsV1"]),
    };
    entries.into_iter().flatten().map(entry).collect()
}

fn write(object: &mut Value, managers: &[Manager]) {
    let entry = |it: &Manager| {
        let mut entry = json!({ "manager": it.manager, "operation": it.operation, "apiVersion": it.version,
            "time": it.time, "fieldsType": "FieldsV1", "fieldsV1": to_fields(&it.fields) });
        if !it.part.is_empty() {
            entry["subresource"] = json!(it.part);
        }
        entry
    };
    let entries: Vec<Value> = managers.iter().filter(|it| !it.fields.is_empty()).map(entry).collect();
    let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) else { return };
    if entries.is_empty() {
        metadata.remove("managedFields");
    } else {
        metadata.insert("managedFields".to_owned(), entries.into());
    }
}

/// The leaves of an object that somebody can set: not what the system gives.
fn settable(object: &Value, of: Typed) -> Set {
    const GIVEN: [&str; 10] = [
        "name",
        "namespace",
        "generateName",
        "uid",
        "resourceVersion",
        "generation",
        "creationTimestamp",
        "deletionTimestamp",
        "managedFields",
        "selfLink",
    ];
    let mut object = object.clone();
    if let Some(fields) = object.as_object_mut() {
        fields.remove("apiVersion");
        fields.remove("kind");
    }
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.retain(|name, _| !GIVEN.contains(&name.as_str()));
    }
    leaves(&object, of)
}

/// Notes who set what, where an object is written as a whole.
pub fn track(before: Option<&Value>, after: &mut Value, of: Typed, writer: &Writer) {
    let mut all = managers(before.unwrap_or(&Value::Null));
    // Whoever writes the list itself is heard.
    let said = after["metadata"].get("managedFields");
    match (said.and_then(Value::as_array), before) {
        (Some(said), Some(_)) if said.is_empty() || said.len() == 1 && said[0] == json!({}) => all.clear(),
        (Some(_), Some(_)) => all = managers(after),
        _ => {}
    }
    let now = settable(after, of);
    let changed: Set = match before {
        None => now.clone(),
        Some(before) => now.iter().filter(|path| is_other(before, after, path)).cloned().collect(),
    };
    for manager in &mut all {
        manager.fields.retain(|path| at(after, path).is_some());
        if !manager.is(writer) {
            manager.fields.retain(|path| !changed.contains(path));
        }
    }
    if !changed.is_empty() {
        own(&mut all, after, writer, changed, true);
    }
    write(after, &all);
}

/// Whether what is at a path is another than before; of an item of a list only whether it is new.
fn is_other(before: &Value, after: &Value, path: &[Step]) -> bool {
    match (at(before, path), path.last()) {
        (None, _) => true,
        (Some(_), Some(Step::Key(_))) => false,
        (Some(was), _) => at(after, path) != Some(was),
    }
}

/// Gives fields to a writer, beside those it has or in place of them.
fn own(all: &mut Vec<Manager>, object: &Value, writer: &Writer, fields: Set, beside: bool) {
    let version = object["apiVersion"].as_str().unwrap_or("").to_owned();
    let time = json!(timestamp(writer.now));
    match all.iter_mut().find(|it| it.is(writer)) {
        Some(known) => {
            (known.version, known.time) = (version, time);
            if beside {
                known.fields.extend(fields);
            } else {
                known.fields = fields;
            }
        }
        None => all.push(Manager {
            manager: writer.manager.clone(),
            operation: writer.operation.to_owned(),
            version,
            part: writer.part.clone(),
            time,
            fields,
        }),
    }
}

/// Applies a configuration: what it says is so, and what its manager said before and says no
/// longer is gone, unless somebody else says it too.
///
/// # Errors
/// When another manager says otherwise, unless that does not matter.
pub fn apply(
    live: Option<&Value>,
    said: &Value,
    of: Typed,
    writer: &Writer,
    force: bool,
) -> Result<Value, Refused> {
    let empty = json!({});
    let before = live.unwrap_or(&empty);
    let mut all = managers(before);
    let fields = settable(said, of);
    let conflicts = conflicts(&all, before, said, &fields, writer);
    if !conflicts.is_empty() && !force {
        return Err(conflict(&all, &conflicts));
    }
    let mut merged = before.clone();
    merge(&mut merged, said, of, None);
    let mine: Set = all.iter().filter(|it| it.is(writer)).flat_map(|it| it.fields.clone()).collect();
    let dropped = mine.difference(&fields).filter(|path| {
        // An item stays for as long as somebody has something of it.
        let others = all.iter().filter(|it| !it.is(writer)).flat_map(|it| &it.fields);
        !others.chain(&fields).any(|other| other.starts_with(path))
    });
    let dropped: Vec<_> = dropped.cloned().collect();
    // An item before what is in it, which is found by its keys.
    dropped.iter().for_each(|path| remove(&mut merged, path));
    for (other, path) in &conflicts {
        all[*other].fields.remove(path);
    }
    own(&mut all, said, writer, fields, false);
    for manager in &mut all {
        manager.fields.retain(|path| at(&merged, path).is_some());
    }
    write(&mut merged, &all);
    Ok(merged)
}

/// What others have set otherwise: whose it is, and where.
fn conflicts(
    all: &[Manager],
    live: &Value,
    said: &Value,
    fields: &Set,
    writer: &Writer,
) -> Vec<(usize, Vec<Step>)> {
    let mut conflicts = Vec::new();
    for (nth, manager) in all.iter().enumerate().filter(|(_, it)| !it.is(writer)) {
        for path in manager.fields.intersection(fields) {
            let is_item = matches!(path.last(), Some(Step::Key(_)));
            if !is_item && at(live, path) != at(said, path) {
                conflicts.push((nth, path.clone()));
            }
        }
    }
    conflicts
}

fn conflict(all: &[Manager], conflicts: &[(usize, Vec<Step>)]) -> Refused {
    let with = |nth: usize| {
        let Manager { manager, version, part, .. } = &all[nth];
        let part = if part.is_empty() { String::new() } else { format!(" with subresource \"{part}\"") };
        format!("\"{manager}\"{part} using {version}")
    };
    let cause = |(nth, path): &(usize, Vec<Step>)| Cause {
        reason: "FieldManagerConflict",
        message: format!("conflict with {}", with(*nth)),
        field: shown(path),
    };
    let causes: Vec<Cause> = conflicts.iter().map(cause).collect();
    let message = match &causes[..] {
        [one] => format!("Apply failed with 1 conflict: {}: {}", one.message, one.field),
        _ => {
            let mut message = format!("Apply failed with {} conflicts: ", causes.len());
            let mut managers: Vec<usize> = conflicts.iter().map(|(nth, _)| *nth).collect();
            managers.dedup();
            let told = managers.iter().map(|nth| {
                let fields = conflicts.iter().filter(|(of, _)| of == nth);
                let fields: String = fields.map(|(_, path)| format!("\n- {}", shown(path))).collect();
                format!("conflicts with {}:{fields}", with(*nth))
            });
            message.push_str(&told.collect::<Vec<_>>().join("\n"));
            message
        }
    };
    Refused { causes, ..Refused::new(Reason::Conflict, message) }
}

/// Puts what is said over what is there.
fn merge(target: &mut Value, said: &Value, of: Typed, how: Option<Merge>) {
    match (said, how) {
        (Value::Null, _) => {}
        (Value::Object(fields), how) if how != Some(Merge::Whole) && !of.is_whole() => {
            if !target.is_object() {
                *target = Value::Object(Map::new());
            }
            for (name, value) in fields.iter().filter(|(_, value)| !value.is_null()) {
                merge(&mut target[name.as_str()], value, of.field(name), of.merge(name));
            }
        }
        (Value::Array(items), Some(Merge::Keyed(keys))) => {
            if !target.is_array() {
                *target = json!([]);
            }
            let Some(there) = target.as_array_mut() else { return };
            for item in items {
                let same = |it: &&mut Value| keys.iter().all(|key| is_same(it, item, key));
                match there.iter_mut().find(same) {
                    Some(one) => merge(one, item, of.item(), None),
                    None => there.push(item.clone()),
                }
            }
        }
        (Value::Array(items), Some(Merge::Set)) if target.is_array() => {
            if let Some(there) = target.as_array_mut() {
                let more: Vec<Value> = items.iter().filter(|it| !there.contains(it)).cloned().collect();
                there.extend(more);
            }
        }
        _ => *target = said.clone(),
    }
}

/// Whether two items have the same key; a protocol that is not said is TCP.
fn is_same(one: &Value, other: &Value, key: &str) -> bool {
    let tcp = json!("TCP");
    let of = |item: &Value| match item.get(key) {
        None if key == "protocol" => Some(tcp.clone()),
        found => found.cloned(),
    };
    of(one) == of(other)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn writer(manager: &str, operation: &'static str) -> Writer {
        Writer { manager: manager.to_owned(), operation, part: String::new(), now: 0 }
    }

    fn said(labels: Value) -> Value {
        json!({ "apiVersion": "v1", "kind": "Node", "metadata": { "name": "n", "labels": labels } })
    }

    fn applied(live: Option<&Value>, labels: Value, manager: &str, force: bool) -> Result<Value, Refused> {
        apply(live, &said(labels), Typed::of("Node"), &writer(manager, "Apply"), force)
    }

    #[test]
    fn what_is_said_no_longer_goes_unless_others_say_it() {
        let first = applied(None, json!({ "x": "1", "y": "1", "z": "1" }), "a", false).unwrap();
        let second = applied(Some(&first), json!({ "y": "1" }), "b", false).unwrap();
        let third = applied(Some(&second), json!({ "z": "2" }), "a", false).unwrap();
        assert_eq!(third["metadata"]["labels"], json!({ "y": "1", "z": "2" }));
        let managed = third["metadata"]["managedFields"].as_array().unwrap();
        let fields = |nth: usize| managed[nth]["fieldsV1"]["f:metadata"]["f:labels"].clone();
        assert_eq!((fields(0), fields(1)), (json!({ "f:z": {} }), json!({ "f:y": {} })));
    }

    #[test]
    fn who_says_otherwise_is_a_conflict_until_it_is_forced() {
        let first = applied(None, json!({ "x": "1" }), "a", false).unwrap();
        let refused = applied(Some(&first), json!({ "x": "2" }), "b", false).unwrap_err();
        assert_eq!((refused.reason, &*refused.causes[0].field), (Reason::Conflict, ".metadata.labels.x"));
        let forced = applied(Some(&first), json!({ "x": "2" }), "b", true).unwrap();
        assert_eq!(forced["metadata"]["labels"]["x"], "2");
        assert_eq!(forced["metadata"]["managedFields"].as_array().unwrap().len(), 1);
        // Who wrote it as a whole owns it too.
        let mut written = forced.clone();
        written["metadata"]["labels"]["x"] = json!("3");
        track(Some(&forced), &mut written, Typed::of("Node"), &writer("c", "Update"));
        assert!(applied(Some(&written), json!({ "x": "2" }), "b", false).is_err());
        assert!(applied(Some(&written), json!({ "x": "3" }), "b", false).is_ok());
    }
}
