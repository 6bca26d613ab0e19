//! What one controller decides: what is heard goes in, transactions come out.
//!
//! It asks nobody and waits for nobody. Whoever carries the transactions out says what became
//! of each; what was not done is put back to what the store says, and decided again.

use std::sync::Arc;

use serde_json::{Value, json};

use super::known::Known;
use super::members::{Guard, Members};
use super::op::Op;
use super::writes::writes;
use crate::app::load::{wants_details, wants_whole};
use crate::app::options::Options;
use crate::app::put::put_all;
use crate::app::shared::Entry;
use crate::app::tick::Tick;
use crate::datalog::Program;
use crate::diagnostic::Diagnostic;
use crate::facts::Grouping;
use crate::kube::{Kind, Name, Object, ObjectKey, Origin, timestamp};
use crate::plan::{Readiness, Reconciled, Reconciler, Settings, Share, evictions};
use crate::policy::relations;
use crate::reason::Reasoner;
use crate::state::{Dirty, Gone, World};

/// Writes that are done together, or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction {
    /// What the writer must be still.
    pub guard: Guard,
    /// The revision up to which all was known that led to it.
    pub seen: i64,
    /// The writes.
    pub ops: Vec<Op>,
}

/// What a controller decided.
#[derive(Debug, Default)]
pub struct Decided {
    /// In this order; where one is not done, none behind it is to be.
    pub transactions: Vec<Transaction>,
    /// What it was that was planned.
    pub reconciled: Reconciled,
}

/// One controller.
pub struct Controller {
    known: Known,
    reasoner: Reasoner,
    reconciler: Reconciler,
    /// Its name, and the revision that made its key.
    me: Option<(Name, i64)>,
    /// The members by whom the share was worked out, as it was last.
    shared: Option<Members>,
    /// Up to which revision all was heard.
    heard: i64,
    /// Whether something changed since it was decided last.
    stirred: bool,
    /// When time that passes may change something, in seconds of Unix time.
    due: Option<i64>,
}

impl Controller {
    /// One that knows nothing yet.
    #[must_use]
    pub fn new(program: &Program) -> Self {
        let program = &relations::living(program);
        Controller {
            known: Known::new(wants_whole(program), wants_details(program)),
            reasoner: Reasoner::new(program, Grouping::On),
            reconciler: Reconciler::default(),
            me: None,
            shared: None,
            heard: 0,
            stirred: true,
            due: None,
        }
    }

    /// That it is a member from the revision `created` on, or none any longer.
    pub fn is_member(&mut self, me: Option<(Name, i64)>) {
        self.me = me;
        self.stirred = true;
    }

    /// What is known.
    #[must_use]
    pub fn known(&self) -> &Known {
        &self.known
    }

    /// Up to which revision all was heard.
    #[must_use]
    pub fn heard(&self) -> i64 {
        self.heard
    }

    /// When time that passes may change something, in seconds of Unix time; for one that is no
    /// member it changes nothing.
    #[must_use]
    pub fn due(&self) -> Option<i64> {
        self.due.filter(|_| self.guard().is_some())
    }

    /// Takes in all keys there are at a revision.
    pub fn replace(&mut self, all: Vec<(String, Entry)>, revision: i64, now: i64) {
        self.known.replace(all, revision, now);
        self.known.passed(revision);
        self.heard = self.heard.max(revision);
        // What somebody left who went is found by looking.
        self.shared = None;
        self.stirred = true;
    }

    /// Forgets what was heard: what comes is another store, or an older state of it.
    pub fn forget(&mut self) {
        self.known.forget();
        self.reasoner.forget();
        (self.heard, self.shared) = (0, None);
    }

    /// Takes in that a key was written, or deleted, by a revision.
    pub fn hear(&mut self, key: &str, entry: Option<Entry>, revision: i64, now: i64) {
        self.known.hear(key, entry, revision, now);
        self.stirred = true;
    }

    /// Takes in that all was heard up to a revision.
    pub fn passed(&mut self, revision: i64) {
        self.known.passed(revision);
        self.heard = self.heard.max(revision);
    }

    /// The share that it has, as a guard of what it writes; nothing while it is no member, or waits
    /// for somebody else who writes.
    fn guard(&self) -> Option<Guard> {
        let (name, created) = self.me.as_ref().filter(|_| !self.known.waits())?;
        self.known.members.guard(name, *created)
    }

