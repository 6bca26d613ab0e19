//! Evictions that are still to come: which pods their nodes' taints drive out, and when.
//!
//! What is due now is an action of a plan; what is due later depends on nothing but the
//! time, so a plan can say it, and a watcher knows when to look again.

use super::context::Context;
use super::tally::Tally;
use crate::kube::{Name, ObjectKey};
use crate::policy::relations;
use crate::reason::Reasoner;
use crate::state::World;

/// A pod that is evicted later, if the taints of its node stay as they are.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Eviction {
    /// When, in seconds of Unix time.
    pub at: i64,
    /// The node.
    pub node: Name,
    /// The pod.
    pub pod: ObjectKey,
    /// The daemonset that controls it, if one does.
    pub daemonset: Option<ObjectKey>,
    /// Why, in one sentence.
    pub reason: String,
    /// The rule that says so, as `rules/eviction.dl:90`.
    pub rule: String,
}

/// All of them in a world that was derived from, by time, node and pod.
#[must_use]
pub fn evictions(reasoner: &Reasoner, world: &World) -> Vec<Eviction> {
    if reasoner.len(relations::evict_later) == 0 {
        return Vec::new();
    }
    let tally = Tally::default();
    let context = Context::new(reasoner, world, &tally);
    let Some(evaluation) = reasoner.evaluation() else { return Vec::new() };
    let mut found = Vec::new();
    for cause in context.causes(relations::evict_later) {
        for row in evaluation.rows_with_prefix(cause.relation, &[]) {
            let pod = reasoner.key(row[0]);
            found.push(Eviction {
                at: cause.value("Time", &row).map_or(0, |time| reasoner.number(time)),
                node: reasoner.name(row[1]),
                daemonset: world.owner(&pod),
                pod,
                reason: cause.sentence(reasoner, &row),
                rule: cause.rule().to_owned(),
            });
        }
    }
    found.sort();
    found
}
