//! How the ends of two plans differ: the pods that are there, each with why.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::datalog::Program;
use crate::diagnostic::Diagnostic;
use crate::explain;
use crate::kube::{Kind, ObjectKey, Pod};
use crate::state::World;

/// How the end of a plan differs for one daemonset on one node.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Difference {
    /// The daemonset.
    pub daemonset: ObjectKey,
    /// The node.
    pub node: String,
    /// Whether a pod is there with the edits and not without them; else it is the other
    /// way round.
    pub gained: bool,
    /// What keeps a pod off with the edits, or kept one off without them.
    pub because: Vec<String>,
}

/// The pods that are there at the end of one plan and not at the end of the other.
///
/// # Errors
/// When a rule derives more than the limits allow.
pub(super) fn differences(
    program: &Program,
    without: &World,
    with: &World,
    now: i64,
) -> Result<Vec<Difference>, Diagnostic> {
    let (before, after) = (pairs(without), pairs(with));
    let mut all = Vec::new();
    for (pairs, gained, world) in
        [(after.difference(&before), true, without), (before.difference(&after), false, with)]
    {
        for (daemonset, node) in pairs {
            let because = kept_off(program, world, daemonset, node, now)?;
            all.push(Difference { daemonset: daemonset.clone(), node: node.clone(), gained, because });
        }
    }
    all.sort();
    Ok(all)
}

/// What keeps the daemonset off the node in that world: its pod may be there and pending.
fn kept_off(
    program: &Program,
    world: &World,
    daemonset: &ObjectKey,
    node: &str,
    now: i64,
) -> Result<Vec<String>, Diagnostic> {
    let Some(found) = world.daemonsets.get(daemonset) else {
        return Ok(vec!["there is no such daemonset".to_owned()]);
    };
    let Some(on) = world.nodes.get(&ObjectKey::new("", node)) else {
        return Ok(vec!["is not there".to_owned()]);
    };
    if let Some(said) = pending(world, daemonset, node) {
        return Ok(vec![said]);
    }
    let explanation = explain::pair(program, world, found, on, now)?;
    Ok(explanation.causes.into_iter().map(|told| told.says).collect())
}

/// Why the daemonset's pod for the node is left pending, if it is.
fn pending(world: &World, daemonset: &ObjectKey, node: &str) -> Option<String> {
    let refused = world.refused.iter().find(|(pod, refusal)| {
        *refusal.node == *node && world.pods.get(pod).and_then(owner).as_ref() == Some(daemonset)
    });
    refused.map(|(_, refusal)| format!("is pending, {}", refusal.said))
}

/// Which daemonsets have a pod on which nodes; one that waits for its node is not there.
fn pairs(world: &World) -> BTreeSet<(ObjectKey, String)> {
    let pods = world.pods.values().filter(|pod| pod.meta.deleting.is_none());
    pods.filter_map(|pod| Some((owner(pod)?, pod.node.as_ref()?.to_string()))).collect()
}

/// The daemonset that a pod belongs to.
fn owner(pod: &Pod) -> Option<ObjectKey> {
    let owner = pod.meta.controller.as_ref().filter(|owner| &*owner.kind == Kind::DaemonSet.name())?;
    Some(ObjectKey::new(pod.meta.key.namespace.clone(), owner.name.clone()))
}
