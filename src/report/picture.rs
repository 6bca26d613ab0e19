//! A picture of the fleet in words: how many stand how, and which do not run.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use super::data::API_VERSION;
use super::finding::{FindingLine, finding_lines};
use super::key::Key;
use super::look::{Detail, Look};
use super::table::Table;
use crate::app::picture::{Cells, Change, Picture};
use crate::diagnostic::counted;
use crate::kube::{Name, timestamp};
use crate::plan::Verb;

/// So many daemonsets and nodes are named where a few are enough.
const SHOWN: usize = 20;

/// The fleet for a person: each daemonset with its numbers, and what needs looking at.
///
/// # Errors
/// Where writing fails.
pub fn picture_text(picture: &Picture, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let (nodes, groups) = (counted(picture.nodes.len(), "node"), counted(picture.groups.len(), "group"));
    let daemonsets = counted(picture.daemonsets.len(), "daemonset");
    writeln!(out, "{daemonsets} on {nodes} in {groups} that no rule tells apart\n")?;
    let (now, after) = (picture.counts(&picture.now), picture.counts(&picture.after));
    let mut words = Table::new(["STANDS", "NOW", "AFTER THE PLAN"]);
    for ((word, now), after) in picture.words.iter().zip(&now).zip(&after) {
        if *now > 0 || *after > 0 {
            words.row([word.to_string(), now.to_string(), after.to_string()]);
        }
    }
    words.write(out, "", true)?;
    by_daemonset(picture, &now, look, out)?;
    notable(picture, look, out)
}

/// A row for each daemonset, with a column for each word that there is.
fn by_daemonset(picture: &Picture, all: &[usize], look: Look, out: &mut dyn Write) -> io::Result<()> {
    let columns: Vec<usize> =
        (0..picture.words.len()).rev().filter(|word| all.get(*word).is_some_and(|it| *it > 0)).collect();
    let head = |word: &usize| picture.words.get(*word).map(|word| word.to_uppercase()).unwrap_or_default();
    let heads = ["NAMESPACE", "NAME"].map(str::to_owned).into_iter().chain(columns.iter().map(head));
    let mut table = Table::new(heads);
    let shown = if look.detail == Detail::Wide { usize::MAX } else { SHOWN * 2 };
    for (nth, key) in picture.daemonsets.iter().enumerate().take(shown) {
        let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
        for word in (0..picture.nodes.len()).filter_map(|node| picture.now.at(node, nth)) {
            *counts.entry(word).or_default() += 1;
        }
        let cells = columns.iter().map(|word| counts.get(word).copied().unwrap_or(0).to_string());
        table.row([key.namespace.to_string(), key.name.to_string()].into_iter().chain(cells));
    }
    writeln!(out)?;
    table.write(out, "", true)?;
    more(picture.daemonsets.len(), shown, look, out)
}

/// What does not run, or will not as it does: the pairs that need looking at first.
fn notable(picture: &Picture, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let usual = ["runs", "not wanted", "blocked", "left alone"];
    let usual = |place: usize| picture.words.get(place).is_none_or(|word| usual.contains(&&**word));
    let mut found: Vec<(usize, usize, usize)> = Vec::new();
    for node in 0..picture.nodes.len() {
        let words = picture.now.of_node(node).enumerate();
        found.extend(words.filter_map(|(daemonset, word)| Some((word?, daemonset, node))));
    }
    found.retain(|(word, daemonset, node)| {
        !usual(*word) || picture.after.at(*node, *daemonset) != Some(*word)
    });
    found.sort_unstable();
    if found.is_empty() {
        return Ok(());
    }
    let mut table = Table::new(["DAEMONSET", "NODE", "NOW", "AFTER THE PLAN"]);
    let shown = if look.detail == Detail::Wide { usize::MAX } else { SHOWN };
    for (word, daemonset, node) in found.iter().take(shown) {
        let later = picture.after.at(*node, *daemonset);
        table.row([
            picture.daemonsets.get(*daemonset).map(ToString::to_string).unwrap_or_default(),
            picture.nodes.get(*node).map(|node| node.name.to_string()).unwrap_or_default(),
            text(picture, Some(*word)).to_owned(),
            text(picture, later).to_owned(),
        ]);
    }
    writeln!(out)?;
    table.write(out, "", true)?;
    more(found.len(), shown, look, out)
}

