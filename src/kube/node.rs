//! A node: labels, taints, and what tables show of it.

use std::sync::Arc;

use serde_json::Value;

use super::views::{list, text};
use super::{Details, Meta, Name, ObjectKey, Taint};

/// What is kept in memory of a Node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Metadata; the key's namespace is empty.
    pub meta: Meta,
    /// `spec.taints`.
    pub taints: Vec<Taint>,
    /// `spec.unschedulable`: cordoned.
    pub unschedulable: bool,
    /// The status of the `Ready` condition: `True`, `False`, `Unknown`, or empty where
    /// the manifest says nothing.
    pub ready: Name,
    /// `status.nodeInfo.kubeletVersion`.
    pub version: Name,
    /// What else it says, where the world is to keep that (the world is `detailed`).
    pub details: Option<Arc<Details>>,
}

impl Node {
    /// Reads a Node.
    #[must_use]
    pub fn from_value(key: ObjectKey, value: &Value) -> Self {
        let conditions = list(&value["status"], "conditions");
        Node {
            meta: Meta::from_value(key, value),
            taints: list(&value["spec"], "taints").map(Taint::from_value).collect(),
            unschedulable: value["spec"]["unschedulable"] == true,
            ready: conditions
                .filter(|c| c["type"] == "Ready")
                .map(|c| text(c, "status"))
                .next()
                .unwrap_or_default(),
            version: text(&value["status"]["nodeInfo"], "kubeletVersion"),
            details: None,
        }
    }
}
