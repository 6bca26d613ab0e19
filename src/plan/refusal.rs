//! Why pods are left pending: in the scheduler's own words, and how much there is of what.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashSet;

use crate::datalog::{Row, Sym};
use crate::kube::{Kind, ObjectKey, Round, amount_text, bytes_text, is_in_bytes};
use crate::policy::relations;
use crate::reason::{Derived, Reasoner};
use crate::state::{Changed, Refusal, World};

/// What is known of the pods that are refused: of which it may be otherwise now, and why they
/// were before. Of all others the world goes on saying what it said.
#[derive(Debug, Default)]
pub struct Known {
    /// All may differ.
    all: bool,
    /// What changed was about these nodes or pods.
    changed: FxHashSet<Sym>,
    /// Pods of which it was found out in this run.
    asked: BTreeSet<ObjectKey>,
    /// Why those were refused that are so otherwise now, or no longer.
    before: BTreeMap<ObjectKey, Refusal>,
}

impl Known {
    /// Nothing is known yet.
    #[must_use]
    pub fn nothing() -> Self {
        Known { all: true, ..Known::default() }
    }

    /// Follows a derivation; `changed` are the objects that differ.
    pub fn follow(&mut self, reasoner: &Reasoner, derived: &Derived, changed: &Changed) {
        let (Derived::Changed(changes), Some(objects)) = (derived, changed.objects()) else {
            self.all = true;
            return;
        };
        // Their first column says whom they are about.
        for relation in [
            relations::refused,
            relations::first_filter,
            relations::objection,
            relations::no_preemption,
            relations::short_of,
            relations::port_taken,
            relations::takes_most,
        ] {
            let id = reasoner.program().id(relation);
            self.changed.extend(changes.added(id).chain(changes.removed(id)).map(|row| row[0]));
        }
        // Of a taint the row does not say all.
        let nodes = objects.iter().filter(|(kind, _)| *kind == Kind::Node);
        self.changed.extend(nodes.filter_map(|(_, key)| reasoner.symbols().find_text(&key.name)));
    }

    /// Asks why the pods are refused that are left pending on some nodes.
    pub(super) fn ask(
        &mut self,
        world: &mut World,
        reasoner: &Reasoner,
        on: impl Fn(Sym) -> bool,
    ) -> Vec<ObjectKey> {
        let nodes = world.nodes.len();
        let refused = reasoner.rows(relations::refused).filter(|row| on(row[1]));
        let told = refused.map(|row| {
            let (key, refusal) = (reasoner.key(row[0]), refusal(reasoner, row[0], row[1]));
            let before = world.refused.insert(key.clone(), Refusal { nodes, ..refusal });
            if self.asked.insert(key.clone()) {
                self.before.extend(before.map(|before| (key.clone(), before)));
            }
            key
        });
        told.collect()
    }

    /// Asks why those pods are refused of which it may be otherwise now, and forgets it of
    /// those that no longer are.
    pub(super) fn ask_changed(&mut self, world: &mut World, reasoner: &Reasoner) -> Vec<ObjectKey> {
        let rows: Vec<(Sym, Sym)> = reasoner.rows(relations::refused).map(|row| (row[0], row[1])).collect();
        let still: FxHashSet<Sym> = rows.iter().map(|(pod, _)| *pod).collect();
        let gone: Vec<ObjectKey> = if self.all {
            let still: BTreeSet<ObjectKey> = still.iter().map(|pod| reasoner.key(*pod)).collect();
            world.refused.keys().filter(|pod| !still.contains(*pod)).cloned().collect()
        } else {
            self.changed.difference(&still).map(|pod| reasoner.key(*pod)).collect()
        };
        // Of those that were passed over it stands.
        for pod in gone.into_iter().filter(|pod| !world.tried.contains(pod)) {
            let before = world.refused.remove(&pod).filter(|_| !self.asked.contains(&pod));
            self.before.extend(before.map(|before| (pod, before)));
        }
        if self.all {
            return self.ask(world, reasoner, |_| true);
        }
        let is_about = |(pod, node): &&(Sym, Sym)| self.changed.contains(pod) || self.changed.contains(node);
        let nodes: FxHashSet<Sym> = rows.iter().filter(is_about).map(|(_, node)| *node).collect();
        self.ask(world, reasoner, |node| nodes.contains(&node))
    }

    /// Forgets all that is said of refused pods.
    pub(super) fn forget(&mut self, world: &mut World) {
        let gone = std::mem::take(&mut world.refused).into_iter();
        self.before.extend(gone.filter(|(pod, _)| !self.asked.contains(pod)));
    }

    /// The pods that were asked about, and why pods were refused before.
    pub(super) fn take(&mut self) -> (BTreeSet<ObjectKey>, BTreeMap<ObjectKey, Refusal>) {
        let Known { asked, before, .. } = std::mem::take(self);
        (asked, before)
    }
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
        ..Refusal::default()
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
    let binary = is_in_bytes(name);
    let [needs, free, room] = [row[3], row[4], row[5]].map(|it| reasoner.number(it));
    let text = |amount: i64, round: Round| match binary {
        true => bytes_text(amount.into(), round),
        false => amount_text(name, amount, false),
    };
    let most = reasoner.rows_of(relations::takes_most, &[node, resource]).next();
    let most = most.map_or_else(String::new, |row| format!(", most by {}", reasoner.text(row[2])));
    let (needs, left) = (text(needs, Round::Up), text(free.max(0), Round::Down));
    let (taken, room) = (text(room.saturating_sub(free), Round::Near), text(room, Round::Near));
    format!(" (needs {needs}, free {left}: {taken} of {room} taken{most})")
}
