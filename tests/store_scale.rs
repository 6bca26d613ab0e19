//! How the store bears 100,000 nodes and 2 million pods: time, memory, bytes a pod.
//!
//! Not a test of speed: it says what it measured, and checks only that what was saved
//! came back. It takes a minute and 2 GiB, so it runs when it is asked for:
//! `cargo test --release --test store_scale -- --ignored --nocapture`.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use dsrules::kube::{Base, Body, Common, Kind, Meta, Name, Object, ObjectKey, Origin, Owner, Pod, Stand};
use dsrules::state::World;
use dsrules::target::sqlite::{Open, Store};
use dsrules::target::tree::{Destination, Wanted, sync_some, sync_tree};
use serde_json::{Value, json};

const NODES: usize = 100_000;
const DAEMONSETS: usize = 20;

/// A node with the labels and the status of a cloud's.
fn node(number: usize) -> Object {
    let name = format!("ip-10-{}-{}.eu-west-1.internal", number / 256, number % 256);
    let value = json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": { "name": &name, "labels": {
            "kubernetes.io/hostname": &name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64",
            "topology.kubernetes.io/zone": format!("eu-west-1{}", ["a", "b", "c"][number % 3]),
            "topology.kubernetes.io/region": "eu-west-1", "node.kubernetes.io/instance-type": "m5.xlarge",
        } },
        "spec": { "providerID": format!("aws:///eu-west-1a/i-{number:017x}") },
        "status": { "capacity": { "cpu": "4", "memory": "16Gi", "pods": "110" },
            "conditions": [{ "type": "Ready", "status": "True", "lastHeartbeatTime": "2026-01-01T00:00:00Z" }],
            "nodeInfo": { "kubeletVersion": "v1.35.0", "osImage": "Linux" } },
    });
    let origin = Origin { file: "nodes.yaml".into(), document: 0, path: String::new() };
    Object { kind: Kind::Node, key: ObjectKey::new("", name), value, origin }
}

/// The pods of one daemonset, as the plan makes them.
fn pods(world: &mut World, number: usize, nodes: &[Name]) {
    let name = format!("node-agent-{number:02}");
    let owner =
        Owner { kind: "DaemonSet".into(), name: name.as_str().into(), uid: format!("u-{number}").into() };
    let value: Value = json!({ "apiVersion": "v1", "kind": "Pod",
        "metadata": { "ownerReferences": [{ "apiVersion": "apps/v1", "kind": "DaemonSet", "name": name,
            "uid": &*owner.uid, "controller": true, "blockOwnerDeletion": true }] },
        "spec": { "containers": [{ "name": "agent", "image": "registry.example/agent:1.2.3" }] } });
    let base = Arc::new(Base { id: format!("{number:032x}").into(), value });
    let labels = Arc::new(
        [("app".into(), name.as_str().into()), ("controller-revision-hash".into(), "6c8d5bf4f9".into())]
            .into(),
    );
    let (owner, namespace, running) = (Arc::new(owner), Name::from("kube-system"), Name::from("Running"));
    let common = Arc::new(Common {
        generation: 1,
        created: 1_767_225_600,
        labels,
        controller: Some(owner),
        ..Common::default()
    });
    let stand = Arc::new(Stand {
        phase: running,
        ready: true,
        ready_since: Some(1_767_225_600),
        body: Body::Made(base),
    });
    for (at, node) in nodes.iter().enumerate() {
        let key =
            ObjectKey { namespace: namespace.clone(), name: format!("{name}-{:010x}", at * 7919).into() };
        let meta = Meta {
            uid: world.uid(Kind::Pod, &key),
            resource_version: world.next_version(),
            stored: 0,
            common: Arc::clone(&common),
            key: key.clone(),
        };
        let pod =
            Pod { meta, node: Some(node.clone()), pinned: Some(node.clone()), stand: Arc::clone(&stand) };
        world.touch(Kind::Pod, &key);
        world.pods.insert(key, pod);
    }
}

/// A line of `/proc/self/status`, in MiB.
fn memory(line: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|text| text.strip_prefix(line)).unwrap_or("0");
    line.trim_start_matches(':').trim().trim_end_matches(" kB").parse::<u64>().unwrap_or(0) / 1024
}

