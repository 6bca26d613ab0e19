//! Carrying a pass out on the world: what the API server and the scheduler would do.
//!
//! Created pods are named, bound and, with [`Readiness::Assume`], taken as running and
//! ready; deleted ones vanish. Nothing is decided here.

use std::collections::BTreeMap;
use std::sync::Arc;

use rustc_hash::FxHashMap;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::refusal::Known;
use super::template;
use super::{Action, Pass, Verb, Wave};
use crate::kube::{
    Body, Common, DaemonSet, HASH_LABEL, Kind, Meta, Name, ObjectKey, Owner, Pod, Revision, Stand, Status,
};
use crate::reason::Reasoner;
use crate::state::{Arrivals, Backoff, Cascade, Event, World};

/// Who says that a created pod is ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Readiness {
    /// Nobody: it is taken as running and ready at once, and as having been so for
    /// minReadySeconds, so that a rollout can be played through.
    #[default]
    Assume,
    /// Only Pod manifests of the input do: it is pending until one says otherwise.
    Observe,
}

/// The first back-off after a failed pod, and the longest, in seconds.
const BACKOFF_SECONDS: (i64, i64) = (1, 15 * 60);

/// How many events about one daemonset are recorded at one time: the burst of the event
/// recorder's spam filter.
const EVENT_BURST: usize = 25;

/// How many events about pods are recorded in one run. What is left out is in the plan, or in a
/// condition of the pod.
const POD_EVENTS: usize = 1000;

/// Carries passes out, one after the other.
pub struct Simulation {
    /// What all pods of a daemonset and a hash have in common.
    bases: FxHashMap<(ObjectKey, Name), Made>,
    /// How many events were recorded about each daemonset.
    events: FxHashMap<ObjectKey, usize>,
    /// How many events were recorded about pods.
    told_of_pods: usize,
    /// Pods that were made in this pass; nobody looks for one before it ends.
    arrivals: Arrivals,
    /// The phases that pods are made in.
    phases: [Name; 2],
    /// Whether the scheduler binds what is created; else it is bound at once.
    pub(super) schedules: bool,
    /// Why pods were refused before.
    pub(super) known: Known,
}

impl Default for Simulation {
    fn default() -> Self {
        let phases = ["Pending".into(), "Running".into()];
        Simulation {
            bases: FxHashMap::default(),
            events: FxHashMap::default(),
            told_of_pods: 0,
            arrivals: Arrivals::default(),
            phases,
            schedules: false,
            known: Known::default(),
        }
    }
}

/// What the pods of one template share.
#[derive(Clone)]
struct Made {
    common: Arc<Common>,
    stand: Arc<Stand>,
}

impl Simulation {
    /// One that leaves pods to the scheduler, if that is simulated.
    #[must_use]
    pub fn new(schedules: bool) -> Self {
        Simulation { schedules, ..Simulation::default() }
    }

    /// Carries one pass out at the time `now` (seconds of Unix time) and gives back the
    /// wave that it was, with the names of the pods it created.
    pub fn carry_out(
        &mut self,
        world: &mut World,
        reasoner: &Reasoner,
        mut pass: Pass,
        readiness: Readiness,
        now: i64,
    ) -> Wave {
        self.bases.clear();
        // There may be millions, so they are not copied.
        let mut wave = Wave { time: now, actions: std::mem::take(&mut pass.actions) };
        let pass = &pass;
        self.warn(world, pass, now);
        for action in &mut wave.actions {
            if let Some(key) = action.daemonset.clone() {
                self.act(world, reasoner, pass, &key, action, readiness, now);
            }
        }
        self.arrivals.settle(world);
        for action in &pass.collected {
            if collect(world, action) {
                self.evicted(world, action, now);
                wave.actions.push(action.clone());
            }
        }
        for (key, status) in &pass.statuses {
            set_status(world, key, status);
        }
        for key in &pass.collisions {
            let Some(daemonset) = world.daemonsets.get(key) else { continue };
            let mut status = daemonset.status.clone();
            status.collision_count = Some(status.collision_count.unwrap_or(0) + 1);
            set_status(world, key, &status);
        }
        wave
    }

