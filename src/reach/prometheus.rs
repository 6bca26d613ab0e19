//! Targets for Prometheus' `file_sd_configs`: a group for each port of each pod, with the
//! labels that its `kubernetes_sd_configs` would give.
//!
//! A daemonset's are those of the role `pod`, a service's those of the role `endpoints`.
//! Prometheus takes one address of a pod, its first, and so is it here.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::target::{Reached, Target};
use crate::kube::{Kind, controlling, labels_of};
use crate::state::World;

/// A group of the file.
#[derive(Debug, Serialize)]
struct Group {
    targets: Vec<String>,
    labels: BTreeMap<String, String>,
}

/// The file, as JSON.
#[must_use]
pub fn prometheus_sd(reached: &[Reached], world: &World) -> String {
    let groups: Vec<Group> =
        reached.iter().flat_map(|it| it.targets.iter().filter_map(|t| group(it, t, world))).collect();
    let mut text = serde_json::to_string_pretty(&groups).unwrap_or_else(|_| "[]".to_owned());
    text.push('\n');
    text
}

fn group(reached: &Reached, target: &Target, world: &World) -> Option<Group> {
    let address = target.outside().next()?;
    let host = if address.contains(':') { format!("[{address}]") } else { address.to_string() };
    let at = target.port.map_or(host.clone(), |port| format!("{host}:{port}"));
    let mut labels = Labels::default();
    of_pod(target, &mut labels);
    if let Some(node) = world.nodes.get(&crate::kube::ObjectKey::new("", target.node.clone())) {
        labels.map("node", "label", node.meta.labels.iter().map(|(key, value)| (&**key, &**value)));
    }
    if reached.kind == Kind::Service {
        labels.add("service_name", &reached.key.name);
        labels.add("endpoint_ready", if target.ready { "true" } else { "false" });
        labels.add("endpoint_node_name", &target.node);
        labels.add("endpoint_port_name", &target.name);
        if target.port.is_some() {
            labels.add("endpoint_port_protocol", &target.protocol);
        }
        if let Some(service) = world.others.get(&(Kind::Service, reached.key.clone())) {
            labels.map("service", "label", service.meta.labels.iter().map(|(key, value)| (&**key, &**value)));
        }
    }
    Some(Group { targets: vec![at], labels: labels.0 })
}

/// The labels of the role `pod`.
fn of_pod(target: &Target, labels: &mut Labels) {
    let (meta, status) = (&target.object["metadata"], &target.object["status"]);
    let text = |value: &Value| value.as_str().unwrap_or("").to_owned();
    labels.add("namespace", &target.pod.namespace);
    labels.add("pod_name", &target.pod.name);
    labels.add("pod_uid", &text(&meta["uid"]));
    labels.add("pod_phase", &text(&status["phase"]));
    labels.add("pod_ready", ready(status));
    labels.add("pod_node_name", &target.node);
    labels.add("node_name", &target.node);
    let own = text(&status["podIP"]);
    let on_host = target.object["spec"]["hostNetwork"] == true;
    let first = target.addresses.first().map_or("", |it| &**it);
    let shares = on_host || !target.on_node;
    labels.add("pod_ip", if own.is_empty() && shares { first } else { &own });
    let host = text(&status["hostIP"]);
    labels.add("pod_host_ip", if host.is_empty() && target.on_node { first } else { &host });
    if let Some(owner) = controlling(&target.object) {
        labels.add("pod_controller_kind", &text(&owner["kind"]));
        labels.add("pod_controller_name", &text(&owner["name"]));
    }
    if let Some(container) = &target.container {
        labels.add("pod_container_name", &container.name);
        labels.add("pod_container_image", &container.image);
        labels.add("pod_container_init", "false");
        if let Some(port) = container.port {
            labels.add("pod_container_port_name", &target.name);
            labels.add("pod_container_port_number", &port.to_string());
            labels.add("pod_container_port_protocol", &target.protocol);
        }
    }
    for (what, map) in
        [("label", labels_of(&meta["labels"])), ("annotation", labels_of(&meta["annotations"]))]
    {
        labels.map("pod", what, map.iter().map(|(key, value)| (&**key, &**value)));
    }
}

/// The Ready condition, in Prometheus' words.
fn ready(status: &Value) -> &'static str {
    let conditions = status["conditions"].as_array();
    let found = conditions.into_iter().flatten().find(|it| it["type"] == "Ready");
    match found.and_then(|it| it["status"].as_str()) {
        Some("True") => "true",
        Some("False") => "false",
        _ => "unknown",
    }
}

/// The labels of a group.
#[derive(Default)]
struct Labels(BTreeMap<String, String>);

impl Labels {
    fn add(&mut self, name: &str, value: &str) {
        self.0.insert(format!("__meta_kubernetes_{name}"), value.to_owned());
    }

    /// The entries of a map, each with a label that says that it is there.
    fn map<'m>(&mut self, of: &str, what: &str, entries: impl Iterator<Item = (&'m str, &'m str)>) {
        for (key, value) in entries {
            let name: String =
                key.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '_' }).collect();
            self.add(&format!("{of}_{what}_{name}"), value);
            self.add(&format!("{of}_{what}present_{name}"), "true");
        }
    }
}
