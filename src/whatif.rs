//! What if: a plan with changes that stand in no manifest, and how it differs.
//!
//! Edits are made on copies of the objects, from the input or from the store; what comes
//! of them is planned like any other input. The difference is told by the pods that are
//! there in the end, each with why.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::datalog::Program;
use crate::diagnostic::Diagnostic;
use crate::explain;
use crate::manifest::Reading;
use crate::model::{Kind, Object, ObjectKey, Origin, World};

/// The taint that Kubernetes gives a cordoned node.
const UNSCHEDULABLE: &str = "node.kubernetes.io/unschedulable";

/// One change.
#[derive(Debug, Clone, PartialEq)]
pub struct Edit {
    /// The object's kind.
    pub kind: Kind,
    /// The object.
    pub key: ObjectKey,
    /// What is done to it.
    pub change: Change,
}

/// What is done to an object.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// A field gets a value; without one it goes.
    Set(Vec<String>, Option<Value>),
    /// A taint is added, or taken away.
    Taint(Value, bool),
    /// A node is cordoned, or uncordoned.
    Cordon(bool),
    /// The object is not there.
    Remove,
}

fn wrong(option: &str, text: &str, help: &str) -> Diagnostic {
    Diagnostic::error("bad-what-if", format!("`{option} {text}` cannot be read")).help(help)
}

/// `KIND/NAME`, with a namespace in between for what has one: `daemonset/logging/agent`.
fn object(option: &str, text: &str, namespace: &str) -> Result<(Kind, ObjectKey), Diagnostic> {
    let help = "an object is written `node/NAME` or `daemonset/NAME`, also `daemonset/NAMESPACE/NAME`";
    let parts: Vec<&str> = text.split('/').collect();
    let kind = parts.first().and_then(|word| Kind::from_resource(word));
    let kind = kind.ok_or_else(|| wrong(option, text, help))?;
    match parts.as_slice() {
        [_, name] if !name.is_empty() => {
            Ok((kind, ObjectKey::new(if kind.namespaced() { namespace } else { "" }, *name)))
        }
        [_, namespace, name] if kind.namespaced() && !name.is_empty() => {
            Ok((kind, ObjectKey::new(*namespace, *name)))
        }
        _ => Err(wrong(option, text, help)),
    }
}

impl Edit {
    /// `OBJECT:FIELD=VALUE`, or `OBJECT:FIELD-` to take the field away. `label.KEY`,
    /// `annotation.KEY` and `nodeSelector.KEY` stand for the fields they mean.
    ///
    /// # Errors
    /// When it is not written so.
    pub fn set(text: &str, namespace: &str) -> Result<Edit, Diagnostic> {
        let help =
            "write `node/a:label.disk=ssd`, `node/a:label.disk-` or `daemonset/x:spec.minReadySeconds=5`";
        let (target, field) = text.split_once(':').ok_or_else(|| wrong("--set", text, help))?;
        let (kind, key) = object("--set", target, namespace)?;
        let (field, value) = match field.split_once('=') {
            Some((field, value)) => (field, Some(value)),
            None => (field.strip_suffix('-').ok_or_else(|| wrong("--set", text, help))?, None),
        };
        let spec = ["spec", "template", "spec"];
        let (path, is_text): (Vec<&str>, bool) = match field.split_once('.') {
            Some(("label" | "labels", key)) => (vec!["metadata", "labels", key], true),
            Some(("annotation" | "annotations", key)) => (vec!["metadata", "annotations", key], true),
            Some(("nodeSelector", key)) if kind == Kind::DaemonSet => {
                ([&spec[..], &["nodeSelector", key]].concat(), true)
            }
            _ => (field.split('.').collect(), false),
        };
        if path.iter().any(|part| part.is_empty()) {
            return Err(wrong("--set", text, help));
        }
        let value = value.map(|value| {
            let read = (!is_text).then(|| serde_yaml::from_str(value).ok()).flatten();
            read.unwrap_or_else(|| json!(value))
        });
        let path = path.into_iter().map(ToOwned::to_owned).collect();
        Ok(Edit { kind, key, change: Change::Set(path, value) })
    }

    /// `NODE=KEY[=VALUE]:EFFECT`, or with a `-` behind to take the taint away.
    ///
    /// # Errors
    /// When it is not written so.
    pub fn taint(text: &str) -> Result<Edit, Diagnostic> {
        let help = "write `gpu-1=dedicated=gpu:NoSchedule`, or `gpu-1=dedicated:NoSchedule-` to take it away";
        let fail = || wrong("--taint", text, help);
        let (node, taint) = text.split_once('=').ok_or_else(fail)?;
        let (taint, added) = match taint.strip_suffix('-') {
            Some(taint) => (taint, false),
            None => (taint, true),
        };
        let (label, effect) = taint.rsplit_once(':').ok_or_else(fail)?;
        let (key, value) = label.split_once('=').unwrap_or((label, ""));
        if node.is_empty()
            || key.is_empty()
            || !["NoSchedule", "NoExecute", "PreferNoSchedule"].contains(&effect)
        {
            return Err(fail());
        }
        let taint = json!({ "key": key, "value": value, "effect": effect });
        Ok(Edit { kind: Kind::Node, key: ObjectKey::new("", node), change: Change::Taint(taint, added) })
    }

