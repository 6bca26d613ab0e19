//! A node's page: labels, taints, conditions, the pods it has and what they ask for.

use serde_json::Value;

use super::super::{EventRow, Table};
use super::allocated;
use super::page::{Page, annotations, date, lines, plain, stacked};
use crate::kube::columns::{items, text};
use crate::kube::{age, node_roles, seconds, waits_for};

/// The page of `node`, with the `pods` on it and those that wait for it.
#[must_use]
pub fn describe_node(node: &Value, pods: &[Value], events: &[EventRow], now: i64) -> String {
    let (meta, spec, status) = (&node["metadata"], &node["spec"], &node["status"]);
    let mut page = Page::default();
    page.fields(
        "",
        [
            ("Name", text(&meta["name"]).to_owned()),
            ("Roles", node_roles(node)),
            ("Labels", lines(&meta["labels"], "=")),
            ("Annotations", annotations(node)),
            ("CreationTimestamp", date(&meta["creationTimestamp"])),
            ("Taints", stacked(items(&spec["taints"]).map(taint))),
            ("Unschedulable", (spec["unschedulable"] == true).to_string()),
        ],
    );
    conditions(status, &mut page);
    if items(&status["addresses"]).next().is_some() {
        page.line("Addresses:");
        page.fields("  ", items(&status["addresses"]).map(|a| (text(&a["type"]), text(&a["address"]))));
    }
    for (heading, name) in [("Capacity:", "capacity"), ("Allocatable:", "allocatable")] {
        if let Some(resources) = status[name].as_object() {
            page.line(heading);
            page.fields("  ", resources.iter().map(|(name, amount)| (name, plain(amount))));
        }
    }
    system_info(&status["nodeInfo"], &mut page);
    for (label, name) in [("PodCIDR", "podCIDR"), ("ProviderID", "providerID")] {
        if !text(&spec[name]).is_empty() {
            page.fields("", [(label, text(&spec[name]))]);
        }
    }
    let since = |pod: &Value| age(seconds(&pod["metadata"]["creationTimestamp"]), now);
    let is_here = |pod: &&Value| pod["spec"]["nodeName"] == meta["name"];
    let here: Vec<&Value> = pods.iter().filter(is_here).collect();
    allocated::write(node, &here, since, &mut page);
    waiting(pods.iter().filter(|pod| !is_here(pod)), &mut page);
    page.events_with_pods(events, now);
    page.text
}

/// Pods that are meant for the node and not bound to it, each with why.
fn waiting<'a>(pods: impl Iterator<Item = &'a Value>, page: &mut Page) {
    let mut table = Table::new(["Namespace", "Name", "Waits For"]).underlined().gap(2);
    for pod in pods {
        let meta = &pod["metadata"];
        table.row([text(&meta["namespace"]), text(&meta["name"]), &waits_for(pod).unwrap_or_default()]);
    }
    if !table.is_empty() {
        page.line(format!("Waiting Pods:  ({} in total)", table.len()));
        page.table("  ", &table, true);
    }
}

fn taint(taint: &Value) -> String {
    let value = text(&taint["value"]);
    let sign = if value.is_empty() { "" } else { "=" };
    format!("{}{sign}{value}:{}", text(&taint["key"]), text(&taint["effect"]))
}

fn conditions(status: &Value, page: &mut Page) {
    let mut table =
        Table::new(["Type", "Status", "LastTransitionTime", "Reason", "Message"]).underlined().gap(2);
    for condition in items(&status["conditions"]) {
        table.row([
            text(&condition["type"]).to_owned(),
            text(&condition["status"]).to_owned(),
            date(&condition["lastTransitionTime"]),
            text(&condition["reason"]).to_owned(),
            text(&condition["message"]).to_owned(),
        ]);
    }
    if !table.is_empty() {
        page.line("Conditions:");
        page.table("  ", &table, true);
    }
}

fn system_info(info: &Value, page: &mut Page) {
    let names = [
        ("Machine ID", "machineID"),
        ("Kernel Version", "kernelVersion"),
        ("OS Image", "osImage"),
        ("Operating System", "operatingSystem"),
        ("Architecture", "architecture"),
        ("Container Runtime Version", "containerRuntimeVersion"),
        ("Kubelet Version", "kubeletVersion"),
    ];
    let known: Vec<_> = names.into_iter().filter(|(_, name)| !text(&info[*name]).is_empty()).collect();
    if !known.is_empty() {
        page.line("System Info:");
        page.fields("  ", known.into_iter().map(|(label, name)| (label, text(&info[name]))));
    }
}
