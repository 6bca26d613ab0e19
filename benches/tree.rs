//! A tree of files beside `tar`, which writes the same files, and `sync`.
//!
//! Where temporary files go has to be on a disk for this to say anything.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use dsrules::kube::{Name, ObjectKey};
use dsrules::target::tree::{Destination, TreeReport, Wanted, sync};
use serde_json::{Value, json};

use crate::timing::{ratio, show};

const NODES: usize = 5_000;
const DAEMONSETS: usize = 10;

/// How often each is measured; the median is shown.
const RUNS: usize = 3;

fn pod(node: &str, key: &ObjectKey, tag: &str) -> Value {
    json!({ "apiVersion": "v1", "kind": "Pod",
        "metadata": { "name": key.name, "namespace": key.namespace, "labels": { "app": "agent", "tier": "node" } },
        "spec": { "nodeName": node, "tolerations": [{ "operator": "Exists" }], "containers": [
            { "name": "main", "image": format!("registry.example/agent:{tag}"), "imagePullPolicy": "IfNotPresent",
              "resources": { "requests": { "cpu": "100m", "memory": "64Mi" } } }] } })
}

/// What is to be in the tree, and with which tag each pod's image.
struct Cluster {
    wanted: Wanted,
    tags: BTreeMap<ObjectKey, (Name, &'static str)>,
}

impl Cluster {
    fn new() -> Self {
        let mut cluster =
            Cluster { wanted: Wanted { whole: true, ..Wanted::default() }, tags: BTreeMap::new() };
        for node in 0..NODES {
            let name: Name = format!("node-{node:05}").as_str().into();
            let keys: Vec<ObjectKey> = (0..DAEMONSETS)
                .map(|nth| ObjectKey::new("fleet", format!("agent-{nth}-{node:05}")))
                .collect();
            cluster.tags.extend(keys.iter().map(|key| (key.clone(), (name.clone(), "1"))));
            cluster.wanted.pods.insert(name, keys);
        }
        cluster
    }

    fn follow(&self, dir: &Path) -> (Duration, TreeReport) {
        let start = Instant::now();
        let mut read = |_, key: &ObjectKey| Ok(self.tags.get(key).map(|(node, tag)| pod(node, key, tag)));
        let report =
            sync(&Destination::plain(dir), &self.wanted, &mut read).expect("the tree can be written");
        assert!(report.problems.is_empty(), "{:?}", report.problems);
        (start.elapsed(), report)
    }
}

/// What a program takes.
fn timed(program: &str, arguments: &[&str], dir: &Path) -> Duration {
    let start = Instant::now();
    let ended = Command::new(program).args(arguments).current_dir(dir).status().expect("it can be run");
    assert!(ended.success(), "{program} {arguments:?}");
    start.elapsed()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// Prints the table.
pub fn run() {
    println!(
        "\nA tree of {} pods on {NODES} nodes, and `tar x` of the same files with `sync`\n",
        NODES * DAEMONSETS
    );
    println!("| what | time | of `tar x` and `sync` |\n|---|---|---|");
    let place = tempfile::tempdir().expect("a folder");
    let mut cluster = Cluster::new();
    let (mut cold, mut tar) = (Vec::new(), Vec::new());
    for nth in 0..RUNS {
        let (ours, theirs) =
            (place.path().join(format!("ours-{nth}")), place.path().join(format!("theirs-{nth}")));
        timed("sync", &[], place.path());
        let (time, report) = cluster.follow(&ours);
        assert_eq!(report.changes.len(), NODES * DAEMONSETS);
        cold.push(time);
        timed("tar", &["cf", "../tree.tar", "."], &ours);
        std::fs::create_dir(&theirs).expect("a folder");
        timed("sync", &[], place.path());
        tar.push(timed("tar", &["xf", "../tree.tar"], &theirs) + timed("sync", &[], place.path()));
    }
    let (tar, ours) = (median(tar), place.path().join("ours-0"));
    let line = |what: &str, time: Duration| println!("| {what} | {} | {} |", show(time), ratio(time, tar));
    line("`tar x`, `sync`", tar);
    line("cold", median(cold));
    line("nothing to do", median((0..RUNS).map(|_| cluster.follow(&ours).0).collect()));
    if let Some((_, tag)) = cluster.tags.values_mut().next() {
        *tag = "2";
    }
    let (time, report) = cluster.follow(&ours);
    assert_eq!(report.changes.len(), 1);
    line("one file changed", time);
    cluster.tags.values_mut().for_each(|(_, tag)| *tag = "3");
    let (time, report) = cluster.follow(&ours);
    assert_eq!(report.changes.len(), NODES * DAEMONSETS);
    line("all files changed", time);
    cluster.wanted.pods.clear();
    line("all removed", cluster.follow(&ours).0);
}