    /// A node that is cordoned, or uncordoned.
    #[must_use]
    pub fn cordon(node: &str, cordoned: bool) -> Edit {
        let name = node.strip_prefix("node/").unwrap_or(node);
        Edit { kind: Kind::Node, key: ObjectKey::new("", name), change: Change::Cordon(cordoned) }
    }

    /// An object that is not there.
    ///
    /// # Errors
    /// When it is not written as an object is.
    pub fn remove(text: &str, namespace: &str) -> Result<Edit, Diagnostic> {
        let (kind, key) = object("--remove", text, namespace)?;
        Ok(Edit { kind, key, change: Change::Remove })
    }

    fn make(&self, value: &mut Value) {
        match &self.change {
            Change::Set(path, new) => set(value, path, new.as_ref()),
            Change::Taint(taint, added) => taints(value, taint, *added),
            Change::Cordon(cordoned) => {
                set(value, &["spec".into(), "unschedulable".into()], cordoned.then_some(&json!(true)));
                taints(
                    value,
                    &json!({ "key": UNSCHEDULABLE, "value": "", "effect": "NoSchedule" }),
                    *cordoned,
                );
            }
            Change::Remove => {}
        }
    }
}

/// Sets a field, or takes it away. A number in the way is an element of a list.
fn set(value: &mut Value, path: &[String], new: Option<&Value>) {
    let Some((first, rest)) = path.split_first() else {
        *value = new.cloned().unwrap_or(Value::Null);
        return;
    };
    if let (Some(list), Ok(at)) = (value.as_array_mut(), first.parse::<usize>()) {
        if let Some(element) = list.get_mut(at) {
            set(element, rest, new);
        }
        return;
    }
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    if let Some(fields) = value.as_object_mut() {
        match (rest.is_empty(), new) {
            (true, None) => {
                fields.remove(first);
            }
            (false, None) if !fields.contains_key(first) => {}
            _ => set(fields.entry(first.clone()).or_insert(Value::Null), rest, new),
        }
    }
}

/// Adds a taint, or takes away those of its key and effect (and of its value, if it has
/// one).
fn taints(value: &mut Value, taint: &Value, added: bool) {
    let mut all = value["spec"]["taints"].as_array().cloned().unwrap_or_default();
    let same = |it: &Value| {
        it["key"] == taint["key"]
            && it["effect"] == taint["effect"]
            && (added || taint["value"] == "" || it["value"] == taint["value"])
    };
    all.retain(|it| !same(it));
    if added {
        all.push(taint.clone());
    }
    let all = Value::Array(all);
    set(value, &["spec".into(), "taints".into()], Some(&all));
}

/// Looks up an object that the input does not have.
pub type Find<'a> = &'a dyn Fn(Kind, &ObjectKey) -> Result<Option<Value>, Diagnostic>;

/// Makes the edits on the objects of an input; what is not in it is looked up with `find`.
/// What is removed is given back.
///
/// # Errors
/// When an object is nowhere, or cannot be looked up.
pub fn edit(
    reading: &mut Reading,
    edits: &[Edit],
    find: Find<'_>,
) -> Result<Vec<(Kind, ObjectKey)>, Diagnostic> {
    let mut gone = Vec::new();
    for edit in edits {
        let is_it = |object: &Object| object.kind == edit.kind && object.key == edit.key;
        if edit.change == Change::Remove {
            let before = reading.objects.len();
            reading.objects.retain(|object| !is_it(object));
            if reading.objects.len() == before && find(edit.kind, &edit.key)?.is_none() {
                return Err(nowhere(edit));
            }
            gone.push((edit.kind, edit.key.clone()));
            continue;
        }
        if !reading.objects.iter().any(is_it) {
            let value = find(edit.kind, &edit.key)?.ok_or_else(|| nowhere(edit))?;
            let origin = Origin { file: "<what-if>".into(), document: 0, path: String::new() };
            reading.objects.push(Object { kind: edit.kind, key: edit.key.clone(), value, origin });
        }
        for object in reading.objects.iter_mut().filter(|object| is_it(object)) {
            edit.make(&mut object.value);
        }
    }
    Ok(gone)
}

