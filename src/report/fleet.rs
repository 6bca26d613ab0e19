//! How a fleet stands: kubectl's table of daemonsets, what their rollouts wait for, and what is
//! not as it should be, by what it is.

use std::io::{self, Write};

use serde::Serialize;

use super::columns::{Columns, cells, columns};
use super::data::API_VERSION;
use super::key::Key;
use super::look::{Detail, Look};
use super::table::Table;
use crate::app::fleet::{Fleet, Standing, Trouble, What};
use crate::diagnostic::{counted, visible};
use crate::kube::{Kind, Status, age, time, timestamp};
use crate::target::reports::PodReport;

/// So many rows are shown of each kind of trouble.
const SHOWN: usize = 20;

/// The column of which reports alone know nothing.
const NODE_SELECTOR: &str = "NODE SELECTOR";

/// All of it, for a person.
///
/// # Errors
/// Where writing fails.
pub fn fleet_text(fleet: &Fleet, look: Look, heads: bool, now: i64, out: &mut dyn Write) -> io::Result<()> {
    let columns_of = Columns { namespace: true, wide: look.detail == Detail::Wide, kind: false, now };
    if !fleet.daemonsets.is_empty() {
        let mut table = columns(Kind::DaemonSet, columns_of);
        fleet.daemonsets.iter().for_each(|it| table.row(row(it, columns_of)));
        table.write(out, "", heads)?;
        writeln!(out)?;
        for it in &fleet.daemonsets {
            writeln!(out, "{}", visible(&it.message))?;
        }
    }
    let silent = fleet.nodes - fleet.reporting;
    let nodes = counted(fleet.nodes, "node");
    let silent = if silent == 0 { "all report".to_owned() } else { format!("{silent} silent") };
    writeln!(out, "{nodes}, {silent}")?;
    all_troubles(fleet, look, now, out)
}

/// The row of a daemonset, as `get` shows it; where nothing but reports is at hand nobody knows
/// its node selector.
fn row(it: &Standing, shown: Columns) -> Vec<String> {
    let mut row = cells(Kind::DaemonSet, &it.object, shown);
    if it.object["spec"].is_null() {
        let own = Kind::DaemonSet.info().columns.iter();
        let before = own.take_while(|column| column.head != NODE_SELECTOR).count();
        // Namespace and name come first.
        row.iter_mut().skip(2 + before).for_each(|cell| "<unknown>".clone_into(cell));
    }
    row
}

/// All that is not as it should be.
fn all_troubles(fleet: &Fleet, look: Look, now: i64, out: &mut dyn Write) -> io::Result<()> {
    for (what, title) in [
        (What::Silent, "Silent"),
        (What::Error, "Errors of agents"),
        (What::NotAvailable, "Not available"),
        (What::Behind, "Behind"),
    ] {
        let all: Vec<&Trouble> = fleet.troubles.iter().filter(|it| it.what == what).collect();
        troubles(what, title, &all, look, now, out)?;
    }
    Ok(())
}

fn troubles(
    what: What,
    title: &str,
    all: &[&Trouble],
    look: Look,
    now: i64,
    out: &mut dyn Write,
) -> io::Result<()> {
    if all.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{}", look.paint.strong(format!("{title}:")))?;
    let shown = if look.detail == Detail::Wide { all.len() } else { all.len().min(SHOWN) };
    let mut table = Table::new(
        match what {
            What::Silent => &["NODE", "LAST SEEN", "REASON", "MESSAGE"][..],
            What::Error => &["NODE", "REASON", "MESSAGE"],
            What::NotAvailable => &["NAMESPACE", "DAEMONSET", "POD", "NODE", "STATUS", "MESSAGE"],
            What::Behind => &["NAMESPACE", "DAEMONSET", "NODE", "REASON", "MESSAGE"],
        }
        .iter()
        .copied(),
    );
    for it in &all[..shown] {
        let (node, reason, message) = (it.node.to_string(), it.reason.clone(), it.message.clone());
        let of = it.daemonset.as_ref();
        let namespace = of.map_or_else(String::new, |key| key.namespace.to_string());
        let name = of.map_or_else(String::new, |key| or_none(&key.name));
        let pod = or_none(it.pod.as_deref().unwrap_or(""));
        match what {
            What::Silent => {
                let seen = it.seen.map_or_else(|| "<never>".to_owned(), |seen| age(Some(seen), now));
                table.row([node, seen, reason, message]);
            }
            What::Error => table.row([node, reason, message]),
            What::NotAvailable => table.row([namespace, name, pod, node, reason, message]),
            What::Behind => table.row([namespace, name, node, reason, message]),
        }
    }
    table.write(out, "  ", true)?;
    if shown < all.len() {
        let more = format!("and {} more: `-o wide` shows all", all.len() - shown);
        writeln!(out, "  {}", look.paint.dim(more))?;
    }
    Ok(())
}

