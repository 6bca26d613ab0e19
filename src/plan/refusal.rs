//! Why pods are left pending: in the scheduler's own words, and how much there is of what.

use std::collections::BTreeMap;

use crate::datalog::{Row, Sym};
use crate::kube::{ObjectKey, Round, amount_text, bytes_text, is_in_bytes};
use crate::policy::relations;
use crate::reason::Reasoner;
use crate::state::Refusal;

/// The pods that the scheduler leaves pending on some of the nodes, each with why.
pub(super) fn refusals(reasoner: &Reasoner, on: impl Fn(Sym) -> bool) -> BTreeMap<ObjectKey, Refusal> {
    let refused = reasoner.rows(relations::refused).filter(|row| on(row[1]));
    refused.map(|row| (reasoner.key(row[0]), refusal(reasoner, row[0], row[1]))).collect()
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
