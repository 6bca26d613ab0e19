//! One daemonset on all nodes: on how many it should run, and the others by reason.

use std::collections::BTreeMap;

use serde::Serialize;

use super::cause::causes;
use super::pair::{Answers, seen};
use crate::datalog::Program;
use crate::diagnostic::Diagnostic;
use crate::model::{DaemonSet, Name, ObjectKey, World};
use crate::plan::alike;

/// A daemonset on all nodes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// The daemonset.
    pub daemonset: ObjectKey,
    /// How many nodes there are.
    pub nodes: usize,
    /// The nodes that should run a pod.
    pub eligible: Vec<Name>,
    /// Of those, the ones that have none.
    pub without_pod: Vec<Name>,
    /// The other nodes, by what keeps a pod off, largest group first.
    pub others: Vec<Group>,
}

/// Nodes with the same reasons.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Group {
    /// What keeps a pod off each of them.
    pub because: Vec<String>,
    /// The nodes, in name order.
    pub nodes: Vec<Name>,
    /// Of those, the ones that have a pod all the same.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub with_pod: Vec<Name>,
}

/// Explains a daemonset on all nodes.
///
/// # Errors
/// When a rule derives more than the limits allow.
pub fn summary(
    program: &Program,
    world: &World,
    daemonset: &DaemonSet,
    now: i64,
) -> Result<Summary, Diagnostic> {
    let it = daemonset.meta.key.to_string();
    let seen = seen(program, world, daemonset, None);
    let mut answers = Answers::new(program, &seen, &daemonset.meta.key, None, now)?;
    let profiles: BTreeMap<Name, String> = answers
        .rows("in_profile", &[])
        .filter_map(|row| <[String; 2]>::try_from(row).ok())
        .map(|[node, profile]| (node.into(), profile))
        .collect();
    let occupied: Vec<Name> = answers
        .rows("counted", &[&it])
        .filter_map(|row| row.get(2).map(|node| node.as_str().into()))
        .collect();
    let mut reasons: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut groups: BTreeMap<Vec<String>, Vec<Name>> = BTreeMap::new();
    let (mut eligible, mut without_pod) = (Vec::new(), Vec::new());
    for (node, profile) in &profiles {
        if answers.has("eligible", &[&it, node]) {
            eligible.push(node.clone());
            if !occupied.contains(node) {
                without_pod.push(node.clone());
            }
            continue;
        }
        // Equal nodes have equal reasons, so each profile is asked about once.
        let mut because = match reasons.get(profile) {
            Some(because) => because.clone(),
            None => {
                let goal = answers.goal("may_start", &[&it, profile]).filter(|goal| !goal.holds);
                let because: Vec<String> = goal.iter().flat_map(causes).map(|cause| cause.says()).collect();
                reasons.insert(profile.clone(), because.clone());
                because
            }
        };
        if let Some(goal) = answers.goal("blocked", &[&it, node]).filter(|goal| goal.holds) {
            because.extend(goal.rules.iter().map(|tried| {
                let said = tried.sentence.as_deref().unwrap_or(&goal.fact);
                let said = alike(said.trim_end_matches('.'), node);
                format!("is blocked by the rule {}:{}: {said}", tried.rule.file, tried.rule.line)
            }));
        }
        groups.entry(because).or_default().push(node.clone());
    }
    let mut others: Vec<Group> = groups
        .into_iter()
        .map(|(because, nodes)| {
            let with_pod = nodes.iter().filter(|node| occupied.contains(node)).cloned().collect();
            Group { because, nodes, with_pod }
        })
        .collect();
    others.sort_by(|a, b| (b.nodes.len(), &a.because).cmp(&(a.nodes.len(), &b.because)));
    Ok(Summary {
        daemonset: daemonset.meta.key.clone(),
        nodes: profiles.len(),
        eligible,
        without_pod,
        others,
    })
}
