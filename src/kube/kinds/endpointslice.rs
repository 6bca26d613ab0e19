//! An EndpointSlice: what clients find under the name of a service. It is derived; those that a
//! manifest has are kept as objects of any other kind.

use serde_json::Value;

use crate::kube::columns::{Column, items, or_none, text};

/// The name of the kind.
pub const ENDPOINT_SLICE: &str = "EndpointSlice.discovery.k8s.io";

/// What `get` shows of one.
pub(super) const COLUMNS: &[Column] = &[
    Column::new("ADDRESSTYPE", |slice, _| or_none(&slice["addressType"])),
    Column::new("PORTS", |slice, _| first_of(items(&slice["ports"]).map(port))),
    Column::new("ENDPOINTS", |slice, _| {
        first_of(items(&slice["endpoints"]).map(|it| text(&it["addresses"][0]).to_owned()))
    }),
    Column::AGE,
];

fn port(port: &Value) -> String {
    match (port["port"].as_i64(), text(&port["name"])) {
        (Some(number), _) => number.to_string(),
        (None, "") => "*".to_owned(),
        (None, name) => name.to_owned(),
    }
}

/// The first three, and how many more there are (listWithMoreString).
fn first_of(all: impl Iterator<Item = String>) -> String {
    const SHOWN: usize = 3;
    let all: Vec<String> = all.collect();
    match all.len() {
        0 => "<unset>".to_owned(),
        count if count > SHOWN => format!("{} + {} more...", all[..SHOWN].join(","), count - SHOWN),
        _ => all.join(","),
    }
}
