//! Evictions that are still to come: as text and as documents.

use std::io::{self, Write};

use serde::Serialize;

use super::Table;
use super::key::Key;
use super::look::{Detail, Look};
use crate::diagnostic::{counted, visible};
use crate::kube::timestamp;
use crate::plan::Eviction;

/// So many pods are shown of a long list.
const SHOWN: usize = 8;

/// The pods that are evicted later: a line that says how many, and one for each.
pub(super) fn evictions_text(evictions: &[Eviction], look: Look, out: &mut dyn Write) -> io::Result<()> {
    if evictions.is_empty() {
        return Ok(());
    }
    let head = look.paint.changed("evicted later");
    writeln!(out, "{head} {}, if the taints of their nodes stay", counted(evictions.len(), "pod"))?;
    let all = look.detail == Detail::Wide || evictions.len() <= SHOWN + 1;
    let shown = if all { evictions.len() } else { SHOWN };
    let mut table = Table::default();
    for it in &evictions[..shown] {
        table.row([
            timestamp(it.at),
            it.node.to_string(),
            it.pod.to_string(),
            visible(&it.reason).into_owned(),
        ]);
    }
    table.write(out, "    ", false)?;
    if shown < evictions.len() {
        let more = format!("… and {} more; -o wide shows them", evictions.len() - shown);
        writeln!(out, "    {}", look.paint.dim(more))?;
    }
    Ok(())
}

/// [`Eviction`] as a document.
#[derive(Debug, Serialize)]
pub(super) struct EvictionLine {
    /// In RFC 3339.
    at: String,
    node: String,
    pod: Key,
    #[serde(skip_serializing_if = "Option::is_none")]
    daemonset: Option<Key>,
    reason: String,
    rule: String,
}

pub(super) fn eviction_line(it: &Eviction) -> EvictionLine {
    EvictionLine {
        at: timestamp(it.at),
        node: it.node.to_string(),
        pod: it.pod.clone().into(),
        daemonset: it.daemonset.clone().map(Into::into),
        reason: it.reason.clone(),
        rule: it.rule.clone(),
    }
}