/// The pods of one node, as `kubectl get pods` shows them, and what is not as it should be there.
///
/// # Errors
/// Where writing fails.
pub fn fleet_pods(fleet: &Fleet, look: Look, heads: bool, now: i64, out: &mut dyn Write) -> io::Result<()> {
    let mut table =
        Table::new(["NAMESPACE", "NAME", "READY", "STATUS", "RESTARTS", "AGE", "DAEMONSET", "REVISION"]);
    for pod in &fleet.pods {
        let status = if pod.reason.is_empty() { pod.phase.to_string() } else { pod.reason.clone() };
        table.row([
            pod.namespace.to_string(),
            pod.name.to_string(),
            ready(pod),
            status,
            pod.restarts.to_string(),
            age(time(&pod.created), now),
            or_none(&pod.daemon_set),
            or_none(&pod.revision),
        ]);
    }
    if !table.is_empty() {
        table.write(out, "", heads)?;
    }
    all_troubles(fleet, look, now, out)
}

/// How many containers are ready; where the report does not say how many there are, of one.
fn ready(pod: &PodReport) -> String {
    if pod.containers > 0 {
        format!("{}/{}", pod.ready_containers, pod.containers)
    } else {
        format!("{}/1", i32::from(pod.ready))
    }
}

fn or_none(text: &str) -> String {
    if text.is_empty() { "<none>".to_owned() } else { text.to_owned() }
}

/// The names of the daemonsets, as `get -o name` writes them.
///
/// # Errors
/// Where writing fails.
pub fn fleet_names(fleet: &Fleet, out: &mut dyn Write) -> io::Result<()> {
    let mut names = fleet.daemonsets.iter();
    names.try_for_each(|it| writeln!(out, "{}/{}", Kind::DaemonSet.resource(), it.key.name))
}

/// All of it as a `kind: Fleet` of `apiVersion: dsrules.dev/v1`; the pods of a node where one
/// was asked for.
pub fn fleet_document(fleet: &Fleet, with_pods: bool) -> impl Serialize + '_ {
    let daemonset = |it: &Standing| DaemonSetLine {
        daemonset: it.key.clone().into(),
        done: it.done,
        message: it.message.clone(),
        status: it.status.clone(),
    };
    Document {
        api_version: API_VERSION,
        kind: "Fleet",
        right: fleet.is_right(),
        nodes: Nodes { total: fleet.nodes, reporting: fleet.reporting },
        daemonsets: fleet.daemonsets.iter().map(daemonset).collect(),
        troubles: fleet.troubles.iter().map(TroubleLine::of).collect(),
        unreadable: fleet.unreadable.iter().map(|it| it.message.as_str()).collect(),
        pods: with_pods.then_some(&fleet.pods),
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    api_version: &'static str,
    kind: &'static str,
    right: bool,
    nodes: Nodes,
    daemonsets: Vec<DaemonSetLine>,
    troubles: Vec<TroubleLine<'a>>,
    unreadable: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pods: Option<&'a Vec<PodReport>>,
}

#[derive(Serialize)]
struct Nodes {
    total: usize,
    reporting: usize,
}

#[derive(Serialize)]
struct DaemonSetLine {
    daemonset: Key,
    done: bool,
    message: String,
    status: Status,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TroubleLine<'a> {
    what: What,
    node: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    daemonset: Option<Key>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pod: Option<&'a str>,
    reason: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_seen: Option<String>,
}

impl<'a> TroubleLine<'a> {
    fn of(it: &'a Trouble) -> Self {
        TroubleLine {
            what: it.what,
            node: &it.node,
            daemonset: it.daemonset.clone().map(Key::from),
            pod: it.pod.as_deref(),
            reason: &it.reason,
            message: &it.message,
            last_seen: it.seen.map(timestamp),
        }
    }
}
