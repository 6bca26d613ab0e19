//! Which daemonsets have a pod on which nodes in one world and not in another, and what keeps
//! them off in the other.
//!
//! The rules tell daemonsets apart by their class and nodes by their profile, so what keeps a
//! pod off is asked once for all pairs of the same two; what a `blocked` rule of the user's says
//! is each pair's own.

use std::collections::{BTreeSet, HashMap};

use crate::datalog::{Limits, Program, Sym};
use crate::diagnostic::Diagnostic;
use crate::explain::{self, Cause};
use crate::facts::Grouping;
use crate::kube::{Kind, ObjectKey, Pod};
use crate::policy::relations;
use crate::reason::Reasoner;
use crate::state::{Changed, World};

/// So many times the rules are asked of one world: each time takes some milliseconds.
const PAIRS_EXPLAINED: usize = 400;

/// A pod that one of two worlds has.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moved {
    pub(super) daemonset: ObjectKey,
    pub(super) node: String,
    /// Whether the second world has it; else the first.
    pub(super) gained: bool,
    /// Why the other one has none.
    pub(super) why: Why,
}

/// Why a world has no pod of a daemonset on a node.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Why {
    /// It has no such daemonset.
    NoDaemonset,
    /// It has no such node.
    NoNode,
    /// What keeps it off; nothing if no rule does.
    Kept(Vec<Kept>),
}

/// What keeps a pod off a node, said without naming that.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Kept {
    /// What.
    pub(super) says: String,
    /// The rule of the user's own that says it, which may name whom it will.
    pub(super) rule: Option<String>,
}

/// A world, and the rules that hold there.
pub(super) struct Side<'a> {
    program: &'a Program,
    world: &'a World,
    now: i64,
    limits: Limits,
    reasoner: Option<Reasoner>,
    known: HashMap<(Sym, Sym), Vec<Kept>>,
}

/// The pods that one of two worlds has, in order.
///
/// # Errors
/// When a rule derives more than the limits allow.
pub(super) fn moved(without: Side<'_>, with: Side<'_>) -> Result<Vec<Moved>, Diagnostic> {
    let (before, after) = (pairs(without.world), pairs(with.world));
    let mut all = Vec::new();
    for (pairs, gained, mut side) in
        [(after.difference(&before), true, without), (before.difference(&after), false, with)]
    {
        for (daemonset, node) in pairs {
            let why = side.why(daemonset, node)?;
            all.push(Moved { daemonset: daemonset.clone(), node: node.clone(), gained, why });
        }
    }
    all.sort();
    Ok(all)
}

impl<'a> Side<'a> {
    pub(super) fn new(program: &'a Program, world: &'a World, now: i64, limits: Limits) -> Self {
        Side { program, world, now, limits, reasoner: None, known: HashMap::new() }
    }

    /// Why there is no pod of the daemonset on the node.
    fn why(&mut self, daemonset: &ObjectKey, node: &str) -> Result<Why, Diagnostic> {
        if !self.world.daemonsets.contains_key(daemonset) {
            return Ok(Why::NoDaemonset);
        }
        if !self.world.nodes.contains_key(&ObjectKey::new("", node)) {
            return Ok(Why::NoNode);
        }
        if let Some(says) = pending(self.world, daemonset, node) {
            return Ok(Why::Kept(vec![Kept { says, rule: None }]));
        }
        let mut kept = self.of_groups(daemonset, node)?;
        kept.extend(self.blocked(daemonset, node)?);
        Ok(Why::Kept(kept))
    }

    /// What the rules have derived of this world.
    fn reasoner(&mut self) -> Result<&Reasoner, Diagnostic> {
        let reasoner = match self.reasoner.take() {
            Some(reasoner) => reasoner,
            None => {
                let mut reasoner = Reasoner::new(self.program, Grouping::On).limited(self.limits);
                reasoner.derive(self.world, &Changed::default(), self.now)?;
                reasoner
            }
        };
        Ok(self.reasoner.insert(reasoner))
    }

    /// What keeps all daemonsets of its class off all nodes of its profile.
    fn of_groups(&mut self, daemonset: &ObjectKey, node: &str) -> Result<Vec<Kept>, Diagnostic> {
        let groups = self.reasoner()?.groups(daemonset, node);
        if let Some(known) = groups.and_then(|groups| self.known.get(&groups)) {
            return Ok(known.clone());
        }
        let of = self.world.daemonsets.get(daemonset).zip(self.world.nodes.get(&ObjectKey::new("", node)));
        let Some((of, on)) = of.filter(|_| self.known.len() < PAIRS_EXPLAINED) else { return Ok(Vec::new()) };
        let told = explain::pair(self.program, self.world, of, on, self.now)?.causes.into_iter();
        let common = told.filter(|told| !matches!(told.cause, Cause::Blocked { .. }));
        let kept: Vec<Kept> = common.map(|told| Kept { says: told.says, rule: None }).collect();
        if let Some(groups) = groups {
            self.known.insert(groups, kept.clone());
        }
        Ok(kept)
    }

    /// What a rule of the user's own says that blocks the pair.
    fn blocked(&mut self, daemonset: &ObjectKey, node: &str) -> Result<Option<Kept>, Diagnostic> {
        let reasoner = self.reasoner()?;
        let symbol = |text: &str| reasoner.symbols().find_text(text);
        let row = symbol(&daemonset.to_string()).zip(symbol(node));
        let told = row.and_then(|(it, on)| reasoner.told(relations::blocked, &[it, on]));
        Ok(told.map(|(sentence, rule)| {
            let sentence = sentence.trim_end_matches('.').to_owned();
            Kept { says: Cause::Blocked { sentence, rule: rule.clone() }.says(), rule: Some(rule) }
        }))
    }
}

/// Why the daemonset's pod for the node is left pending, if it is.
fn pending(world: &World, daemonset: &ObjectKey, node: &str) -> Option<String> {
    let refused = world.refused.iter().find(|(pod, refusal)| {
        *refusal.node == *node && world.pods.get(pod).and_then(owner).as_ref() == Some(daemonset)
    });
    refused.map(|(_, refusal)| format!("is pending, {}", refusal.said))
}

/// Which daemonsets have a pod on which nodes; one that waits for its node is not there.
pub(super) fn pairs(world: &World) -> BTreeSet<(ObjectKey, String)> {
    let pods = world.pods.values().filter(|pod| pod.meta.deleting.is_none());
    pods.filter_map(|pod| Some((owner(pod)?, pod.node.as_ref()?.to_string()))).collect()
}

/// The daemonset that a pod belongs to.
fn owner(pod: &Pod) -> Option<ObjectKey> {
    let owner = pod.meta.controller.as_ref().filter(|owner| &*owner.kind == Kind::DaemonSet.name())?;
    Some(ObjectKey::new(pod.meta.key.namespace.clone(), owner.name.clone()))
}
