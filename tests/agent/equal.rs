//! What an agent puts on its node is, byte for byte, what a central run puts there.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::Path;

use flate2::read::GzDecoder;
use serde_json::{Value, json};

use crate::fleet::{Files, Fleet};

fn zipped(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let mut text = String::new();
    GzDecoder::new(std::fs::File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    text
}

/// Compares these nodes, and gives how many pods they have together.
fn compare<'n>(fleet: &Fleet, nodes: impl IntoIterator<Item = &'n str>) -> usize {
    let central = fleet.central();
    let mut pods = 0;
    for node in nodes {
        let said = fleet.once(node);
        assert!(said.succeeded, "{node}: {}", said.err);
        let expected = central.get(node).cloned().unwrap_or_default();
        assert_eq!(fleet.tree(node), expected, "{node}");
        pods += expected.len();
        let others = std::fs::read_dir(fleet.path("tree")).map_or(0, Iterator::count);
        assert!(others <= 1, "an agent keeps no node but its own");
        let _ = std::fs::remove_dir_all(fleet.path("tree"));
    }
    pods
}

fn names(list: &Value, kind: &str) -> Vec<String> {
    let items = list["items"].as_array().unwrap().iter();
    items
        .filter(|it| it["kind"] == kind)
        .map(|it| it["metadata"]["name"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn on_every_node_of_the_example() {
    let fleet = Fleet::copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/cluster"));
    let nodes: Vec<String> = fleet.central().into_keys().collect();
    assert!(nodes.len() > 5);
    assert!(compare(&fleet, nodes.iter().map(String::as_str)) > 30);
}

/// The names of pods are made of daemonset, node and revision.
#[test]
fn on_nodes_of_a_large_cluster_in_one_file() {
    let text = zipped("benches/workloads/workload-50x1000.json.gz");
    let fleet = Fleet::of(&[("all.json", &text)]);
    let nodes = names(&serde_json::from_str(&text).unwrap(), "Node");
    let central = fleet.central_names();
    let mut pods = 0;
    for node in nodes.iter().step_by(121) {
        assert!(fleet.once(node).succeeded);
        let here: Vec<String> = fleet.tree(node).into_keys().collect();
        assert_eq!(Some(&here), central.get(node), "{node}");
        pods += here.len();
    }
    assert!(pods > 100, "{pods}");
}

/// The recorded cases, each with names of its own, as one cluster.
#[test]
fn on_the_nodes_of_the_corpus_of_placement() {
    const CASES: usize = 90;
    let fleet = Fleet::new();
    let mut all = Vec::new();
    let mut expected = Vec::new();
    for (nth, line) in
        zipped("tests/conformance/placement.jsonl.gz").lines().step_by(7).take(CASES).enumerate()
    {
        // What no API server would take is for the corpus alone.
        let case: Value = serde_json::from_str(line).unwrap();
        let taints = case["node"]["spec"]["taints"].as_array().into_iter().flatten();
        let taints: Vec<String> = taints.map(|it| format!("{} {}", it["key"], it["effect"])).collect();
        let different: BTreeSet<&String> = taints.iter().collect();
        if line.contains("\"-1\"") || line.contains("\"+7\"") || different.len() < taints.len() {
            continue;
        }
        let name = case["node"]["metadata"]["name"].as_str().unwrap();
        let own = format!("node-{nth:04}");
        let renamed = line.replace(&format!("\"{name}\""), &format!("\"{own}\""));
        let mut case: Value = serde_json::from_str(&renamed).unwrap();
        case["daemonset"]["metadata"] = json!({ "name": format!("case-{nth:04}"), "namespace": "default" });
        all.extend([case["node"].take(), case["daemonset"].take()]);
        expected.push((nth, own, case["expect"]["shouldRun"] == true));
    }
    let list = json!({ "apiVersion": "v1", "kind": "List", "items": all });
    fleet.write("all.json", &list.to_string());
    let nodes: Vec<&str> = expected.iter().step_by(23).map(|(_, node, _)| node.as_str()).collect();
    let central = fleet.central();
    let runs =
        |pods: &Files, nth: usize| pods.keys().any(|pod| pod.starts_with(&format!("default_case-{nth:04}-")));
    for (nth, node, should) in &expected {
        assert_eq!(central.get(node).is_some_and(|pods| runs(pods, *nth)), *should, "{node}");
    }
    assert!(compare(&fleet, nodes) > 30);
}

#[test]
fn rules_of_ones_own_decide_here_too() {
    let fleet = Fleet::copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/cluster"));
    fleet.write(
        "own.dl",
        "/// {Node} is spared.\nblocked(DaemonSet, Node) :- daemonset(DaemonSet), node_label(Node, \"kubernetes.io/arch\", \"arm64\").\n",
    );
    fleet.write("dsrules.yaml", "rules: [own.dl]\n");
    let nodes: Vec<String> = fleet.central().into_keys().collect();
    compare(&fleet, nodes.iter().map(String::as_str));
}
