//! A pod as it stands, in the words for it.

use serde::Serialize;

use crate::kube::{Name, Pod};
use crate::state::World;

/// A pod on the node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PodState {
    /// Its name.
    pub name: Name,
    /// Its phase.
    pub phase: Name,
    /// Whether it is ready.
    pub ready: bool,
    /// Whether it is being deleted.
    pub terminating: bool,
    /// Whether it has the current template.
    pub current: bool,
    /// Why the scheduler leaves it pending, with the node.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waits: Option<String>,
    /// When the taints of its node drive it out, if they stay as they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evicted_at: Option<String>,
}

impl PodState {
    pub(super) fn new(pod: &Pod, current: bool, world: &World) -> Self {
        PodState {
            name: pod.meta.key.name.clone(),
            phase: pod.phase.clone(),
            ready: pod.ready,
            terminating: pod.meta.deleting.is_some(),
            current,
            waits: world.refused.get(&pod.meta.key).map(|refusal| refusal.said.clone()),
            evicted_at: None,
        }
    }

    /// What it does instead of running; none if it runs.
    #[must_use]
    pub fn doing(&self) -> Option<&'static str> {
        match &*self.phase {
            _ if self.terminating => Some("is being deleted"),
            "Failed" => Some("has failed"),
            "Succeeded" => Some("has ended"),
            "Pending" => Some("has not started yet"),
            _ => None,
        }
    }

    /// Its state in a word, as `get` shows it.
    #[must_use]
    pub fn state(&self) -> &str {
        if self.terminating { "Terminating" } else { &self.phase }
    }
}
