//! One pass of the controller over one daemonset, read off the derived relations.
//!
//! Everything that is decided is in the relations; here it is counted, put into a stable
//! order and taken as far as the bounds allow, as the controller's syncDaemonSet does:
//! history first, then the pod diff, then, if that changed nothing, a rollout step.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::reasons::{Cause, because, causes};
use super::tally::{Tally, Touched};
use super::{Action, Because, Verb, rollout};
use crate::datalog::{Row, Sym};
use crate::kube::{DaemonSet, Name, ObjectKey, Status};
use crate::reason::Reasoner;
use crate::state::World;

/// What one pass does.
#[derive(Debug, Clone, Default)]
pub struct Pass {
    /// What it changes, by daemonset, verb, node and object.
    pub actions: Vec<Action>,
    /// What other controllers of Kubernetes take away: its node or owner is gone.
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

/// The relations that several rules derive, each for its own reason.
const CAUSED: &[&str] = &["awaited", "collect", "create", "delete", "renumber"];

/// Where the pass looks things up.
pub(super) struct Context<'a> {
    pub reasoner: &'a Reasoner,
    pub world: &'a World,
    pub tally: &'a Tally,
    causes: BTreeMap<&'static str, Vec<Cause>>,
    /// Names of nodes that were asked for: thousands of actions share each.
    names: RefCell<FxHashMap<Sym, Name>>,
}

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
    pass
}

impl Pass {
    /// Whether it changes nothing.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.actions.is_empty() && self.collected.is_empty() && self.collisions.is_empty()
    }
}

impl<'a> Context<'a> {
    pub(super) fn new(reasoner: &'a Reasoner, world: &'a World, tally: &'a Tally) -> Self {
        let causes = CAUSED.iter().map(|head| (*head, causes(reasoner.program(), head))).collect();
        Context { reasoner, world, tally, causes, names: RefCell::default() }
    }

    /// The rules that derive a relation, each with its reason.
    pub(super) fn causes(&self, head: &str) -> &[Cause] {
        self.causes.get(head).map_or(&[], Vec::as_slice)
    }

    fn daemonset(&self, daemonset: &DaemonSet, pass: &mut Pass) {
        let key = &daemonset.meta.key;
        let Some(it) = self.reasoner.symbols().find_text(&key.to_string()) else { return };
        if self.has("selects_everything", it) {
            pass.selecting_all.push(key.clone());
        }
        if self.has("unmanaged", it) {
            return;
        }
        if self.has("collision", it) {
            pass.collisions.push(key.clone());
            return;
        }
        self.history(daemonset, it, pass);
        for (relation, verb) in
            [("adopt", Verb::Adopt), ("release", Verb::Release), ("relabel", Verb::Relabel)]
        {
            let because = self.because(relation);
            for row in self.reasoner.rows_of(relation, &[it]) {
                let object = self.reasoner.key(row[1]);
                let node = self.world.pods.get(&object).and_then(|pod| pod.target().cloned());
                pass.actions.push(action(key, verb, node, object, &because));
            }
        }
        self.diff(key, it, pass);
        rollout::step(self, daemonset, it, pass);
        pass.statuses.insert(key.clone(), self.status(daemonset, it));
    }

    /// The pods that are created and deleted to fill and clean nodes.
    fn diff(&self, key: &ObjectKey, it: Sym, pass: &mut Pass) {
        let Some(evaluation) = self.reasoner.evaluation() else { return };
        for cause in self.causes("create") {
            for row in evaluation.rows_with_prefix(cause.relation, &[it]) {
                pass.actions.push(self.create(key, row[1], &cause.because(self.reasoner, &row)));
            }
        }
        for cause in self.causes("delete") {
            for row in evaluation.rows_with_prefix(cause.relation, &[it]) {
                pass.actions.push(self.delete(key, row[1], row[2], &cause.because(self.reasoner, &row)));
            }
        }
        for (relation, list) in [("failed", &mut pass.failed), ("succeeded", &mut pass.succeeded)] {
            for row in self.reasoner.rows_of(relation, &[it]) {
                list.push((key.clone(), self.reasoner.key(row[1]), self.reasoner.name(row[2])));
            }
        }
    }

