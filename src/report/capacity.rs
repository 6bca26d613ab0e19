//! What is taken of nodes, as a person reads it: a row for each resource of each group of
//! nodes, then all of them together, and what there is to say of it.
//!
//! Of nodes that are alike each amount is that of one of them, `1..2` where they differ; of
//! nodes with a label, and of all, it is the sum. With a plan an amount that changes is
//! `now -> after`, and the percentages are of what the nodes have afterwards.

use std::collections::BTreeSet;
use std::io::{self, Write};

use super::{Detail, Look, Table};
use crate::app::capacity::{Amounts, By, Capacity, Cost, Group, Part, Spread, Sums};
use crate::diagnostic::{counted, visible};
use crate::kube::{Name, ObjectKey, short_amount};

/// The resources that every table has.
const ALWAYS: [&str; 3] = ["cpu", "memory", "pods"];
/// So many groups are shown.
const SHOWN: usize = 25;
/// So many nodes with more requested than there is are named.
const NAMED: usize = 5;

/// Writes the table of nodes.
///
/// # Errors
/// Where writing fails.
pub fn capacity_text(capacity: &Capacity, look: Look, out: &mut dyn Write) -> io::Result<()> {
    if capacity.total.nodes.is_empty() {
        return writeln!(out, "No nodes.");
    }
    let wide = look.detail == Detail::Wide;
    let sums = matches!(capacity.by, By::Label(_));
    let first = match &capacity.by {
        By::Label(label) => label.to_uppercase(),
        By::Node => "NODE".to_owned(),
        By::Alike => "NODES".to_owned(),
    };
    let heads = ["RESOURCE", "ALLOCATABLE", "DAEMONS", "OTHERS", "FREE", "OVERHEAD"].map(str::to_owned);
    let mut heads: Vec<String> = [first].into_iter().chain(heads).collect();
    if sums {
        heads.push("FULLEST".to_owned());
    }
    heads.push("NOTE".to_owned());
    let mut table = Table::new(heads);
    let mut groups: Vec<&Group> = capacity.groups.iter().collect();
    let shown = if wide || groups.len() <= SHOWN + 1 { groups.len() } else { SHOWN };
    if shown < groups.len() {
        // The largest say most; they stand in order of their names all the same.
        groups.sort_by_key(|group| std::cmp::Reverse(group.nodes.len()));
        groups.truncate(shown);
        groups.sort_by(|a, b| a.nodes.cmp(&b.nodes));
    }
    for group in &groups {
        rows(&mut table, &name(group, &capacity.by), group, sums, sums, wide);
    }
    if capacity.groups.len() > 1 {
        let name = format!("total ({})", counted(capacity.total.nodes.len(), "node"));
        rows(&mut table, &name, &capacity.total, true, sums, wide);
    }
    table.write(out, "", true)?;
    if shown < capacity.groups.len() {
        let more =
            format!("… and {}; -o wide shows all", counted(capacity.groups.len() - shown, "more group"));
        writeln!(out, "{}", look.paint.dim(more))?;
    }
    notes(capacity, look, out)
}

/// Writes what each daemonset takes, of all nodes: those that take most first.
///
/// # Errors
/// Where writing fails.
pub fn costs_text(capacity: &Capacity, look: Look, out: &mut dyn Write) -> io::Result<()> {
    if capacity.daemonsets.is_empty() {
        return writeln!(out, "No pods of daemonsets.");
    }
    let part = last(&capacity.total);
    let named: BTreeSet<&str> = capacity
        .daemonsets
        .values()
        .flat_map(|it| amounts(it).keys().chain(it.now.keys()))
        .map(|it| &**it)
        .collect();
    let wide = look.detail == Detail::Wide;
    let more = named.into_iter().filter(|name| wide && !ALWAYS.contains(name));
    let columns: Vec<&str> = ["pods", "cpu", "memory"].into_iter().chain(more).collect();
    let heads = ["DAEMONSET".to_owned()].into_iter().chain(columns.iter().map(|it| it.to_uppercase()));
    let mut table = Table::new(heads);
    for (key, cost) in ranked(capacity) {
        let cell = |resource: &&str| {
            let amount = |of: &Amounts| of.get(*resource).copied().unwrap_or(0);
            let (now, after) = (amount(&cost.now), cost.after.as_ref().map(amount));
            let has = part.resources.get(*resource).and_then(|it| it.has).map(|it| it.total);
            let has = has.filter(|_| *resource != "pods");
            let texts = [Some(now), after].map(|it| it.map(|it| short_amount(resource, it)));
            arrow(texts, has.and_then(|has| percent(after.unwrap_or(now), has)))
        };
        table.row([key.to_string()].into_iter().chain(columns.iter().map(cell)));
    }
    table.write(out, "", true)
}

