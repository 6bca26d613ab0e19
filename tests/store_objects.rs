//! What the store shows: whole objects, what inputs brought, and views for sqlite3.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use dsrules::kube::{Body, Kind, Object, ObjectKey, Origin, Owner, Pod};
use dsrules::state::World;
use dsrules::state::{Brought, Input, InputFile};
use dsrules::target::sqlite::{Fit, Open, Placement, Store};
use serde_json::{Value, json};

fn put(world: &mut World, kind: Kind, key: &ObjectKey, value: Value) {
    let origin = Origin { file: "a.yaml".into(), document: 0, path: String::new() };
    world.put(Object { kind, key: key.clone(), value, origin }, 1_767_225_600);
}

fn named(name: &str) -> ObjectKey {
    ObjectKey::new("default", name)
}

/// Snapshots stand in the top-level folder, as all of the project's do.
fn snapshot(name: &str, value: &Value) {
    insta::with_settings!({ snapshot_path => "../snapshots", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_json_snapshot!(name, value);
    });
}

#[test]
fn a_pod_shows_what_has_become_of_it() {
    let mut store = Store::in_memory().unwrap();
    let mut world = World::default();
    put(
        &mut world,
        Kind::Pod,
        &named("p"),
        json!({
            "metadata": { "name": "p", "labels": { "app": "x" }, "annotations": { "kept": "yes" },
                "ownerReferences": [{ "kind": "Other", "name": "o", "uid": "u0" }] },
            "spec": { "containers": [{ "name": "c", "image": "i", "unknownField": 1.5 }] },
            "status": { "phase": "Pending", "podIP": "10.0.0.1",
                "conditions": [{ "type": "PodScheduled", "status": "True" }, { "type": "Ready", "status": "False" }] },
        }),
    );
    store.save(&mut world).unwrap();
    let pod = world.pods.get_mut(&named("p")).unwrap();
    assert_eq!(pod.body, Body::Stored);
    // Adopted, labelled, bound and ready.
    pod.meta.controller =
        Some(Arc::new(Owner { kind: "DaemonSet".into(), name: "d".into(), uid: "u1".into() }));
    pod.meta.labels =
        Arc::new([("app".into(), "x".into()), ("controller-revision-hash".into(), "h".into())].into());
    pod.node = Some("n1".into());
    (pod.phase, pod.ready, pod.ready_since) = ("Running".into(), true, Some(1_767_225_660));
    world.touch(Kind::Pod, &named("p"));
    store.save(&mut world).unwrap();
    let shown = store.object(Kind::Pod, &named("p")).unwrap().unwrap();
    snapshot("store_pod_adopted", &shown);
    // What is shown reads as what is known.
    let read = Pod::from_value(named("p"), Arc::new(shown));
    let known = &world.pods[&named("p")];
    assert_eq!((&read.meta.labels, &read.meta.controller), (&known.meta.labels, &known.meta.controller));
    assert_eq!(
        (&read.node, &read.phase, read.ready, read.ready_since),
        (&known.node, &known.phase, true, known.ready_since)
    );

    world.pods.get_mut(&named("p")).unwrap().meta.controller = None;
    world.touch(Kind::Pod, &named("p"));
    store.save(&mut world).unwrap();
    let owners = &store.object(Kind::Pod, &named("p")).unwrap().unwrap()["metadata"]["ownerReferences"];
    assert_eq!(owners, &json!([{ "kind": "Other", "name": "o", "uid": "u0" }]));
}

