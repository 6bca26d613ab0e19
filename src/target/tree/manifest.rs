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

use serde_json::Value;

use super::place::{FileName, NodeFolder};
use super::told::owner;
use crate::diagnostic::{Diagnostic, counted};
use crate::target::standalone::{without_node_affinity, without_server};
use crate::yaml::to_yaml;

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
pub(super) fn text(node: &NodeFolder, file: &FileName, pod: Value, notes: &mut Notes) -> String {
    let owner = owner(&pod);
    let pod = without_api(pod);
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

/// The manifest of a pod that has a node, without what only a server reads.
fn without_api(pod: Value) -> Value {
    let mut pod = without_server(pod);
    if let Some(spec) = pod["spec"].as_object_mut() {
        for field in ["nodeSelector", "serviceAccount", "serviceAccountName", "imagePullSecrets"] {
            spec.remove(field);
        }
    }
    without_node_affinity(&mut pod["spec"]);
    pod
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