/// The nodes of a group in a few words.
fn name(group: &Group, by: &By) -> String {
    let first = group.nodes.first().map_or("", |name| name);
    match (by, group.nodes.len()) {
        (By::Label(_), nodes) => {
            let value = group.value.as_deref().unwrap_or("<none>");
            format!("{value} ({})", counted(nodes, "node"))
        }
        (_, 1) => first.to_owned(),
        (_, nodes) => format!("{nodes} like {first}"),
    }
}

/// The part that percentages and notes are about: what is there in the end, if anything is.
fn last(group: &Group) -> &Part {
    group.after.as_ref().filter(|after| after.nodes > 0).unwrap_or(&group.now)
}

/// A row for each resource.
fn rows(table: &mut Table, name: &str, group: &Group, sums: bool, fullest: bool, wide: bool) {
    let part = last(group);
    let there = |part: &Part| part.resources.keys().cloned().collect::<Vec<_>>();
    let mut resources: BTreeSet<Name> = there(&group.now).into_iter().collect();
    resources.extend(group.after.iter().flat_map(there));
    let more = resources.iter().map(|it| &**it).filter(|it| wide && !ALWAYS.contains(it));
    let mut note = group_note(group, sums);
    for resource in ALWAYS.into_iter().chain(more) {
        let of = |part: &Part| part.resources.get(resource).cloned().unwrap_or_default();
        let now = (group.now.nodes > 0).then(|| of(&group.now));
        let after = group.after.as_ref().filter(|after| after.nodes > 0).map(of);
        let end = of(part);
        let cell = |which: fn(&Sums) -> Option<Spread>, share: bool| {
            let texts = [&now, &after].map(|it| Some(spread(resource, which(it.as_ref()?)?, sums)));
            let share = if share { shares(which(&end), end.has, sums) } else { None };
            arrow(texts, share)
        };
        let known = |text: String| if end.has.is_none() { "any".to_owned() } else { text };
        let mut cells = vec![
            name.to_owned(),
            resource.to_owned(),
            known(cell(|it| it.has, false)),
            cell(|it| it.daemons, true),
            cell(|it| it.others, true),
            known(cell(|it| it.free, true)),
            cell(|it| it.overhead, false),
        ];
        if fullest {
            let text = |(node, percent): &(Name, i128)| format!("{node} ({percent}%)");
            cells.push(end.fullest.as_ref().map_or_else(String::new, text));
        }
        let mut notes = std::mem::take(&mut note);
        if end.free.is_some_and(|free| free.least < 0) {
            notes.push("overcommitted".to_owned());
        }
        cells.push(notes.join(", "));
        table.row(cells);
    }
}

/// What there is to say of a group beside its amounts.
fn group_note(group: &Group, sums: bool) -> Vec<String> {
    let part = last(group);
    let mut notes = Vec::new();
    match &group.after {
        Some(_) if sums => {}
        Some(after) if after.nodes == 0 => notes.push("gone".to_owned()),
        Some(_) if group.now.nodes == 0 => notes.push("new".to_owned()),
        _ => {}
    }
    match part.full {
        0 => {}
        full if full == part.nodes => notes.push("takes no pod".to_owned()),
        1 => notes.push("1 takes no pod".to_owned()),
        full => notes.push(format!("{full} take no pod")),
    }
    if part.waiting > 0 {
        notes.push(format!("{} waiting", counted(part.waiting, "pod")));
    }
    notes
}

/// An amount of a group: the sum, or that of each node.
fn spread(resource: &str, it: Spread, sums: bool) -> String {
    let short = |amount: i64| short_amount(resource, amount.into());
    match (sums, short(it.least), short(it.most)) {
        (true, ..) => short_amount(resource, it.total),
        (_, least, most) if least == most => least,
        (_, least, most) => format!("{least}..{most}"),
    }
}

/// How much of a hundred of what the nodes have that is.
fn shares(it: Option<Spread>, has: Option<Spread>, sums: bool) -> Option<String> {
    let (it, has) = it.zip(has)?;
    if sums {
        return percent(it.total, has.total);
    }
    let of = |amount: i64| percent(amount.into(), has.most.into());
    let (least, most) = (of(it.least)?, of(it.most)?);
    Some(if least == most { least } else { format!("{}..{most}", least.trim_end_matches('%')) })
}

fn percent(amount: i128, has: i128) -> Option<String> {
    (has > 0).then(|| format!("{}%", amount * 100 / has))
}

/// `now -> after (share)`, where they differ.
fn arrow([now, after]: [Option<String>; 2], share: Option<String>) -> String {
    let text = match (now, after) {
        (Some(now), Some(after)) if now != after => format!("{now} -> {after}"),
        (now, after) => after.or(now).unwrap_or_else(|| "0".to_owned()),
    };
    share.filter(|_| text != "0").map_or(text.clone(), |share| format!("{text} ({share})"))
}

