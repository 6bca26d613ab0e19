//! What the default scheduler does with pods that are not bound: read off the rules and
//! carried out on the world. Nothing is decided here.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::refusal::Known;
use super::simulation::{Readiness, Simulation, remove_pod};
use super::{Action, Because, Verb, Wave};
use crate::datalog::{Handle, Row, Sym};
use crate::kube::{Body, Kind, Name, ObjectKey, Pod};
use crate::policy::relations;
use crate::reason::Reasoner;
use crate::state::World;

/// Whom events name as where they come from.
const SCHEDULER: &str = "default-scheduler";

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
    /// Whether nothing could be bound: it is the last step.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.bound.is_empty()
    }
}

/// Carries out the step that was derived from the world.
pub fn schedule(world: &mut World, reasoner: &Reasoner, known: &mut Known) -> Scheduled {
    let mut done = Scheduled::default();
    // Where nothing is bound, nothing changes, and the last step says why it is so.
    let binding: BTreeSet<Sym> = reasoner.rows(relations::bind).map(|row| row[1]).collect();
    if binding.is_empty() {
        done.refused = known.ask_changed(world, reasoner);
    } else {
        done.refused = known.ask(world, reasoner, |node| binding.contains(&node));
        world.tried.extend(done.refused.iter().cloned());
    }
    for row in reasoner.rows(relations::preempt).collect::<Vec<Row>>() {
        let victim = reasoner.key(row[1]);
        let because = because(reasoner, relations::preempt, &row[..3]);
        let action = action(world, Verb::Preempt, victim.clone(), reasoner.name(row[2]), because);
        if remove_pod(world, &action) {
            done.preempted.push((victim, reasoner.key(row[0])));
            done.actions.push(action);
        }
    }
    done.bound = bind_all(world, reasoner, relations::bind, |_| true);
    done.preempted.sort();
    done.refused.sort();
    done
}

/// Binds the pods that wait where nobody asks whether they fit. Observed, a pod of a manifest
/// stays what its manifest says.
fn assume(world: &mut World, reasoner: &Reasoner, readiness: Readiness) -> Scheduled {
    let binds = |pod: &Pod| readiness == Readiness::Assume || matches!(pod.body, Body::Made(_));
    Scheduled { bound: bind_all(world, reasoner, relations::taken_to_fit, binds), ..Scheduled::default() }
}

/// Binds some of the pods of a relation, each to its node; gives those that were there.
fn bind_all(
    world: &mut World,
    reasoner: &Reasoner,
    relation: Handle,
    binds: impl Fn(&Pod) -> bool,
) -> Vec<(ObjectKey, Name)> {
    let pairs = reasoner.rows(relation).map(|row| (reasoner.key(row[0]), reasoner.name(row[1])));
    let mut bound: Vec<(ObjectKey, Name)> = pairs
        .filter(|(key, node)| world.pods.get(key).is_some_and(&binds) && bind(world, key, node))
        .collect();
    bound.sort();
    bound
}

/// Lets pods be asked about again that were refused on nodes where others are gone now.
pub(super) fn ask_again(world: &mut World, gone: &[Action]) {
    let pods = gone.iter().filter(|action| action.verb == Verb::Delete);
    let freed: BTreeSet<&Name> = pods.filter_map(|action| action.node.as_ref()).collect();
    let World { tried, refused, .. } = world;
    tried.retain(|pod| refused.get(pod).is_none_or(|refusal| !freed.contains(&refusal.node)));
}

impl Simulation {
    /// Lets the scheduler make its step, or binds all that wait where it is not simulated;
    /// the wave has what is not told by the pods that were `made` in this plan. Nothing where
    /// all that wait were asked and none can be bound: then the rules still say of each why.
    pub fn schedule(
        &mut self,
        world: &mut World,
        reasoner: &Reasoner,
        made: &BTreeSet<ObjectKey>,
        readiness: Readiness,
        now: i64,
    ) -> Option<Wave> {
        let passed_over = !world.tried.is_empty();
        let (step, binds) = match self.schedules {
            true => (schedule(world, reasoner, &mut self.known), relations::bind),
            false => (assume(world, reasoner, readiness), relations::taken_to_fit),
        };
        let mut wave = Wave { time: now, actions: step.actions };
        if step.bound.is_empty() {
            if !self.schedules {
                self.known.forget(world);
            }
            // Who was passed over before another one was bound is asked once more.
            world.tried.clear();
            return passed_over.then_some(wave);
        }
        for (pod, by) in &step.preempted {
            let Some(action) = wave.actions.iter().find(|it| it.object == *pod) else { continue };
            let uid = world.pods.get(by).map(|by| by.meta.uid.clone()).unwrap_or_default();
            let node = action.node.as_deref().unwrap_or("");
            let said = format!("Preempted by pod {uid} on node {node} ({by})");
            let owner = action.daemonset.clone();
            self.of_pod(world, pod, owner, (SCHEDULER, "Normal", "Preempted"), said, now);
        }
        for (key, node) in step.bound {
            self.started(world, &key, readiness, now);
            if !made.contains(&key) {
                let said = format!("Successfully assigned {key} to {node}");
                let owner = world.owner(&key);
                self.of_pod(world, &key, owner, (SCHEDULER, "Normal", "Scheduled"), said, now);
                let row: Option<Vec<Sym>> = [&*key.to_string(), &*node]
                    .iter()
                    .map(|text| reasoner.symbols().find_text(text))
                    .collect();
                let because = because(reasoner, binds, &row.unwrap_or_default());
                wave.actions.push(action(world, Verb::Bind, key, node, because));
            }
        }
        wave.actions.sort();
        Some(wave)
    }

    /// Keeps since when pods are refused that were so before, and records it of the others.
    pub fn keep_refused(&mut self, world: &mut World, now: i64) {
        let (asked, before) = self.known.take();
        let gone = before.keys().filter(|pod| !world.refused.contains_key(*pod));
        world.dirty.refused.extend(gone.cloned());
        for pod in asked {
            let Some(mut refusal) = world.refused.remove(&pod) else { continue };
            match before.get(&pod) {
                Some(before) if before.is_like(&refusal) => {
                    (refusal.nodes, refusal.since) = (before.nodes, before.since);
                }
                _ => {
                    refusal.since = now;
                    let owner = world.owner(&pod);
                    match (refusal.forbidden(), owner) {
                        (Some(why), Some(owner)) => {
                            let said =
                                || format!("Error creating: pods \"{}\" is forbidden: {why}", pod.name);
                            self.event(world, &owner, "Warning", "FailedCreate", said, now);
                        }
                        (_, owner) => {
                            let what = (SCHEDULER, "Warning", "FailedScheduling");
                            self.of_pod(world, &pod, owner, what, refusal.message(), now);
                        }
                    }
                }
            }
            if before.get(&pod) != Some(&refusal) {
                world.dirty.refused.insert(pod.clone());
            }
            world.refused.insert(pod, refusal);
        }
    }
}

fn action(world: &World, verb: Verb, object: ObjectKey, node: Name, because: Because) -> Action {
    Action { daemonset: world.owner(&object), verb, node: Some(node), object, because: Arc::new(because) }
}

/// What the rule says that derived a row.
fn because(reasoner: &Reasoner, relation: Handle, row: &[Sym]) -> Because {
    let (sentence, rule) = reasoner.told(relation, row).unwrap_or_default();
    Because { sentence: sentence.into(), rule }
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
