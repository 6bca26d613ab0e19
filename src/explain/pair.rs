//! One daemonset and one node.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::cause::causes;
use super::leaf::key;
use super::steps::{obstacle, why, why_not};
use super::{Explanation, Mark, PodState, Step, Told};
use crate::datalog::explain::{Goal, tree};
use crate::datalog::{Evaluation, Limits, Program, RelationId, Symbols, Value};
use crate::diagnostic::Diagnostic;
use crate::facts::{Grounding, Grouping};
use crate::model::{DaemonSet, Kind, Name, Node, ObjectKey, World};

/// What is asked about a pair.
const ASKED: &[&str] =
    &["eligible", "may_start", "may_stay", "unmanaged", "hold", "wave", "blocked", "in_profile"];
/// What is asked where there are pods.
const OF_PODS: &[&str] = &["counted", "create", "delete", "updated"];

/// A world, the rules and what follows.
pub(super) struct Answers<'a> {
    pub program: &'a Program,
    pub symbols: Symbols,
    pub evaluation: Evaluation,
}

impl<'a> Answers<'a> {
    /// Derives what can be asked; the daemonset and the node stand for themselves.
    pub fn new(
        program: &'a Program,
        world: &World,
        daemonset: &ObjectKey,
        node: Option<&Name>,
        now: i64,
    ) -> Result<Self, Diagnostic> {
        let of_pods = if world.pods.is_empty() { &[] } else { OF_PODS };
        let asked = ASKED.iter().chain(of_pods);
        let wanted: Vec<RelationId> = asked.filter_map(|name| program.relation(name)).collect();
        let mut grounding = Grounding::new(program.clone(), Grouping::On, &wanted);
        grounding.single_out(daemonset, node);
        let facts = grounding.all(world, now);
        let mut symbols = grounding.symbols;
        let evaluation = Evaluation::new(program, &mut symbols, facts, &wanted, &Limits::default())?;
        Ok(Answers { program, symbols, evaluation })
    }

    /// The explanation of a row.
    pub fn goal(&mut self, relation: &str, row: &[&str]) -> Option<Goal> {
        let id = self.program.relation(relation)?;
        let row: Vec<_> = row.iter().map(|text| self.symbols.text(text)).collect();
        Some(tree(self.program, &self.symbols, &self.evaluation, id, &row))
    }

    pub fn has(&mut self, relation: &str, row: &[&str]) -> bool {
        self.rows(relation, row).next().is_some()
    }

    /// The texts of the rows that begin so.
    pub fn rows(&mut self, relation: &str, prefix: &[&str]) -> impl Iterator<Item = Vec<String>> + '_ {
        let prefix: Vec<_> = prefix.iter().map(|text| self.symbols.text(text)).collect();
        let id = self.program.relation(relation);
        let rows: Vec<_> =
            id.into_iter().flat_map(|id| self.evaluation.rows_with_prefix(id, &prefix)).collect();
        let text = |sym| match self.symbols.value(sym) {
            Value::Text(text) => text.to_owned(),
            Value::Number(number) => number.to_string(),
        };
        rows.into_iter().map(move |row| row.iter().map(|sym| text(*sym)).collect())
    }
}

/// Explains a daemonset on a node.
///
/// # Errors
/// When a rule derives more than the limits allow.
pub fn pair(
    program: &Program,
    world: &World,
    daemonset: &DaemonSet,
    node: &Node,
    now: i64,
) -> Result<Explanation, Diagnostic> {
    let seen = &*seen(program, world, daemonset, Some(node));
    let (set, name) = (&daemonset.meta.key, &node.meta.key.name);
    let mut answers = Answers::new(program, seen, set, Some(name), now)?;
    let it = set.to_string();
    let on = [it.as_str(), name];
    let eligible = answers.has("eligible", &on);
    let pods = pods(&mut answers, world, &it, name);
    let mut steps = Vec::new();
    let mut told = Vec::new();
    if let Some(goal) = answers.goal("eligible", &on) {
        if goal.holds {
            steps.extend(why(&goal, seen));
        } else {
            steps.extend(why_not(&goal, seen));
            told = causes(&goal)
                .into_iter()
                .map(|cause| Told { says: cause.says(), mend: cause.mend(name), cause })
                .collect();
        }
    }
    let headline = headline(&mut answers, &on, eligible, &pods, &mut steps, seen);
    Ok(Explanation {
        daemonset: set.clone(),
        node: name.clone(),
        eligible,
        headline,
        pods,
        steps,
        causes: told,
    })
}

