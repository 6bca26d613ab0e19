//! `scheduling`: what it costs to ask whether each pod fits, beside the placement and the
//! plan that are made without asking; and what one node's change costs of that.

use std::sync::Arc;
use std::time::{Duration, Instant};

use dsrules::facts::Grouping;
use dsrules::kube::{Kind, ObjectKey};
use dsrules::plan::{Readiness, Reconciler, Settings, Verb};
use dsrules::policy::relations;
use dsrules::reason::Reasoner;
use dsrules::state::{Dirty, World};
use serde_json::{Value, json};

use crate::placement::program;
use crate::timing::{median, ratio, show};
use crate::workload;

const NODES: usize = 10_000;
const DAEMONSETS: usize = 20;
const SETTINGS: Settings = Settings { readiness: Readiness::Assume, now: 0 };

/// A change of one node; the number tells one run from the next.
type Change = fn(&mut World, usize);

const CHANGES: [(&str, Change); 3] =
    [("one node relabelled", relabel), ("one full node grows", grow), ("one node joins", join)];

pub fn run() {
    println!("\n### scheduling\n");
    println!(
        "| {NODES} nodes x {DAEMONSETS} daemonsets | time | of not asking | bound | pending | preempted |"
    );
    println!("|---|---|---|---|---|---|");
    let plain = median(3, || settle(&mut roomy(), false));
    println!("| placed and planned, not asked whether they fit | {} | | | | |", show(plain));
    for (what, world) in [("all fit", roomy as fn() -> World), ("1 of 20 nodes is full", full)] {
        let time = median(3, || settle(&mut world(), true));
        let mut world = world();
        let (_, _, preempted) = settle(&mut world, true);
        let bound = world.pods.values().filter(|pod| pod.node.is_some()).count();
        let pending = world.pods.len() - bound;
        println!("| {what} | {} | {} | {bound} | {pending} | {preempted} |", show(time), ratio(time, plain));
    }
    println!("\n| one node of those, 1 of 20 full | time | of the whole | actions |\n|---|---|---|---|");
    changes();
}

/// Each change of a settled cluster, beside settling it at first.
fn changes() {
    let mut world = full();
    let start = Instant::now();
    let (mut reasoner, mut reconciler, _) = settle(&mut world, true);
    let whole = start.elapsed();
    world.dirty = Dirty::default();
    for (name, change) in CHANGES {
        let (mut taken, mut actions) = (Vec::new(), 0);
        for nth in 0..9 {
            change(&mut world, nth);
            let start = Instant::now();
            let reconciled =
                reconciler.reconcile(&mut world, &mut reasoner, SETTINGS).expect("it comes to an end");
            taken.push(start.elapsed());
            actions = reconciled.waves.iter().map(|wave| wave.actions.len()).sum();
            world.dirty = Dirty::default();
        }
        taken.sort();
        println!("| {name} | {} | {} | {actions} |", show(taken[4]), percent(taken[4], whole));
    }
    println!("| all of them, at first | {} | | |", show(whole));
}

fn settle(world: &mut World, asked: bool) -> (Reasoner, Reconciler, usize) {
    let program = if asked { relations::scheduling(&program()) } else { program() };
    let mut reasoner = Reasoner::new(&program, Grouping::On);
    let mut reconciler = Reconciler::default();
    let reconciled = reconciler.reconcile(world, &mut reasoner, SETTINGS).expect("it comes to an end");
    let actions = reconciled.waves.iter().flat_map(|wave| &wave.actions);
    let preempted = actions.filter(|action| action.verb == Verb::Preempt).count();
    (reasoner, reconciler, preempted)
}

/// Nodes with room for all.
fn roomy() -> World {
    // What a node has for pods is among its details.
    let mut world = World { detailed: true, ..World::default() };
    (0..NODES).for_each(|nth| put(&mut world, node(nth, 16)));
    (0..DAEMONSETS).for_each(|nth| put(&mut world, daemonset(nth)));
    world
}

/// The same with a twentieth of the nodes too small, by a pod that stays or one that may go.
fn full() -> World {
    let mut world = roomy();
    for nth in (0..NODES).step_by(20) {
        put(&mut world, node(nth, 1));
        if nth.is_multiple_of(40) {
            put(&mut world, pod(nth));
        }
    }
    world
}

fn put(world: &mut World, value: Value) {
    world.put(workload::object(value), 0);
}

fn node(nth: usize, cores: usize) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": { "name": format!("node-{nth:06}"), "labels": { "pool": format!("p{}", nth % 5) } },
        "status": { "allocatable": { "cpu": cores, "memory": format!("{}Gi", cores * 2), "pods": "110" } },
    })
}

/// Every fourth has a higher priority than what else runs, and every fifth a port of the node.
fn daemonset(nth: usize) -> Value {
    let name = format!("ds-{nth:02}");
    let ports = if nth.is_multiple_of(5) {
        json!([{ "containerPort": 80, "hostPort": 9000 + nth }])
    } else {
        json!([])
    };
    json!({
        "apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": { "name": name, "namespace": "fleet" },
        "spec": { "selector": { "matchLabels": { "app": name } }, "template": {
            "metadata": { "labels": { "app": name } },
            "spec": {
                "priority": if nth.is_multiple_of(4) { 1000 } else { 0 },
                "containers": [{ "name": "c", "image": "x", "ports": ports, "resources": {
                    "requests": { "cpu": "100m", "memory": format!("{}Mi", 64 + nth) } } }],
            },
        } },
    })
}

/// What somebody else runs on a small node.
fn pod(nth: usize) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": { "name": format!("other-{nth:06}"), "namespace": "fleet" },
        "spec": {
            "nodeName": format!("node-{nth:06}"),
            "containers": [{ "name": "c", "image": "x", "resources": { "requests": { "cpu": "900m" } } }],
        },
    })
}

fn key(world: &World, nth: usize) -> ObjectKey {
    world.nodes.keys().nth(nth).cloned().expect("a node")
}

fn relabel(world: &mut World, nth: usize) {
    let key = key(world, nth * 37 + 1);
    if let Some(node) = world.nodes.get_mut(&key) {
        Arc::make_mut(&mut node.meta.labels).insert("pool".into(), format!("q{nth}").into());
    }
    world.touch(Kind::Node, &key);
}

fn grow(world: &mut World, nth: usize) {
    put(world, node(nth * 20, 16));
}

fn join(world: &mut World, nth: usize) {
    put(world, node(NODES + nth, 16));
}

fn percent(time: Duration, whole: Duration) -> String {
    format!("{:.2}%", 100.0 * time.as_secs_f64() / whole.as_secs_f64())
}
