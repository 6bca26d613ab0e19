//! What daemonsets wait for, and where rules keep them off: as text and as documents.

use std::io::{self, Write};

use serde::Serialize;

use super::key::Key;
use super::look::{Detail, Look};
use super::{Paint, Table};
use crate::diagnostic::{counted, visible};
use crate::kube::{Name, timestamp};
use crate::plan::{Awaited, KeptOff, Limit, Waiting};

/// So many nodes are shown of a long list.
const SHOWN: usize = 8;

/// What one daemonset waits for: a line, and one for each node that is waited for.
pub(super) fn waiting_text(waiting: &Waiting, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let head = look.paint.changed("waiting");
    writeln!(out, "{head} {}: {}", waiting.daemonset, visible(&waiting.reason))?;
    awaited(waiting, look.detail, look.paint, out)
}

/// The nodes that are waited for, each with its pod's state.
///
/// # Errors
/// Where writing fails.
pub fn awaited(waiting: &Waiting, detail: Detail, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    let shown = shown(waiting.nodes.len(), detail);
    let mut table = Table::default();
    for it in &waiting.nodes[..shown] {
        let until = it.until.filter(|until| !it.reason.contains(&timestamp(*until)));
        let until = until.map_or_else(String::new, |until| format!(", until {}", timestamp(until)));
        table.row([it.node.to_string(), format!("{}{until}", it.reason)]);
    }
    table.write(out, "    ", false)?;
    more(waiting.nodes.len() - shown, paint, out)
}

/// The nodes that rules keep daemonsets off, by what the rules say.
pub(super) fn kept_off_text(kept_off: &[KeptOff], look: Look, out: &mut dyn Write) -> io::Result<()> {
    for it in kept_off {
        let head = look.paint.changed("blocked");
        let nodes = counted(it.nodes.len(), "node");
        let rule = if it.rule.is_empty() { String::new() } else { format!("  [{}]", visible(&it.rule)) };
        let reason = visible(it.reason.trim_end_matches('.')).into_owned();
        writeln!(out, "{head} {}: {nodes} that it fits: {reason}{rule}", it.daemonset)?;
        if it.nodes.len() > 1 {
            let shown = shown(it.nodes.len(), look.detail);
            let names: Vec<String> = it.nodes[..shown].iter().map(|it| visible(it).into_owned()).collect();
            writeln!(out, "    {}", names.join(", "))?;
            more(it.nodes.len() - shown, look.paint, out)?;
        }
    }
    Ok(())
}

/// How many of a list are shown; a single one is not left out.
fn shown(len: usize, detail: Detail) -> usize {
    if detail == Detail::Wide || len <= SHOWN + 1 { len } else { SHOWN }
}

fn more(rest: usize, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    if rest > 0 {
        writeln!(out, "    {}", paint.dim(format!("… and {rest} more; -o wide shows them")))?;
    }
    Ok(())
}

/// [`Waiting`] as a document.
#[derive(Debug, Serialize)]
pub struct WaitingLine {
    daemonset: Key,
    reason: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<String>,
    outdated: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<LimitLine>,
    nodes: Vec<AwaitedLine>,
}

#[derive(Debug, Serialize)]
struct LimitLine {
    field: &'static str,
    /// As it is written.
    value: String,
    /// How many nodes that is, of so many.
    nodes: usize,
    desired: usize,
    used: usize,
}

#[derive(Debug, Serialize)]
struct AwaitedLine {
    node: Name,
    #[serde(skip_serializing_if = "Option::is_none")]
    pod: Option<Name>,
    reason: String,
    rule: String,
    /// In RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<String>,
}

/// What a daemonset waits for, as a document.
#[must_use]
pub fn waiting_line(waiting: &Waiting) -> WaitingLine {
    let limit = |limit: &Limit| LimitLine {
        field: limit.field,
        value: limit.written.clone(),
        nodes: limit.nodes,
        desired: limit.desired,
        used: limit.used,
    };
    let node = |it: &Awaited| AwaitedLine {
        node: it.node.clone(),
        pod: it.pod.clone(),
        reason: it.reason.clone(),
        rule: it.rule.clone(),
        until: it.until.map(timestamp),
    };
    WaitingLine {
        daemonset: waiting.daemonset.clone().into(),
        reason: waiting.reason.clone(),
        rule: waiting.rule.clone(),
        outdated: waiting.outdated,
        limit: waiting.limit.as_ref().map(limit),
        nodes: waiting.nodes.iter().map(node).collect(),
    }
}

/// [`KeptOff`] as a document.
#[derive(Debug, Serialize)]
pub(super) struct BlockedLine {
    daemonset: Key,
    reason: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    rule: String,
    nodes: Vec<Name>,
}

pub(super) fn blocked_line(it: &KeptOff) -> BlockedLine {
    BlockedLine {
        daemonset: it.daemonset.clone().into(),
        reason: it.reason.clone(),
        rule: it.rule.clone(),
        nodes: it.nodes.clone(),
    }
}
