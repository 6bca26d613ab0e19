//! Restarts and manifests: `rollout restart` marks the template, and a manifest that says
//! nothing of the mark does not take it away, as kubectl's three-way merge would not.

use serde_json::{Value, json};

use crate::model::{Kind, Object, World};

/// Where an object comes from that was changed in place, and not written in a manifest.
pub const IN_PLACE: &str = "<rollout>";

/// The annotation by which `kubectl rollout restart` makes a template a new one.
pub const RESTARTED: &str = "kubectl.kubernetes.io/restartedAt";

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

fn restarted_at(daemonset: &Value) -> Option<&Value> {
    daemonset["spec"]["template"]["metadata"]["annotations"].get(RESTARTED)
}
