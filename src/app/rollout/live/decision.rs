//! What the rules say of a cluster as it is seen: which pods may be replaced now, and how far it is.

use std::collections::{BTreeMap, BTreeSet};

use super::seen::{Drive, Seen};
use crate::datalog::{Handle, Program, Sym};
use crate::diagnostic::Diagnostic;
use crate::facts::Grouping;
use crate::kube::{Name, ObjectKey, Status};
use crate::plan::{
    Readiness, Reconciled, Settings, Tally, Touched, Verb, Waiting, pass_over, reconcile, waiting,
};
use crate::policy::relations;
use crate::reason::Reasoner;

/// A pod that may be replaced now, as it was when that was decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replace {
    /// The pod.
    pub pod: ObjectKey,
    /// Its node.
    pub node: Name,
    /// Its uid.
    pub uid: Name,
    /// Its resourceVersion.
    pub version: Name,
    /// Why it goes, in the words of the rule.
    pub reason: String,
}

/// How far a rollout is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Progress {
    /// Nodes that should run a pod.
    pub desired: i64,
    /// Those whose pod has the current template.
    pub updated: i64,
    /// Those whose pod is available.
    pub available: i64,
    /// Pods of a former template.
    pub outdated: usize,
    /// Of these, those that a rule holds.
    pub held: usize,
    /// The first wave that is not done, where there are waves.
    pub wave: Option<i64>,
}

impl Progress {
    /// Whether nothing is left to do.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.outdated == 0 && self.updated >= self.desired && self.available >= self.desired
    }
}

/// What follows from what is seen.
#[derive(Debug, Clone, Default)]
pub struct Decision {
    /// Pods that may go now, in wave order, then in node order.
    pub replace: Vec<Replace>,
    /// How far it is.
    pub progress: Progress,
    /// Why it is not to be gone on with, for each pod that failed: sentences of rules.
    pub halts: Vec<String>,
    /// That somebody else replaces the pods, as the rule says it.
    pub contended: Option<String>,
    /// What is waited for.
    pub waiting: Option<Waiting>,
}

/// What is seen, with the rules that are asked.
pub struct Decider {
    /// What is seen.
    pub seen: Seen,
    reasoner: Reasoner,
}

impl Decider {
    /// One that has seen nothing yet.
    #[must_use]
    pub fn new(program: &Program, drive: Drive) -> Self {
        Decider { seen: Seen::new(program, drive), reasoner: Reasoner::new(program, Grouping::On) }
    }

    /// What the rules say at the time `now`, in seconds of Unix time; nothing where the daemonset
    /// is not there.
    ///
    /// # Errors
    /// When a rule derives too much.
    pub fn decide(&mut self, now: i64) -> Result<Option<Decision>, Diagnostic> {
        let changed = std::mem::take(&mut self.seen.world.changed);
        self.reasoner.derive(&self.seen.world, &changed, now)?;
        let Decider { seen, reasoner } = &*self;
        let key = &seen.drive.daemonset;
        let it = reasoner.symbols().find_text(&key.to_string());
        let Some(it) = it.filter(|_| seen.world.daemonsets.contains_key(key)) else { return Ok(None) };
        let only = Touched::Only(BTreeSet::from([key.clone()]));
        let pass = pass_over(reasoner, &seen.world, &Tally::of(reasoner), &only);
        let rolls = reasoner.contains(relations::rolling, &[it]);
        let goes = pass.actions.iter().filter(|it| rolls && it.verb == Verb::Delete);
        let replace = goes.filter_map(|action| {
            let (uid, version) = seen.version(&action.object)?;
            let node = action.node.clone()?;
            let (uid, version, reason) = (uid.clone(), version.clone(), action.reason());
            Some(Replace { pod: action.object.clone(), node, uid, version, reason })
        });
        let mut replace: Vec<Replace> = replace.collect();
        let waves = self.waves(it);
        replace.sort_by_key(|it| (waves.get(&it.node).copied().unwrap_or(i64::MAX), it.node.clone()));
        let status = pass.statuses.get(key).cloned().unwrap_or_default();
        let waits = waiting(reasoner, &seen.world);
        Ok(Some(Decision {
            replace,
            progress: self.progress(it, &status, &waves),
            halts: self.told(relations::halts, it),
            contended: self.told(relations::contended, it).into_iter().next(),
            waiting: waits.into_iter().find(|waiting| waiting.daemonset == *key),
        }))
    }

    /// How the rollout goes if every new pod becomes ready: for who wants to see it before.
    ///
    /// # Errors
    /// When a rule derives too much, or it never comes to an end.
    pub fn ahead(&mut self, now: i64) -> Result<Reconciled, Diagnostic> {
        let mut world = self.seen.world.clone();
        // What is done from here on is not what is seen: it is derived anew, from the start.
        self.reasoner.forget();
        reconcile(&mut world, &mut self.reasoner, Settings { readiness: Readiness::Assume, now })
    }

    fn progress(&self, it: Sym, status: &Status, waves: &BTreeMap<Name, i64>) -> Progress {
        let count = |relation: Handle| self.reasoner.rows_of(relation, &[it]).count();
        let key = [it];
        let kept = self.reasoner.rows_of(relations::keeps_wave, &key).map(|row| self.reasoner.name(row[1]));
        let wave = |node: Name| waves.get(&node).copied().unwrap_or(i64::MAX);
        Progress {
            desired: status.desired_number_scheduled,
            updated: status.updated_number_scheduled,
            available: status.number_available,
            outdated: count(relations::outdated),
            held: count(relations::held),
            wave: kept.map(wave).min(),
        }
    }

    /// The waves of nodes, where rules say one.
    fn waves(&self, it: Sym) -> BTreeMap<Name, i64> {
        let key = [it];
        let rows = self.reasoner.rows_of(relations::wave, &key);
        rows.map(|row| (self.reasoner.name(row[1]), self.reasoner.number(row[2]))).collect()
    }

    /// What the rules say of each row that a relation has of the daemonset.
    fn told(&self, relation: Handle, it: Sym) -> Vec<String> {
        let rows: Vec<_> = self.reasoner.rows_of(relation, &[it]).collect();
        rows.iter().filter_map(|row| self.reasoner.told(relation, row)).map(|(said, _)| said).collect()
    }
}