fn nowhere(edit: &Edit) -> Diagnostic {
    let kinds = format!("{}s", edit.kind.name().to_lowercase());
    Diagnostic::error("not-found", format!("{kinds} \"{}\" not found", edit.key))
        .because("it is neither in the input nor in the store")
        .help(format!(
            "`dsrules get {kinds}{}` shows what there is",
            if edit.kind.namespaced() { " -A" } else { "" }
        ))
}

/// How the end of a plan differs for one daemonset on one node.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Difference {
    /// The daemonset.
    pub daemonset: ObjectKey,
    /// The node.
    pub node: String,
    /// Whether a pod is there with the edits and not without them; else it is the other
    /// way round.
    pub gained: bool,
    /// What keeps a pod off with the edits, or kept one off without them.
    pub because: Vec<String>,
}

/// The pods that are there at the end of one plan and not at the end of the other.
///
/// # Errors
/// When a rule derives more than the limits allow.
pub fn differences(
    program: &Program,
    without: &World,
    with: &World,
    now: i64,
) -> Result<Vec<Difference>, Diagnostic> {
    let (before, after) = (pairs(without), pairs(with));
    let mut all = Vec::new();
    for (pairs, gained, world) in
        [(after.difference(&before), true, without), (before.difference(&after), false, with)]
    {
        for (daemonset, node) in pairs {
            let because = kept_off(program, world, daemonset, node, now)?;
            all.push(Difference { daemonset: daemonset.clone(), node: node.clone(), gained, because });
        }
    }
    all.sort();
    Ok(all)
}

/// What keeps the daemonset off the node in that world.
fn kept_off(
    program: &Program,
    world: &World,
    daemonset: &ObjectKey,
    node: &str,
    now: i64,
) -> Result<Vec<String>, Diagnostic> {
    let Some(found) = world.daemonsets.get(daemonset) else {
        return Ok(vec!["there is no such daemonset".to_owned()]);
    };
    let Some(on) = world.nodes.get(&ObjectKey::new("", node)) else {
        return Ok(vec!["is not there".to_owned()]);
    };
    let explanation = explain::pair(program, world, found, on, now)?;
    Ok(explanation.causes.into_iter().map(|told| told.says).collect())
}

/// Which daemonsets have a pod on which nodes.
fn pairs(world: &World) -> BTreeSet<(ObjectKey, String)> {
    let pods = world.pods.values().filter(|pod| pod.meta.deleting.is_none());
    pods.filter_map(|pod| {
        let owner = pod.meta.controller.as_ref().filter(|owner| &*owner.kind == Kind::DaemonSet.name())?;
        let daemonset = ObjectKey::new(pod.meta.key.namespace.clone(), owner.name.clone());
        Some((daemonset, pod.target()?.to_string()))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn fields_labels_and_taints_are_edited() {
        let mut node = json!({ "metadata": { "labels": { "a": "b" } }, "spec": { "taints": [
            { "key": "k", "value": "v", "effect": "NoSchedule" }] } });
        for text in
            ["node/n:label.topology.kubernetes.io/zone=7", "node/n:label.a-", "node/n:spec.podCIDR=10"]
        {
            Edit::set(text, "default").unwrap().make(&mut node);
        }
        Edit::taint("n=k:NoSchedule-").unwrap().make(&mut node);
        Edit::taint("n=x=y:NoExecute").unwrap().make(&mut node);
        Edit::cordon("node/n", true).make(&mut node);
        assert_eq!(node["metadata"]["labels"], json!({ "topology.kubernetes.io/zone": "7" }));
        assert_eq!(node["spec"]["podCIDR"], json!(10));
        assert_eq!(node["spec"]["unschedulable"], json!(true));
        let keys: Vec<&Value> =
            node["spec"]["taints"].as_array().unwrap().iter().map(|it| &it["key"]).collect();
        assert_eq!(keys, ["x", UNSCHEDULABLE]);
        Edit::cordon("n", false).make(&mut node);
        assert_eq!(node["spec"].get("unschedulable"), None);
        assert_eq!(node["spec"]["taints"].as_array().unwrap().len(), 1);
    }

    #[test]
    fn what_is_not_understood_says_how_it_is_written() {
        for wrong in ["node/a", "a:label.b=c", "node/a:label.b", "node/:x=1", "node/a/b:x=1", "node/a:=1"] {
            assert_eq!(Edit::set(wrong, "default").unwrap_err().code, "bad-what-if", "{wrong}");
        }
        for wrong in ["a", "a=b", "a=b:Never", "=b:NoSchedule", "a=:NoSchedule"] {
            assert_eq!(Edit::taint(wrong).unwrap_err().code, "bad-what-if", "{wrong}");
        }
        let key = Edit::remove("daemonset/logging/agent", "default").unwrap().key;
        assert_eq!(key, ObjectKey::new("logging", "agent"));
    }
}
