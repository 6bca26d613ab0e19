//! Where daemonsets and services are reached, as a table and as a document.

use serde::Serialize;

use super::Table;
use crate::reach::{Reached, Target, documents};

/// A row for each port of each pod; `wide` with pod, container and services.
#[must_use]
pub fn reach_table(reached: &[Reached], wide: bool) -> Table {
    let several = reached.len() > 1;
    let mut heads = vec!["NODE", "ADDRESS", "PORT", "NAME", "READY"];
    if several {
        heads.insert(0, "OF");
    }
    if wide {
        heads.extend(["POD", "CONTAINER", "SERVICES"]);
    }
    let mut table = Table::new(heads);
    for it in reached {
        for target in &it.targets {
            let mut cells = cells(target);
            if several {
                cells.insert(0, format!("{}/{}", it.kind.resource(), it.key.name));
            }
            if wide {
                let services: Vec<&str> = it.services.iter().map(|service| &*service.name).collect();
                let container = target.container.as_ref().map_or("", |it| &it.name);
                cells.extend([target.pod.name.to_string(), or_none(container), or_none(&services.join(","))]);
            }
            table.row(cells);
        }
    }
    table
}

fn cells(target: &Target) -> Vec<String> {
    let addresses: Vec<&str> = target.addresses.iter().map(|it| &**it).collect();
    let port = target.port.map(|port| format!("{port}/{}", target.protocol));
    vec![
        or_none(&target.node),
        or_none(&addresses.join(",")),
        or_none(port.as_deref().unwrap_or("")),
        or_none(&target.name),
        target.ready.to_string(),
    ]
}

fn or_none(text: &str) -> String {
    if text.is_empty() { "<none>".to_owned() } else { text.to_owned() }
}

/// The same as a `kind: Reached` of `apiVersion: dsrules.dev/v1`.
#[must_use]
pub fn reach_document(reached: &[Reached]) -> impl Serialize + '_ {
    documents(reached)
}
