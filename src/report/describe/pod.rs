//! A pod's page: where it is, whose it is, what it runs.

use serde_json::Value;

use super::super::{EventRow, Table};
use super::page::{Page, annotations, date, lines};
use super::template;
use crate::kube::columns::{items, or_none, text};
use crate::kube::{controlling, pod_status, waits_for};

/// The page of `pod`.
#[must_use]
pub fn describe_pod(pod: &Value, events: &[EventRow], now: i64) -> String {
    let (meta, spec, status) = (&pod["metadata"], &pod["spec"], &pod["status"]);
    let mut page = Page::default();
    let service_account = match text(&spec["serviceAccountName"]) {
        "" => "default",
        name => name,
    };
    let mut fields = vec![
        ("Name", text(&meta["name"]).to_owned()),
        ("Namespace", text(&meta["namespace"]).to_owned()),
        ("Service Account", service_account.to_owned()),
        ("Node", or_none(&spec["nodeName"])),
        ("Waits For", waits_for(pod).unwrap_or_default()),
        ("Created", date(&meta["creationTimestamp"])),
        ("Labels", lines(&meta["labels"], "=")),
        ("Annotations", annotations(pod)),
        ("Status", pod_status(pod)),
        ("IP", text(&status["podIP"]).to_owned()),
    ];
    if !text(&spec["priorityClassName"]).is_empty() {
        fields.insert(2, ("Priority Class Name", text(&spec["priorityClassName"]).to_owned()));
    }
    fields.retain(|(label, value)| *label != "Waits For" || !value.is_empty());
    if let Some(owner) = controlling(pod) {
        fields.push(("Controlled By", format!("{}/{}", text(&owner["kind"]), text(&owner["name"]))));
    }
    page.fields("", fields);
    template::containers(spec, "", &mut page);
    let mut table = Table::new(["Type", "Status"]).underlined().gap(2);
    for condition in items(&status["conditions"]) {
        table.row([text(&condition["type"]), text(&condition["status"])]);
    }
    if !table.is_empty() {
        page.line("Conditions:");
        page.table("  ", &table, true);
    }
    template::volumes_and_placement(spec, "", &mut page);
    page.events(events, now);
    page.text
}