    #[allow(clippy::too_many_arguments)] // one call, inside the loop above
    fn act(
        &mut self,
        world: &mut World,
        reasoner: &Reasoner,
        pass: &Pass,
        key: &ObjectKey,
        action: &mut Action,
        readiness: Readiness,
        now: i64,
    ) {
        let hash = pass.hashes.get(key).cloned().unwrap_or_default();
        match action.verb {
            Verb::Create => {
                let Some(node) = action.node.clone() else { return };
                action.object = self.create(world, reasoner, key, &node, &hash, readiness, now);
                let said = || format!("Created pod: {}", action.object.name);
                self.event(world, key, "Normal", "SuccessfulCreate", said, now);
            }
            Verb::Delete => {
                remove_pod(world, action);
                let said = || format!("Deleted pod: {}", action.object.name);
                self.event(world, key, "Normal", "SuccessfulDelete", said, now);
            }
            Verb::Adopt => {
                let owner = world.daemonsets.get(key).map(owner_of);
                edit_pod(world, &action.object, |meta| meta.controller = owner);
            }
            Verb::Release => release_pod(world, &action.object),
            Verb::Relabel => edit_pod(world, &action.object, |meta| {
                let mut labels = BTreeMap::clone(&meta.labels);
                labels.insert(HASH_LABEL.into(), hash.clone());
                meta.labels = Arc::new(labels);
            }),
            Verb::CreateRevision => create_revision(world, pass, key, &action.object, &hash, now),
            Verb::RenumberRevision => {
                if let Some(number) = pass.numbers.get(&action.object) {
                    edit_revision(world, &action.object, |revision| {
                        revision.revision = *number;
                        Arc::make_mut(&mut revision.value)["revision"] = json!(number);
                    });
                }
            }
            Verb::AdoptRevision => {
                let owner = world.daemonsets.get(key).map(owner_of);
                edit_revision(world, &action.object, |revision| {
                    if let Some(owner) = &owner {
                        Arc::make_mut(&mut revision.value)["metadata"]["ownerReferences"] =
                            json!([owner.reference()]);
                    }
                    revision.meta.controller = owner;
                });
            }
            Verb::ReleaseRevision => release_revision(world, &action.object),
            Verb::DeleteRevision | Verb::DeleteDaemonset => {
                collect(world, action);
            }
            // Those are other controllers', and the scheduler's.
            Verb::Evict | Verb::Preempt | Verb::Bind => {}
        }
    }

    /// Creates and binds a pod, and gives its key back.
    #[allow(clippy::too_many_arguments)] // one call, just above
    fn create(
        &mut self,
        world: &mut World,
        reasoner: &Reasoner,
        key: &ObjectKey,
        node: &Name,
        hash: &Name,
        readiness: Readiness,
        now: i64,
    ) -> ObjectKey {
        let Some(daemonset) = world.daemonsets.get(key) else { return key.clone() };
        let assumed = readiness == Readiness::Assume && !self.schedules;
        let phase = &self.phases[usize::from(assumed)];
        let made = self.bases.entry((key.clone(), hash.clone()));
        let made = made
            .or_insert_with(|| {
                let base = template::base(daemonset, hash, &reasoner.added_tolerations(key));
                Made {
                    common: Arc::new(Common {
                        generation: 1,
                        created: now,
                        labels: Arc::new(crate::kube::labels_of(&base.value["metadata"]["labels"])),
                        controller: Some(owner_of(daemonset)),
                        ..Common::default()
                    }),
                    stand: Arc::new(Stand {
                        phase: phase.clone(),
                        ready: assumed,
                        ready_since: assumed.then_some(ready_since(daemonset, now)),
                        body: Body::Made(Arc::new(base)),
                    }),
                }
            })
            .clone();
        let mut attempt = world.attempts.get(&(key.clone(), node.clone())).copied().unwrap_or(0);
        let mut pod = pod_key(key, node, hash, attempt);
        while self.arrivals.has(world, &pod) {
            attempt += 1;
            pod = pod_key(key, node, hash, attempt);
        }
        let meta = Meta {
            key: pod.clone(),
            uid: world.uid(Kind::Pod, &pod),
            resource_version: world.next_version(),
            stored: 0,
            common: made.common,
        };
        let made = Pod {
            meta,
            node: (!self.schedules).then(|| node.clone()),
            pinned: self.schedules.then(|| node.clone()),
            stand: made.stand,
        };
        self.arrivals.push(world, made);
        pod
    }

