//! A pod as it stands, in the words for it.

use serde::Serialize;

use crate::kube::{Name, Pod};

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
}

impl PodState {
    pub(super) fn new(pod: &Pod, current: bool) -> Self {
        PodState {
            name: pod.meta.key.name.clone(),
            phase: pod.phase.clone(),
            ready: pod.ready,
            terminating: pod.meta.deleting.is_some(),
            current,
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
