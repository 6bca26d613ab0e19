//! Changes in place and manifests. `rollout restart` marks the template, and a manifest
//! that says nothing of the mark does not take it away, as kubectl's three-way merge would
//! not. `rollout undo` marks the daemonset, so that a manifest with another template is
//! known to undo the undo; any manifest takes that mark away.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::diagnostic::{Diagnostic, Place};
use crate::kube::{DaemonSet, Kind, Object};
use crate::state::World;

/// Where an object comes from that was changed in place, and not written in a manifest.
pub(super) const IN_PLACE: &str = "<rollout>";

/// The annotation by which `kubectl rollout restart` makes a template a new one.
pub(super) const RESTARTED: &str = "kubectl.kubernetes.io/restartedAt";

/// The object with the mark that its daemonset has, if a manifest wrote it without.
pub(super) fn with_restart(mut object: Object, world: &World) -> Object {
    if object.kind != Kind::DaemonSet || &*object.origin.file == IN_PLACE {
        return object;
    }
    let time = world.daemonsets.get(&object.key).and_then(|old| restarted_at(&old.value)).cloned();
    let template = &object.value["spec"]["template"];
    if let Some(time) = time
        && template.is_object()
        && restarted_at(&object.value).is_none()
    {
        let meta = &mut object.value["spec"]["template"]["metadata"];
        if !meta["annotations"].is_object() {
            meta["annotations"] = json!({});
        }
        meta["annotations"][RESTARTED] = time;
    }
    object
}

/// The annotation of a daemonset that went back to a former template: which, and when.
const ROLLED_BACK: &str = "dsrules.dev/rolled-back";

/// Remembers in a daemonset that it went back.
pub(super) fn mark_rolled_back(daemonset: &mut Value, which: &str) {
    let meta = &mut daemonset["metadata"];
    if !meta["annotations"].is_object() {
        meta["annotations"] = json!({});
    }
    meta["annotations"][ROLLED_BACK] = json!(which);
}

/// What is to be said before a manifest takes the place of a `stored` daemonset that went
/// back to a former template, if the manifest's is another one.
pub(super) fn undoes_rollback(object: &Object, stored: &Value) -> Option<Diagnostic> {
    let which = stored["metadata"]["annotations"][ROLLED_BACK].as_str()?;
    let template = |value: &Value| {
        let mut value = value.clone();
        if let Some(marks) = value["spec"]["template"]["metadata"]["annotations"].as_object_mut() {
            marks.remove(RESTARTED);
        }
        DaemonSet::from_value(object.key.clone(), Arc::new(value)).template.fingerprint
    };
    if template(&object.value) == template(stored) {
        return None;
    }
    let key = &object.key;
    let message = format!("this manifest undoes the rollback of DaemonSet `{key}`");
    let get = format!("dsrules get daemonset {} -n {} -o yaml", key.name, key.namespace);
    Some(
        Diagnostic::warning("undoes-rollback", message)
            .at(Place::file(object.origin.file.clone()))
            .because(format!("`rollout undo` went back {which}; the manifest has another template"))
            .help(format!("to keep the rollback, write the template into the manifest that `{get}` shows")),
    )
}

fn restarted_at(daemonset: &Value) -> Option<&Value> {
    daemonset["spec"]["template"]["metadata"]["annotations"].get(RESTARTED)
}
