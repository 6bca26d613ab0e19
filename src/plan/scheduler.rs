//! What the default scheduler does with pods that are not bound: read off the rules and
//! carried out on the world. Nothing is decided here.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::simulation::{Readiness, Simulation, remove_pod};
use super::{Action, Because, Verb, Wave};
use crate::datalog::{Handle, Row, Sym};
use crate::kube::{Kind, Name, ObjectKey, amount_text};
use crate::policy::relations;
use crate::reason::Reasoner;
use crate::state::{Refusal, World};

/// What one step of the scheduler did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scheduled {
    /// Pods that are bound now, each with its node.
    pub bound: Vec<(ObjectKey, Name)>,
    /// Pods that are gone, each with the pod that took its place.
    pub preempted: Vec<(ObjectKey, ObjectKey)>,
    /// Pods that stay pending; the world says why.
    pub refused: Vec<ObjectKey>,
    /// What is to be told of it.
    pub actions: Vec<Action>,
}

impl Scheduled {
    /// Whether there was nothing to do.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.bound.is_empty() && self.refused.is_empty()
    }
}

/// Carries out the step that was derived from the world.
pub fn schedule(world: &mut World, reasoner: &Reasoner) -> Scheduled {
    let mut done = Scheduled::default();
    let refused: Vec<(ObjectKey, Refusal)> = reasoner
        .rows(relations::refused)
        .map(|row| (reasoner.key(row[0]), refusal(reasoner, row[0], row[1])))
        .collect();
    done.refused.extend(refused.iter().map(|(pod, _)| pod.clone()));
    world.refused.extend(refused);
    for row in reasoner.rows(relations::preempt).collect::<Vec<Row>>() {
        let victim = reasoner.key(row[1]);
        let because = because(reasoner, relations::preempt, &row[..3]);
        let action = action(world, Verb::Preempt, victim.clone(), reasoner.name(row[2]), because);
        if remove_pod(world, &action) {
            done.preempted.push((victim, reasoner.key(row[0])));
            done.actions.push(action);
        }
    }
    for row in reasoner.rows(relations::bind).collect::<Vec<Row>>() {
        let (key, node) = (reasoner.key(row[0]), reasoner.name(row[1]));
        if bind(world, &key, &node) {
            done.bound.push((key, node));
        }
    }
    done.bound.sort();
    done.preempted.sort();
    done.refused.sort();
    done
}

impl Simulation {
    /// Lets the scheduler make its step; the wave has what is not told by the pods that
    /// were `made` in this plan. Nothing where there was nothing to do.
    pub fn schedule(
        &mut self,
        world: &mut World,
        reasoner: &Reasoner,
        made: &BTreeSet<ObjectKey>,
        readiness: Readiness,
        now: i64,
    ) -> Option<Wave> {
        let step = schedule(world, reasoner);
        if step.is_idle() {
            return None;
        }
        let mut wave = Wave { time: now, actions: step.actions };
        for (pod, by) in &step.preempted {
            let about = wave.actions.iter().find(|it| it.object == *pod).and_then(|it| it.daemonset.clone());
            if let Some(about) = about {
                let said = || format!("Preempted pod: {pod} by {by}");
                self.event(world, &about, "Normal", "Preempted", said, now);
            }
        }
        for key in &step.refused {
            let (about, said) = (owner(world, key), world.refused.get(key).map(|it| it.said.clone()));
            if let Some((about, said)) = about.zip(said) {
                let said = || format!("Pod {}: {said}", key.name);
                self.event(world, &about, "Warning", "FailedScheduling", said, now);
            }
        }
        for (key, node) in step.bound {
            self.started(world, &key, readiness, now);
            if !made.contains(&key) {
                let row: Option<Vec<Sym>> = [&*key.to_string(), &*node]
                    .iter()
                    .map(|text| reasoner.symbols().find_text(text))
                    .collect();
                let because = because(reasoner, relations::bind, &row.unwrap_or_default());
                wave.actions.push(action(world, Verb::Bind, key, node, because));
            }
        }
        wave.actions.sort();
        Some(wave)
    }
}

