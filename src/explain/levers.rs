//! What one could do to a node so that a rule of a user's own no longer blocks it.
//!
//! A rule rests on facts. For those that are of the node (its labels and taints, whether
//! it is cordoned) the change is made on a copy of the world and the rules are asked
//! again: only what really helps is told.

use std::sync::Arc;

use super::ask::Answers;
use super::cause::Cause;
use crate::datalog::Program;
use crate::datalog::explain::{Goal, Part, Tried};
use crate::diagnostic::Diagnostic;
use crate::facts::Alone;
use crate::kube::{DaemonSet, Node};
use crate::policy::relations;
use crate::state::World;

/// A change to a node.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Lever {
    /// Give it a label; with a value, if the rule names one.
    Label(String, Option<String>),
    /// Take a label off.
    Unlabel(String),
    /// Take the taints of a key off.
    Untaint(String),
    /// Let it take pods again.
    Uncordon,
}

/// A value for a label of which only the key is asked for.
const ANY: &str = "x";

impl Lever {
    /// The change that a fact calls for: to be there no longer, or to be there.
    fn new(goal: &Goal, node: &str, holds: bool) -> Option<Self> {
        let values: Vec<Option<&str>> = goal.values.iter().map(Option::as_deref).collect();
        match (goal.relation.as_str(), values.as_slice(), holds) {
            ("node_label" | "node_number", [Some(on), Some(key), ..], true) if *on == node => {
                Some(Lever::Unlabel((*key).to_owned()))
            }
            ("node_label", [Some(on), Some(key), value], false) if *on == node => {
                Some(Lever::Label((*key).to_owned(), value.map(ToOwned::to_owned)))
            }
            ("node_taint", [Some(on), Some(key), ..], true) if *on == node => {
                Some(Lever::Untaint((*key).to_owned()))
            }
            ("node_unschedulable", [Some(on)], true) if *on == node => Some(Lever::Uncordon),
            _ => None,
        }
    }

    /// The node with the change made.
    fn pull(&self, node: &Node) -> Node {
        let mut node = node.clone();
        match self {
            Lever::Label(key, value) => {
                let value = value.as_deref().unwrap_or(ANY);
                Arc::make_mut(&mut node.meta.labels).insert(key.as_str().into(), value.into());
            }
            Lever::Unlabel(key) => drop(Arc::make_mut(&mut node.meta.labels).remove(key.as_str())),
            Lever::Untaint(key) => node.taints.retain(|taint| *taint.key != **key),
            Lever::Uncordon => node.unschedulable = false,
        }
        node
    }

    /// As a person would be told to do it.
    fn says(&self, node: &str) -> String {
        match self {
            Lever::Label(key, Some(value)) => format!("label {node} with {key}={value}"),
            Lever::Label(key, None) => format!("give {node} a label {key}"),
            Lever::Unlabel(key) => format!("take the label {key} off {node}"),
            Lever::Untaint(key) => format!("take the taint {key} off {node}"),
            Lever::Uncordon => format!("uncordon {node}"),
        }
    }

    /// Whether another cause asks for something about the same label.
    fn is_at_odds(&self, causes: &[Cause]) -> bool {
        let (Lever::Label(name, _) | Lever::Unlabel(name)) = self else { return false };
        causes.iter().any(|cause| match cause {
            Cause::NodeSelector { key, .. } => key == name,
            Cause::Affinity { terms } => {
                let mut all = terms.iter().flat_map(|term| &term.requirements);
                all.any(|it| it.split(' ').next() == Some(name))
            }
            _ => false,
        })
    }
}

/// The changes to the node after which a rule no longer blocks the daemonset there.
///
/// # Errors
/// When a rule derives more than the limits allow.
#[expect(clippy::too_many_arguments, reason = "a question about a pair, and what is known of it")]
pub(super) fn true_ones(
    program: &Program,
    world: &World,
    daemonset: &DaemonSet,
    node: &Node,
    goal: &Goal,
    rule: &str,
    causes: &[Cause],
    now: i64,
) -> Result<Vec<String>, Diagnostic> {
    let (set, name) = (&daemonset.meta.key, &node.meta.key.name);
    let mut levers = Vec::new();
    blocking(goal, rule, &mut |tried| collect(tried, name, &mut levers));
    let mut found = Vec::new();
    for lever in levers.into_iter().filter(|lever| !lever.is_at_odds(causes)) {
        let mut other = world.clone();
        other.nodes.insert(node.meta.key.clone(), lever.pull(node));
        let mut answers = Answers::new(program, &other, &Alone::pair(Some(set), Some(name)), now)?;
        let mut still = false;
        if let Some(goal) = answers.goal(relations::blocked, &[&set.to_string(), name]) {
            still = goal.holds && goal.rules.iter().any(|tried| place(tried) == rule);
        }
        if !still {
            found.push(lever.says(name));
        }
    }
    Ok(found)
}

fn place(tried: &Tried) -> String {
    format!("{}:{}", tried.rule.file, tried.rule.line)
}

/// The ways in which a rule blocks, in the explanation of why a pod should not be there.
fn blocking(goal: &Goal, rule: &str, each: &mut dyn FnMut(&Tried)) {
    for part in goal.rules.iter().flat_map(|tried| &tried.parts) {
        if let Part::Not(goal) = part
            && goal.holds
            && goal.relation == "blocked"
        {
            goal.rules.iter().filter(|tried| place(tried) == rule).for_each(&mut *each);
        }
    }
}

/// What could be changed of what a rule rests on.
fn collect(tried: &Tried, node: &str, levers: &mut Vec<Lever>) {
    for part in &tried.parts {
        let (goal, holds) = match part {
            Part::Row(goal) => (goal, true),
            Part::Not(goal) => (goal, false),
            Part::Comparison(..) | Part::Aggregate(_) => continue,
        };
        if goal.input {
            if let Some(lever) = Lever::new(goal, node, holds).filter(|it| !levers.contains(it)) {
                levers.push(lever);
            }
            continue;
        }
        // What a rule rests on, and what would have to be there for one that does not hold.
        for tried in goal.rules.iter() {
            if holds {
                collect(tried, node, levers);
                continue;
            }
            for part in &tried.parts {
                if let (Part::Row(goal), false) = (part, part.holds())
                    && let Some(lever) = Lever::new(goal, node, false).filter(|it| !levers.contains(it))
                {
                    levers.push(lever);
                }
            }
        }
    }
}
