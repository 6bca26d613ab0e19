//! Clusters of any size, as text: what the larger measurements read.
//!
//! `cargo bench -- generate 100000 20 /tmp/large.json` writes a List for the command line.

use std::fmt::Write as _;

const ZONES: [&str; 3] = ["eu-1a", "eu-1b", "eu-1c"];
const POOLS: [&str; 5] = ["general", "batch", "gpu", "edge", "system"];
const TYPES: [&str; 6] = ["m5.large", "m5.xlarge", "c5.2xlarge", "r5.large", "p3.2xlarge", "t3.medium"];

/// A node, as JSON.
pub fn node(nth: usize) -> String {
    let (zone, pool, kind) = (ZONES[nth % 3], POOLS[nth / 3 % 5], TYPES[nth / 15 % 6]);
    let taints = match nth % 20 {
        7 => r#","spec":{"taints":[{"key":"dedicated","value":"gpu","effect":"NoSchedule"}]}"#,
        _ => "",
    };
    format!(
        r#"{{"apiVersion":"v1","kind":"Node","metadata":{{"name":"node-{nth:06}","labels":{{"kubernetes.io/arch":"amd64","kubernetes.io/hostname":"node-{nth:06}","kubernetes.io/os":"linux","node.kubernetes.io/instance-type":"{kind}","pool":"{pool}","topology.kubernetes.io/zone":"{zone}"}}}}{taints}}}"#
    )
}

/// A daemonset, as JSON: every fifth selects a pool, all tolerate everything.
pub fn daemonset(nth: usize) -> String {
    daemonset_with(nth, "1")
}

/// The same with another image.
pub fn daemonset_with(nth: usize, tag: &str) -> String {
    let selector = match nth % 5 {
        4 => format!(r#""nodeSelector":{{"pool":"{}"}},"#, POOLS[nth / 5 % 5]),
        _ => String::new(),
    };
    format!(
        r#"{{"apiVersion":"apps/v1","kind":"DaemonSet","metadata":{{"name":"ds-{nth:04}","namespace":"fleet"}},"spec":{{"selector":{{"matchLabels":{{"app":"ds-{nth:04}"}}}},"updateStrategy":{{"type":"RollingUpdate","rollingUpdate":{{"maxUnavailable":"10%"}}}},"template":{{"metadata":{{"labels":{{"app":"ds-{nth:04}"}}}},"spec":{{{selector}"tolerations":[{{"operator":"Exists"}}],"containers":[{{"name":"main","image":"registry.example/ds-{nth:04}:{tag}"}}]}}}}}}}}"#
    )
}

/// A List of nodes and daemonsets.
pub fn list(nodes: usize, daemonsets: usize) -> String {
    list_of((0..daemonsets).map(daemonset).chain((0..nodes).map(node)))
}

/// A List of these.
pub fn list_of(items: impl Iterator<Item = String>) -> String {
    let mut text = String::from(r#"{"apiVersion":"v1","kind":"List","items":["#);
    for (nth, item) in items.enumerate() {
        let _ = write!(text, "{}\n{item}", if nth == 0 { "" } else { "," });
    }
    text.push_str("\n]}\n");
    text
}

/// `generate NODES DAEMONSETS FILE`.
pub fn run(sizes: &[String], arguments: &[String]) {
    let ([nodes, daemonsets], [file]) = (sizes, arguments) else { panic!("generate NODES DAEMONSETS FILE") };
    let number = |text: &String| text.parse().expect("a number");
    std::fs::write(file, list(number(nodes), number(daemonsets))).expect("the file can be written");
}