/// The daemonset that a pod belongs to.
fn owner(world: &World, pod: &ObjectKey) -> Option<ObjectKey> {
    let owner = world.pods.get(pod)?.meta.controller.as_ref()?;
    let is_ours = &*owner.kind == Kind::DaemonSet.name();
    is_ours.then(|| ObjectKey::new(pod.namespace.clone(), owner.name.clone()))
}

fn action(world: &World, verb: Verb, object: ObjectKey, node: Name, because: Because) -> Action {
    Action { daemonset: owner(world, &object), verb, node: Some(node), object, because: Arc::new(because) }
}

/// What the rule says that derived a row.
fn because(reasoner: &Reasoner, relation: Handle, row: &[Sym]) -> Because {
    let (sentence, rule) = reasoner.told(relation, row).unwrap_or_default();
    Because { sentence: sentence.into(), rule }
}

/// Why a pod is refused: what the filter says that is heard.
fn refusal(reasoner: &Reasoner, pod: Sym, node: Sym) -> Refusal {
    let filter = reasoner.rows_of(relations::first_filter, &[pod, node]).next().map(|row| row[2]);
    let rows: Vec<Row> = match filter {
        Some(filter) => reasoner.rows_of(relations::objection, &[pod, node, filter]).collect(),
        None => Vec::new(),
    };
    let mut said: Vec<(String, String)> = rows
        .into_iter()
        .filter_map(|row| {
            let (sentence, _) = reasoner.told(relations::objection, &row[..4])?;
            let more = more(reasoner, pod, node, row[3]);
            Some((format!("{sentence}{more}"), sentence))
        })
        .collect();
    said.sort_by(|a, b| a.1.cmp(&b.1));
    said.dedup_by(|a, b| a.1 == b.1);
    let (details, reasons): (Vec<String>, Vec<String>) = said.into_iter().unzip();
    let preemption = reasoner.rows_of(relations::no_preemption, &[pod]).next();
    Refusal {
        said: format!("node {}: {}", reasoner.name(node), details.join(", ")),
        node: reasoner.name(node),
        filter: filter.map(|filter| reasoner.name(filter)).unwrap_or_default(),
        reasons,
        preemption: preemption.map(|row| reasoner.name(row[1])).unwrap_or_default(),
    }
}

/// What there is to say beside the scheduler's own words: how much there is of a resource
/// and who has it, or who has the port.
fn more(reasoner: &Reasoner, pod: Sym, node: Sym, resource: Sym) -> String {
    let Some(row) = reasoner.rows_of(relations::short_of, &[pod, node, resource]).next() else {
        let taken = reasoner.rows_of(relations::port_taken, &[pod, node]).next();
        let told = taken.and_then(|row| reasoner.told(relations::port_taken, &row[..3]));
        return told
            .map_or_else(String::new, |(sentence, _)| format!(" ({})", sentence.trim_end_matches('.')));
    };
    let name = reasoner.text(resource);
    let binary = ["memory", "ephemeral-storage"].contains(&name) || name.starts_with("hugepages-");
    let [needs, free, room] = [row[3], row[4], row[5]].map(|it| reasoner.number(it));
    let text = |amount: i64| amount_text(name, amount, binary);
    let most = reasoner.rows_of(relations::takes_most, &[node, resource]).next();
    let most = most.map_or_else(String::new, |row| format!(", most by {}", reasoner.text(row[2])));
    let (left, taken) = (text(free.max(0)), text(room.saturating_sub(free)));
    format!(" (needs {}, free {left}: {taken} of {} taken{most})", text(needs), text(room))
}

/// Binds a pod, and says whether it was there.
fn bind(world: &mut World, key: &ObjectKey, node: &Name) -> bool {
    let version = world.next_version();
    let Some(pod) = world.pods.get_mut(key) else { return false };
    pod.node = Some(node.clone());
    pod.meta.resource_version = version;
    world.touch(Kind::Pod, key);
    true
}
