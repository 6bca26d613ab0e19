//! What a pod leaves behind with the API server.
//!
//! Status, uid, resourceVersion, generation, times, owners and managed fields are known to
//! a server alone, and the volume with a service account's token is put in by one.

use serde_json::{Map, Value};

/// The lists of containers of a pod.
pub(super) const CONTAINERS: [&str; 3] = ["initContainers", "containers", "ephemeralContainers"];

/// The volumes that the ServiceAccount admission of an API server injects.
const TOKEN_VOLUME: &str = "kube-api-access-";

/// The pod as a manifest that nobody has applied yet.
pub(in crate::target) fn without_server(mut pod: Value) -> Value {
    let mut kept = Map::new();
    let mut meta = Map::new();
    for field in ["name", "namespace", "labels", "annotations"] {
        match pod["metadata"][field].take() {
            Value::Null => {}
            value => {
                meta.insert(field.to_owned(), value);
            }
        }
    }
    if let Some(annotations) = meta.get_mut("annotations").and_then(Value::as_object_mut) {
        annotations.remove("kubectl.kubernetes.io/last-applied-configuration");
    }
    let mut spec = pod["spec"].take();
    without_token(&mut spec);
    kept.insert("apiVersion".into(), "v1".into());
    kept.insert("kind".into(), "Pod".into());
    kept.insert("metadata".into(), Value::Object(meta));
    kept.insert("spec".into(), spec);
    Value::Object(kept)
}

/// The pod has a node: what it asked of nodes is asked no more.
pub(in crate::target) fn without_node_affinity(spec: &mut Value) {
    let Some(spec) = spec.as_object_mut() else { return };
    let Some(affinity) = spec.get_mut("affinity").and_then(Value::as_object_mut) else { return };
    affinity.remove("nodeAffinity");
    if affinity.is_empty() {
        spec.remove("affinity");
    }
}

fn without_token(spec: &mut Value) {
    let is_token = |entry: &Value| entry["name"].as_str().is_some_and(|name| name.starts_with(TOKEN_VOLUME));
    let Some(spec) = spec.as_object_mut() else { return };
    remove_from(spec, "volumes", is_token);
    for list in CONTAINERS {
        for container in spec.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
            if let Some(container) = container.as_object_mut() {
                remove_from(container, "volumeMounts", is_token);
            }
        }
    }
}

/// Removes entries of a list, and the list when none is left.
fn remove_from(fields: &mut Map<String, Value>, list: &str, is_gone: impl Fn(&Value) -> bool) {
    let Some(entries) = fields.get_mut(list).and_then(Value::as_array_mut) else { return };
    let before = entries.len();
    entries.retain(|entry| !is_gone(entry));
    if entries.is_empty() && before > 0 {
        fields.remove(list);
    }
}
