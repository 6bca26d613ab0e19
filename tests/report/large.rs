//! A fleet of a thousand nodes and fifty daemonsets.

use std::fmt::Write as _;

const POOLS: [&str; 8] = ["web", "gpu", "store", "edge", "build", "db", "cache", "spot"];
const NAMES: [&str; 10] = [
    "fluent-bit",
    "node-exporter",
    "cilium",
    "kube-proxy",
    "csi-node",
    "falco",
    "ingress-nginx",
    "vector",
    "node-problem-detector",
    "snapshot-agent",
];

/// The fleet.
pub fn fleet() -> String {
    written("1", None)
}

/// The same after somebody changed images, added nodes and closed others.
pub fn changed() -> String {
    written("2", Some(37))
}

fn written(version: &str, closed: Option<usize>) -> String {
    let mut all = String::new();
    let nodes = if closed.is_some() { 1000 } else { 990 };
    for node in 0..nodes {
        let pool = POOLS[node % 8];
        let zone = ["eu-1a", "eu-1b", "eu-1c"][node / 8 % 3];
        let taint = if closed.is_some_and(|every| node % every == 5) {
            "spec: {unschedulable: true, taints: [{key: away, effect: NoSchedule}]}, "
        } else {
            ""
        };
        writeln!(all, "---\n{{apiVersion: v1, kind: Node, metadata: {{name: {pool}-{node:04}.{zone}.internal, labels: {{pool: {pool}, topology.kubernetes.io/zone: {zone}, kubernetes.io/hostname: n{node}}}}}, {taint}status: {{allocatable: {{cpu: '8', memory: 32Gi, pods: '110'}}}}}}").unwrap();
    }
    for daemonset in 0..50 {
        let (name, team) =
            (NAMES[daemonset % 10], ["kube-system", "logging", "shop", "data", "security"][daemonset / 10]);
        let selector = if daemonset % 5 < 2 {
            String::new()
        } else {
            format!("nodeSelector: {{pool: {}}}, ", POOLS[daemonset * 3 % 8])
        };
        let version = if daemonset % 7 == 3 { version } else { "1" };
        writeln!(all, "---\n{{apiVersion: apps/v1, kind: DaemonSet, metadata: {{name: {name}, namespace: {team}}}, spec: {{selector: {{matchLabels: {{app: {name}}}}}, template: {{metadata: {{labels: {{app: {name}}}}}, spec: {{{selector}containers: [{{name: a, image: 'a:{version}', resources: {{requests: {{cpu: {}m, memory: {}Mi}}}}}}]}}}}}}}}", 20 + daemonset * 3, 64 + daemonset * 8).unwrap();
    }
    all
}
