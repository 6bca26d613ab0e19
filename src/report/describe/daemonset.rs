//! A daemonset's page: selector, counts, template, events.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::EventRow;
use super::page::{Page, annotations, lines};
use super::template;
use crate::kube::columns::{pairs, selector, text};
use crate::kube::{Name, Strategy};

/// The page of `daemonset`, of whose pods so many are in each phase.
#[must_use]
pub fn describe_daemonset(
    daemonset: &Value,
    phases: &BTreeMap<Name, usize>,
    events: &[EventRow],
    now: i64,
) -> String {
    let (meta, spec, status) = (&daemonset["metadata"], &daemonset["spec"], &daemonset["status"]);
    let mut page = Page::default();
    page.fields(
        "",
        [
            ("Name", text(&meta["name"]).to_owned()),
            ("Namespace", text(&meta["namespace"]).to_owned()),
            ("Selector", selector(&spec["selector"])),
            ("Node-Selector", pairs(&spec["template"]["spec"]["nodeSelector"])),
            ("Labels", lines(&meta["labels"], "=")),
            ("Annotations", annotations(daemonset)),
            ("Update Strategy", strategy(&Strategy::from_value(&spec["updateStrategy"]))),
        ],
    );
    for (label, name) in [
        ("Desired Number of Nodes Scheduled", "desiredNumberScheduled"),
        ("Current Number of Nodes Scheduled", "currentNumberScheduled"),
        ("Number of Nodes Scheduled with Up-to-date Pods", "updatedNumberScheduled"),
        ("Number of Nodes Scheduled with Available Pods", "numberAvailable"),
        ("Number of Nodes Misscheduled", "numberMisscheduled"),
    ] {
        page.line(format!("{label}: {}", status[name].as_i64().unwrap_or(0)));
    }
    let count = |phase: &str| phases.get(phase).copied().unwrap_or(0);
    page.line(format!(
        "Pods Status:  {} Running / {} Waiting / {} Succeeded / {} Failed",
        count("Running"),
        count("Pending"),
        count("Succeeded"),
        count("Failed")
    ));
    page.line("Pod Template:");
    template::write(&spec["template"], "  ", &mut page);
    page.events_with_pods(events, now);
    page.text
}

/// `RollingUpdate (max unavailable 1, max surge 0)`.
fn strategy(strategy: &Strategy) -> String {
    let Strategy { kind, max_unavailable, max_surge } = strategy;
    match strategy.rolls() {
        true => format!("{kind} (max unavailable {max_unavailable}, max surge {max_surge})"),
        false => kind.to_string(),
    }
}
