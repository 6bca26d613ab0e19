//! One pass of the controller over one daemonset, read off the derived relations.
//!
//! Everything that is decided is in the relations; here it is counted, put into a stable
//! order and taken as far as the bounds allow, as the controller's syncDaemonSet does:
//! history first, then the pod diff, then, if that changed nothing, a rollout step.

use std::collections::{BTreeMap, BTreeSet};

use super::action::{Action, Verb, action};
use super::context::Context;
use super::rollout;
use super::tally::{Tally, Touched};
use crate::datalog::{Handle, Sym};
use crate::kube::{DaemonSet, Kind, Name, ObjectKey, Status};
use crate::policy::relations;
use crate::reason::Reasoner;
use crate::state::World;

/// What one pass does.
#[derive(Debug, Clone, Default)]
pub struct Pass {
    /// What it changes, by daemonset, verb, node and object.
    pub actions: Vec<Action>,
    /// What other controllers of Kubernetes take away, or leave without an owner: its node,
    /// owner or namespace is gone, or its node's taints drive it out.
    pub collected: Vec<Action>,
    /// The status it reports for each daemonset, from the pods as they were before it.
    pub statuses: BTreeMap<ObjectKey, Status>,
    /// Failed pods it deletes, which start a back-off: daemonset, pod, node.
    pub failed: Vec<(ObjectKey, ObjectKey, Name)>,
    /// Ended pods it deletes: daemonset, pod, node.
    pub succeeded: Vec<(ObjectKey, ObjectKey, Name)>,
    /// Numbers of the revisions that are created or renumbered.
    pub numbers: BTreeMap<ObjectKey, i64>,
    /// The hash by which each daemonset's new pods are known.
    pub hashes: BTreeMap<ObjectKey, Name>,
    /// Daemonsets whose new revision finds its name taken: another name is tried, and
    /// nothing else is done.
    pub collisions: Vec<ObjectKey>,
    /// Daemonsets whose selector is empty.
    pub selecting_all: Vec<ObjectKey>,
}

/// What is done to objects because of others: the relation, what it names, the verb.
const CASCADES: &[(Handle, Kind, Verb)] = &[
    (relations::collect, Kind::Pod, Verb::Delete),
    (relations::orphan, Kind::Pod, Verb::Release),
    (relations::evict, Kind::Pod, Verb::Evict),
    (relations::collect_revision, Kind::ControllerRevision, Verb::DeleteRevision),
    (relations::orphan_revision, Kind::ControllerRevision, Verb::ReleaseRevision),
    (relations::collect_daemonset, Kind::DaemonSet, Verb::DeleteDaemonset),
];

/// Reads one pass over every daemonset of the world off what was derived from it.
#[must_use]
pub fn pass(reasoner: &Reasoner, world: &World) -> Pass {
    pass_over(reasoner, world, &Tally::of(reasoner), &Touched::All)
}

/// Reads one pass over the daemonsets that were touched; the others have nothing to do,
/// and the status they had.
#[must_use]
pub fn pass_over(reasoner: &Reasoner, world: &World, tally: &Tally, touched: &Touched) -> Pass {
    let context = Context::new(reasoner, world, tally);
    let mut pass = Pass::default();
    match touched {
        Touched::All => world.daemonsets.values().for_each(|it| context.daemonset(it, &mut pass)),
        Touched::Only(keys) => keys
            .iter()
            .filter_map(|key| world.daemonsets.get(key))
            .for_each(|it| context.daemonset(it, &mut pass)),
    }
    context.collect(&mut pass);
    pass.collected.sort();
    pass.actions.sort();
    // What several rules ask for is done once.
    let what = |it: &Action| (it.daemonset.clone(), it.verb, it.node.clone(), it.object.clone());
    let by_rows = |it: &Action| matches!(it.verb, Verb::Create | Verb::Delete);
    pass.actions.dedup_by(|a, b| by_rows(a) && a.verb == b.verb && what(a) == what(b));
    // There may be millions, which stay until the plan is told.
    pass.actions.shrink_to_fit();
    pass
}

impl Pass {
    /// Whether it changes nothing.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.actions.is_empty() && self.collected.is_empty() && self.collisions.is_empty()
    }
}

