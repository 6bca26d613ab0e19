//! Events: what the controller records about a daemonset, word for word, and how many.
#![allow(clippy::unwrap_used)]

#[allow(dead_code)]
#[path = "e2e/cluster.rs"]
mod cluster;

use cluster::{Cluster, daemonset};
use dsrules::facts::Grouping;
use dsrules::kube::{Kind, Object, ObjectKey, Origin};
use dsrules::plan::{Readiness, Simulation, pass};
use dsrules::reason::Reasoner;
use dsrules::state::World;
use serde_json::{Value, json};

/// One pass over the objects, and the events it records: type, reason, message.
fn recorded(objects: &[Value]) -> Vec<String> {
    let program = dsrules::policy::builtin::load(&[]).program.unwrap();
    let mut world = World::default();
    for value in objects {
        let kind = Kind::from_name(value["kind"].as_str().unwrap()).unwrap();
        let text = |field: &str| value["metadata"][field].as_str().unwrap_or("");
        let key = ObjectKey::new(text("namespace"), text("name"));
        let origin = Origin { file: "case".into(), document: 0, path: String::new() };
        world.put(Object { kind, key, value: value.clone(), origin }, 1000);
    }
    let mut reasoner = Reasoner::new(&program, Grouping::On);
    reasoner.derive(&world, &world.changed, 1000).unwrap();
    let pass = pass(&reasoner, &world);
    Simulation::default().carry_out(&mut world, &reasoner, pass, Readiness::Observe, 1000);
    let events = world.dirty.events.iter();
    events.map(|it| format!("{} {} {} {}", it.about, it.kind, it.reason, it.message)).collect()
}

fn pod(name: &str, node: &str, phase: &str) -> Value {
    json!({
        "kind": "Pod",
        "metadata": { "name": name, "namespace": "x", "labels": { "a": "d" },
                      "ownerReferences": [{ "kind": "DaemonSet", "name": "d", "uid": "u", "controller": true }] },
        "spec": { "nodeName": node }, "status": { "phase": phase },
    })
}

fn d(selector: Value) -> Value {
    json!({
        "kind": "DaemonSet", "metadata": { "name": "d", "namespace": "x", "uid": "u" },
        "spec": { "selector": selector, "template": { "metadata": { "labels": { "a": "d" } } } },
    })
}

#[test]
fn what_is_deleted_is_told_with_why() {
    let nodes = ["n0", "n1", "n2"].map(|name| json!({ "kind": "Node", "metadata": { "name": name } }));
    let mut objects = vec![d(json!({ "matchLabels": { "a": "d" } }))];
    objects.extend(nodes);
    objects.extend([pod("p0", "n0", "Failed"), pod("p1", "n1", "Succeeded"), pod("p2", "n2", "Running")]);
    assert_eq!(
        recorded(&objects),
        [
            "x/d Warning FailedDaemonPod Found failed daemon pod x/p0 on node n0, will try to kill it",
            "x/d Normal SucceededDaemonPod Found succeeded daemon pod x/p1 on node n1, will try to delete it",
            "x/d Normal SuccessfulDelete Deleted pod: p0",
            "x/d Normal SuccessfulDelete Deleted pod: p1",
        ]
    );
}

#[test]
fn a_selector_that_selects_everything_is_warned_of() {
    let told =
        "x/d Warning SelectingAll This daemon set is selecting all pods. A non-empty selector is required.";
    assert_eq!(recorded(&[d(json!({}))]), [told]);
}

/// 25 about one daemonset in one run, then the recorder's spam filter drops them; of those
/// the first nine stand alone and the rest is combined.
#[test]
fn many_events_are_combined_and_then_dropped() {
    let mut cluster = Cluster::new(40);
    cluster.write(&daemonset("agent", "agent:1.0"));
    cluster.apply();
    let text = cluster.well(&["get", "events", "-o", "json"]);
    let events: Value = serde_json::from_str(&text).unwrap();
    let mut counts = Vec::new();
    for event in events["items"].as_array().unwrap() {
        assert_eq!(event["reason"], "SuccessfulCreate");
        let message = event["message"].as_str().unwrap();
        let combined = message.starts_with("(combined from similar events): Created pod: agent-");
        assert!(combined || message.starts_with("Created pod: agent-"), "{message}");
        counts.push((combined, event["count"].as_i64().unwrap()));
    }
    counts.sort_unstable();
    let mut expected = vec![(false, 1); 9];
    expected.push((true, 16));
    assert_eq!(counts, expected);
    assert!(cluster.well(&["describe", "daemonset", "agent"]).contains("(combined from similar events)"));
}
