//! Why pods are left pending: in the scheduler's own words, and how much there is of what.

use std::collections::BTreeMap;

use rustc_hash::FxHashSet;

use crate::datalog::{Row, Sym};
use crate::kube::{Kind, ObjectKey, Round, amount_text, bytes_text, is_in_bytes};
use crate::policy::relations;
use crate::reason::{Derived, Reasoner};
use crate::state::{Changed, Refusal};

/// Why pods were refused before, and of which it may be otherwise now.
#[derive(Debug, Default)]
pub struct Known {
    /// Why they were.
    pub before: BTreeMap<ObjectKey, Refusal>,
    /// All may differ.
    all: bool,
    /// What changed was about these nodes or pods.
    changed: FxHashSet<Sym>,
}

impl Known {
    /// What was known before anything was derived in this run.
    #[must_use]
    pub fn new(before: BTreeMap<ObjectKey, Refusal>) -> Self {
        Known { before, ..Known::default() }
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

    /// The pods that the scheduler leaves pending on some of the nodes, each with why.
    pub(super) fn refusals(
        &self,
        reasoner: &Reasoner,
        on: impl Fn(Sym) -> bool,
    ) -> BTreeMap<ObjectKey, Refusal> {
        let refused = reasoner.rows(relations::refused).filter(|row| on(row[1]));
        let told = refused.map(|row| {
            let (pod, node, key) = (row[0], row[1], reasoner.key(row[0]));
            let differs = self.all || self.changed.contains(&pod) || self.changed.contains(&node);
            let before = self.before.get(&key).filter(|_| !differs).cloned();
            (key, before.unwrap_or_else(|| refusal(reasoner, pod, node)))
        });
        told.collect()
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
        true => bytes_text(amount, round),
        false => amount_text(name, amount, false),
    };
    let most = reasoner.rows_of(relations::takes_most, &[node, resource]).next();
    let most = most.map_or_else(String::new, |row| format!(", most by {}", reasoner.text(row[2])));
    let (needs, left) = (text(needs, Round::Up), text(free.max(0), Round::Down));
    let (taken, room) = (text(room.saturating_sub(free), Round::Near), text(room, Round::Near));
    format!(" (needs {needs}, free {left}: {taken} of {room} taken{most})")
}
