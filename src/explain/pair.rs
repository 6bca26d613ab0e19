//! One daemonset and one node.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::ask::{Answers, ask};
use super::cause::{Cause, causes};
use super::context::Context;
use super::leaf::key;
use super::levers;
use super::steps::{obstacle, why, why_not};
use super::{Explanation, Mark, PodState, Step, Told};
use crate::datalog::Program;
use crate::datalog::explain::Goal;
use crate::diagnostic::Diagnostic;
use crate::facts::Alone;
use crate::kube::{DaemonSet, Kind, Name, Node, ObjectKey, Pod, timestamp};
use crate::policy::relations;
use crate::state::World;

/// What is told about a pair, as the engine has it.
pub(super) struct Asked {
    pub(super) eligible: Option<Goal>,
    /// Why pods are to go, with their names.
    going: Vec<(Name, Goal)>,
    unmanaged: Option<Goal>,
    hold: Option<Goal>,
    pods: Vec<PodState>,
}

impl Asked {
    pub(super) fn new(answers: &mut Answers<'_>, world: &World, it: &str, node: &Name) -> Self {
        let on = [it, node];
        let pods = pods(answers, world, it, node);
        let mut going = Vec::new();
        for pod in &pods {
            let symbol = ObjectKey { namespace: key(it).namespace, name: pod.name.clone() }.to_string();
            let goal = answers
                .holding(relations::delete, &[it, &symbol, node])
                .or_else(|| answers.holding(relations::evict, &[&symbol, node]));
            going.extend(goal.map(|goal| (pod.name.clone(), goal)));
        }
        Asked {
            eligible: answers.goal(relations::eligible, &on),
            going,
            unmanaged: answers.holding(relations::unmanaged, &[it]),
            hold: answers.holding(relations::hold, &on),
            pods,
        }
    }

