//! Events as lines of a table: of a daemonset's page, and of `get events`.

use serde_json::Value;

use super::{Columns, Table};
use crate::kube::columns::text;
use crate::kube::{age, seconds};

/// One line of a table of events: equal ones are counted together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRow {
    /// The namespace it is in.
    pub namespace: String,
    /// What it is about, as `daemonset/fluentd`.
    pub about: String,
    /// `Normal` or `Warning`.
    pub kind: String,
    /// The reason, as `SuccessfulCreate`.
    pub reason: String,
    /// Who recorded it.
    pub source: String,
    /// The message.
    pub message: String,
    /// When it happened first, in seconds of Unix time.
    pub first: i64,
    /// When it happened last.
    pub last: i64,
    /// How often.
    pub count: u64,
}

impl EventRow {
    /// The line of a core/v1 Event.
    #[must_use]
    pub fn from_object(event: &Value) -> Self {
        let about = &event["involvedObject"];
        EventRow {
            namespace: text(&about["namespace"]).to_owned(),
            about: format!("{}/{}", text(&about["kind"]).to_lowercase(), text(&about["name"])),
            kind: text(&event["type"]).to_owned(),
            reason: text(&event["reason"]).to_owned(),
            source: text(&event["source"]["component"]).to_owned(),
            message: text(&event["message"]).to_owned(),
            first: seconds(&event["firstTimestamp"]).unwrap_or(0),
            last: seconds(&event["lastTimestamp"]).unwrap_or(0),
            count: event["count"].as_u64().unwrap_or(1),
        }
    }
}

/// The table of `events`.
#[must_use]
pub fn event_columns(events: &[EventRow], columns: Columns) -> Table {
    let mut heads = if columns.namespace { vec!["NAMESPACE"] } else { Vec::new() };
    heads.extend(["LAST SEEN", "TYPE", "REASON", "OBJECT"]);
    heads.extend(if columns.wide {
        vec!["SOURCE", "MESSAGE", "FIRST SEEN", "COUNT"]
    } else {
        vec!["MESSAGE"]
    });
    let mut table = Table::new(heads);
    for event in events {
        let last = age(Some(event.last), columns.now);
        let mut row = if columns.namespace { vec![event.namespace.clone()] } else { Vec::new() };
        row.extend([last, event.kind.clone(), event.reason.clone(), event.about.clone()]);
        if columns.wide {
            row.push(event.source.clone());
        }
        row.push(event.message.clone());
        if columns.wide {
            row.extend([age(Some(event.first), columns.now), event.count.to_string()]);
        }
        table.row(row);
    }
    table
}