    /// What becomes of a pod that was bound: taken as running and ready, it is so.
    pub(super) fn started(&self, world: &mut World, key: &ObjectKey, readiness: Readiness, now: i64) {
        if readiness != Readiness::Assume {
            return;
        }
        let Some(owner) = world.pods.get(key).and_then(|pod| pod.meta.controller.clone()) else { return };
        let daemonset = ObjectKey::new(key.namespace.clone(), owner.name.clone());
        let since = world.daemonsets.get(&daemonset).map(|daemonset| ready_since(daemonset, now));
        let (Some(since), Some(pod)) = (since, world.pods.get_mut(key)) else { return };
        pod.phase = self.phases[1].clone();
        pod.ready = true;
        pod.ready_since = Some(since);
    }

    /// Records what the controller warns of, and starts back-offs.
    fn warn(&mut self, world: &mut World, pass: &Pass, now: i64) {
        for key in &pass.selecting_all {
            let said = "This daemon set is selecting all pods. A non-empty selector is required.";
            self.event(world, key, "Warning", "SelectingAll", || said.to_owned(), now);
        }
        for (key, pod, node) in &pass.failed {
            let said = || format!("Found failed daemon pod {pod} on node {node}, will try to kill it");
            self.event(world, key, "Warning", "FailedDaemonPod", said, now);
            let Some(daemonset) = world.daemonsets.get(key) else { continue };
            let place = (daemonset.meta.uid.name(), node.clone());
            let next = next_backoff(world.backoff.get(&place), now);
            world.backoff.insert(place.clone(), next);
            world.dirty.backoff.insert(place);
        }
        for (key, pod, node) in &pass.succeeded {
            let said = || format!("Found succeeded daemon pod {pod} on node {node}, will try to delete it");
            self.event(world, key, "Normal", "SucceededDaemonPod", said, now);
        }
    }

    /// Records an eviction.
    fn evicted(&mut self, world: &mut World, action: &Action, now: i64) {
        if action.verb == Verb::Evict {
            let said = format!("Marking for deletion Pod {}", action.object);
            let from = ("taint-eviction-controller", "Normal", "TaintManagerEviction");
            self.of_pod(world, &action.object, action.daemonset.clone(), from, said, now);
        }
    }