fn size(path: &Path) -> u64 {
    path.metadata().map_or(0, |found| found.len())
}

/// The processor time of this process, in seconds: what else runs on the machine does
/// not count.
fn processor() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or("").split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0);
    // utime and stime, in hundredths of a second.
    (ticks(11) + ticks(12)) / 100.0
}

fn timed<T>(what: &str, body: impl FnOnce() -> T) -> T {
    let (start, worked) = (Instant::now(), processor());
    let value = body();
    let (wall, work) = (start.elapsed().as_secs_f64(), processor() - worked);
    println!("{what:<36} {work:>7.2} s of work {wall:>8.2} s {:>6} MiB", memory("VmRSS"));
    value
}

#[test]
#[ignore = "takes a minute and 2 GiB"]
fn two_million_pods() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dsrules.db");
    let mut world = World::default();
    timed("make 100,000 nodes", || {
        for number in 0..NODES {
            world.put(node(number), 0);
        }
    });
    let mut store = Store::open(&path, &Open::write("scale")).unwrap();
    timed("save 100,000 nodes", || store.save(&mut world).unwrap());
    drop(store);
    let (on_disk, in_memory) = (size(&path), memory("VmRSS"));
    let mut store = Store::open(&path, &Open::write("scale")).unwrap();
    let nodes: Vec<Name> = world.nodes.keys().map(|key| key.name.clone()).collect();
    timed("make 2,000,000 pods", || {
        for number in 0..DAEMONSETS {
            pods(&mut world, number, &nodes);
        }
    });
    let grown = memory("VmRSS") - in_memory;
    timed("save 2,000,000 pods", || store.save(&mut world).unwrap());
    let count = world.pods.len();
    assert_eq!(count, NODES * DAEMONSETS);
    timed("close, with the WAL's checkpoint", || drop(store));
    println!("{:<36} {:>7} bytes", "a pod on disk", (size(&path) - on_disk) / count as u64);
    println!(
        "{:<36} {:>7} bytes",
        "a pod in memory, with its dirty mark",
        grown * 1024 * 1024 / count as u64
    );
    let last = world.pods.keys().next_back().unwrap().clone();
    let expected = world.pods[&last].clone();
    timed("drop the world", || drop(world));

    let mut store = Store::open(&path, &Open::write("scale")).unwrap();
    let mut world = timed("load", || store.load().unwrap());
    assert_eq!(world.pods.len(), count);
    assert_eq!(world.pods[&last], expected);
    timed("change one pod and save", || {
        world.pods.get_mut(&last).unwrap().ready = false;
        world.touch(Kind::Pod, &last);
        store.save(&mut world).unwrap();
    });
    timed("visit 2,000,000 whole pods", || {
        let mut visited = 0;
        store
            .objects(Kind::Pod, None, &mut |_, _| {
                visited += 1;
                Ok(())
            })
            .unwrap();
        assert_eq!(visited, count);
    });
    println!("{:<36} {:>7} MiB", "peak memory", memory("VmHWM"));
}

#[test]
#[ignore = "writes 40,000 files"]
fn a_tree_of_40_000_files() {
    let folder = tempfile::tempdir().unwrap();
    let tree = folder.path().join("tree");
    let mut world = World::default();
    let nodes: Vec<Name> = (0..2_000).map(|number| format!("node-{number:05}").into()).collect();
    for number in 0..DAEMONSETS {
        pods(&mut world, number, &nodes);
    }
    let mut store = Store::in_memory().unwrap();
    store.save(&mut world).unwrap();
    let report = timed("write 40,000 files", || sync_tree(&Destination::plain(&tree), &store).unwrap());
    assert_eq!((report.changes.len(), report.unchanged), (40_000, 0));
    let report = timed("compare 40,000 files", || sync_tree(&Destination::plain(&tree), &store).unwrap());
    assert_eq!((report.changes.len(), report.unchanged), (0, 40_000));
    let one = Wanted::on_nodes(&world, &[nodes[7].clone()].into());
    let report =
        timed("compare those of one node", || sync_some(&Destination::plain(&tree), &store, &one).unwrap());
    assert_eq!((report.changes.len(), report.unchanged), (0, DAEMONSETS));
}