/// What a daemonset takes in the end.
fn amounts(cost: &Cost) -> &Amounts {
    cost.after.as_ref().unwrap_or(&cost.now)
}

/// The daemonsets, those that take most first: of what of cpu and memory they take more of.
fn ranked(capacity: &Capacity) -> Vec<(&ObjectKey, &Cost)> {
    let part = last(&capacity.total);
    let share = |cost: &Cost| {
        let of = |resource: &str| {
            let has = part.resources.get(resource).and_then(|it| it.has).map_or(0, |it| it.total);
            let amount = amounts(cost).get(resource).copied().unwrap_or(0);
            amount.saturating_mul(1_000_000).checked_div(has).unwrap_or(0)
        };
        of("cpu").max(of("memory"))
    };
    let mut all: Vec<(&ObjectKey, &Cost)> = capacity.daemonsets.iter().collect();
    all.sort_by_key(|(_, cost)| std::cmp::Reverse(share(cost)));
    all
}

/// What there is to say of all nodes.
fn notes(capacity: &Capacity, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let part = last(&capacity.total);
    let mut lines: Vec<String> = Vec::new();
    if let Some((key, cost)) = ranked(capacity).first() {
        let of = |resource: &str| amounts(cost).get(resource).copied().unwrap_or(0);
        let short = |resource: &str| format!("{} of {resource}", short_amount(resource, of(resource)));
        let taken: Vec<String> = ["cpu", "memory"].into_iter().filter(|it| of(it) > 0).map(short).collect();
        if !taken.is_empty() {
            let pods = counted(of("pods"), "pod");
            lines.push(format!("Of daemonsets {key} takes most: {}, in {pods}.", taken.join(" and ")));
        }
    }
    if let Some(after) = &capacity.total.after {
        lines.push(added(&capacity.total.now, after));
    }
    if let Some(largest) = &part.largest {
        let (cpu, memory) =
            (short_amount("cpu", largest.cpu.into()), short_amount("memory", largest.memory.into()));
        lines.push(format!(
            "The largest pod that fits: {cpu} of cpu and {memory} of memory, on {}.",
            largest.node
        ));
    }
    let over = overcommitted(capacity);
    if !over.is_empty() {
        let shown: Vec<&str> = over.iter().take(NAMED).map(|it| &**it).collect();
        let more = match over.len() - shown.len() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let on = counted(over.len(), "node");
        lines.push(format!("More is requested than there is on {on}: {}{more}.", shown.join(", ")));
    }
    if capacity.astray > 0 {
        let (pods, is, node) = match capacity.astray {
            1 => ("1 pod".to_owned(), "is", "a node that is not known"),
            pods => (counted(pods, "pod"), "are", "nodes that are not known"),
        };
        lines.push(format!("{pods} {is} bound to {node}, and counted nowhere."));
    }
    if !lines.is_empty() {
        writeln!(out)?;
    }
    lines.iter().try_for_each(|line| writeln!(out, "{}", look.paint.strong(visible(line))))
}

/// How much more, or less, the plan lets daemon pods take of these nodes.
fn added(now: &Part, after: &Part) -> String {
    let of = |part: &Part, resource: &str| {
        part.resources.get(resource).and_then(|it| it.daemons).map_or(0, |it| it.total)
    };
    let changes = ALWAYS.into_iter().filter_map(|resource| {
        let change = of(after, resource) - of(now, resource);
        let more = if change > 0 { "more" } else { "less" };
        let amount = short_amount(resource, change.abs());
        match resource {
            _ if change == 0 => None,
            "pods" => Some(format!("{} {more}", counted(amount, "pod"))),
            _ => Some(format!("{amount} {more} {resource}")),
        }
    });
    let changes: Vec<String> = changes.collect();
    match changes.is_empty() {
        true => "With the plan daemon pods take as much as now.".to_owned(),
        false => format!("With the plan daemon pods take {}.", changes.join(", ")),
    }
}

/// Nodes on which more is requested than there is, each with of what; first those that the
/// plan brings there.
fn overcommitted(capacity: &Capacity) -> Vec<String> {
    let lacks = |part: &Part| -> Vec<Name> {
        let lacking = part.resources.iter().filter(|(_, it)| it.free.is_some_and(|free| free.least < 0));
        lacking.map(|(resource, _)| resource.clone()).collect()
    };
    let mut found: Vec<(bool, String)> = Vec::new();
    for node in &capacity.nodes {
        let lacking = lacks(last(node));
        if lacking.is_empty() || node.after.as_ref().is_some_and(|after| after.nodes == 0) {
            continue;
        }
        let is_new = node.after.is_some() && lacking.iter().any(|it| !lacks(&node.now).contains(it));
        let first = if is_new { "newly " } else { "" };
        found.push((!is_new, format!("{} ({first}{})", node.nodes[0], lacking.join(", "))));
    }
    found.sort();
    found.into_iter().map(|(_, text)| text).collect()
}