#[test]
fn a_daemonset_and_a_namespace_show_their_status() {
    let mut store = Store::in_memory().unwrap();
    let mut world = World::default();
    let status = json!({ "numberReady": 1, "numberAvailable": 1, "collisionCount": 2, "conditions": [] });
    put(
        &mut world,
        Kind::DaemonSet,
        &named("d"),
        json!({ "metadata": { "name": "d" }, "spec": {}, "status": status }),
    );
    put(&mut world, Kind::Namespace, &ObjectKey::new("", "default"), json!({}));
    let daemonset = world.daemonsets.get_mut(&named("d")).unwrap();
    daemonset.status.desired_number_scheduled = 3;
    daemonset.status.number_available = 0;
    store.save(&mut world).unwrap();
    let status = store.object(Kind::DaemonSet, &named("d")).unwrap().unwrap()["status"].clone();
    let expected = json!({ "numberReady": 1, "collisionCount": 2, "conditions": [], "currentNumberScheduled": 0,
        "desiredNumberScheduled": 3, "numberMisscheduled": 0 });
    assert_eq!(status, expected);
    let namespace = store.object(Kind::Namespace, &ObjectKey::new("", "default")).unwrap().unwrap();
    assert_eq!((&namespace["kind"], &namespace["status"]["phase"]), (&json!("Namespace"), &json!("Active")));
    assert_eq!(store.object(Kind::Node, &ObjectKey::new("", "none")).unwrap(), None);
}

#[test]
fn a_listing_is_sorted_and_ends_where_its_visitor_says() {
    let mut store = Store::in_memory().unwrap();
    let mut world = World::default();
    for key in [ObjectKey::new("b", "1"), ObjectKey::new("a", "2"), ObjectKey::new("a", "10")] {
        put(&mut world, Kind::Pod, &key, json!({}));
    }
    store.save(&mut world).unwrap();
    let names = |namespace: Option<&str>| {
        let mut names = Vec::new();
        let mut visit = |key: ObjectKey, _| {
            names.push(key.to_string());
            Ok(())
        };
        store.objects(Kind::Pod, namespace, &mut visit).unwrap();
        names
    };
    assert_eq!(names(None), ["a/10", "a/2", "b/1"]);
    assert_eq!(names(Some("a")), ["a/10", "a/2"]);
    assert_eq!(names(Some("c")), Vec::<String>::new());
    let mut seen = 0;
    let told = store.objects(Kind::Pod, None, &mut |_, _| {
        seen += 1;
        Err(dsrules::diagnostic::Diagnostic::error("stop", "enough"))
    });
    assert_eq!((told.unwrap_err().code, seen), ("stop", 1));
}

/// An input's file with objects of these names, all DaemonSets.
fn file(path: &str, hash: &str, names: &[&str]) -> InputFile {
    let objects = names.iter().map(|name| (Kind::DaemonSet, named(name), 7)).collect();
    InputFile { path: path.into(), sha256: hash.into(), objects, how: String::new() }
}

/// The objects on record, each with its file and whether another input has it.
fn brought(input: &Input) -> Vec<(String, Option<String>, bool)> {
    let told = |(object, brought): (&(Kind, ObjectKey), &Brought)| {
        assert_eq!(brought.written, 7);
        (object.1.name.to_string(), brought.file.as_ref().map(ToString::to_string), brought.elsewhere)
    };
    input.objects.iter().map(told).collect()
}

#[test]
fn of_files_with_the_same_object_the_last_one_is_on_record() {
    let mut store = Store::in_memory().unwrap();
    let mut world = World::default();
    for name in ["a", "b"] {
        put(&mut world, Kind::DaemonSet, &named(name), json!({ "metadata": {} }));
    }
    store.save(&mut world).unwrap();
    let files =
        [file("x.yaml", "h1", &["a", "b"]), file("y.yaml", "h2", &["a", "b"]), file("z.yaml", "h3", &["b"])];
    for _ in 0..3 {
        store.save_input("one", &files, &BTreeSet::new()).unwrap();
        let of = |name: &str| Some(name.to_owned());
        let seen = brought(&store.input("one").unwrap());
        assert_eq!(seen, [("a".into(), of("y.yaml"), false), ("b".into(), of("z.yaml"), false)]);
        // The record of each file says how many it has.
        let passed = BTreeSet::from(["y.yaml".into()]);
        assert_eq!(store.input_but("one", &passed).unwrap().objects.len(), 1);
    }
}

