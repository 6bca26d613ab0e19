//! What is written: an object as the world has it.

use serde_json::{Value, json};

use crate::kube::{Body, Compact, DaemonSet, Kind, Meta, Node, ObjectKey, Plain, Pod, Revision};
use crate::state::World;

/// An object to be written. Of nodes and pods the world keeps a view alone; what it does
/// not say stays as the target has it.
#[derive(Debug, Clone, Copy)]
pub enum Item<'w> {
    /// A node, with its manifest where there is a new one.
    Node(&'w Node, Option<&'w Compact>),
    /// A daemonset.
    DaemonSet(&'w DaemonSet),
    /// A revision.
    ControllerRevision(&'w Revision),
    /// A pod.
    Pod(&'w Pod),
    /// An object of another kind.
    Plain(Kind, &'w Plain),
}

impl<'w> Item<'w> {
    /// An object of the world that was changed; `None` when it has none such.
    #[must_use]
    pub fn of(world: &'w World, kind: Kind, key: &ObjectKey) -> Option<Self> {
        Some(match kind {
            Kind::Node => Item::Node(world.nodes.get(key)?, world.dirty.bodies.get(&(kind, key.clone()))),
            Kind::DaemonSet => Item::DaemonSet(world.daemonsets.get(key)?),
            Kind::ControllerRevision => Item::ControllerRevision(world.revisions.get(key)?),
            Kind::Pod => Item::Pod(world.pods.get(key)?),
            _ => Item::Plain(kind, world.others.get(&(kind, key.clone()))?),
        })
    }

    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Item::Node(..) => Kind::Node,
            Item::DaemonSet(_) => Kind::DaemonSet,
            Item::ControllerRevision(_) => Kind::ControllerRevision,
            Item::Pod(_) => Kind::Pod,
            Item::Plain(kind, _) => *kind,
        }
    }

    /// Its metadata.
    #[must_use]
    pub fn meta(&self) -> &'w Meta {
        match self {
            Item::Node(it, _) => &it.meta,
            Item::DaemonSet(it) => &it.meta,
            Item::ControllerRevision(it) => &it.meta,
            Item::Pod(it) => &it.meta,
            Item::Plain(_, it) => &it.meta,
        }
    }

    /// The whole object, for a target that keeps nothing else; `None` where only the store
    /// has it.
    #[must_use]
    pub fn value(&self) -> Option<Value> {
        match self {
            Item::Plain(_, it) => Some((*it.value).clone()),
            Item::Node(_, body) => body.map(Compact::value),
            Item::DaemonSet(it) => Some((*it.value).clone()),
            Item::ControllerRevision(it) => Some((*it.value).clone()),
            Item::Pod(pod) => match &pod.body {
                Body::Made(base) => Some(pod.object(base)),
                Body::Written(value) => Some(as_planned((**value).clone(), pod)),
                Body::Stored | Body::Read(_) => None,
            },
        }
    }
}

/// A whole pod with what a plan may have changed of it.
#[must_use]
pub(super) fn as_planned(mut value: Value, pod: &Pod) -> Value {
    let metadata = &mut value["metadata"];
    metadata["name"] = json!(&*pod.meta.key.name);
    metadata["namespace"] = json!(&*pod.meta.key.namespace);
    let said = metadata["labels"].as_object().map_or(0, serde_json::Map::len);
    if said > 0 || !pod.meta.labels.is_empty() {
        metadata["labels"] =
            pod.meta.labels.iter().map(|(key, value)| (key.to_string(), json!(&**value))).collect();
    }
    if let Some(node) = &pod.node {
        value["spec"]["nodeName"] = json!(&**node);
    }
    value
}
