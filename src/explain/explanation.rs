//! What is said about one daemonset and one node.

use serde::Serialize;

use super::cause::Cause;
use super::pods::PodState;
use super::step::Step;
use crate::kube::{Name, ObjectKey};

/// All there is to say about a daemonset and a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// The daemonset.
    pub daemonset: ObjectKey,
    /// The node.
    pub node: Name,
    /// Whether a pod should be there.
    pub eligible: bool,
    /// How things stand, in one sentence.
    pub headline: String,
    /// The pods of the daemonset that are there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pods: Vec<PodState>,
    /// Why, from the rules.
    pub steps: Vec<Step>,
    /// What keeps a pod off; empty if one should be there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<Told>,
}

/// A cause as data and as text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Told {
    /// What it is.
    pub cause: Cause,
    /// What is wrong, without names: `has the taint a=b:NoSchedule, which is not tolerated`.
    pub says: String,
    /// What would mend it, where something is known to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mend: Option<String>,
}