    /// Decides at the time `now`, in seconds of Unix time. The world is then as if all of it were
    /// done: each transaction has to be told of, as done or as not.
    ///
    /// # Errors
    /// When a rule derives too much, or a plan never comes to an end.
    pub fn decide(&mut self, now: i64) -> Result<Decided, Diagnostic> {
        let is_due = self.due.is_some_and(|due| due <= now);
        let Some(guard) = self.guard().filter(|_| self.stirred || is_due) else {
            return Ok(Decided::default());
        };
        let decided = self.plan(&guard, now);
        if decided.is_err() {
            // It is in the midst of a plan.
            self.known.rebuild(now);
            self.reasoner.forget();
            self.shared = None;
        }
        decided
    }

    fn plan(&mut self, guard: &Guard, now: i64) -> Result<Decided, Diagnostic> {
        if self.shared.as_ref() != Some(&self.known.members) {
            self.share(guard);
        }
        self.known.settle();
        let settings = Settings { readiness: Readiness::Observe, now };
        let mut reconciled =
            self.reconciler.reconcile(&mut self.known.world, &mut self.reasoner, settings)?;
        if self.tend_nodes(guard, now) {
            let more = self.reconciler.reconcile(&mut self.known.world, &mut self.reasoner, settings)?;
            let Reconciled { waves, .. } = std::mem::take(&mut reconciled);
            reconciled =
                Reconciled { waves: waves.into_iter().chain(more.waves.iter().cloned()).collect(), ..more };
        }
        self.stirred = false;
        self.due = self.next(&reconciled, now);
        let transactions = self.transactions(guard);
        Ok(Decided { transactions, reconciled })
    }

    /// Brings objects of manifests into the store, and takes out what is gone from them, as
    /// [`decide`](Self::decide) does; nothing while it is no member. What follows of it is decided
    /// the next time.
    pub fn bring(
        &mut self,
        objects: Vec<Object>,
        gone: &Gone,
        also: Option<Op>,
        now: i64,
    ) -> Vec<Transaction> {
        let Some(guard) = self.guard() else { return Vec::new() };
        put_all(&mut self.known.world, objects, gone, &Options::at(now));
        self.stirred = true;
        let mut transactions = self.transactions(&guard);
        let seen = self.heard;
        transactions.extend(also.map(|op| Transaction { guard, seen, ops: vec![op] }));
        transactions
    }

    /// Whether something that belongs to no daemonset is its own.
    #[must_use]
    pub fn owns(&self, thing: &ObjectKey) -> bool {
        self.guard().is_some_and(|guard| self.known.members.owner(thing) == Some(&*guard.member))
    }

    /// What is dirty as transactions; then nothing is.
    fn transactions(&mut self, guard: &Guard) -> Vec<Transaction> {
        let batches = writes(&self.known);
        self.known.world.dirty = Dirty::default();
        let seen = self.heard;
        batches.into_iter().map(|ops| Transaction { guard: guard.clone(), seen, ops }).collect()
    }

    /// Plans for what is its own among these members.
    fn share(&mut self, guard: &Guard) {
        let members = Arc::new(self.known.members.clone());
        let me = guard.member.clone();
        let of = members.clone();
        self.reconciler.plan_for(Share::new(move |thing| of.owner(thing) == Some(&*me)));
        self.shared = Some(Members::clone(&members));
        self.known.find_orphans();
    }

    /// That a transaction was done by a revision.
    pub fn done(&mut self, transaction: Transaction, revision: i64) {
        self.known.wrote(transaction.ops, revision);
    }

    /// That transactions were not done, or that nobody knows: what the store says is true.
    pub fn not_done(&mut self, transactions: Vec<Transaction>, now: i64) {
        for op in transactions.into_iter().flat_map(|it| it.ops) {
            self.known.take_in(&op.key, now);
        }
        self.known.find_orphans();
        self.stirred = true;
    }

