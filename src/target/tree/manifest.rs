//! A pod as a manifest for a machine without an API server.
//!
//! Left out is what only a server knows (status, uid, resourceVersion, generation,
//! times, owners, managed fields) and what has been decided by the time a pod has a
//! folder: node selector and required node affinity, which a kubelet would check again
//! against labels that a standalone one does not have. `nodeName` stays: a kubelet sets
//! its own, and `kubectl apply` of the file binds it.
//!
//! A kubelet refuses a static pod that refers to another API object (tasks/
//! configure-pod-container/static-pod). Service account and image pull secrets, without
//! which a pod may well run, are left out, as are the token volumes that a server
//! injects. ConfigMaps, Secrets and claims are kept, because `podman kube play` can be
//! given them, and told once a daemonset.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{NodeFolder, PodFile};
use crate::diagnostic::{Diagnostic, counted};
use crate::kube::controlling;
use crate::yaml::to_yaml;

/// The volumes that the ServiceAccount admission of an API server injects.
const TOKEN_VOLUME: &str = "kube-api-access-";

/// What a kubelet will refuse: what it is, to the daemonsets or pods that have it.
#[derive(Debug, Default)]
pub(super) struct Notes(BTreeMap<(String, String), usize>);

impl Notes {
    /// The warnings, one for each daemonset and object.
    pub(super) fn tell(self) -> impl Iterator<Item = Diagnostic> {
        self.0.into_iter().map(|((owner, object), pods)| {
            let pods = counted(pods, "pod");
            Diagnostic::warning(
                "tree-reference",
                format!("{pods} of `{owner}` in the tree refer to {object}"),
            )
            .because("a kubelet refuses a static pod that refers to other objects of the API")
            .help("mount a host path in its place, or run the file with `podman kube play --configmap`")
        })
    }
}

/// The first line of the file `name` of `node`, by which it is known as ours.
pub(super) fn header(node: &NodeFolder, name: &str) -> String {
    format!("# {node}/{name} is written by dsrules; changes are overwritten.\n")
}

/// The whole text of a pod's file.
pub(super) fn text(node: &NodeFolder, file: &PodFile, pod: Value, notes: &mut Notes) -> String {
    let owner = owner(&pod);
    let pod = without_server(pod);
    let mut objects: Vec<String> = Vec::new();
    references(&pod["spec"], &mut objects);
    objects.sort();
    objects.dedup();
    for object in objects {
        *notes.0.entry((owner.clone(), object)).or_default() += 1;
    }
    let mut text = header(node, file);
    text.push_str(&to_yaml(&pod));
    text
}

/// Whom a note about the pod names: its daemonset, else itself.
fn owner(pod: &Value) -> String {
    let meta = &pod["metadata"];
    let name = controlling(pod).and_then(|owner| owner["name"].as_str());
    let name = name.or(meta["name"].as_str()).unwrap_or("");
    format!("{}/{name}", meta["namespace"].as_str().unwrap_or("default"))
}

fn without_server(mut pod: Value) -> Value {
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
    if let Some(spec) = spec.as_object_mut() {
        for field in ["nodeSelector", "serviceAccount", "serviceAccountName", "imagePullSecrets"] {
            spec.remove(field);
        }
        without_node_affinity(spec);
        without_token(spec);
    }
    kept.insert("apiVersion".into(), "v1".into());
    kept.insert("kind".into(), "Pod".into());
    kept.insert("metadata".into(), Value::Object(meta));
    kept.insert("spec".into(), spec);
    Value::Object(kept)
}

fn without_node_affinity(spec: &mut Map<String, Value>) {
    let Some(affinity) = spec.get_mut("affinity").and_then(Value::as_object_mut) else { return };
    affinity.remove("nodeAffinity");
    if affinity.is_empty() {
        spec.remove("affinity");
    }
}

fn without_token(spec: &mut Map<String, Value>) {
    let is_token = |entry: &Value| entry["name"].as_str().is_some_and(|name| name.starts_with(TOKEN_VOLUME));
    remove_from(spec, "volumes", is_token);
    for list in ["containers", "initContainers", "ephemeralContainers"] {
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

/// Where in a pod spec another object is named: field, the field of its name, what it is.
const REFERENCES: [(&str, &str, &str); 10] = [
    ("configMapKeyRef", "name", "the ConfigMap"),
    ("configMapRef", "name", "the ConfigMap"),
    ("configMap", "name", "the ConfigMap"),
    ("secretKeyRef", "name", "the Secret"),
    ("secretRef", "name", "the Secret"),
    ("secret", "secretName", "the Secret"),
    ("secret", "name", "the Secret"),
    ("persistentVolumeClaim", "claimName", "the PersistentVolumeClaim"),
    ("serviceAccountToken", "path", "the service account token at"),
    ("csi", "driver", "the CSI driver"),
];

/// All objects that containers and volumes refer to.
fn references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (field, value) in fields {
                let named = REFERENCES.iter().filter(|(name, ..)| name == field);
                found.extend(
                    named.filter_map(|(_, key, what)| Some(format!("{what} `{}`", value[key].as_str()?))),
                );
                references(value, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}
