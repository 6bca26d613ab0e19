//! Whole objects, as `kubectl get -o json` shows them: what was written, with what the system
//! says of it.

use serde_json::{Value, json};

use super::{Body, DaemonSet, Kind, Meta, Node, Owner, Plain, Pod, Revision, controlling, timestamp};

impl Plain {
    /// The whole object.
    #[must_use]
    pub fn whole(&self, kind: Kind) -> Value {
        let mut value = (*self.value).clone();
        give_status(kind, &mut value);
        complete(kind, &mut value, &self.meta);
        value
    }
}

impl Node {
    /// The whole object, where the world keeps it.
    #[must_use]
    pub fn whole(&self) -> Option<Value> {
        let mut value = Value::clone(self.details.as_ref()?.whole.as_ref()?);
        complete(Kind::Node, &mut value, &self.meta);
        Some(value)
    }
}

impl DaemonSet {
    /// The whole object.
    #[must_use]
    pub fn whole(&self) -> Value {
        let mut value = (*self.value).clone();
        compute(&mut value, &serde_json::to_value(&self.status).unwrap_or_default());
        complete(Kind::DaemonSet, &mut value, &self.meta);
        value
    }
}

impl Revision {
    /// The whole object.
    #[must_use]
    pub fn whole(&self) -> Value {
        let mut value = (*self.value).clone();
        field(&mut value, "revision", json!(self.revision));
        complete(Kind::ControllerRevision, &mut value, &self.meta);
        value
    }
}

impl Pod {
    /// The whole object, where the world keeps it.
    #[must_use]
    pub fn whole(&self) -> Option<Value> {
        let mut value = match &self.body {
            Body::Made(base) => self.object(base),
            Body::Written(value) | Body::Read(value) => {
                let mut value = (**value).clone();
                bind(&mut value, self);
                value
            }
            Body::Stored => return None,
        };
        complete(Kind::Pod, &mut value, &self.meta);
        Some(value)
    }
}

/// The status of an object that says none.
pub fn give_status(kind: Kind, value: &mut Value) {
    let status = (kind.info().status)();
    if value["status"].is_null() && !status.is_null() {
        field(value, "status", status);
    }
}

/// Puts a daemonset's computed status over the body's; what that says beyond the computed
/// fields (conditions, collisionCount) stays.
pub fn compute(value: &mut Value, computed: &Value) {
    let mut status = value.get("status").filter(|s| s.is_object()).cloned().unwrap_or(json!({}));
    for name in ["observedGeneration", "updatedNumberScheduled", "numberAvailable", "numberUnavailable"] {
        status.as_object_mut().map(|status| status.remove(name));
    }
    for (name, number) in computed.as_object().into_iter().flatten() {
        status[name] = number.clone();
    }
    field(value, "status", status);
}

/// Node and status of a pod that a manifest wrote, where they have changed since.
pub fn bind(value: &mut Value, pod: &Pod) {
    if let Some(node) = &pod.node {
        object_at(value, "spec")["nodeName"] = json!(&**node);
    }
    if Pod::read_status(value) == (pod.phase.clone(), pod.ready, pod.ready_since) {
        return;
    }
    let status = object_at(value, "status");
    status["phase"] = json!(&*pod.phase);
    let mut conditions = status["conditions"].as_array().cloned().unwrap_or_default();
    conditions.retain(|condition| condition["type"] != "Ready");
    if pod.ready || pod.ready_since.is_some() {
        let mut ready = json!({ "type": "Ready", "status": if pod.ready { "True" } else { "False" } });
        if let Some(since) = pod.ready_since {
            ready["lastTransitionTime"] = json!(timestamp(since));
        }
        conditions.push(ready);
    }
    status["conditions"] = Value::Array(conditions);
}

/// Sets a field of an object; a body that is none becomes one.
pub fn field(value: &mut Value, name: &str, new: Value) {
    if !value.is_object() {
        *value = json!({});
    }
    value[name] = new;
}

/// The object at a field, which becomes one where it is none.
fn object_at<'v>(value: &'v mut Value, name: &str) -> &'v mut Value {
    if !value[name].is_object() {
        field(value, name, json!({}));
    }
    &mut value[name]
}

/// Puts the system's metadata over the body's.
pub fn complete(kind: Kind, value: &mut Value, meta: &Meta) {
    if !kind.is_other() {
        field(value, "apiVersion", json!(kind.api_version()));
        field(value, "kind", json!(kind.name()));
    }
    let metadata = object_at(value, "metadata");
    metadata["name"] = json!(&*meta.key.name);
    if !meta.key.namespace.is_empty() {
        metadata["namespace"] = json!(&*meta.key.namespace);
    }
    metadata["uid"] = json!(&*meta.uid.text());
    metadata["resourceVersion"] = json!(meta.resource_version.to_string());
    metadata["creationTimestamp"] = json!(timestamp(meta.created));
    if meta.generation > 0 {
        metadata["generation"] = json!(meta.generation);
    }
    if let Some(time) = meta.deleting {
        metadata["deletionTimestamp"] = json!(timestamp(time));
    }
    if !says_labels(metadata.get("labels"), meta) {
        metadata["labels"] =
            meta.labels.iter().map(|(key, value)| (key.to_string(), json!(&**value))).collect();
    }
    if !says_owner(value, meta.controller.as_deref()) {
        owners(&mut value["metadata"], meta.controller.as_deref());
    }
}

/// Whether a body's labels are these; none are the same as an empty map.
fn says_labels(said: Option<&Value>, meta: &Meta) -> bool {
    let said = said.and_then(Value::as_object);
    said.map_or(0, serde_json::Map::len) == meta.labels.len()
        && said
            .into_iter()
            .flatten()
            .all(|(key, value)| meta.labels.get(&**key).is_some_and(|label| value.as_str() == Some(&**label)))
}

/// Whether a body's controlling owner is this one.
fn says_owner(object: &Value, owner: Option<&Owner>) -> bool {
    match (controlling(object), owner) {
        (None, None) => true,
        (Some(said), Some(owner)) => {
            said["kind"] == *owner.kind && said["name"] == *owner.name && said["uid"] == *owner.uid
        }
        _ => false,
    }
}

/// Makes `owner` the controlling owner; other owner references stay.
fn owners(metadata: &mut Value, owner: Option<&Owner>) {
    let mut list = metadata["ownerReferences"].as_array().cloned().unwrap_or_default();
    list.retain(|reference| reference["controller"] != true);
    if let Some(owner) = owner {
        list.push(owner.reference());
    }
    if let Some(metadata) = metadata.as_object_mut() {
        if list.is_empty() {
            metadata.remove("ownerReferences");
        } else {
            metadata.insert("ownerReferences".into(), Value::Array(list));
        }
    }
}
