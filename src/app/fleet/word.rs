//! The nodes that only their agents know: their own figures are taken.

use std::collections::BTreeMap;

use super::heard::Heard;
use super::ruled::Ruled;
use super::trouble::{OLD, Trouble, What, maturing};
use crate::kube::{Name, ObjectKey, Status};
use crate::target::reports::{DaemonSetReport, Report};

/// What agents say for themselves.
pub(super) struct Word {
    /// Of each daemonset, over these nodes.
    pub(super) statuses: BTreeMap<ObjectKey, Status>,
    behind: Vec<Trouble>,
}

impl Word {
    /// Asks the agents of all nodes that the source does not have. Where there is no source,
    /// most of the agents know the newest revision sooner or later: those that know another
    /// one are told.
    pub(super) fn of(heard: &[Heard<'_>], ruled: Option<&Ruled>) -> Self {
        let own = || heard.iter().filter(|it| ruled.is_none_or(|ruled| !ruled.knows(&it.report.node)));
        let most = if ruled.is_some() { BTreeMap::new() } else { most(own()) };
        let mut word = Word { statuses: BTreeMap::new(), behind: Vec::new() };
        for it in own() {
            for told in &it.report.daemon_sets {
                let key = told.key();
                if ruled.is_some_and(|ruled| !ruled.world.daemonsets.contains_key(&key)) {
                    continue;
                }
                let hash = ruled.and_then(|ruled| ruled.hashes.get(&key));
                let is_current = hash.is_none_or(|hash| *hash == told.revision);
                let source = ruled.and_then(|ruled| ruled.world.daemonsets.get(&key));
                let rolls = source.is_none_or(|it| it.strategy.rolls());
                add(word.statuses.entry(key).or_default(), &status(told, it.is_fresh(), is_current));
                if it.is_fresh() {
                    let found = behind(it.report, told, is_current, &most);
                    word.behind.extend(found.filter(|it| rolls || it.reason != OLD));
                }
            }
        }
        word
    }

    /// What these nodes have not that they should.
    pub(super) fn behind(self) -> Vec<Trouble> {
        self.behind
    }
}

/// The revision of each daemonset that most agents know.
fn most<'h, 'r: 'h>(heard: impl Iterator<Item = &'h Heard<'r>>) -> BTreeMap<ObjectKey, Name> {
    let mut revisions: BTreeMap<ObjectKey, BTreeMap<Name, usize>> = BTreeMap::new();
    for told in heard.filter(|it| it.is_fresh()).flat_map(|it| &it.report.daemon_sets) {
        *revisions.entry(told.key()).or_default().entry(told.revision.clone()).or_default() += 1;
    }
    let most = |(key, all): (ObjectKey, BTreeMap<Name, usize>)| {
        all.into_iter().max_by_key(|(_, nodes)| *nodes).map(|(revision, _)| (key, revision))
    };
    revisions.into_iter().filter_map(most).collect()
}

/// The figures of one node, as far as they say how things are now.
fn status(told: &DaemonSetReport, is_fresh: bool, is_current: bool) -> Status {
    let if_fresh = |figure: i64| if is_fresh { figure } else { 0 };
    let available = if_fresh(told.available);
    Status {
        current_number_scheduled: told.scheduled,
        number_misscheduled: told.misscheduled,
        desired_number_scheduled: told.desired,
        number_ready: if_fresh(told.ready),
        updated_number_scheduled: if is_current { told.updated } else { 0 },
        number_available: available,
        number_unavailable: told.desired - available,
        ..Status::default()
    }
}

/// Adds the figures of other nodes.
pub(super) fn add(status: &mut Status, more: &Status) {
    status.current_number_scheduled += more.current_number_scheduled;
    status.number_misscheduled += more.number_misscheduled;
    status.desired_number_scheduled += more.desired_number_scheduled;
    status.number_ready += more.number_ready;
    status.updated_number_scheduled += more.updated_number_scheduled;
    status.number_available += more.number_available;
    status.number_unavailable += more.number_unavailable;
    status.observed_generation = status.observed_generation.max(more.observed_generation);
}

fn behind(
    report: &Report,
    told: &DaemonSetReport,
    is_current: bool,
    most: &BTreeMap<ObjectKey, Name>,
) -> Option<Trouble> {
    let key = told.key();
    let (reason, why) = if let Some(other) = most.get(&key).filter(|it| **it != told.revision) {
        ("OtherRevision", format!("its agent has revision {}, most have {other}", told.revision))
    } else if !is_current {
        // Said already, where it is compared with the source.
        return None;
    } else if told.scheduled < told.desired {
        ("NoPod", "it should run a pod and has none".to_owned())
    } else if told.misscheduled > 0 {
        ("Misscheduled", "it has a pod and should not".to_owned())
    } else if told.updated < told.desired {
        (OLD, format!("its pod has not revision {}", told.revision))
    } else if told.available < told.ready {
        return Some(maturing(report, &key, &told.waiting));
    } else {
        return None;
    };
    let why = if told.waiting.is_empty() { why } else { format!("{why}: {}", told.waiting) };
    Some(Trouble::new(What::Behind, &report.node, reason, why).of(&key))
}