    /// A pod to be created; its name is given when it is.
    pub(super) fn create(&self, daemonset: &ObjectKey, node: Sym, because: &Arc<Because>) -> Action {
        let node = self.name(node);
        action(daemonset, Verb::Create, Some(node), ObjectKey::new("", ""), because)
    }

    pub(super) fn delete(
        &self,
        daemonset: &ObjectKey,
        pod: Sym,
        node: Sym,
        because: &Arc<Because>,
    ) -> Action {
        let node = self.name(node);
        action(daemonset, Verb::Delete, Some(node), self.reasoner.key(pod), because)
    }

    fn name(&self, node: Sym) -> Name {
        let mut names = self.names.borrow_mut();
        names.entry(node).or_insert_with(|| self.reasoner.name(node)).clone()
    }

    /// Revisions: one for the current template, numbers, folding, what may go.
    fn history(&self, daemonset: &DaemonSet, it: Sym, pass: &mut Pass) {
        let key = &daemonset.meta.key;
        let hash = self.reasoner.rows_of("current_hash", &[it]).next().map(|row| self.reasoner.name(row[1]));
        let hash = hash.unwrap_or_default();
        pass.hashes.insert(key.clone(), hash.clone());
        let mut old: Vec<(i64, ObjectKey)> = self.revisions("old_revision", it).collect();
        old.sort();
        let next = old.last().map_or(0, |(number, _)| *number) + 1;
        if self.has("create_revision", it) {
            let name = ObjectKey::new(&*key.namespace, format!("{}-{hash}", key.name));
            pass.numbers.insert(name.clone(), next);
            pass.actions.push(action(
                key,
                Verb::CreateRevision,
                None,
                name,
                &self.because("create_revision"),
            ));
        }
        for (row, because) in self.caused("renumber", &[it]) {
            let revision = self.reasoner.key(row[1]);
            if pass.numbers.insert(revision.clone(), next).is_none() {
                pass.actions.push(action(key, Verb::RenumberRevision, None, revision, &because));
            }
        }
        let surplus =
            old.len().saturating_sub(usize::try_from(daemonset.revision_history_limit).unwrap_or(0));
        let mut spare: Vec<(i64, ObjectKey)> = self.revisions("spare_revision", it).collect();
        spare.sort();
        let cleans = !rollout::is_stuck(self, daemonset, it);
        for (_, revision) in spare.into_iter().take(if cleans { surplus } else { 0 }) {
            pass.actions.push(action(
                key,
                Verb::DeleteRevision,
                None,
                revision,
                &self.because("spare_revision"),
            ));
        }
        for (relation, verb) in [
            ("adopt_revision", Verb::AdoptRevision),
            ("release_revision", Verb::ReleaseRevision),
            ("folded_revision", Verb::DeleteRevision),
        ] {
            for (_, revision) in self.revisions(relation, it) {
                pass.actions.push(action(key, verb, None, revision, &self.because(relation)));
            }
        }
    }

    /// The revisions of a (daemonset, revision) relation with their numbers.
    fn revisions(&self, relation: &str, it: Sym) -> impl Iterator<Item = (i64, ObjectKey)> {
        let keys: Vec<ObjectKey> =
            self.reasoner.rows_of(relation, &[it]).map(|row| self.reasoner.key(row[1])).collect();
        keys.into_iter()
            .map(|key| (self.world.revisions.get(&key).map_or(0, |revision| revision.revision), key))
    }

    pub(super) fn status(&self, daemonset: &DaemonSet, it: Sym) -> Status {
        let count = |relation| i64::try_from(self.tally.count(relation, it)).unwrap_or(i64::MAX);
        let desired = i64::try_from(self.desired(it)).unwrap_or(i64::MAX);
        let available = count("scheduled_available");
        Status {
            current_number_scheduled: count("scheduled"),
            number_misscheduled: count("misscheduled"),
            desired_number_scheduled: desired,
            number_ready: count("scheduled_ready"),
            observed_generation: daemonset.meta.generation,
            updated_number_scheduled: count("scheduled_updated"),
            number_available: available,
            number_unavailable: desired - available,
            collision_count: daemonset.status.collision_count,
        }
    }

