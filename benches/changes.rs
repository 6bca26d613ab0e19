//! Changes of a cluster that are measured.

use std::sync::Arc;

use dsrules::kube::{Kind, Name, ObjectKey, Taint};
use dsrules::state::World;
use serde_json::json;

use crate::workload;

/// A change of the world; the number tells one run from the next.
pub type Change = fn(&mut World, usize);

/// What is changed.
pub const CHANGES: [(&str, Change); 3] =
    [("one node relabelled", relabel), ("one daemonset added", add), ("1% of nodes tainted", taint)];

fn relabel(world: &mut World, nth: usize) {
    let key = world.nodes.keys().nth(nth * 37 % world.nodes.len()).cloned().expect("a node");
    let zone = ["eu-1a", "eu-1b", "eu-1c", "eu-2a"][nth % 4];
    if let Some(node) = world.nodes.get_mut(&key) {
        Arc::make_mut(&mut node.meta.labels).insert("topology.kubernetes.io/zone".into(), zone.into());
    }
    world.touch(Kind::Node, &key);
}

fn add(world: &mut World, nth: usize) {
    let name = format!("added-{nth}");
    let value = json!({
        "apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": { "name": name, "namespace": "fleet" },
        "spec": {
            "selector": { "matchLabels": { "app": name } },
            "template": { "metadata": { "labels": { "app": name } }, "spec": {
                "nodeSelector": { "pool": "gpu" }, "containers": [{ "name": "c", "image": "x" }] } },
        },
    });
    world.put(workload::object(value), 0);
}

fn taint(world: &mut World, nth: usize) {
    let keys: Vec<ObjectKey> = world.nodes.keys().skip(nth % 100).step_by(100).cloned().collect();
    for key in keys {
        if let Some(node) = world.nodes.get_mut(&key) {
            let name = |text: &str| Name::from(text);
            let taint = Taint { key: name("down"), value: name(""), effect: name("NoExecute"), since: None };
            if !node.taints.contains(&taint) {
                node.taints.push(taint);
            }
        }
        world.touch(Kind::Node, &key);
    }
}
