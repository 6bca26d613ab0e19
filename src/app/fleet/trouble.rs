//! What is not as it should be in a fleet.

use serde::Serialize;

use crate::kube::{Name, ObjectKey};
use crate::target::reports::{PodReport, Report};

/// Why a node is behind whose pod waits to be replaced.
pub(super) const OLD: &str = "OldRevision";

/// What kind of trouble it is, the one that hides most first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum What {
    /// Nothing is heard of a node.
    Silent,
    /// An agent says that something is wrong with its source, its rules or its runtime.
    Error,
    /// A pod is not available: not ready, or not for long enough.
    NotAvailable,
    /// A node has not what the source says now.
    Behind,
}

/// Something that is not as it should be on a node.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Trouble {
    /// What kind it is of.
    pub what: What,
    /// The node.
    pub node: Name,
    /// The daemonset, if it is about one.
    pub daemonset: Option<ObjectKey>,
    /// The pod, if it is about one, by its name.
    pub pod: Option<Name>,
    /// Why, in one word.
    pub reason: String,
    /// Why, in a sentence.
    pub message: String,
    /// When the node reported last, in seconds of Unix time.
    pub seen: Option<i64>,
}

impl Trouble {
    /// Trouble with a node as a whole.
    pub(super) fn new(what: What, node: &Name, reason: &str, message: impl Into<String>) -> Self {
        Trouble {
            what,
            node: node.clone(),
            daemonset: None,
            pod: None,
            reason: reason.to_owned(),
            message: message.into(),
            seen: None,
        }
    }

    /// The same with a daemonset.
    pub(super) fn of(mut self, daemonset: &ObjectKey) -> Self {
        self.daemonset = Some(daemonset.clone());
        self
    }
}

/// A pod that is ready, and has to be so for longer.
pub(super) fn maturing(report: &Report, daemonset: &ObjectKey, waiting: &str) -> Trouble {
    let what = "its pod is ready, and not yet for minReadySeconds";
    let what = if waiting.is_empty() { what.to_owned() } else { format!("{what}: {waiting}") };
    let trouble = Trouble::new(What::NotAvailable, &report.node, "MinReadySeconds", what).of(daemonset);
    let pod = report.pods.iter().find(|pod| pod.ready && owner(pod) == *daemonset);
    Trouble { pod: pod.map(|pod| pod.name.clone()), ..trouble }
}

/// The daemonset of a pod; of one that has none, with an empty name.
pub(super) fn owner(pod: &PodReport) -> ObjectKey {
    ObjectKey::new(pod.namespace.clone(), pod.daemon_set.clone())
}