impl Context<'_> {
    fn daemonset(&self, daemonset: &DaemonSet, pass: &mut Pass) {
        let key = &daemonset.meta.key;
        let Some(it) = self.reasoner.symbols().find_text(&key.to_string()) else { return };
        if self.has(relations::selects_everything, it) {
            pass.selecting_all.push(key.clone());
        }
        if self.has(relations::unmanaged, it) {
            return;
        }
        if self.has(relations::collision, it) {
            pass.collisions.push(key.clone());
            return;
        }
        self.history(daemonset, it, pass);
        for (relation, verb) in [
            (relations::adopt, Verb::Adopt),
            (relations::release, Verb::Release),
            (relations::relabel, Verb::Relabel),
        ] {
            let because = self.because(relation);
            for row in self.reasoner.rows_of(relation, &[it]) {
                let object = self.reasoner.key(row[1]);
                let node = self.world.pods.get(&object).and_then(|pod| pod.target().cloned());
                pass.actions.push(action(key, verb, node, object, &because));
            }
        }
        self.diff(key, it, pass);
        rollout::step(self, daemonset, it, &mut pass.actions);
        pass.statuses.insert(key.clone(), self.status(daemonset, it));
    }

    /// The pods that are created and deleted to fill and clean nodes.
    fn diff(&self, key: &ObjectKey, it: Sym, pass: &mut Pass) {
        let Some(evaluation) = self.reasoner.evaluation() else { return };
        for cause in self.causes(relations::create) {
            for row in evaluation.rows_with_prefix(cause.relation, &[it]) {
                pass.actions.push(self.create(key, row[1], &cause.because(self.reasoner, &row)));
            }
        }
        for cause in self.causes(relations::delete) {
            for row in evaluation.rows_with_prefix(cause.relation, &[it]) {
                pass.actions.push(self.delete(key, row[1], row[2], &cause.because(self.reasoner, &row)));
            }
        }
        for (relation, list) in
            [(relations::failed, &mut pass.failed), (relations::succeeded, &mut pass.succeeded)]
        {
            for row in self.reasoner.rows_of(relation, &[it]) {
                list.push((key.clone(), self.reasoner.key(row[1]), self.reasoner.name(row[2])));
            }
        }
    }

    /// Revisions: one for the current template, numbers, folding, what may go.
    fn history(&self, daemonset: &DaemonSet, it: Sym, pass: &mut Pass) {
        let key = &daemonset.meta.key;
        let hash = self
            .reasoner
            .rows_of(relations::current_hash, &[it])
            .next()
            .map(|row| self.reasoner.name(row[1]));
        let hash = hash.unwrap_or_default();
        pass.hashes.insert(key.clone(), hash.clone());
        let mut old: Vec<(i64, ObjectKey)> = self.revisions(relations::old_revision, it).collect();
        old.sort();
        let next = old.last().map_or(0, |(number, _)| *number) + 1;
        if self.has(relations::create_revision, it) {
            let name = ObjectKey::new(&*key.namespace, format!("{}-{hash}", key.name));
            pass.numbers.insert(name.clone(), next);
            pass.actions.push(action(
                key,
                Verb::CreateRevision,
                None,
                name,
                &self.because(relations::create_revision),
            ));
        }
        for (row, because) in self.caused(relations::renumber, &[it]) {
            let revision = self.reasoner.key(row[1]);
            if pass.numbers.insert(revision.clone(), next).is_none() {
                pass.actions.push(action(key, Verb::RenumberRevision, None, revision, &because));
            }
        }
        let surplus =
            old.len().saturating_sub(usize::try_from(daemonset.revision_history_limit).unwrap_or(0));
        let mut spare: Vec<(i64, ObjectKey)> = self.revisions(relations::spare_revision, it).collect();
        spare.sort();
        let cleans = !rollout::is_stuck(self, daemonset, it);
        for (_, revision) in spare.into_iter().take(if cleans { surplus } else { 0 }) {
            pass.actions.push(action(
                key,
                Verb::DeleteRevision,
                None,
                revision,
                &self.because(relations::spare_revision),
            ));
        }
        for (relation, verb) in [
            (relations::adopt_revision, Verb::AdoptRevision),
            (relations::release_revision, Verb::ReleaseRevision),
            (relations::folded_revision, Verb::DeleteRevision),
        ] {
            for (_, revision) in self.revisions(relation, it) {
                pass.actions.push(action(key, verb, None, revision, &self.because(relation)));
            }
        }
    }

    /// The revisions of a (daemonset, revision) relation with their numbers.
    fn revisions(&self, relation: Handle, it: Sym) -> impl Iterator<Item = (i64, ObjectKey)> {
        let keys: Vec<ObjectKey> =
            self.reasoner.rows_of(relation, &[it]).map(|row| self.reasoner.key(row[1])).collect();
        keys.into_iter()
            .map(|key| (self.world.revisions.get(&key).map_or(0, |revision| revision.revision), key))
    }

    /// What goes or is left without an owner because something else is gone, whoever it
    /// belonged to.
    fn collect(&self, pass: &mut Pass) {
        for (relation, kind, verb) in CASCADES {
            let mut seen = BTreeSet::new();
            for (row, because) in self.caused(*relation, &[]) {
                let object = self.reasoner.key(row[0]);
                let Some(meta) = self.world.meta(*kind, &object) else { continue };
                if !seen.insert(row[0]) {
                    continue;
                }
                let owner = meta.controller.as_ref().filter(|owner| &*owner.kind == Kind::DaemonSet.name());
                let daemonset = match kind {
                    Kind::DaemonSet => Some(object.clone()),
                    _ => owner.map(|owner| ObjectKey::new(object.namespace.clone(), owner.name.clone())),
                };
                let pod = if *kind == Kind::Pod { self.world.pods.get(&object) } else { None };
                let node = pod.and_then(|pod| pod.target().cloned());
                pass.collected.push(Action { daemonset, verb: *verb, node, object, because });
            }
        }
    }
}
