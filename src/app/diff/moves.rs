//! Pods that come and go, together where they do so for the same cause.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::app::moved::{Moved, Why};
use crate::kube::{Name, ObjectKey};
use crate::plan::{Plan, Verb, alike};

/// So many sentences of a rule of the user's own are told, where it names each node.
const SENTENCES_SHOWN: usize = 3;

/// Pods of a daemonset that come or go for the same cause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Move {
    /// The daemonset.
    pub daemonset: ObjectKey,
    /// Whether they come; else they go.
    pub gained: bool,
    /// Where.
    pub nodes: Vec<Name>,
    /// What kept them off before, or does so now, each as what is said of a node; or what came
    /// or went with them.
    pub because: Vec<String>,
}

/// Those with one cause: by daemonset, direction and what is said, a rule of the user's own by
/// its place.
type Groups = BTreeMap<(ObjectKey, bool, Vec<String>), (Vec<Name>, Vec<BTreeSet<String>>)>;

/// Groups the pods: by daemonset, those that come first, the largest group first.
pub(super) fn moves(moved: Vec<Moved>, plan: &Plan) -> Vec<Move> {
    let reasons = if moved.is_empty() { BTreeMap::new() } else { reasons(plan) };
    let mut groups = Groups::new();
    for Moved { daemonset, node, gained, why } in moved {
        let node = Name::from(node);
        let because: Vec<(String, String)> = match why {
            Why::NoDaemonset => vec![simple(&format!("the daemonset is {}", new(gained)))],
            Why::NoNode => vec![simple(&format!("the node is {}", new(gained)))],
            Why::Kept(kept) if kept.is_empty() => {
                let reason = reasons.get(&(&daemonset, &node, gained));
                reason.map(|reason| simple(&alike(reason, &node))).into_iter().collect()
            }
            Why::Kept(kept) => {
                let told = kept.into_iter().map(|it| (alike(&it.says, &node), it.rule));
                told.map(|(says, rule)| (rule.unwrap_or_else(|| says.clone()), says)).collect()
            }
        };
        let (keys, said): (Vec<String>, Vec<String>) = because.into_iter().unzip();
        let (nodes, all) = groups.entry((daemonset, gained, keys)).or_default();
        nodes.push(node);
        all.resize(said.len(), BTreeSet::new());
        all.iter_mut().zip(said).for_each(|(all, said)| all.extend([said]));
    }
    let mut moves: Vec<Move> = groups
        .into_iter()
        .map(|((daemonset, gained, _), (nodes, said))| Move {
            daemonset,
            gained,
            nodes,
            because: said.iter().map(told).collect(),
        })
        .collect();
    moves.sort_by(|a, b| {
        let order = |it: &Move| (it.daemonset.clone(), !it.gained, std::cmp::Reverse(it.nodes.len()));
        order(a).cmp(&order(b)).then_with(|| a.because.cmp(&b.because))
    });
    moves
}

fn new(gained: bool) -> &'static str {
    if gained { "new" } else { "gone" }
}

fn simple(says: &str) -> (String, String) {
    (says.to_owned(), says.to_owned())
}

/// One sentence, or a few of many.
fn told(said: &BTreeSet<String>) -> String {
    let shown: Vec<&str> = said.iter().take(SENTENCES_SHOWN).map(String::as_str).collect();
    match said.len() - shown.len() {
        0 => shown.join("; "),
        more => format!("{}; and {more} more like it", shown.join("; ")),
    }
}

/// What the plan says of the pods that it makes and takes away.
fn reasons(plan: &Plan) -> BTreeMap<(&ObjectKey, &Name, bool), String> {
    let actions = plan.waves.iter().flat_map(|wave| &wave.actions);
    let told = actions.filter_map(|action| {
        let gained = match action.verb {
            Verb::Create => true,
            Verb::Delete | Verb::Evict | Verb::Preempt => false,
            _ => return None,
        };
        let reason = action.reason().trim_end_matches('.').to_owned();
        Some(((action.daemonset.as_ref()?, action.node.as_ref()?, gained), reason))
    });
    told.collect()
}
