//! Objects made from a daemonset's template: the pod and the revision, field by field as
//! the controller makes them (util.CreatePodTemplate, newHistory).

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::hash;
use crate::kube::{Base, DaemonSet, GENERATION_LABEL, HASH_LABEL, Name, ObjectKey, Owner};

/// A toleration that pods get beside those of their template: key and effect; its
/// operator is `Exists`.
pub type AddedToleration = (Name, Name);

/// What all pods of the daemonset's template have in common; `hash` is the revision's,
/// `added` the tolerations that the rules add, in order.
#[must_use]
pub fn base(daemonset: &DaemonSet, hash: &str, added: &[AddedToleration]) -> Base {
    let template = &daemonset.value["spec"]["template"];
    let mut metadata = Map::new();
    for field in ["labels", "annotations", "finalizers"] {
        if let Some(value) = template["metadata"].get(field).filter(|value| !value.is_null()) {
            metadata.insert(field.into(), value.clone());
        }
    }
    let key = &daemonset.meta.key;
    metadata.insert("generateName".into(), json!(format!("{}-", key.name)));
    metadata.insert("namespace".into(), json!(&*key.namespace));
    let owner = Owner::daemonset(&key.name, &daemonset.meta.uid);
    metadata.insert("ownerReferences".into(), json!([owner.reference()]));
    let labels = metadata.entry("labels").or_insert_with(|| json!({}));
    if let Some(generation) = daemonset.template_generation() {
        labels[GENERATION_LABEL] = json!(generation.to_string());
    }
    if !hash.is_empty() {
        labels[HASH_LABEL] = json!(hash);
    }
    let mut spec = template["spec"].clone();
    if !spec.is_object() {
        spec = json!({});
    }
    add_tolerations(&mut spec, added);
    let value = json!({ "apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec });
    let digest = Sha256::digest(value.to_string().as_bytes());
    Base { id: hash::hex(&digest[..12]).into(), value }
}

/// Adds each toleration at the end, or in the place of those that differ from it by
/// tolerationSeconds alone (AddOrUpdateTolerationInPodSpec).
fn add_tolerations(spec: &mut Value, added: &[AddedToleration]) {
    let mut tolerations = spec["tolerations"].as_array().cloned().unwrap_or_default();
    for (key, effect) in added {
        let toleration = json!({ "key": &**key, "operator": "Exists", "effect": &**effect });
        let text = |of: &Value, field: &str| of[field].as_str().unwrap_or("").to_owned();
        let fields = ["key", "operator", "effect", "value"];
        let same = |other: &Value| fields.iter().all(|field| text(other, field) == text(&toleration, field));
        if tolerations.iter().any(same) {
            tolerations.iter_mut().filter(|other| same(other)).for_each(|place| *place = toleration.clone());
        } else {
            tolerations.push(toleration.clone());
        }
    }
    if !tolerations.is_empty() {
        spec["tolerations"] = Value::Array(tolerations);
    }
}

/// The ControllerRevision that remembers the daemonset's template.
#[must_use]
pub fn revision(daemonset: &DaemonSet, name: &ObjectKey, hash: &str, number: i64) -> Value {
    let mut template = daemonset.value["spec"]["template"].clone();
    template["$patch"] = json!("replace");
    let mut labels: Map<String, Value> =
        daemonset.template.labels.iter().map(|(key, value)| (key.to_string(), json!(&**value))).collect();
    labels.insert(HASH_LABEL.into(), json!(hash));
    let owner = Owner::daemonset(&daemonset.meta.key.name, &daemonset.meta.uid);
    let mut metadata = json!({
        "name": &*name.name,
        "namespace": &*name.namespace,
        "labels": labels,
        "ownerReferences": [owner.reference()],
    });
    if let Some(annotations) = daemonset.value["metadata"].get("annotations").filter(|it| it.is_object()) {
        metadata["annotations"] = annotations.clone();
    }
    json!({
        "apiVersion": "apps/v1",
        "kind": "ControllerRevision",
        "metadata": metadata,
        "data": { "spec": { "template": template } },
        "revision": number,
    })
}
