//! A node: labels, taints, and what tables show of it.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::info::{KindInfo, NameForm};
use crate::kube::columns::{self, Column, items, or_none};
use crate::kube::defaults::{present, says_nothing};
use crate::kube::details::allocatable;
use crate::kube::views::{list, text};
use crate::kube::{Details, Meta, Name, ObjectKey, Taint};

pub(super) const KIND: KindInfo = KindInfo {
    name: "Node",
    api_version: "v1",
    removed: &[],
    resource: "node",
    plural: "nodes",
    short: &["no"],
    namespaced: false,
    names: NameForm::Subdomain,
    counts_changes: false,
    defaults,
    status: KindInfo::no_status,
    columns: &[
        Column::new("STATUS", |node, _| node_status(node)),
        Column::new("ROLES", |node, _| node_roles(node)),
        Column::AGE,
        Column::new("VERSION", |node, _| or_none(&node["status"]["nodeInfo"]["kubeletVersion"])),
        Column::wide("INTERNAL-IP", |node, _| address(node, "InternalIP")),
        Column::wide("EXTERNAL-IP", |node, _| address(node, "ExternalIP")),
        Column::wide("OS-IMAGE", |node, _| info(node, "osImage")),
        Column::wide("KERNEL-VERSION", |node, _| info(node, "kernelVersion")),
        Column::wide("CONTAINER-RUNTIME", |node, _| info(node, "containerRuntimeVersion")),
    ],
    facts: &[],
};

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
    /// Whether it says what it has for pods (`status.allocatable`); of a node that comes from a
    /// store that is known once its details are.
    pub has_allocatable: bool,
    /// What else it says, where the world is to keep that (the world is `detailed`).
    pub details: Option<Arc<Details>>,
}

impl Node {
    /// Gives it what it says beside what is always kept.
    pub(crate) fn set_details(&mut self, details: Details) {
        self.has_allocatable = !details.allocatable.is_empty();
        self.details = Some(Arc::new(details));
    }

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
            has_allocatable: allocatable(&value["status"]).is_object(),
            details: None,
        }
    }

    /// Says of each taint since when it is there: since when it was before, for one of the
    /// same key and effect, else from `now` on. A `timeAdded` goes before; one that is still
    /// to come is a clock that goes wrong.
    pub fn see_taints(&mut self, before: Option<&Node>, now: i64) {
        for taint in &mut self.taints {
            let mut had = before.iter().flat_map(|node| &node.taints);
            let seen = had.find(|it| (&it.key, &it.effect) == (&taint.key, &taint.effect));
            let seen = seen.and_then(|it| it.since).unwrap_or(now);
            taint.since = Some(taint.since.map_or(seen, |added| added.min(now)));
        }
    }
}

/// What a node has is what it gives away, where it says nothing else.
fn defaults(node: &mut Map<String, Value>) {
    if let Some(status) = present(node, "status")
        && let Some(capacity) = status.get("capacity").filter(|it| it.is_object()).cloned()
    {
        // An empty one is not kept, and so is none.
        if status.get("allocatable").is_none_or(|it| it.is_null() || says_nothing(it)) {
            status.insert("allocatable".to_owned(), capacity);
        }
    }
}

/// `Ready`, `NotReady,SchedulingDisabled`, `Unknown` (printNode).
#[must_use]
pub fn node_status(node: &Value) -> String {
    let mut status = items(&node["status"]["conditions"])
        .filter(|condition| condition["type"] == "Ready")
        .map(|condition| if condition["status"] == "True" { "Ready" } else { "NotReady" })
        .next()
        .unwrap_or("Unknown")
        .to_owned();
    if node["spec"]["unschedulable"] == true {
        status.push_str(",SchedulingDisabled");
    }
    status
}

/// The roles that labels give it (findNodeRoles).
#[must_use]
pub fn node_roles(node: &Value) -> String {
    let mut roles: Vec<&str> = Vec::new();
    for (key, value) in node["metadata"]["labels"].as_object().into_iter().flatten() {
        let role = match key.strip_prefix("node-role.kubernetes.io/") {
            Some(role) => role,
            None if key == "kubernetes.io/role" => columns::text(value),
            None => continue,
        };
        if !role.is_empty() {
            roles.push(role);
        }
    }
    roles.sort_unstable();
    roles.dedup();
    if roles.is_empty() { "<none>".to_owned() } else { roles.join(",") }
}

fn address(node: &Value, kind: &str) -> String {
    items(&node["status"]["addresses"])
        .find(|address| address["type"] == kind)
        .map_or_else(|| "<none>".to_owned(), |address| or_none(&address["address"]))
}

fn info(node: &Value, name: &str) -> String {
    match columns::text(&node["status"]["nodeInfo"][name]) {
        "" => "<unknown>".to_owned(),
        known => known.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_nodes_status_and_roles_read_as_kubectls() {
        let node = json!({
            "metadata": { "labels": { "node-role.kubernetes.io/worker": "", "kubernetes.io/role": "db",
                                      "node-role.kubernetes.io/": "" } },
            "spec": { "unschedulable": true },
            "status": { "conditions": [{ "type": "Ready", "status": "Unknown" }] }
        });
        assert_eq!(node_status(&node), "NotReady,SchedulingDisabled");
        assert_eq!(node_roles(&node), "db,worker");
        assert_eq!(node_status(&json!({})), "Unknown");
    }
}
