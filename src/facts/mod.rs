//! Facts: the world as rows of the rules' input relations.
//!
//! This is the only translator between objects and relations. It reads and groups and
//! decides nothing: daemonsets with equal constraints become one *class*, nodes that no
//! rule can tell apart one *profile*, equal labels in one namespace one *label set*, so
//! that rules compare kinds of things and not every thing with every other. With
//! [`Grouping::Off`] each object is its own group, and every answer is the same.
//!
//! ```text
//!   Node ──────── in_profile ──> profile: labels some daemonset asks for, taints, name
//!   DaemonSet ─── in_class ────> class: nodeName, selector, affinity, tolerations
//!   Pod, Revision ── pod ──────> label set
//! ```
//! The rows of an object begin with its symbol, so what changed is found by comparing
//! the object's rows with those the evaluation has under that symbol. Groups are never
//! taken back: one without members derives nothing that anyone asks for.

mod alone;
mod cluster;
mod driven;
mod encoder;
mod eviction;
mod fields;
mod filled;
mod paths;
mod placement;
mod plain;
mod pods;
mod room;
mod scheduling;
mod service;

use std::collections::{BTreeSet, HashMap};

pub use alone::Alone;
pub use cluster::wants_details;
pub use encoder::{Encoder, Grouping};
pub use paths::wants_whole;
pub use room::limited;

use crate::datalog::{Evaluation, Facts, RelationId, Row};
use crate::kube::{Kind, Name, ObjectKey};
use crate::policy::relations;
use crate::state::World;

impl Encoder {
    /// All facts of the world at the time `now` (seconds of Unix time).
    pub fn all(&mut self, world: &World, now: i64) -> Facts {
        self.learn_constraints(world);
        for ((kind, _), object) in &world.others {
            self.plain(*kind, object);
        }
        for daemonset in world.daemonsets.values() {
            self.daemonset(daemonset);
        }
        for node in world.nodes.values() {
            self.node(node);
        }
        for revision in world.revisions.values() {
            self.revision(revision);
        }
        for pod in world.pods.values() {
            self.pod(pod);
        }
        self.rest(world, now);
        std::mem::take(&mut self.out)
    }