    /// Records what a controller, the source, says of a pod.
    pub(super) fn of_pod(
        &mut self,
        world: &mut World,
        pod: &ObjectKey,
        owner: Option<ObjectKey>,
        (source, kind, reason): (&'static str, &'static str, &'static str),
        message: String,
        time: i64,
    ) {
        if self.told_of_pods < POD_EVENTS {
            self.told_of_pods += 1;
            let (owner, about) = (owner.map(|it| it.name), pod.clone());
            let event = Event { of: Kind::Pod, about, owner, source, kind, reason, message, time };
            world.dirty.events.push(event);
        }
    }

    pub(super) fn event(
        &mut self,
        world: &mut World,
        about: &ObjectKey,
        kind: &'static str,
        reason: &'static str,
        message: impl Fn() -> String,
        time: i64,
    ) {
        let count = self.events.entry(about.clone()).or_default();
        if *count < EVENT_BURST {
            *count += 1;
            let message = message();
            world.dirty.events.push(Event::of_daemonset(about, kind, reason, message, time));
        }
    }
}

/// Since when a pod that is taken as ready has been so.
fn ready_since(daemonset: &DaemonSet, now: i64) -> i64 {
    now - daemonset.min_ready_seconds - 1
}

/// flowcontrol.Backoff.Next: doubles, up to the longest; starts anew when the last one
/// is long past.
fn next_backoff(last: Option<&Backoff>, now: i64) -> Backoff {
    let (first, longest) = BACKOFF_SECONDS;
    let seconds = match last {
        Some(last) if now - last.since <= 2 * longest => (last.seconds * 2).min(longest),
        _ => first,
    };
    Backoff { seconds, since: now }
}

/// The name of a pod: the daemonset's, a dash and a short hash of all that tells the pod
/// apart, within the 63 characters of a DNS label.
fn pod_key(daemonset: &ObjectKey, node: &str, hash: &str, attempt: u32) -> ObjectKey {
    const ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
    let text = format!("{}/{}/{node}/{hash}/{attempt}", daemonset.namespace, daemonset.name);
    let digest = Sha256::digest(text.as_bytes());
    let short: String = digest
        .iter()
        .take(10)
        .map(|byte| char::from(ALPHABET[usize::from(*byte) % ALPHABET.len()]))
        .collect();
    let longest = 63 - 1 - short.len();
    let name: String = daemonset.name.chars().take(longest).collect();
    ObjectKey::new(daemonset.namespace.clone(), format!("{}-{short}", name.trim_end_matches(['-', '.'])))
}

fn owner_of(daemonset: &DaemonSet) -> Arc<Owner> {
    Arc::new(Owner::daemonset(&daemonset.meta.key.name, &daemonset.meta.uid))
}

/// Carries out what is done to what another object was gone with, and says whether it was
/// there.
fn collect(world: &mut World, action: &Action) -> bool {
    let there = |kind| world.meta(kind, &action.object).is_some();
    match action.verb {
        Verb::DeleteDaemonset => world.delete(Kind::DaemonSet, &action.object, Cascade::default()),
        Verb::DeleteRevision => world.delete(Kind::ControllerRevision, &action.object, Cascade::default()),
        Verb::Release if there(Kind::Pod) => {
            release_pod(world, &action.object);
            true
        }
        Verb::ReleaseRevision if there(Kind::ControllerRevision) => {
            release_revision(world, &action.object);
            true
        }
        Verb::Delete | Verb::Evict => remove_pod(world, action),
        _ => false,
    }
}

/// Takes its owner from a pod.
fn release_pod(world: &mut World, key: &ObjectKey) {
    edit_pod(world, key, |meta| meta.controller = None);
}

/// Takes its owner from a revision.
fn release_revision(world: &mut World, key: &ObjectKey) {
    edit_revision(world, key, |revision| {
        revision.meta.controller = None;
        if let Some(meta) = Arc::make_mut(&mut revision.value)["metadata"].as_object_mut() {
            meta.remove("ownerReferences");
        }
    });
}

/// Removes the pod of an action, and counts the attempt that it was.
pub(super) fn remove_pod(world: &mut World, action: &Action) -> bool {
    let removed = world.remove(Kind::Pod, &action.object);
    if let (true, Some(daemonset), Some(node)) = (removed, &action.daemonset, &action.node) {
        let place = (daemonset.clone(), node.clone());
        *world.attempts.entry(place.clone()).or_default() += 1;
        world.dirty.attempts.insert(place);
    }
    removed
}

fn edit_pod(world: &mut World, key: &ObjectKey, edit: impl FnOnce(&mut Meta)) {
    let version = world.next_version();
    let Some(pod) = world.pods.get_mut(key) else { return };
    edit(&mut pod.meta);
    pod.meta.resource_version = version;
    world.touch(Kind::Pod, key);
}

fn edit_revision(world: &mut World, key: &ObjectKey, edit: impl FnOnce(&mut Revision)) {
    let version = world.next_version();
    let Some(revision) = world.revisions.get_mut(key) else { return };
    edit(revision);
    revision.meta.resource_version = version;
    world.touch(Kind::ControllerRevision, key);
}

fn create_revision(world: &mut World, pass: &Pass, key: &ObjectKey, name: &ObjectKey, hash: &Name, now: i64) {
    let Some(daemonset) = world.daemonsets.get(key) else { return };
    let value: Value =
        template::revision(daemonset, name, hash, pass.numbers.get(name).copied().unwrap_or(1));
    let mut revision = Revision::from_value(name.clone(), Arc::new(value));
    revision.meta.uid = world.revision_uid(name, key);
    revision.meta.resource_version = world.next_version();
    revision.meta.created = now;
    world.touch(Kind::ControllerRevision, name);
    world.revisions.insert(name.clone(), revision);
}

/// A status for a new generation also ends the back-offs of the former one, whose key
/// held that generation (failedPodsBackoffKey).
fn set_status(world: &mut World, key: &ObjectKey, status: &Status) {
    let Some(daemonset) = world.daemonsets.get_mut(key) else { return };
    if daemonset.status == *status {
        return;
    }
    // A status that nobody wrote is not one of a former generation.
    let former = daemonset.status.observed_generation;
    let new_generation = former != 0 && former != status.observed_generation;
    let uid = daemonset.meta.uid.name();
    daemonset.status = status.clone();
    if new_generation && !world.backoff.is_empty() {
        let ended: Vec<_> = world.backoff.keys().filter(|(owner, _)| *owner == uid).cloned().collect();
        for place in ended {
            world.backoff.remove(&place);
            world.dirty.backoff.insert(place);
        }
    }
    let version = world.next_version();
    if let Some(daemonset) = world.daemonsets.get_mut(key) {
        daemonset.meta.resource_version = version;
    }
    world.touch(Kind::DaemonSet, key);
}