    /// How many nodes should run a pod of the daemonset.
    pub(super) fn desired(&self, it: Sym) -> usize {
        let class = self.reasoner.rows_of("in_class", &[it]).next();
        let fits = class.map_or(0, |row| self.tally.eligible(row[1]));
        fits.saturating_sub(self.tally.count("kept_off", it))
    }

    pub(super) fn has(&self, relation: &str, it: Sym) -> bool {
        self.reasoner.rows_of(relation, &[it]).next().is_some()
    }

    /// Why the pods of a daemonset on a node are not available, in the words of the rule
    /// for the first of them; nothing where they are.
    fn trouble(&self, it: Sym, node: Sym) -> Option<String> {
        let evaluation = self.reasoner.evaluation()?;
        self.causes("awaited").iter().find_map(|cause| {
            let mut rows = evaluation.rows_with_prefix(cause.relation, &[it, node]);
            rows.next().map(|row| cause.sentence(self.reasoner, &row))
        })
    }

    /// A reason that rests on a pod that is not available, with why it is not.
    pub(super) fn because_of_trouble(&self, because: &Arc<Because>, it: Sym, node: Sym) -> Arc<Because> {
        let Some(trouble) = self.trouble(it, node) else { return because.clone() };
        let sentence = format!("{}: {trouble}", because.sentence.trim_end_matches('.')).into();
        Arc::new(Because { sentence, rule: because.rule.clone() })
    }

    /// The only rule that derives the relation.
    pub(super) fn because(&self, relation: &str) -> Arc<Because> {
        let program = self.reasoner.program();
        let rule = program.relation(relation).and_then(|id| program.rules_for(id).next());
        rule.map(because).unwrap_or_default()
    }

    /// The rows that the rules of a relation fire on, by rule, each with its reason.
    pub(super) fn caused<'b>(
        &'b self,
        head: &str,
        prefix: &'b [Sym],
    ) -> impl Iterator<Item = (Row, Arc<Because>)> + 'b {
        let evaluation = self.reasoner.evaluation();
        let causes = self.causes(head);
        evaluation
            .into_iter()
            .flat_map(move |evaluation| causes.iter().map(move |it| (evaluation, it)))
            .flat_map(move |(evaluation, cause)| {
                let rows = evaluation.rows_with_prefix(cause.relation, prefix);
                rows.map(|row| (row, cause.because(self.reasoner, &row)))
            })
    }

    /// Pods and revisions whose node or owner is gone, whoever they belong to.
    fn collect(&self, pass: &mut Pass) {
        let mut seen = BTreeSet::new();
        for (row, because) in self.caused("collect", &[]) {
            let object = self.reasoner.key(row[0]);
            let Some(pod) = self.world.pods.get(&object) else { continue };
            if !seen.insert(row[0]) {
                continue;
            }
            let node = pod.target().cloned();
            let owner = pod.meta.controller.as_ref().filter(|owner| &*owner.kind == "DaemonSet");
            let daemonset = owner.map(|owner| ObjectKey::new(object.namespace.clone(), owner.name.clone()));
            pass.collected.push(Action { daemonset, verb: Verb::Delete, node, object, because });
        }
        let because = self.because("collect_revision");
        for row in self.reasoner.rows("collect_revision") {
            let object = self.reasoner.key(row[0]);
            let owner =
                self.world.revisions.get(&object).and_then(|revision| revision.meta.controller.clone());
            let daemonset = owner.map(|owner| ObjectKey::new(object.namespace.clone(), owner.name.clone()));
            let because = because.clone();
            pass.collected.push(Action {
                daemonset,
                verb: Verb::DeleteRevision,
                node: None,
                object,
                because,
            });
        }
    }
}

pub(super) fn action(
    daemonset: &ObjectKey,
    verb: Verb,
    node: Option<Name>,
    object: ObjectKey,
    because: &Arc<Because>,
) -> Action {
    Action { daemonset: Some(daemonset.clone()), verb, node, object, because: because.clone() }
}
