//! Whose turn it is in a rollout, where nobody sees all nodes.
//!
//! ```text
//!  alone:   a node's turn comes by time: its wave, or one of a few by its name, after the revision
//!  shared:  a slot in a folder, as many as may be down, and never one more than that together
//!           with those that are down already
//! ```
//! A slot is taken first and counted afterwards, so of two agents that take one at the same time
//! at least one sees the other. Who has a slot keeps it until its pod is available again, also
//! when the agent dies in between; a node that does not report is taken for one that is down. So
//! every mistake that can be made is to wait.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::neighbours::Neighbours;
use crate::app::session::Session;
use crate::diagnostic::counted;
use crate::kube::{DaemonSet, Name, ObjectKey};
use crate::policy::relations;
use crate::reason::Reasoner;
use crate::state;
use crate::target::reports::Reports;
use crate::target::slots::{Slot, Slots};

/// How rollouts keep their pace.
#[derive(Debug, Clone)]
pub enum Pace {
    /// A turn comes so long after the one before, and there are so many.
    Every(Duration, u32),
    /// By slots in a folder that agents share.
    Shared(Reports),
}

/// A turn that has come.
struct Grant {
    revision: Name,
    slot: Option<usize>,
}

/// The turns of a node.
pub(super) struct Turns {
    node: Name,
    pace: Pace,
    granted: BTreeMap<ObjectKey, Grant>,
    waits: BTreeMap<ObjectKey, Name>,
    /// Since when a turn is waited for, by the revision.
    since: BTreeMap<(ObjectKey, Name), Instant>,
    neighbours: Neighbours,
    adopted: bool,
}

/// What is known of a daemonset whose pod waits.
struct Want<'w> {
    daemonset: &'w DaemonSet,
    revision: Name,
    wave: Option<i64>,
    /// Whether one may be down though the bounds of its strategy come to none.
    at_least_one: bool,
    /// When the revision was made, in seconds of Unix time.
    made: i64,
}

impl Turns {
    pub(super) fn new(node: Name, pace: Pace) -> Self {
        Turns {
            node,
            pace,
            granted: BTreeMap::new(),
            waits: BTreeMap::new(),
            since: BTreeMap::new(),
            neighbours: Neighbours::default(),
            adopted: false,
        }
    }

    /// As the rules ask for them.
    pub(super) fn as_facts(&self) -> state::Turns {
        state::Turns {
            node: self.node.clone(),
            granted: self.granted.keys().cloned().collect(),
            waits: self.waits.clone(),
        }
    }

    /// Gives back what is done with, and asks for what is wanted. Says whether a turn has come, or
    /// one that is waited for waits for something else now.
    pub(super) fn advance(&mut self, session: &Session, now: i64, instant: Instant) -> bool {
        let (Some(world), Some(reasoner)) = (session.world(), session.reasoner()) else { return false };
        if !std::mem::replace(&mut self.adopted, true) {
            self.adopt(world.daemonsets.keys());
        }
        let symbol = |key: &ObjectKey| reasoner.symbols().find_text(&key.to_string());
        let done = |key: &ObjectKey| {
            let Some(daemonset) = world.daemonsets.get(key) else { return true };
            let status = &daemonset.status;
            let outdated =
                symbol(key).is_some_and(|it| reasoner.rows_of(relations::outdated, &[it]).next().is_some());
            !outdated && status.number_available >= status.desired_number_scheduled
        };
        // By time, each revision has turns of its own; a slot is kept until the pod is available.
        let is_old = |key: &ObjectKey, grant: &Grant| {
            grant.slot.is_none() && revision_of(reasoner, key).is_none_or(|it| it != grant.revision)
        };
        let over = self.granted.iter().filter(|(key, grant)| done(key) || is_old(key, grant));
        let over: Vec<ObjectKey> = over.map(|(key, _)| key.clone()).collect();
        over.iter().for_each(|key| self.give_back(key));
        let wanted: BTreeSet<ObjectKey> =
            reasoner.rows(relations::wants_turn).map(|row| reasoner.key(row[0])).collect();
        self.since.retain(|(key, _), _| wanted.contains(key));
        self.waits.retain(|key, _| wanted.contains(key));
        let before = self.waits.clone();
        let mut came = false;
        for key in wanted {
            let (Some(daemonset), Some(it)) = (world.daemonsets.get(&key), symbol(&key)) else { continue };
            let revision = revision_of(reasoner, &key).unwrap_or_default();
            let made =
                world.revisions.values().filter(|it| *it.hash() == *revision).map(|it| it.meta.created);
            let made = made.max().unwrap_or(now);
            let at_least_one = reasoner.contains(relations::at_least_one, &[it]);
            let wave = wave(reasoner, &key, &self.node);
            let want = Want { daemonset, revision, wave, at_least_one, made };
            match self.ask(&key, &want, now, instant) {
                Ok(slot) => {
                    self.granted.insert(key, Grant { revision: want.revision, slot });
                    came = true;
                }
                Err(why) => {
                    self.waits.insert(key, why.into());
                }
            }
        }
        came || self.waits != before
    }

