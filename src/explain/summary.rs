//! One daemonset on all nodes, or one node with all daemonsets: how many there should be,
//! and the others by reason.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::PodState;
use super::ask::{Answers, ask};
use super::grouped::{Group, Named, Reasons};
use super::leaf::key;
use super::pair::{on_node, pods, seen};
use crate::datalog::explain::Goal;
use crate::datalog::{Handle, Program};
use crate::diagnostic::Diagnostic;
use crate::facts::Alone;
use crate::kube::{DaemonSet, Name, Node, ObjectKey};
use crate::policy::relations;
use crate::state::World;

/// A daemonset on all nodes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// The daemonset.
    pub daemonset: ObjectKey,
    /// Why nothing is done for it, where that is so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_alone: Option<String>,
    /// How many nodes there are.
    pub nodes: usize,
    /// The nodes that should run a pod.
    pub eligible: Vec<Name>,
    /// Of those, the ones that have none.
    pub without_pod: Vec<Name>,
    /// Of those, the ones whose pod does not run: what it does, and where.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_running: Vec<(String, Vec<Name>)>,
    /// The other nodes, by what keeps a pod off, largest group first.
    pub others: Vec<Group>,
}

/// A node with all daemonsets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OnNode {
    /// The node.
    pub node: Name,
    /// How many daemonsets there are.
    pub daemonsets: usize,
    /// What should run there, with its pods.
    pub eligible: Vec<Running>,
    /// The other daemonsets, by what keeps their pods off, largest group first.
    pub others: Vec<Group>,
    /// How many pods are there beside those of daemonsets.
    pub other_pods: usize,
}

/// A daemonset that should run on a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Running {
    /// The daemonset.
    pub daemonset: ObjectKey,
    /// Why nothing is done for it, where that is so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_alone: Option<String>,
    /// Its pods there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pods: Vec<PodState>,
}

/// The goals that rules block some daemonsets on some nodes, by the two.
type Blocked = BTreeMap<(String, String), Goal>;

fn blocked(answers: &mut Answers<'_>, daemonset: Option<&str>, node: Option<&str>) -> Blocked {
    let mut found = Blocked::new();
    for row in
        answers.rows(relations::blocked, &daemonset.into_iter().collect::<Vec<_>>()).collect::<Vec<_>>()
    {
        let [it, on] = row.as_slice() else { continue };
        if node.is_none_or(|node| on == node)
            && let Some(goal) = answers.goal(relations::blocked, &[it, on])
        {
            found.insert((it.clone(), on.clone()), goal);
        }
    }
    found
}

/// Why nothing is done for a daemonset, where that is so.
fn left_alone(answers: &mut Answers<'_>, it: &str) -> Option<String> {
    let goal = answers.holding(relations::unmanaged, &[it])?;
    let sentence = goal.rules.first()?.sentence.as_deref()?;
    Some(sentence.trim_end_matches('.').to_owned())
}

/// The groups that objects are in.
fn groups(answers: &mut Answers<'_>, relation: Handle) -> BTreeMap<String, String> {
    let rows = answers.rows(relation, &[]);
    rows.filter_map(|row| <[String; 2]>::try_from(row).ok()).map(|[member, group]| (member, group)).collect()
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
    let alone = Alone::pair(Some(&daemonset.meta.key), None);
    let tell = &mut |answers: &mut Answers<'_>| blocked(answers, Some(&it), None);
    let (mut answers, blocked) = ask(program, &seen, alone, now, tell, &|found| found.values().collect())?;
    let profiles = groups(&mut answers, relations::in_profile);
    let mut there: BTreeMap<Name, Vec<String>> = BTreeMap::new();
    for row in answers.rows(relations::counted, &[&it]) {
        if let [_, pod, node] = row.as_slice() {
            there.entry(node.as_str().into()).or_default().push(pod.clone());
        }
    }
    let (mut eligible, mut without_pod) = (Vec::new(), Vec::new());
    let mut idle: BTreeMap<String, Vec<Name>> = BTreeMap::new();
    let mut reasons = Reasons::default();
    for (node, profile) in &profiles {
        let name = Name::from(node.as_str());
        if !answers.has(relations::eligible, &[&it, node]) {
            let blocked = blocked.get(&(it.clone(), node.clone()));
            reasons.add(&mut answers, &name, (&it, profile), blocked, node);
            continue;
        }
        let doing = there.get(&name).map(|pods| {
            let pods = pods.iter().filter_map(|pod| world.pods.get(&key(pod)));
            pods.map(|pod| PodState::new(pod, false, world).doing()).collect::<Vec<_>>()
        });
        match doing {
            None => without_pod.push(name.clone()),
            Some(doing) if doing.iter().all(Option::is_some) => {
                for doing in doing.into_iter().flatten() {
                    idle.entry(doing.to_owned()).or_default().push(name.clone());
                }
            }
            Some(_) => {}
        }
        eligible.push(name);
    }
    Ok(Summary {
        daemonset: daemonset.meta.key.clone(),
        left_alone: left_alone(&mut answers, &it),
        nodes: profiles.len(),
        eligible,
        without_pod,
        not_running: idle.into_iter().collect(),
        others: reasons.groups(&there.into_keys().collect(), Named::Nodes),
    })
}

/// Explains what runs on a node, what does not, and why.
///
/// # Errors
/// When a rule derives more than the limits allow.
pub fn node(program: &Program, world: &World, node: &Node, now: i64) -> Result<OnNode, Diagnostic> {
    let name = &node.meta.key.name;
    let seen = on_node(program, world, node);
    let tell = &mut |answers: &mut Answers<'_>| blocked(answers, None, Some(name));
    let alone = Alone::pair(None, Some(name));
    let (mut answers, blocked) = ask(program, &seen, alone, now, tell, &|found| found.values().collect())?;
    let classes = groups(&mut answers, relations::in_class);
    let mut eligible = Vec::new();
    let mut occupied = BTreeSet::new();
    let mut reasons = Reasons::default();
    let mut own = 0;
    for (it, class) in &classes {
        let pods = pods(&mut answers, world, it, name);
        own += pods.len();
        if answers.has(relations::eligible, &[it, name]) {
            eligible.push(Running { daemonset: key(it), left_alone: left_alone(&mut answers, it), pods });
            continue;
        }
        let short = Name::from(it.as_str());
        if !pods.is_empty() {
            occupied.insert(short.clone());
        }
        let blocked = blocked.get(&(it.clone(), name.to_string()));
        reasons.add(&mut answers, &short, (class, name), blocked, name);
    }
    let here = world.pods.values().filter(|pod| pod.target() == Some(name)).count();
    Ok(OnNode {
        node: name.clone(),
        daemonsets: classes.len(),
        eligible,
        others: reasons.groups(&occupied, Named::Daemonsets),
        other_pods: here.saturating_sub(own),
    })
}