#[test]
fn what_an_input_brought_stays_on_record_until_it_is_gone() {
    let mut store = Store::in_memory().unwrap();
    let mut world = World::default();
    for name in ["a", "b", "c"] {
        put(&mut world, Kind::DaemonSet, &named(name), json!({ "metadata": {} }));
    }
    store.save(&mut world).unwrap();
    assert_eq!(store.input("one").unwrap(), Input::default());
    store
        .save_input(
            "one",
            &[file("x.yaml", "h1", &["a", "b"]), file("y.yaml", "h2", &["c"])],
            &BTreeSet::new(),
        )
        .unwrap();
    store.save_input("two", &[file("z.yaml", "h3", &["c"])], &BTreeSet::new()).unwrap();
    let seen = store.input("one").unwrap();
    assert_eq!(seen.files, BTreeMap::from([("x.yaml".into(), "h1".into()), ("y.yaml".into(), "h2".into())]));
    let (x, y) = (Some("x.yaml".to_owned()), Some("y.yaml".to_owned()));
    let expected = [("a".into(), x.clone(), false), ("b".into(), x.clone(), false), ("c".into(), y, true)];
    assert_eq!(brought(&seen), expected);

    // `b` leaves its file, and the other file goes: both stay on record, and are not
    // forgotten by the next apply either.
    for _ in 0..2 {
        store.save_input("one", &[file("x.yaml", "h4", &["a"])], &BTreeSet::new()).unwrap();
        let seen = store.input("one").unwrap();
        assert_eq!(seen.files, BTreeMap::from([("x.yaml".into(), "h4".into())]));
        let expected = [("a".into(), x.clone(), false), ("b".into(), None, false), ("c".into(), None, true)];
        assert_eq!(brought(&seen), expected);
    }

    // Once it is removed it is off the record.
    world.remove(Kind::DaemonSet, &named("b"));
    store.save(&mut world).unwrap();
    store.save_input("one", &[file("x.yaml", "h4", &["a"])], &BTreeSet::new()).unwrap();
    assert_eq!(brought(&store.input("one").unwrap()).len(), 2);
    // And nobody else has `c` when the second input gives it up.
    store.save_input("two", &[], &BTreeSet::new()).unwrap();
    assert_eq!(brought(&store.input("one").unwrap())[1], ("c".into(), None, false));
}

#[test]
fn the_eligible_nodes_can_be_asked_for_with_sqlite3() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dsrules.db");
    let mut store = Store::open(&path, &Open::write("dsrules apply")).unwrap();
    let mut placement = Placement::default();
    placement.classes.extend([(named("fluentd"), 1), (named("gpu"), 2)]);
    placement.profiles.extend([("n1".into(), 1), ("n2".into(), 1), ("n3".into(), 2)]);
    placement.fits.insert((1, 1), Fit { may_start: true, may_stay: true });
    placement.fits.insert((1, 2), Fit { may_start: false, may_stay: true });
    placement.fits.insert((2, 2), Fit { may_start: true, may_stay: true });
    store.save_placement(None, &placement).unwrap();
    let mut world = World::default();
    let taint = json!({ "key": "gpu", "value": "yes", "effect": "NoSchedule" });
    put(
        &mut world,
        Kind::Node,
        &ObjectKey::new("", "n3"),
        json!({ "metadata": { "labels": { "zone": "a" } }, "spec": { "taints": [taint] } }),
    );
    store.save(&mut world).unwrap();
    // A second connection, as sqlite3's is.
    let connection = rusqlite::Connection::open(&path).unwrap();
    let ask = |sql: &str| -> Vec<String> {
        let mut statement = connection.prepare(sql).unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
    };
    assert_eq!(ask("select node from eligible where daemonset = 'fluentd' order by node"), ["n1", "n2"]);
    assert_eq!(ask("select daemonset from eligible where node = 'n3'"), ["gpu"]);
    assert_eq!(ask("select daemonset from placement where node = 'n3' order by 1"), ["fluentd", "gpu"]);
    assert_eq!(ask("select key || '=' || value || ':' || effect from node_taints"), ["gpu=yes:NoSchedule"]);
    assert_eq!(ask("select node || key || value from node_labels"), ["n3zonea"]);
}