    /// Asks for a turn: it comes, with a slot where there are such, or what it waits for is said.
    fn ask(
        &mut self,
        key: &ObjectKey,
        want: &Want<'_>,
        now: i64,
        instant: Instant,
    ) -> Result<Option<usize>, String> {
        match self.pace.clone() {
            Pace::Every(every, turns) => {
                let turn = want
                    .wave
                    .map_or_else(|| by_name(&self.node, turns), |wave| u32::try_from(wave).unwrap_or(0));
                let wait = every.saturating_mul(turn);
                let since = *self.since.entry((key.clone(), want.revision.clone())).or_insert(instant);
                let due = want.made.saturating_add(i64::try_from(wait.as_secs()).unwrap_or(i64::MAX));
                // By either clock: one that jumps back is not waited for twice.
                if now >= due || instant.duration_since(since) >= wait {
                    return Ok(None);
                }
                Err(format!("turn {turn} comes {wait:?} after the revision was made"))
            }
            Pace::Shared(reports) => self.ask_for_slot(&reports, key, want, instant).map(Some),
        }
    }

    fn ask_for_slot(
        &mut self,
        reports: &Reports,
        key: &ObjectKey,
        want: &Want<'_>,
        instant: Instant,
    ) -> Result<usize, String> {
        let failed = |error: std::io::Error| format!("the slots cannot be used: {error}");
        let slots = Slots::new(reports.path());
        let surges = want.daemonset.strategy.max_surge.of(1) > 0;
        self.neighbours.read(reports, instant).map_err(|error| error.message)?;
        if let Some(first) = self.neighbours.earlier(&self.node, key, want.wave, &want.revision) {
            return Err(format!("the wave of {first} comes first"));
        }
        let taken = slots.taken(key).map_err(failed)?;
        if let Some((number, _)) = taken.iter().find(|(_, slot)| slot.node == self.node) {
            return Ok(*number);
        }
        let desired = self.neighbours.desired(&self.node, key) + 1;
        let strategy = &want.daemonset.strategy;
        let most = if surges { strategy.max_surge } else { strategy.max_unavailable }.of(desired);
        let most = most.max(usize::from(want.at_least_one));
        let down = |neighbours: &Neighbours, taken: &BTreeMap<usize, Slot>| {
            let mut down = if surges { BTreeSet::new() } else { neighbours.down(&self.node, key) };
            down.extend(taken.values().filter(|slot| slot.node != self.node).map(|slot| slot.node.clone()));
            down
        };
        let full = |down: &BTreeSet<Name>| {
            let names: Vec<&str> = down.iter().take(3).map(|name| &**name).collect();
            let more = if down.len() > 3 { ", …" } else { "" };
            let what = if surges { "maxSurge" } else { "maxUnavailable" };
            let nodes = counted(down.len(), "node");
            format!(
                "{what} is {most} of {desired}, and {nodes} count against it ({}{more})",
                names.join(", ")
            )
        };
        let before = down(&self.neighbours, &taken);
        if before.len() >= most {
            return Err(full(&before));
        }
        let slot = Slot { node: self.node.clone(), revision: want.revision.clone() };
        for number in (0..most).filter(|number| !taken.contains_key(number)) {
            if !slots.take(key, number, &slot).map_err(failed)? {
                continue;
            }
            // Counted after it was taken: whoever took another one meanwhile is seen, or sees this.
            let counted = self.neighbours.read(reports, instant).map_err(|error| error.message);
            let after = counted.and_then(|()| Ok(down(&self.neighbours, &slots.taken(key).map_err(failed)?)));
            match after {
                Ok(after) if after.len() < most => return Ok(number),
                Ok(after) => {
                    slots.give_back(key, number).map_err(failed)?;
                    return Err(full(&after));
                }
                Err(error) => {
                    let _ = slots.give_back(key, number);
                    return Err(error);
                }
            }
        }
        Err(full(&before))
    }

    /// Goes on with the slots that an agent of this node took before.
    fn adopt<'k>(&mut self, daemonsets: impl Iterator<Item = &'k ObjectKey>) {
        let Pace::Shared(reports) = &self.pace else { return };
        let slots = Slots::new(reports.path());
        for key in daemonsets {
            let own =
                slots.taken(key).unwrap_or_default().into_iter().find(|(_, slot)| slot.node == self.node);
            if let Some((number, slot)) = own {
                self.granted.insert(key.clone(), Grant { revision: slot.revision, slot: Some(number) });
            }
        }
    }

    /// Gives the turn of a daemonset back; a slot that cannot be given back is kept, and given
    /// back the next time.
    fn give_back(&mut self, key: &ObjectKey) {
        let Some(grant) = self.granted.remove(key) else { return };
        if let (Pace::Shared(reports), Some(number)) = (&self.pace, grant.slot)
            && Slots::new(reports.path()).give_back(key, number).is_err()
        {
            self.granted.insert(key.clone(), grant);
        }
    }
}

/// The hash of the template that a daemonset has now.
pub(super) fn revision_of(reasoner: &Reasoner, daemonset: &ObjectKey) -> Option<Name> {
    let it = reasoner.symbols().find_text(&daemonset.to_string())?;
    reasoner.rows_of(relations::new_hash, &[it]).map(|row| reasoner.name(row[1])).next()
}

/// The wave of a node, where a rule says one.
pub(super) fn wave(reasoner: &Reasoner, daemonset: &ObjectKey, node: &str) -> Option<i64> {
    let symbol = |text: &str| reasoner.symbols().find_text(text);
    let pair = [symbol(&daemonset.to_string())?, symbol(node)?];
    reasoner.rows_of(relations::wave, &pair).map(|row| reasoner.number(row[2])).next()
}

/// One of so many turns, always the same for a name.
fn by_name(node: &str, turns: u32) -> u32 {
    crc32fast::hash(node.as_bytes()) % turns.max(1)
}