    pub(super) fn goals(&self) -> Vec<&Goal> {
        let going = self.going.iter().map(|(_, goal)| goal);
        self.eligible.iter().chain(going).chain(&self.unmanaged).chain(&self.hold).collect()
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
    let it = set.to_string();
    let alone = Alone::pair(Some(set), Some(name));
    let tell = &mut |answers: &mut Answers<'_>| Asked::new(answers, world, &it, name);
    let (mut answers, asked) = ask(program, seen, alone, now, tell, &Asked::goals)?;
    let goal = asked.eligible.clone();
    let explanation = explained(&mut answers, asked, (daemonset, node), seen, world);
    let mut causes = Vec::new();
    if let Some(goal) = goal.filter(|goal| !goal.holds) {
        causes = told_causes(program, seen, daemonset, node, &goal, now)?;
    }
    Ok(Explanation { causes, ..explanation })
}

/// What was asked about a pair, in words; without what would mend it.
pub(super) fn explained(
    answers: &mut Answers<'_>,
    asked: Asked,
    (daemonset, node): (&DaemonSet, &Node),
    seen: &World,
    world: &World,
) -> Explanation {
    let (set, name) = (&daemonset.meta.key, &node.meta.key.name);
    let it = set.to_string();
    let told = Context { world: seen, added: added(answers, &it) };
    let mut steps = Vec::new();
    let eligible = asked.eligible.as_ref().is_some_and(|goal| goal.holds);
    if let Some(goal) = &asked.eligible {
        if goal.holds {
            steps.extend(why(goal, &told));
        } else {
            steps.extend(why_not(goal, &told));
        }
    }
    let headline = headline(answers, &asked, [&it, name], eligible, world);
    steps.extend(about_to(answers, &asked, [&it, name], &told));
    Explanation {
        daemonset: set.clone(),
        node: name.clone(),
        eligible,
        headline,
        pods: asked.pods,
        steps,
        causes: Vec::new(),
    }
}

/// The causes for which no pod should be there, each with what would mend it.
fn told_causes(
    program: &Program,
    world: &World,
    daemonset: &DaemonSet,
    node: &Node,
    goal: &Goal,
    now: i64,
) -> Result<Vec<Told>, Diagnostic> {
    let name = &node.meta.key.name;
    let found = causes(goal);
    let mut told = Vec::new();
    for cause in &found {
        let mend = match cause {
            Cause::Blocked { rule, .. } => {
                let ways = levers::true_ones(program, world, daemonset, node, goal, rule, &found, now)?;
                let ways = ways.into_iter().chain([format!("change the rule {rule}")]);
                Some(ways.collect::<Vec<_>>().join(", or "))
            }
            cause => cause.mend(name),
        };
        told.push(Told { says: cause.says(), mend, cause: cause.clone() });
    }
    Ok(told)
}

/// The tolerations that the rules add to the pods of a daemonset: key and effect.
fn added(answers: &mut Answers<'_>, it: &str) -> Vec<(String, String)> {
    let rows = answers.rows(relations::added_toleration, &[it]);
    rows.filter_map(|row| <[String; 4]>::try_from(row).ok())
        .map(|[_, _, key, effect]| (key, effect))
        .collect()
}

/// How things stand.
fn headline(
    answers: &mut Answers<'_>,
    asked: &Asked,
    on: [&str; 2],
    eligible: bool,
    world: &World,
) -> String {
    let [it, node] = on;
    if asked.unmanaged.is_some() {
        return format!("{it} is left alone");
    }
    if asked.pods.is_empty() {
        let coming = answers.has(relations::create, &on) || (eligible && world.pods.is_empty());
        return match (eligible, coming) {
            (true, true) => format!("{node} is to get a pod of {it}"),
            (true, false) => format!("{node} should run a pod of {it}"),
            (false, _) => format!("{node} runs no pod of {it}, and should not"),
        };
    }
    let goes = |pod: &PodState| asked.going.iter().any(|(name, _)| *name == pod.name);
    let state = |pod: &PodState| match (pod.doing(), goes(pod)) {
        (Some(_), false) if pod.waits.is_some() => {
            format!(", which waits: {}", pod.waits.as_deref().unwrap_or_default())
        }
        (None, false) => String::new(),
        (None, true) => ", which is to go".to_owned(),
        (Some(doing), false) => format!(", which {doing}"),
        (Some(doing), true) => format!(", which {doing} and is to go"),
    };
    let runs = asked.pods.iter().any(|pod| pod.doing().is_none());
    let stays = !eligible && asked.going.is_empty() && runs;
    let verb = match (stays, runs) {
        (true, _) => "keeps",
        (_, true) => "runs",
        _ => "has",
    };
    let though = if stays { ", though it would get no new one" } else { "" };
    match asked.pods.as_slice() {
        [only] => format!("{node} {verb} {} of {it}{}{though}", only.name, state(only)),
        several => {
            let each: Vec<String> = several.iter().map(|pod| format!("{}{}", pod.name, state(pod))).collect();
            format!("{node} {verb} {} pods of {it}: {}{though}", several.len(), each.join("; "))
        }
    }
}

/// Steps for what is about to happen.
fn about_to(answers: &mut Answers<'_>, asked: &Asked, on: [&str; 2], told: &Context<'_>) -> Vec<Step> {
    let mut steps = Vec::new();
    if let Some(goal) = &asked.unmanaged {
        steps.extend(obstacle(goal, told));
    }
    let going = asked.going.iter().flat_map(|(_, goal)| why(goal, told));
    steps.extend(going.map(|step| Step { mark: Mark::No, ..step }));
    if let Some(goal) = &asked.hold {
        let parts = why(goal, told);
        steps.push(Step { parts, ..Step::new(Mark::Fact, "its pod is left alone for now: a rule holds it") });
    }
    if let Some(wave) = answers.rows(relations::wave, &on).find_map(|row| row.get(2).cloned()) {
        steps.push(Step::new(Mark::Fact, format!("it takes part in wave {wave} of a rollout")));
    }
    steps
}

pub(super) fn pods(answers: &mut Answers<'_>, world: &World, it: &str, node: &Name) -> Vec<PodState> {
    let there: Vec<Vec<String>> = answers.rows(relations::daemon_pod, &[it]).collect();
    let on_node = there.iter().filter(|row| row.get(2).is_some_and(|found| **found == **node));
    let mut states = Vec::new();
    for symbol in on_node.filter_map(|row| row.get(1)) {
        let Some(pod) = world.pods.get(&key(symbol)) else { continue };
        let mut state = PodState::new(pod, answers.has(relations::updated, &[it, symbol]), world);
        let due =
            answers.rows(relations::evict_later, &[symbol, node]).find_map(|row| row.get(2)?.parse().ok());
        state.evicted_at = due.map(timestamp);
        states.push(state);
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
    let backoff = world.backoff.iter().filter(|((uid, on), _)| daemonset.meta.uid == **uid && is_here(on));
    Cow::Owned(World {
        nodes: match node {
            Some(node) => BTreeMap::from([(node.meta.key.clone(), node.clone())]),
            None => world.nodes.clone(),
        },
        daemonsets: BTreeMap::from([(daemonset.meta.key.clone(), daemonset.clone())]),
        pods: pods.map(|(key, pod)| (key.clone(), pod.clone())).collect(),
        revisions: revisions.map(|(key, it)| (key.clone(), it.clone())).collect(),
        backoff: backoff.map(|(key, it)| (key.clone(), *it)).collect(),
        ..rest(world)
    })
}

/// What is known of no object that is there.
pub(super) fn rest(world: &World) -> World {
    World {
        deleted_owners: world.deleted_owners.clone(),
        deleted_namespaces: world.deleted_namespaces.clone(),
        given: world.given.clone(),
        detailed: world.detailed,
        ..World::default()
    }
}

/// What can have a say in the daemonsets of a node.
pub(super) fn on_node<'a>(program: &Program, world: &'a World, node: &Node) -> Cow<'a, World> {
    if program.rules().any(|rule| !rule.builtin) {
        return Cow::Borrowed(world);
    }
    let here = |pod: &&Pod| pod.target() == Some(&node.meta.key.name);
    let pods = world.pods.iter().filter(|(_, pod)| here(pod));
    Cow::Owned(World {
        nodes: BTreeMap::from([(node.meta.key.clone(), node.clone())]),
        pods: pods.map(|(key, pod)| (key.clone(), pod.clone())).collect(),
        ..world.clone()
    })
}

/// The daemonset that controls a pod, and the node it is on or meant for.
#[must_use]
pub fn of_pod<'a>(world: &'a World, pod: &ObjectKey) -> Option<(&'a DaemonSet, Option<&'a Node>)> {
    let pod = world.pods.get(pod)?;
    let owner = pod.meta.controller.as_ref().filter(|owner| &*owner.kind == Kind::DaemonSet.name())?;
    let daemonset = world.daemonsets.values().find(|it| it.meta.uid == *owner.uid)?;
    let node = pod.target().and_then(|name| world.nodes.get(&ObjectKey::new("", name.clone())));
    Some((daemonset, node))
}