fn more(all: usize, shown: usize, look: Look, out: &mut dyn Write) -> io::Result<()> {
    if all <= shown {
        return Ok(());
    }
    writeln!(out, "{}", look.paint.dim(format!("and {} more: `-o wide` shows all", all - shown)))
}

/// The word at a place.
fn text(picture: &Picture, place: Option<usize>) -> &str {
    place.and_then(|place| picture.words.get(place)).map_or("not there", |word| word)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    api_version: &'static str,
    kind: &'static str,
    time: String,
    counts: Vec<CountLine>,
    groups: Vec<GroupLine>,
    stands: Vec<StandLine>,
    changes: Vec<ChangeLine>,
    violations: Vec<FindingLine>,
    warnings: Vec<FindingLine>,
}

#[derive(Serialize)]
struct CountLine {
    word: Name,
    now: usize,
    after: usize,
}

#[derive(Serialize)]
struct GroupLine {
    nodes: Vec<Name>,
}

#[derive(Serialize)]
struct StandLine {
    daemonset: Key,
    node: Name,
    /// Where one of them is not there, nothing.
    now: Option<Name>,
    after: Option<Name>,
}

#[derive(Serialize)]
struct ChangeLine {
    verb: Verb,
    daemonset: Option<Key>,
    node: Name,
    pod: Name,
    reason: String,
    rule: String,
}

/// The fleet as data. What is not wanted and not there, now and after the plan, is left out.
#[must_use]
pub fn picture_document(picture: &Picture) -> impl Serialize {
    let (now, after) = (picture.counts(&picture.now), picture.counts(&picture.after));
    let counts = picture.words.iter().zip(now.into_iter().zip(after));
    let name = |node: usize| picture.nodes.get(node).map(|it| it.name.clone()).unwrap_or_default();
    let group = |first: usize, count: usize| GroupLine { nodes: (first..first + count).map(name).collect() };
    Document {
        api_version: API_VERSION,
        kind: "Report",
        time: timestamp(picture.at),
        counts: counts.map(|(word, (now, after))| CountLine { word: word.clone(), now, after }).collect(),
        groups: picture.groups.iter().map(|it| group(it.first, it.count)).collect(),
        stands: stands(picture),
        changes: picture.changes.iter().map(|it| change(picture, it)).collect(),
        violations: finding_lines(&picture.judged, true),
        warnings: finding_lines(&picture.judged, false),
    }
}

fn stands(picture: &Picture) -> Vec<StandLine> {
    let last = picture.words.len().checked_sub(1);
    let word = |cells: &Cells, node: usize, daemonset: usize| {
        cells.at(node, daemonset).and_then(|place| picture.words.get(place)).cloned()
    };
    let mut lines = Vec::new();
    for (node, seat) in picture.nodes.iter().enumerate() {
        for (daemonset, key) in picture.daemonsets.iter().enumerate() {
            let (now, after) = (picture.now.at(node, daemonset), picture.after.at(node, daemonset));
            if now == last && after == last {
                continue;
            }
            lines.push(StandLine {
                daemonset: key.clone().into(),
                node: seat.name.clone(),
                now: word(&picture.now, node, daemonset),
                after: word(&picture.after, node, daemonset),
            });
        }
    }
    lines
}

fn change(picture: &Picture, it: &Change) -> ChangeLine {
    ChangeLine {
        verb: it.verb,
        daemonset: picture.daemonsets.get(it.daemonset).cloned().map(Key::from),
        node: picture.nodes.get(it.node).map(|node| node.name.clone()).unwrap_or_default(),
        pod: it.pod.clone(),
        reason: it.reason.clone(),
        rule: it.rule.clone(),
    }
}
