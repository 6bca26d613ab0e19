//! `dsrules watch` asks the scheduler: what waits is bound when there is room, and is told once.
#![cfg(unix)]
#![allow(clippy::unwrap_used, dead_code)]

#[path = "watch/watcher.rs"]
mod watcher;

use std::time::{Duration, Instant};

use serde_json::Value;
use watcher::{Place, Watcher, command, node};

const BIG: &str = "apiVersion: apps/v1
kind: DaemonSet
metadata: {name: big}
spec:
  selector: {matchLabels: {app: big}}
  template:
    metadata: {labels: {app: big}}
    spec:
      nodeSelector: {size: small}
      containers:
      - {name: big, image: 'big:1', resources: {requests: {memory: 512Mi}}}
";

const HOG: &str = "apiVersion: v1
kind: Pod
metadata: {name: hog}
spec:
  nodeName: n4
  priority: 10
  containers:
  - {name: hog, image: 'hog:1', resources: {requests: {memory: 900Mi}}}
status: {phase: Running}
";

fn small(name: &str, memory: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Node\nmetadata: {{name: {name}, labels: {{size: small}}}}\n\
        status: {{allocatable: {{memory: {memory}, pods: '9'}}}}\n"
    )
}

fn items(place: &Place, what: &str) -> Vec<Value> {
    let out = command(place).args(["get", what, "-A", "-o", "json"]).output().unwrap();
    let found: Value = serde_json::from_slice(&out.stdout).unwrap_or_default();
    found["items"].as_array().cloned().unwrap_or_default()
}

/// The phases of the pods of `big`.
fn phases(place: &Place) -> Vec<String> {
    let pods = items(place, "pods");
    let big = pods.iter().filter(|pod| pod["metadata"]["ownerReferences"][0]["name"] == "big");
    let mut phases: Vec<String> =
        big.map(|pod| pod["status"]["phase"].as_str().unwrap().to_owned()).collect();
    phases.sort();
    phases
}

fn come_to(place: &Place, expected: &[&str]) {
    let start = Instant::now();
    while phases(place) != expected {
        assert!(start.elapsed() < Duration::from_secs(60), "{:?} instead of {expected:?}", phases(place));
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// How often it was told that a pod does not fit.
fn told(place: &Place) -> i64 {
    let events = items(place, "events");
    let failed = events.iter().filter(|event| event["reason"] == "FailedScheduling");
    failed.map(|event| event["count"].as_i64().unwrap_or(1)).sum()
}

#[test]
fn what_waits_is_bound_when_there_is_room_and_told_once() {
    let place = Place::new();
    place.write("big.yaml", BIG);
    let mut watcher = Watcher::start(&place, &[]);
    watcher.converges();
    assert_eq!(phases(&place), [""; 0], "no node is small");
    place.write("n3.yaml", &small("n3", "256Mi"));
    come_to(&place, &["Pending"]);
    watcher.converges();
    let before = told(&place);
    assert!(before >= 1);
    place.write("n2.yaml", &node("n2", "ssd"));
    watcher.converges();
    assert_eq!(told(&place), before, "it is no news");
    let out = command(&place).args(["rollout", "status", "ds/big"]).output().unwrap();
    let said = String::from_utf8(out.stdout).unwrap();
    assert_eq!(out.status.code(), Some(1), "{said}");
    assert!(said.contains("is pending, node n3: Insufficient memory (needs 512Mi, free 256Mi"), "{said}");
    place.write("n3.yaml", &small("n3", "1Gi"));
    come_to(&place, &["Running"]);
    place.write("hog.yaml", HOG);
    place.write("n4.yaml", &small("n4", "1Gi"));
    come_to(&place, &["Pending", "Running"]);
    place.remove("hog.yaml");
    come_to(&place, &["Running", "Running"]);
    let out = command(&place).args(["rollout", "status", "ds/big"]).output().unwrap();
    assert!(out.status.success());
}