/// How things stand, and steps for what is about to happen.
fn headline(
    answers: &mut Answers<'_>,
    on: &[&str; 2],
    eligible: bool,
    pods: &[PodState],
    steps: &mut Vec<Step>,
    world: &World,
) -> String {
    let [it, node] = on;
    let mut going = Vec::new();
    for pod in pods {
        let symbol = ObjectKey { namespace: key(it).namespace, name: pod.name.clone() }.to_string();
        if let Some(goal) = answers.goal("delete", &[it, &symbol, node]).filter(|goal| goal.holds) {
            going.extend(why(&goal, world));
        }
    }
    let unmanaged = answers.goal("unmanaged", &[it]).filter(|goal| goal.holds);
    let coming = answers.has("create", on) || (eligible && world.pods.is_empty());
    let names: Vec<&str> = pods.iter().map(|pod| &*pod.name).collect();
    let text = match (eligible, pods.is_empty()) {
        _ if unmanaged.is_some() => format!("{it} is left alone"),
        (true, true) if coming => format!("{node} is to get a pod of {it}"),
        (true, true) => format!("{node} should run a pod of {it}"),
        (true, false) if going.is_empty() => format!("{node} runs {} of {it}", names.join(", ")),
        (true, false) => format!("{node} runs {} of {it}, which is to go", names.join(", ")),
        (false, false) if going.is_empty() => {
            format!("{node} keeps {} of {it}, though it would get no new one", names.join(", "))
        }
        (false, false) => format!("{} of {it} is to go from {node}", names.join(", ")),
        (false, true) => format!("{node} runs no pod of {it}, and should not"),
    };
    if let Some(goal) = unmanaged {
        steps.extend(obstacle(&goal, world));
    }
    steps.extend(going.into_iter().map(|step| Step { mark: Mark::No, ..step }));
    if let Some(goal) = answers.goal("hold", on).filter(|goal| goal.holds) {
        let held = why(&goal, world);
        steps.push(Step {
            parts: held,
            ..Step::new(Mark::Fact, "its pod is left alone for now: a rule holds it")
        });
    }
    let waves: Vec<i64> = answers
        .rows("wave", on)
        .filter_map(|row| row.get(2).and_then(|number| number.parse().ok()))
        .collect();
    if let Some(wave) = waves.into_iter().min() {
        steps.push(Step::new(Mark::Fact, format!("it takes part in wave {wave} of a rollout")));
    }
    text
}

fn pods(answers: &mut Answers<'_>, world: &World, it: &str, node: &Name) -> Vec<PodState> {
    let counted: Vec<Vec<String>> = answers.rows("counted", &[it]).collect();
    let on_node = counted.iter().filter(|row| row.get(2).is_some_and(|found| **found == **node));
    let mut states = Vec::new();
    for symbol in on_node.filter_map(|row| row.get(1)) {
        let Some(pod) = world.pods.get(&key(symbol)) else { continue };
        states.push(PodState {
            name: pod.meta.key.name.clone(),
            phase: pod.phase.clone(),
            ready: pod.ready,
            current: answers.has("updated", &[it, symbol]),
        });
    }
    states
}

/// What can have a say in a daemonset on one node, or on all: of the built-in rules just
/// what is of the daemonset; a user's rules may ask about anything.
pub(super) fn seen<'a>(
    program: &Program,
    world: &'a World,
    daemonset: &DaemonSet,
    node: Option<&Node>,
) -> Cow<'a, World> {
    if program.rules().any(|rule| !rule.builtin) {
        return Cow::Borrowed(world);
    }
    let namespace = &daemonset.meta.key.namespace;
    let is_here = |name: &Name| node.is_none_or(|node| node.meta.key.name == *name);
    let pods = world
        .pods
        .iter()
        .filter(|(key, pod)| key.namespace == *namespace && pod.target().is_some_and(is_here));
    let revisions = world.revisions.iter().filter(|(key, _)| key.namespace == *namespace);
    let backoff = world.backoff.iter().filter(|((uid, on), _)| *uid == daemonset.meta.uid && is_here(on));
    Cow::Owned(World {
        nodes: match node {
            Some(node) => BTreeMap::from([(node.meta.key.clone(), node.clone())]),
            None => world.nodes.clone(),
        },
        daemonsets: BTreeMap::from([(daemonset.meta.key.clone(), daemonset.clone())]),
        pods: pods.map(|(key, pod)| (key.clone(), pod.clone())).collect(),
        revisions: revisions.map(|(key, it)| (key.clone(), it.clone())).collect(),
        backoff: backoff.map(|(key, it)| (key.clone(), *it)).collect(),
        deleted_owners: world.deleted_owners.clone(),
        detailed: world.detailed,
        ..World::default()
    })
}

/// The daemonset that controls a pod, and the node it is on or meant for.
#[must_use]
pub fn of_pod<'a>(world: &'a World, pod: &ObjectKey) -> Option<(&'a DaemonSet, Option<&'a Node>)> {
    let pod = world.pods.get(pod)?;
    let owner = pod.meta.controller.as_ref().filter(|owner| &*owner.kind == Kind::DaemonSet.name())?;
    let daemonset = world.daemonsets.values().find(|it| it.meta.uid == owner.uid)?;
    let node = pod.target().and_then(|name| world.nodes.get(&ObjectKey::new("", name.clone())));
    Some((daemonset, node))
}
