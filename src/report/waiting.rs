//! What daemonsets wait for, and where rules keep them off: as text and as documents.

use std::io::{self, Write};

use serde::Serialize;

use super::key::Key;
use super::look::{Detail, Look};
use super::{Paint, Table};
use crate::diagnostic::{counted, visible};
use crate::kube::{Name, timestamp};
use crate::plan::{Awaited, KeptOff, Limit, Waiting, alike};

/// So many nodes are shown of a long list.
const SHOWN: usize = 8;

/// What one daemonset waits for: a line, and one for each node that is waited for.
pub(super) fn waiting_text(waiting: &Waiting, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let head = look.paint.changed("waiting");
    writeln!(out, "{head} {}: {}", waiting.daemonset, visible(&waiting.reason))?;
    awaited(waiting, look.detail, look.paint, out)
}

/// The nodes that are waited for, each with its pod's state; and those where a rule of the
/// user's holds the pod, by what the rules say.
///
/// # Errors
/// Where writing fails.
pub fn awaited(waiting: &Waiting, detail: Detail, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    let (held, others): (Vec<&Awaited>, Vec<&Awaited>) = waiting.nodes.iter().partition(|it| it.held);
    let shown = shown(others.len(), detail);
    let mut table = Table::default();
    for it in &others[..shown] {
        let until = it.until.filter(|until| !it.reason.contains(&timestamp(*until)));
        let until = until.map_or_else(String::new, |until| format!(", until {}", timestamp(until)));
        table.row([it.node.to_string(), format!("{}{until}", it.reason)]);
    }
    table.write(out, "    ", false)?;
    more(others.len() - shown, paint, out)?;
    let mut groups: Vec<(String, Vec<&Awaited>)> = Vec::new();
    for it in held {
        let said = alike(&it.reason, &it.node);
        match groups.iter_mut().find(|(group, all)| *group == said && all[0].rule == it.rule) {
            Some((_, all)) => all.push(it),
            None => groups.push((said, vec![it])),
        }
    }
    for (_, all) in groups {
        let nodes: Vec<&Name> = all.iter().map(|it| &it.node).collect();
        let on = counted(nodes.len(), "node");
        writeln!(
            out,
            "    {} on {on}: {}{}",
            paint.changed("held"),
            visible(&all[0].reason),
            by(&all[0].rule)
        )?;
        names(&nodes, detail, paint, "        ", out)?;
    }
    Ok(())
}

/// The nodes that rules keep daemonsets off, by what the rules say.
pub(super) fn kept_off_text(kept_off: &[KeptOff], look: Look, out: &mut dyn Write) -> io::Result<()> {
    for it in kept_off {
        let head = look.paint.changed("blocked");
        let on = counted(it.nodes.len(), "node");
        let reason = visible(it.reason.trim_end_matches('.')).into_owned();
        writeln!(out, "{head} {}: {on} that it fits: {reason}{}", it.daemonset, by(&it.rule))?;
        names(&it.nodes.iter().collect::<Vec<_>>(), look.detail, look.paint, "    ", out)?;
    }
    Ok(())
}

/// The rule behind a sentence, where it is known.
fn by(rule: &str) -> String {
    if rule.is_empty() { String::new() } else { format!("  [{}]", visible(rule)) }
}

/// The names of nodes below a sentence that names the first of them.
fn names(nodes: &[&Name], detail: Detail, paint: Paint, indent: &str, out: &mut dyn Write) -> io::Result<()> {
    if nodes.len() < 2 {
        return Ok(());
    }
    let shown = shown(nodes.len(), detail);
    let names: Vec<String> = nodes[..shown].iter().map(|it| visible(it).into_owned()).collect();
    let more = match nodes.len() - shown {
        0 => String::new(),
        rest => paint.dim(format!(" and {rest} more; -o wide shows them")),
    };
    writeln!(out, "{indent}{}{more}", names.join(", "))
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
    /// Whether a rule of the user's holds the pod.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    held: bool,
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
        held: it.held,
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
