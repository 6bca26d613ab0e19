//! One change that stands in no manifest: how it is written, and what it does to an object.

use serde_json::{Value, json};
use wildmatch::WildMatch;

use crate::diagnostic::Diagnostic;
use crate::kube::{Kind, ObjectKey, Taint};
use crate::manifest::{FieldPath, Target, put, typed, way_to};

/// The taint that Kubernetes gives a cordoned node.
const UNSCHEDULABLE: &str = "node.kubernetes.io/unschedulable";

/// One change.
#[derive(Debug, Clone, PartialEq)]
pub struct Edit {
    /// The object's kind.
    pub kind: Kind,
    /// The object; `*` and `?` stand for any letters.
    pub key: ObjectKey,
    /// What is done to it.
    pub what: Alteration,
}

/// What is done to an object.
#[derive(Debug, Clone, PartialEq)]
pub enum Alteration {
    /// A field gets a value; without one it goes.
    Set(FieldPath, Option<Value>),
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
        let long = match field.split_once('.') {
            Some(("label" | "labels", key)) => format!("metadata.labels.{key}"),
            Some(("annotation" | "annotations", key)) => format!("metadata.annotations.{key}"),
            Some(("nodeSelector", key)) if kind == Kind::DaemonSet => {
                format!("spec.template.spec.nodeSelector.{key}")
            }
            _ => field.to_owned(),
        };
        let refuse =
            |why: String| Diagnostic::error("bad-what-if", why).because(format!("in `--set {text}`"));
        let target: Target = way_to(kind, &long).map_err(|(why, meant)| match meant {
            Some(meant) if !long.contains('.') => refuse(why)
                .help(format!("{meant}; a label is `label.{long}`, an annotation `annotation.{long}`")),
            Some(meant) => refuse(why).help(meant),
            None => refuse(why),
        })?;
        let value = match value {
            Some(value) => Some(typed(&target, value).map_err(refuse)?),
            None => None,
        };
        Ok(Edit { kind, key, what: Alteration::Set(target.path, value) })
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
        if node.is_empty() || key.is_empty() || !Taint::EFFECTS.contains(&effect) {
            return Err(fail());
        }
        let node = node.strip_prefix("node/").unwrap_or(node);
        let taint = json!({ "key": key, "value": value, "effect": effect });
        Ok(Edit { kind: Kind::Node, key: ObjectKey::new("", node), what: Alteration::Taint(taint, added) })
    }

    /// A node that is cordoned, or uncordoned.
    #[must_use]
    pub fn cordon(node: &str, cordoned: bool) -> Edit {
        let name = node.strip_prefix("node/").unwrap_or(node);
        Edit { kind: Kind::Node, key: ObjectKey::new("", name), what: Alteration::Cordon(cordoned) }
    }

    /// An object that is not there.
    ///
    /// # Errors
    /// When it is not written as an object is.
    pub fn remove(text: &str, namespace: &str) -> Result<Edit, Diagnostic> {
        let (kind, key) = object("--remove", text, namespace)?;
        Ok(Edit { kind, key, what: Alteration::Remove })
    }

    /// Whether it is about every object that its name matches.
    pub(super) fn is_pattern(&self) -> bool {
        [&self.key.namespace, &self.key.name].into_iter().any(|part| part.contains(['*', '?']))
    }

    /// Whether it is about this object.
    pub(super) fn matches(&self, key: &ObjectKey) -> bool {
        let one = |pattern: &str, name: &str| WildMatch::new(pattern).matches(name);
        one(&self.key.namespace, &key.namespace) && one(&self.key.name, &key.name)
    }

    /// The error for an edit that cannot be made.
    pub(super) fn refused(&self, why: &str) -> Diagnostic {
        let field = match &self.what {
            Alteration::Set(path, _) => format!("`{path}` of "),
            _ => String::new(),
        };
        Diagnostic::error("bad-what-if", why.to_owned())
            .because(format!("{field}{} `{}` was to be changed", self.kind, self.key))
            .help("an element is named by its number from 0, or by its name; the number behind the last makes one")
    }

    /// Makes it.
    ///
    /// # Errors
    /// When a list on the way does not have the element.
    pub(super) fn make(&self, value: &mut Value) -> Result<(), String> {
        match &self.what {
            Alteration::Set(path, new) => return put(value, &path.0, new.as_ref()),
            Alteration::Taint(taint, added) => taints(value, taint, *added)?,
            Alteration::Cordon(cordoned) => {
                let field = FieldPath::default().field("spec").field("unschedulable");
                put(value, &field.0, cordoned.then_some(&json!(true)))?;
                taints(
                    value,
                    &json!({ "key": UNSCHEDULABLE, "value": "", "effect": "NoSchedule" }),
                    *cordoned,
                )?;
            }
            Alteration::Remove => {}
        }
        Ok(())
    }
}

/// Adds a taint, or takes away those of its key and effect (and of its value, if it has
/// one).
fn taints(value: &mut Value, taint: &Value, added: bool) -> Result<(), String> {
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
    put(value, &FieldPath::default().field("spec").field("taints").0, Some(&Value::Array(all)))
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
            Edit::set(text, "default").unwrap().make(&mut node).unwrap();
        }
        Edit::taint("n=k:NoSchedule-").unwrap().make(&mut node).unwrap();
        Edit::taint("n=x=y:NoExecute").unwrap().make(&mut node).unwrap();
        Edit::cordon("node/n", true).make(&mut node).unwrap();
        assert_eq!(node["metadata"]["labels"], json!({ "topology.kubernetes.io/zone": "7" }));
        assert_eq!(node["spec"]["podCIDR"], json!("10"));
        assert_eq!(node["spec"]["unschedulable"], json!(true));
        let keys: Vec<&Value> =
            node["spec"]["taints"].as_array().unwrap().iter().map(|it| &it["key"]).collect();
        assert_eq!(keys, ["x", UNSCHEDULABLE]);
        Edit::cordon("n", false).make(&mut node).unwrap();
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
