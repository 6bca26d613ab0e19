//! What the built-in rules warn of, whatever a plan does: host ports that no node can give.

use std::collections::BTreeMap;

use crate::datalog::{Handle, Sym};
use crate::diagnostic::{Diagnostic, counted};
use crate::kube::Name;
use crate::policy::relations;
use crate::reason::Reasoner;

/// So many are told one by one.
const PAIRS_TOLD: usize = 20;

/// What the built-in rules warn of: what an API server takes and no node can run.
#[must_use]
pub(super) fn standing(reasoner: &Reasoner) -> Vec<Diagnostic> {
    let warning = |relation: Handle, row: &[Sym]| {
        let (sentence, rule) = reasoner.told(relation, row)?;
        Some(Diagnostic::warning("host-port", sentence).because(format!("by the rule {rule}")))
    };
    let mut found = Vec::new();
    for relation in [relations::surge_clash, relations::self_clash] {
        found.extend(reasoner.rows(relation).filter_map(|row| warning(relation, &row[..])));
    }
    // Of one pair the first node is named, and the others are counted.
    let mut pairs: BTreeMap<Vec<Sym>, (Name, Sym, usize)> = BTreeMap::new();
    for row in reasoner.rows(relations::host_port_clash) {
        let node = reasoner.name(row[4]);
        let (first, sym, count) = pairs.entry(row[..4].to_vec()).or_insert((node.clone(), row[4], 0));
        *count += 1;
        if node < *first {
            (*first, *sym) = (node, row[4]);
        }
    }
    for (mut row, (_, node, count)) in pairs {
        row.push(node);
        let Some(mut told) = warning(relations::host_port_clash, &row) else { continue };
        if count > 1 {
            told.notes.insert(0, format!("and so on {}", counted(count - 1, "more node")));
        }
        found.push(told);
    }
    Diagnostic::sort(&mut found);
    let more = found.len().saturating_sub(PAIRS_TOLD);
    found.truncate(PAIRS_TOLD);
    if let (Some(last), 1..) = (found.last_mut(), more) {
        last.notes.push(format!("and {more} more of the kind"));
    }
    found
}
