//! A pod: what ownership, the pod diff and the rollout ask about it.
//!
//! Two million of them must fit into memory, so names are shared and the whole object
//! is kept only where it is not what its daemonset's template says anyway.

use std::sync::Arc;

use serde_json::{Value, json};

use super::revision::HASH_LABEL;
use super::timestamp;
use super::views::{list, seconds, text};
use super::{Meta, Name, ObjectKey};

/// What is kept in memory of a Pod.
#[derive(Debug, Clone, PartialEq)]
pub struct Pod {
    /// Metadata.
    pub meta: Meta,
    /// `spec.nodeName`: the node it is bound to.
    pub node: Option<Name>,
    /// The node that its affinity pins it to while it is not bound (the controller's
    /// GetTargetNodeName).
    pub pinned: Option<Name>,
    /// `status.phase`: `Pending`, `Running`, `Succeeded`, `Failed`, `Unknown`.
    pub phase: Name,
    /// Whether the `Ready` condition is `True`.
    pub ready: bool,
    /// `lastTransitionTime` of the `Ready` condition, in seconds of Unix time.
    pub ready_since: Option<i64>,
    /// Where the whole object is.
    pub body: Body,
}

/// Where a pod's whole object is.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// As it was written in a manifest.
    Written(Arc<Value>),
    /// In the store, not loaded.
    Stored,
    /// Made by dsrules: the view above and this base say everything.
    Made(Arc<Base>),
}

/// What all pods of one template have in common: a Pod object with the template's
/// metadata and spec, the added tolerations and the owner reference, but without what
/// [`Pod::object`] fills in for the single pod.
#[derive(Debug, PartialEq)]
pub struct Base {
    /// A fingerprint of `value`: the same base is kept once.
    pub id: Name,
    /// The common object.
    pub value: Value,
}

/// Whether a pod in this phase runs no more (podutil.IsPodTerminal).
#[must_use]
pub fn has_ended(phase: &str) -> bool {
    matches!(phase, "Failed" | "Succeeded")
}

impl Pod {
    /// Reads a Pod.
    #[must_use]
    pub fn from_value(key: ObjectKey, value: Arc<Value>) -> Self {
        let (phase, ready, ready_since) = Pod::read_status(&value);
        Pod {
            meta: Meta::from_value(key, &value),
            node: Some(text(&value["spec"], "nodeName")).filter(|name| !name.is_empty()),
            pinned: pinned_node(&value["spec"]),
            phase,
            ready,
            ready_since,
            body: Body::Written(value),
        }
    }

    /// Phase, readiness and since when it is so, as a whole object says them.
    #[must_use]
    pub fn read_status(value: &Value) -> (Name, bool, Option<i64>) {
        let status = &value["status"];
        let ready = list(status, "conditions").find(|condition| condition["type"] == "Ready");
        let phase = text(status, "phase");
        (
            if phase.is_empty() { "Pending".into() } else { phase },
            ready.is_some_and(|condition| condition["status"] == "True"),
            ready.and_then(|condition| seconds(&condition["lastTransitionTime"])),
        )
    }

    /// Whether it runs no more.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        has_ended(&self.phase)
    }

    /// The node it is on or meant for: bound first, else pinned.
    #[must_use]
    pub fn target(&self) -> Option<&Name> {
        self.node.as_ref().or(self.pinned.as_ref())
    }

    /// The whole object of a pod that was made from `base`: name, uid, times, node and
    /// the pin to it (util.ReplaceDaemonSetPodNodeNameNodeAffinity), labels, status.
    #[must_use]
    pub fn object(&self, base: &Base) -> Value {
        let mut pod = base.value.clone();
        let meta = &mut pod["metadata"];
        meta["name"] = json!(&*self.meta.key.name);
        meta["namespace"] = json!(&*self.meta.key.namespace);
        meta["uid"] = json!(&*self.meta.uid);
        meta["resourceVersion"] = json!(self.meta.resource_version.to_string());
        meta["creationTimestamp"] = json!(timestamp(self.meta.created));
        meta["labels"] =
            self.meta.labels.iter().map(|(key, value)| (key.to_string(), json!(&**value))).collect();
        if self.meta.controller.is_none() {
            meta.as_object_mut().map(|meta| meta.remove("ownerReferences"));
        }
        if let Some(time) = self.meta.deleting {
            meta["deletionTimestamp"] = json!(timestamp(time));
        }
        if let Some(node) = self.target() {
            pin(&mut pod["spec"], node);
        }
        if let Some(node) = &self.node {
            pod["spec"]["nodeName"] = json!(&**node);
        }
        pod["status"] = json!({ "phase": &*self.phase });
        if let Some(since) = self.ready_since {
            let status = if self.ready { "True" } else { "False" };
            pod["status"]["conditions"] =
                json!([{ "type": "Ready", "status": status, "lastTransitionTime": timestamp(since) }]);
        }
        pod
    }

    /// The value of its hash label, empty where there is none.
    #[must_use]
    pub fn hash(&self) -> &str {
        self.meta.labels.get(HASH_LABEL).map_or("", |hash| hash)
    }
}

/// Pins a pod spec to a node by `matchFields`, in place of the required node affinity
/// it has; preferred affinity stays.
pub fn pin(spec: &mut Value, node: &str) {
    let required = &mut spec["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"];
    *required = json!({ "nodeSelectorTerms": [
        { "matchFields": [{ "key": "metadata.name", "operator": "In", "values": [node] }] }
    ] });
}

/// The one value of the first `metadata.name In` field requirement; a first one with
/// several values pins to nothing.
fn pinned_node(spec: &Value) -> Option<Name> {
    let required = &spec["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"];
    let mut fields = list(required, "nodeSelectorTerms").flat_map(|term| list(term, "matchFields"));
    let field = fields.find(|field| field["key"] == "metadata.name" && field["operator"] == "In")?;
    match field["values"].as_array()?.as_slice() {
        [name] => name.as_str().map(Name::from),
        _ => None,
    }
}
