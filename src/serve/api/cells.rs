//! The columns of a resource's table: those of its kind, and of kinds that are only kept
//! here those that an API server's printers have.

use serde_json::Value;

use crate::app::api::{RESOURCES, Resource};
use crate::kube::columns::{Column, or_none, text};
use crate::kube::{age, seconds};

/// A column of a table.
pub struct Cell {
    /// Its head.
    pub name: String,
    /// 0 where it is always shown.
    pub priority: u8,
    /// The cell of an object at a time.
    pub cell: fn(&Value, i64) -> String,
}

fn cell(name: &str, priority: u8, cell: fn(&Value, i64) -> String) -> Cell {
    Cell { name: name.to_owned(), priority, cell }
}

/// The columns of a resource's table.
pub fn cells(resource: usize) -> Vec<Cell> {
    let name = cell("Name", 0, |object, _| text(&object["metadata"]["name"]).to_owned());
    let own = match RESOURCES[resource].plural {
        "events" => return of_events(),
        "leases" => of_leases(),
        "poddisruptionbudgets" => of_budgets(),
        "priorityclasses" => of_classes(),
        _ => of_kind(&RESOURCES[resource]),
    };
    std::iter::once(name).chain(own).collect()
}

fn of_kind(resource: &Resource) -> Vec<Cell> {
    // What only `dsrules get` has is left out.
    let columns = resource.info().map_or(&[][..], |info| info.columns);
    let columns = columns.iter().filter(|column| column.head != "WAITS FOR");
    columns.map(|column| cell(&titled(column), u8::from(column.wide), column.cell)).collect()
}

/// A head as an API server has it, which clients put into capitals: `Node Selector`.
fn titled(column: &Column) -> String {
    let mut first = true;
    let letter = |c: char| {
        let shown = if first { c } else { c.to_ascii_lowercase() };
        first = !c.is_alphanumeric();
        shown
    };
    column.head.chars().map(letter).collect()
}

fn created(object: &Value, now: i64) -> String {
    age(seconds(&object["metadata"]["creationTimestamp"]), now)
}

fn of_leases() -> Vec<Cell> {
    vec![
        cell("Holder", 0, |lease, _| text(&lease["spec"]["holderIdentity"]).to_owned()),
        cell("Age", 0, created),
    ]
}

fn of_budgets() -> Vec<Cell> {
    vec![
        cell("Min Available", 0, |budget, _| number(&budget["spec"]["minAvailable"])),
        cell("Max Unavailable", 0, |budget, _| number(&budget["spec"]["maxUnavailable"])),
        cell("Allowed Disruptions", 0, |budget, _| {
            budget["status"]["disruptionsAllowed"].as_i64().unwrap_or(0).to_string()
        }),
        cell("Age", 0, created),
    ]
}

fn number(value: &Value) -> String {
    match value {
        Value::Null => "N/A".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn of_classes() -> Vec<Cell> {
    vec![
        cell("Value", 0, |class, _| class["value"].as_i64().unwrap_or(0).to_string()),
        cell("Global-Default", 0, |class, _| (class["globalDefault"] == true).to_string()),
        cell("Age", 0, created),
        cell("PreemptionPolicy", 0, |class, _| {
            class["preemptionPolicy"].as_str().unwrap_or("PreemptLowerPriority").to_owned()
        }),
    ]
}

fn of_events() -> Vec<Cell> {
    vec![
        cell("Last Seen", 0, |event, now| age(seen(event, "lastTimestamp"), now)),
        cell("Type", 0, |event, _| text(&event["type"]).to_owned()),
        cell("Reason", 0, |event, _| text(&event["reason"]).to_owned()),
        cell("Object", 0, |event, _| {
            let about = &event["involvedObject"];
            format!("{}/{}", text(&about["kind"]).to_lowercase(), text(&about["name"]))
        }),
        cell("Subobject", 1, |event, _| text(&event["involvedObject"]["fieldPath"]).to_owned()),
        cell("Source", 1, |event, _| {
            let source = &event["source"];
            let named = [&source["component"], &source["host"]].map(text);
            named.into_iter().filter(|it| !it.is_empty()).collect::<Vec<_>>().join(", ")
        }),
        cell("Message", 0, |event, _| text(&event["message"]).trim().to_owned()),
        cell("First Seen", 1, |event, now| age(seen(event, "firstTimestamp"), now)),
        cell("Count", 1, |event, _| event["count"].as_i64().unwrap_or(1).to_string()),
        cell("Name", 1, |event, _| or_none(&event["metadata"]["name"])),
    ]
}

fn seen(event: &Value, field: &str) -> Option<i64> {
    seconds(&event[field])
        .or_else(|| seconds(&event["eventTime"]))
        .or_else(|| seconds(&event["metadata"]["creationTimestamp"]))
}