    /// The facts that came and went since `evaluation` was brought up to date, when the
    /// objects `changed` differ (or are gone) and the time is `now`: (added, removed).
    pub fn changes<'a>(
        &mut self,
        world: &World,
        evaluation: &Evaluation,
        changed: impl IntoIterator<Item = &'a (Kind, ObjectKey)>,
        now: i64,
    ) -> (Facts, Facts) {
        let mut changed: BTreeSet<(Kind, ObjectKey)> = changed.into_iter().cloned().collect();
        if changed.iter().any(|(kind, _)| *kind == Kind::DaemonSet) && self.learn_constraints(world) {
            // A label or name nobody asked for before may tell nodes apart now.
            changed.extend(world.nodes.keys().map(|key| (Kind::Node, key.clone())));
        }
        for (kind, key) in &changed {
            match kind {
                Kind::Node => world.nodes.get(key).into_iter().for_each(|node| self.node(node)),
                Kind::DaemonSet => world.daemonsets.get(key).into_iter().for_each(|it| self.daemonset(it)),
                Kind::ControllerRevision => {
                    world.revisions.get(key).into_iter().for_each(|it| self.revision(it))
                }
                Kind::Pod => world.pods.get(key).into_iter().for_each(|pod| self.pod(pod)),
                _ => {
                    let object = world.others.get(&(*kind, key.clone()));
                    object.into_iter().for_each(|it| self.plain(*kind, it));
                }
            }
        }
        self.rest(world, now);
        let given = std::mem::take(&mut self.out);
        let inputs = self.program.declarations().map(|declaration| declaration.id);
        let fresh: BTreeSet<(RelationId, Row)> =
            inputs.flat_map(|id| given.rows(id).map(move |row| (id, row))).collect();
        let mut removed = Facts::new();
        for (kind, key) in &changed {
            let as_object = self.as_object(*kind, key);
            for relation in relations::ANY.iter().chain([&relations::object_field]).copied() {
                let Some(relation) = self.relation(relation) else { continue };
                for row in evaluation.rows_with_prefix(relation, &[as_object]) {
                    if !fresh.contains(&(relation, row)) {
                        removed.insert(relation, &row);
                    }
                }
            }
            let subject = self.subject(*kind, key);
            for relation in self.owned.get(kind).into_iter().flatten().copied() {
                for row in evaluation.rows_with_prefix(relation, &[subject]) {
                    if !fresh.contains(&(relation, row)) {
                        removed.insert(relation, &row);
                    }
                }
            }
        }
        for relation in relations::PASSING.iter().filter_map(|handle| self.relation(*handle)) {
            for row in evaluation.rows(relation) {
                if !fresh.contains(&(relation, row)) {
                    removed.insert(relation, &row);
                }
            }
        }
        let mut added = Facts::new();
        for (relation, row) in fresh {
            if !evaluation.contains(relation, &row) {
                added.insert(relation, &row);
            }
        }
        (added, removed)
    }

    /// What a plan does to pods, in place of what the one before did: (added, removed).
    pub fn planned<'a>(
        &mut self,
        evaluation: &Evaluation,
        planned: impl Iterator<Item = (&'a str, &'a ObjectKey, &'a str)>,
    ) -> (Facts, Facts) {
        let (mut added, mut removed) = (Facts::new(), Facts::new());
        let Some(relation) = self.relation(relations::planned) else { return (added, removed) };
        for row in evaluation.rows(relation) {
            removed.insert(relation, &row);
        }
        for (verb, daemonset, node) in planned {
            let daemonset = self.subject(Kind::DaemonSet, daemonset);
            added.insert(relation, &[self.text(verb), daemonset, self.text(node)]);
        }
        (added, removed)
    }

    /// The facts that belong to no single object, all of them each time.
    fn rest(&mut self, world: &World, seconds: i64) {
        let now = self.symbols.number(seconds);
        self.row(relations::now, &[now]);
        self.clock(seconds);
        let by_uid: HashMap<Name, &ObjectKey> = if world.backoff.is_empty() {
            HashMap::new()
        } else {
            world.daemonsets.iter().map(|(key, it)| (it.meta.uid.name(), key)).collect()
        };
        for ((uid, node), backoff) in &world.backoff {
            let Some(daemonset) = by_uid.get(uid) else { continue };
            let daemonset = self.subject(Kind::DaemonSet, daemonset);
            let node = self.text(node);
            let until = self.symbols.number(backoff.since.saturating_add(backoff.seconds));
            self.row(relations::backoff_until, &[daemonset, node, until]);
        }
        if let Some(turns) = &world.turns {
            let node = self.text(&turns.node);
            for key in world.daemonsets.keys().filter(|key| !turns.granted.contains(*key)) {
                let why = turns.waits.get(key).map_or("it has not come yet", |why| why);
                let (daemonset, why) = (self.subject(Kind::DaemonSet, key), self.text(why));
                self.row(relations::awaits_turn, &[daemonset, node, why]);
            }
        }
        self.driven(world);
        for node in &world.silent {
            let node = self.text(node);
            self.row(relations::node_silent, &[node]);
        }
        for (uid, cascade) in &world.deleted_owners {
            let (uid, cascade) = (self.text(uid), self.text(cascade.name()));
            self.row(relations::deleted_owner, &[uid, cascade]);
        }
        for pod in &world.tried {
            let pod = self.subject(Kind::Pod, pod);
            self.row(relations::pod_tried, &[pod]);
        }
        for pod in &world.asked_to_go {
            let pod = self.subject(Kind::Pod, pod);
            self.row(relations::eviction_asked, &[pod]);
        }
        for namespace in &world.deleted_namespaces {
            let namespace = self.text(namespace);
            self.row(relations::deleted_namespace, &[namespace]);
        }
        for (kind, key) in &world.given {
            let relation = match kind {
                Kind::DaemonSet => relations::daemonset_given,
                Kind::ControllerRevision => relations::revision_given,
                Kind::Pod => relations::pod_given,
                _ => continue,
            };
            let it = self.subject(*kind, key);
            self.row(relation, &[it]);
        }
    }
}
