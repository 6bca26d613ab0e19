//! What is reached, as a document for programs.

use serde::Serialize;

use super::target::{Reached, Target};
use crate::kube::Name;

/// A daemonset or a service.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Document<'a> {
    kind: &'static str,
    namespace: &'a str,
    name: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    services: Vec<String>,
    targets: Vec<Item<'a>>,
    /// How many pods have no address that is known.
    without_address: usize,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Item<'a> {
    node: &'a str,
    pod: &'a str,
    addresses: &'a [Name],
    #[serde(skip_serializing_if = "Option::is_none")]
    port: Option<i64>,
    #[serde(skip_serializing_if = "str::is_empty")]
    port_name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    protocol: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    container: Option<&'a str>,
    on_node: bool,
    ready: bool,
}

/// What is reached of several.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Documents<'a> {
    api_version: &'static str,
    kind: &'static str,
    items: Vec<Document<'a>>,
}

/// The document of what is reached, `kind: Reached` of `apiVersion: dsrules.dev/v1`.
#[must_use]
pub fn documents(reached: &[Reached]) -> Documents<'_> {
    let items = reached.iter().map(document).collect();
    Documents { api_version: "dsrules.dev/v1", kind: "Reached", items }
}

fn document(reached: &Reached) -> Document<'_> {
    let Reached { kind, key, services, targets, without_address } = reached;
    Document {
        kind: kind.name(),
        namespace: &key.namespace,
        name: &key.name,
        services: services.iter().map(ToString::to_string).collect(),
        targets: targets.iter().map(item).collect(),
        without_address: *without_address,
    }
}

fn item(target: &Target) -> Item<'_> {
    Item {
        node: &target.node,
        pod: &target.pod.name,
        addresses: &target.addresses,
        port: target.port,
        port_name: &target.name,
        protocol: target.port.map(|_| &*target.protocol),
        container: target.container.as_ref().map(|it| &*it.name),
        on_node: target.on_node,
        ready: target.ready,
    }
}