    /// Does to its nodes, and to the pods on them, what the rules say of agents that are not heard
    /// of. Says whether something changed.
    fn tend_nodes(&mut self, guard: &Guard, now: i64) -> bool {
        let Controller { known, reasoner, .. } = self;
        let owns = |members: &Members, key: &ObjectKey| members.owner(key) == Some(&*guard.member);
        let taints: Vec<(Name, Name)> = reasoner
            .rows(relations::unreachable_taint)
            .map(|row| (reasoner.name(row[0]), reasoner.name(row[1])))
            .collect();
        let lost: std::collections::BTreeSet<Name> =
            reasoner.rows(relations::unreachable).map(|row| reasoner.name(row[0])).collect();
        let wrong: Vec<(ObjectKey, bool)> = known
            .world
            .nodes
            .iter()
            .map(|(key, node)| (key, node, lost.contains(&key.name)))
            .filter(|(key, node, is_lost)| is_marked(node, &taints) != *is_lost && owns(&known.members, key))
            .map(|(key, _, is_lost)| (key.clone(), is_lost))
            .collect();
        let unseen: Vec<ObjectKey> = reasoner
            .rows(relations::unseen)
            .filter(|row| owns(&known.members, &ObjectKey::new("", &*reasoner.name(row[1]))))
            .map(|row| reasoner.key(row[0]))
            .collect();
        let changed = !wrong.is_empty() || !unseen.is_empty();
        wrong.into_iter().for_each(|(key, is_lost)| mark(&mut known.world, &key, &taints, is_lost, now));
        unseen.iter().for_each(|key| unready(&mut known.world, key, now));
        changed
    }

    /// When time that passes may change something.
    fn next(&self, reconciled: &Reconciled, now: i64) -> Option<i64> {
        let world = &self.known.world;
        let ends = world.backoff.values().map(|it| it.since.saturating_add(it.seconds));
        let nodes = reconciled.waiting.iter().flat_map(|waiting| &waiting.nodes);
        let ends = ends.chain(nodes.filter_map(|it| it.until));
        let ends = ends.chain(evictions(&self.reasoner, world).into_iter().map(|it| it.at));
        let tick =
            Tick::after(self.reasoner.program(), self.reasoner.evaluation()?, self.reasoner.symbols(), now);
        ends.filter(|at| *at > now).chain(tick.map(|it| it.at)).min()
    }
}

/// Whether a node has one of these taints.
fn is_marked(node: &crate::kube::Node, taints: &[(Name, Name)]) -> bool {
    node.taints
        .iter()
        .any(|taint| taints.iter().any(|(key, effect)| (key, effect) == (&taint.key, &taint.effect)))
}

/// Gives a node these taints, or takes them from it; its condition says the same.
fn mark(world: &mut World, key: &ObjectKey, taints: &[(Name, Name)], is_lost: bool, now: i64) {
    let Some(node) = world.nodes.get(key) else { return };
    let (written, Some(mut value)) = (node.meta.written, node.whole()) else { return };
    let mut all = value["spec"]["taints"].as_array().cloned().unwrap_or_default();
    all.retain(|it| !taints.iter().any(|(key, effect)| it["key"] == **key && it["effect"] == **effect));
    if is_lost {
        all.extend(
            taints.iter().map(
                |(key, effect)| json!({ "key": &**key, "effect": &**effect, "timeAdded": timestamp(now) }),
            ),
        );
    }
    value["spec"]["taints"] = Value::Array(all);
    let (status, reason) = if is_lost { ("Unknown", "NodeStatusUnknown") } else { ("True", "AgentReady") };
    let mut conditions = value["status"]["conditions"].as_array().cloned().unwrap_or_default();
    conditions.retain(|it| it["type"] != "Ready");
    conditions.push(
        json!({ "type": "Ready", "status": status, "reason": reason, "lastTransitionTime": timestamp(now) }),
    );
    value["status"]["conditions"] = Value::Array(conditions);
    let origin = Origin { file: "the controller".into(), document: 0, path: String::new() };
    world.see(Object { kind: Kind::Node, key: key.clone(), value, origin }, now);
    if let Some(meta) = world.meta_mut(Kind::Node, key) {
        // It is no manifest that wrote this.
        meta.written = written;
    }
}

/// Says of a pod that nobody knows any longer whether it is ready.
fn unready(world: &mut World, key: &ObjectKey, now: i64) {
    let version = world.next_version();
    let Some(pod) = world.pods.get_mut(key) else { return };
    (pod.ready, pod.ready_since) = (false, Some(now));
    pod.meta.resource_version = version;
    world.touch(Kind::Pod, key);
}
