//! What an agent reports: one JSON document a node, of a version.

use serde::{Deserialize, Serialize};

use crate::kube::{Name, ObjectKey};

/// The version of the format.
pub const API_VERSION: &str = "dsrules.dev/v1";
/// What every version of it begins with.
pub const GROUP: &str = "dsrules.dev/";
/// What a report is called.
pub const KIND: &str = "NodeReport";

/// How one node stands, as its agent sees it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Report {
    /// [`API_VERSION`].
    pub api_version: String,
    /// [`KIND`].
    pub kind: String,
    /// The node.
    pub node: Name,
    /// When it was written, by the machine's clock, in RFC 3339.
    pub time: String,
    /// Grows with every report that is written: an agent whose beat stands still is not there.
    pub beat: u64,
    /// Who wrote it.
    pub agent: Reporter,
    /// Each daemonset that the node's manifests have.
    pub daemon_sets: Vec<DaemonSetReport>,
    /// Each pod of the node.
    pub pods: Vec<PodReport>,
    /// What is wrong with the source, the rules or what runs the pods, each in a sentence.
    pub errors: Vec<String>,
}

/// The agent that reports.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Reporter {
    /// Of which dsrules it is.
    pub version: String,
    /// Its process, on its machine.
    pub pid: u32,
    /// The machine since it was started.
    pub boot: String,
    /// What runs the pods: `podman 4.3.1`, or `tree`.
    pub runs: String,
}

/// A daemonset on a node; counts are 0 or 1, or 2 while one pod takes the place of another.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DaemonSetReport {
    /// Its namespace.
    pub namespace: Name,
    /// Its name.
    pub name: Name,
    /// The hash of the template that the agent knows of it.
    pub revision: Name,
    /// `metadata.generation`, as the agent counts it.
    pub generation: i64,
    /// Whether the node should run a pod of it.
    pub desired: i64,
    /// Whether the node runs one that it should.
    pub scheduled: i64,
    /// Whether it runs one that it should not.
    pub misscheduled: i64,
    /// Whether it has the current template.
    pub updated: i64,
    /// Whether it is ready.
    pub ready: i64,
    /// Whether it has been so for minReadySeconds.
    pub available: i64,
    /// The wave of the node, where a rule says one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wave: Option<i64>,
    /// What it waits for, in a sentence; empty where it waits for nothing.
    pub waiting: String,
}

impl DaemonSetReport {
    /// Namespace and name.
    #[must_use]
    pub fn key(&self) -> ObjectKey {
        ObjectKey::new(self.namespace.clone(), self.name.clone())
    }

    /// Whether the node should have an available pod and has none.
    #[must_use]
    pub fn is_down(&self) -> bool {
        self.desired > 0 && self.available == 0
    }

    /// Whether the node has what this revision asks for.
    #[must_use]
    pub fn is_done(&self, revision: &str) -> bool {
        self.desired == 0 || (*self.revision == *revision && self.updated > 0 && self.available > 0)
    }
}

/// A pod of a node.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PodReport {
    /// Its namespace.
    pub namespace: Name,
    /// Its name.
    pub name: Name,
    /// The daemonset that it is of; empty for one that has no owner.
    pub daemon_set: Name,
    /// The hash of its template.
    pub revision: Name,
    /// `Pending`, `Running`, `Succeeded` or `Failed`.
    pub phase: Name,
    /// Whether it is ready.
    pub ready: bool,
    /// How many containers it has; 0 where that is not said.
    pub containers: i64,
    /// How many of them are ready.
    pub ready_containers: i64,
    /// When it was made, in RFC 3339; empty where that is not said.
    pub created: String,
    /// How often its containers were started again.
    pub restarts: i64,
    /// Why it is as it is, in one word; empty where there is nothing to say.
    pub reason: String,
    /// The same in a sentence.
    pub message: String,
}
