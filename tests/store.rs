//! The store on real files: what is saved comes back, and what is wrong is said.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::time::Duration;

use dsrules::diagnostic::Diagnostic;
use dsrules::kube::{Kind, Object, ObjectKey, Origin};
use dsrules::state::{Change, World};
use dsrules::target::sqlite::{Missing, Open, Store};
use serde_json::{Value, json};

fn object(kind: Kind, namespace: &str, name: &str, mut value: Value) -> Object {
    value["metadata"]["name"] = json!(name);
    let origin = Origin { file: "a.yaml".into(), document: 0, path: String::new() };
    Object { kind, key: ObjectKey::new(namespace, name), value, origin }
}

fn node(name: &str) -> Object {
    let spec = json!({ "taints": [{ "key": "k", "value": "v", "effect": "NoSchedule" }] });
    let status = json!({ "conditions": [{ "type": "Ready", "status": "True" }] });
    object(
        Kind::Node,
        "",
        name,
        json!({ "metadata": { "labels": { "a": "b" } }, "spec": spec, "status": status,
        "unknown": [1, 2.5, null] }),
    )
}

fn pod(name: &str) -> Object {
    object(
        Kind::Pod,
        "default",
        name,
        json!({ "metadata": { "labels": { "app": "x" } },
        "spec": { "nodeName": "n1", "containers": [] }, "status": { "phase": "Running" } }),
    )
}

fn write(path: &Path) -> Result<Store, Diagnostic> {
    Store::open(path, &Open::write("dsrules apply"))
}

/// What the store gives for `kind`, as one JSON list.
fn list(store: &Store, kind: Kind) -> Value {
    let mut all = Vec::new();
    store
        .objects(kind, None, &mut |_, value| {
            all.push(value);
            Ok(())
        })
        .unwrap();
    Value::Array(all)
}

#[test]
fn a_world_comes_back_from_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dsrules.db");
    let mut store = write(&path).unwrap();
    store.begin().unwrap();
    let mut world = store.load().unwrap();
    assert_eq!(world.put(node("n1"), 100), Change::Created);
    assert_eq!(world.put(pod("p1"), 100), Change::Created);
    world.put(object(Kind::Namespace, "", "default", json!({})), 100);
    let spec = json!({ "template": { "spec": {} }, "selector": {} });
    world.put(object(Kind::DaemonSet, "default", "d", json!({ "spec": spec })), 100);
    store.save(&mut world).unwrap();
    assert!(world.dirty.objects.is_empty());
    store.commit().unwrap();
    drop(store);

    let store = Store::open(&path, &Open::read()).unwrap();
    let read = store.load().unwrap();
    assert_eq!(read.nodes, world.nodes);
    assert_eq!(read.pods, world.pods);
    assert_eq!(read.others, world.others);
    assert_eq!(read.resource_version, 4);
    let node = store.object(Kind::Node, &ObjectKey::new("", "n1")).unwrap().unwrap();
    assert_eq!(node["unknown"], json!([1, 2.5, null]));
    assert_eq!(node["metadata"]["resourceVersion"], "1");
    assert_eq!(node["metadata"]["creationTimestamp"], "1970-01-01T00:01:40Z");
    assert_eq!(list(&store, Kind::Pod).as_array().unwrap().len(), 1);
}

#[test]
fn what_is_not_committed_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dsrules.db");
    let mut store = write(&path).unwrap();
    store.begin().unwrap();
    let mut world = World::default();
    world.put(node("n1"), 100);
    store.save(&mut world).unwrap();
    drop(store);
    assert!(Store::open(&path, &Open::read()).unwrap().load().unwrap().nodes.is_empty());
}

#[test]
fn a_second_writer_learns_who_the_first_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dsrules.db");
    let first = write(&path).unwrap();
    let told = Store::open(&path, &Open::write("dsrules delete")).unwrap_err();
    assert_eq!(told.code, "store-locked");
    assert!(told.notes[0].contains(&format!("`dsrules apply` (process {})", std::process::id())), "{told}");
    // A reader needs no lock.
    Store::open(&path, &Open::read()).unwrap();
    let waiting = std::thread::spawn({
        let path = path.clone();
        move || Store::open(&path, &Open::write("dsrules delete").wait(Duration::from_secs(60))).map(|_| ())
    });
    drop(first);
    waiting.join().unwrap().unwrap();
}

#[test]
fn a_missing_store_is_said_or_taken_as_empty() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dsrules.db");
    assert_eq!(Store::open(&path, &Open::read()).unwrap_err().code, "no-store");
    let empty = Store::open(&path, &Open::read().missing(Missing::Empty)).unwrap();
    assert!(empty.load().unwrap().nodes.is_empty());
    assert!(!path.exists());
}
