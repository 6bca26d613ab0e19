//! The file tree on a real disk: it follows the store, heals, and touches nothing else.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use dsrules::kube::{Kind, Name, Object, ObjectKey, Origin};
use dsrules::state::World;
use dsrules::target::sqlite::Store;
use dsrules::target::tree::{Destination, Done, TreeReport, Wanted, sync, sync_tree};
use serde_json::{Value, json};
use tempfile::TempDir;

/// What is to be in the tree.
#[derive(Default, Clone)]
struct Pods(BTreeMap<ObjectKey, (String, Value)>);

impl Pods {
    fn with(mut self, node: &str, name: &str) -> Self {
        self.put(node, name, "v1");
        self
    }

    fn put(&mut self, node: &str, name: &str, image: &str) {
        let pod = json!({
            "metadata": { "name": name, "namespace": "default", "uid": "u", "resourceVersion": "7",
                "labels": { "on": "yes" } },
            "spec": { "nodeName": node, "containers": [{ "name": "c", "image": image }] },
            "status": { "phase": "Running" },
        });
        self.0.insert(ObjectKey::new("default", name), (node.to_owned(), pod));
    }

    fn sync(&self, dir: &Path) -> TreeReport {
        let mut pods: BTreeMap<Name, Vec<ObjectKey>> = BTreeMap::new();
        for (key, (node, _)) in &self.0 {
            pods.entry(node.as_str().into()).or_default().push(key.clone());
        }
        let wanted = Wanted { pods, whole: true };
        sync(&Destination::plain(dir), &wanted, &mut |_, key| Ok(self.0.get(key).map(|(_, pod)| pod.clone())))
            .unwrap()
    }
}

fn done(report: &TreeReport) -> Vec<(String, Done)> {
    assert!(report.problems.is_empty(), "{:?}", report.problems);
    report.changes.iter().map(|change| (change.path.clone(), change.done)).collect()
}

fn codes(report: &TreeReport) -> Vec<&'static str> {
    report.problems.iter().map(|told| told.code).collect()
}

/// Every file and folder below `dir`, without the index.
fn tree(dir: &Path) -> Vec<String> {
    walkdir::WalkDir::new(dir)
        .min_depth(1)
        .sort_by_file_name()
        .into_iter()
        .map(|entry| entry.unwrap().path().strip_prefix(dir).unwrap().display().to_string())
        .filter(|path| !path.ends_with("/.dsrules"))
        .collect()
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

#[test]
fn a_pod_becomes_a_static_pod_manifest() {
    let dir = folder();
    let mut pods = Pods::default();
    pods.put("n1", "a", "x");
    let (_, pod) = pods.0.get_mut(&ObjectKey::new("default", "a")).unwrap();
    pod["metadata"]["ownerReferences"] =
        json!([{ "kind": "DaemonSet", "name": "d", "uid": "u", "controller": true }]);
    pod["spec"]["serviceAccountName"] = json!("agent");
    pod["spec"]["nodeSelector"] = json!({ "disk": "ssd" });
    pod["spec"]["affinity"] = json!({ "nodeAffinity": {}, "podAffinity": {} });
    pod["spec"]["volumes"] = json!([{ "name": "kube-api-access-x", "projected": {} },
        { "name": "config", "configMap": { "name": "settings" } }]);
    pod["spec"]["containers"][0]["volumeMounts"] =
        json!([{ "name": "kube-api-access-x", "mountPath": "/var/run/secrets" }]);
    let report = pods.sync(dir.path());
    assert_eq!(codes(&report), ["tree-reference"]);
    assert!(report.problems[0].message.contains("`default/d`"), "{}", report.problems[0]);
    insta::with_settings!({ snapshot_path => "../snapshots", prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!(
            "tree_manifest",
            fs::read_to_string(dir.path().join("n1/default_a.yaml")).unwrap()
        );
    });
}

#[test]
fn the_tree_follows_and_then_rests() {
    let dir = folder();
    let root = dir.path().join("made/here");
    let mut pods = Pods::default().with("n1", "a").with("n1", "b").with("n2", "c");
    assert_eq!(done(&pods.sync(&root)).len(), 3);
    assert_eq!(tree(&root), ["n1", "n1/default_a.yaml", "n1/default_b.yaml", "n2", "n2/default_c.yaml"]);

    let before = fs::metadata(root.join("n1/default_a.yaml")).unwrap().modified().unwrap();
    let report = pods.sync(&root);
    assert_eq!((report.changes.len(), report.unchanged), (0, 3));
    assert_eq!(fs::metadata(root.join("n1/default_a.yaml")).unwrap().modified().unwrap(), before);

    pods.put("n1", "b", "v2");
    pods.0.remove(&ObjectKey::new("default", "c"));
    let expected =
        [("n1/default_b.yaml".to_owned(), Done::Rewritten), ("n2/default_c.yaml".to_owned(), Done::Removed)];
    assert_eq!(done(&pods.sync(&root)), expected);
    assert_eq!(tree(&root), ["n1", "n1/default_a.yaml", "n1/default_b.yaml"]);
    assert!(pods.sync(&root).changes.is_empty());
}

#[test]
fn own_files_heal() {
    let dir = folder();
    let pods = Pods::default().with("n1", "a").with("n1", "b").with("n1", "c").with("n2", "d");
    pods.sync(dir.path());
    let whole = fs::read(dir.path().join("n1/default_a.yaml")).unwrap();
    fs::write(dir.path().join("n1/default_a.yaml"), "mine now").unwrap();
    fs::remove_file(dir.path().join("n1/default_b.yaml")).unwrap();
    fs::remove_file(dir.path().join("n1/default_c.yaml")).unwrap();
    symlink("/etc/passwd", dir.path().join("n1/default_c.yaml")).unwrap();
    fs::remove_dir_all(dir.path().join("n2")).unwrap();
    assert_eq!(done(&pods.sync(dir.path())).len(), 4);
    assert_eq!(fs::read(dir.path().join("n1/default_a.yaml")).unwrap(), whole);
    assert!(fs::symlink_metadata(dir.path().join("n1/default_c.yaml")).unwrap().is_file());
    assert!(pods.sync(dir.path()).changes.is_empty());
}

#[test]
fn a_lost_index_is_made_again_from_first_lines() {
    let dir = folder();
    let mut pods = Pods::default().with("n1", "a").with("n1", "b");
    pods.sync(dir.path());
    fs::remove_file(dir.path().join("n1/.dsrules")).unwrap();
    pods.0.remove(&ObjectKey::new("default", "b"));
    assert_eq!(done(&pods.sync(dir.path())), [("n1/default_b.yaml".to_owned(), Done::Removed)]);
    fs::write(dir.path().join("n1/default_a.yaml"), "tampered").unwrap();
    assert_eq!(done(&pods.sync(dir.path())), [("n1/default_a.yaml".to_owned(), Done::Rewritten)]);
}

#[test]
fn files_of_others_stay() {
    let dir = folder();
    let root = dir.path();
    fs::create_dir_all(root.join("empty")).unwrap();
    fs::create_dir_all(root.join("n2")).unwrap();
    fs::create_dir_all(root.join("other")).unwrap();
    fs::write(root.join("other/a_b.yaml"), "kind: Pod\n").unwrap();
    fs::write(root.join("README"), "mine").unwrap();
    let mut pods = Pods::default().with("n1", "a").with("n2", "b");
    pods.sync(root);
    fs::write(root.join("n1/etcd.yaml"), "kind: Pod\n").unwrap();
    // A copy of our file, and of a whole folder, is not ours.
    fs::copy(root.join("n1/default_a.yaml"), root.join("other/default_a.yaml")).unwrap();
    fs::copy(root.join("n1/.dsrules"), root.join("other/.dsrules")).unwrap();
    pods.0.clear();
    assert_eq!(done(&pods.sync(root)).len(), 2);
    let left =
        ["README", "empty", "n1", "n1/etcd.yaml", "n2", "other", "other/a_b.yaml", "other/default_a.yaml"];
    assert_eq!(tree(root), left);
    // The folder that dsrules made goes with the last file in it.
    fs::remove_file(root.join("n1/etcd.yaml")).unwrap();
    pods.sync(root);
    assert!(!root.join("n1").exists() && root.join("n2").exists() && root.join("empty").exists());
    assert!(!root.join("n2/.dsrules").exists());
}

#[test]
fn a_foreign_file_in_the_way_is_said_and_kept() {
    let dir = folder();
    fs::create_dir_all(dir.path().join("n1")).unwrap();
    fs::write(dir.path().join("n1/default_a.yaml"), "mine").unwrap();
    let mut pods = Pods::default().with("n1", "a").with("n1", "b");
    let report = pods.sync(dir.path());
    assert_eq!(codes(&report), ["tree-foreign"]);
    assert_eq!(report.changes.len(), 1);
    assert_eq!(fs::read_to_string(dir.path().join("n1/default_a.yaml")).unwrap(), "mine");
    pods.0.clear();
    pods.sync(dir.path());
    assert_eq!(tree(dir.path()), ["n1", "n1/default_a.yaml"]);
}

#[test]
fn a_folder_in_place_of_the_temporary_file_is_what_is_said_to_be_in_the_way() {
    let dir = folder();
    let (pods, none) = (Pods::default().with("n1", "a"), Pods::default());
    pods.sync(dir.path());
    fs::create_dir(dir.path().join("n1/.dsrules.tmp")).unwrap();
    // The file goes, but the index cannot be written and still names it.
    assert_eq!(codes(&none.sync(dir.path())), ["tree-io"]);
    let report = pods.sync(dir.path());
    assert_eq!(codes(&report), ["tree-io"]);
    assert_eq!(report.problems[0].notes, ["`.dsrules.tmp` beside it is in the way"]);
    fs::remove_dir(dir.path().join("n1/.dsrules.tmp")).unwrap();
    assert_eq!(done(&pods.sync(dir.path())), [("n1/default_a.yaml".to_owned(), Done::Created)]);
}

#[test]
fn a_tree_that_is_a_file_or_a_link_is_refused() {
    let dir = folder();
    let pods = Pods::default().with("n1", "a");
    let wanted = Wanted { pods: [("n1".into(), vec![ObjectKey::new("default", "a")])].into(), whole: true };
    let mut read = |_: Kind, key: &ObjectKey| Ok(pods.0.get(key).map(|(_, pod)| pod.clone()));
    fs::write(dir.path().join("file"), "").unwrap();
    fs::create_dir(dir.path().join("real")).unwrap();
    symlink("real", dir.path().join("link")).unwrap();
    for name in ["file", "link", "file/below"] {
        let told = sync(&Destination::plain(&dir.path().join(name)), &wanted, &mut read).unwrap_err();
        assert_eq!(told.code, "tree-folder", "{told}");
    }
    assert_eq!(tree(dir.path()), ["file", "link", "real"]);
}

#[test]
fn a_node_folder_that_is_a_link_or_a_file_stops_that_node_only() {
    let dir = folder();
    let outside = folder();
    symlink(outside.path(), dir.path().join("n1")).unwrap();
    fs::write(dir.path().join("n2"), "a file").unwrap();
    let pods = Pods::default().with("n1", "a").with("n2", "b").with("n3", "c");
    let report = pods.sync(dir.path());
    assert_eq!(codes(&report), ["tree-node", "tree-node"]);
    assert_eq!(tree(dir.path()), ["n1", "n2", "n3", "n3/default_c.yaml"]);
    assert_eq!(tree(outside.path()), Vec::<String>::new());
    // A folder that is a directory where a file is to be.
    fs::remove_file(dir.path().join("n2")).unwrap();
    fs::create_dir_all(dir.path().join("n2/default_b.yaml")).unwrap();
    assert_eq!(codes(&pods.sync(dir.path())), ["tree-node", "tree-foreign"]);
}

#[test]
fn bad_names_are_said_and_the_others_go_on() {
    let dir = folder();
    let pods = Pods::default().with("../n0", "a").with("n1", "b").with("n1", "../../c").with("N1", "d");
    let report = pods.sync(&dir.path().join("tree"));
    assert_eq!(codes(&report), ["tree-name", "tree-name", "tree-name"]);
    assert_eq!(
        tree(dir.path()),
        ["tree", "tree/N1", "tree/N1/default_d.yaml", "tree/n1", "tree/n1/default_b.yaml"]
    );
}

#[test]
fn what_a_killed_run_left_is_cleaned() {
    let dir = folder();
    let pods = Pods::default().with("n1", "a");
    pods.sync(dir.path());
    fs::write(dir.path().join("n1/.dsrules.tmp"), "half").unwrap();
    fs::create_dir(dir.path().join(".dsrules.tmp")).unwrap();
    fs::write(dir.path().join(".dsrules.tmp/.dsrules"), "{").unwrap();
    assert!(done(&pods.sync(dir.path())).is_empty());
    assert_eq!(tree(dir.path()), ["n1", "n1/default_a.yaml"]);
}

#[test]
fn the_tree_of_a_store_has_daemon_pods_and_orphans_only() {
    let dir = folder();
    let mut store = Store::in_memory().unwrap();
    let mut world = World::default();
    let owner = |kind: &str| json!([{ "kind": kind, "name": "o", "uid": "u", "controller": true }]);
    let pods = [
        ("daemon", json!({ "ownerReferences": owner("DaemonSet") }), json!({ "nodeName": "n1" })),
        ("orphan", json!({}), json!({ "nodeName": "n1" })),
        ("replica", json!({ "ownerReferences": owner("ReplicaSet") }), json!({ "nodeName": "n1" })),
        ("leaving", json!({ "deletionTimestamp": "2026-01-01T00:00:00Z" }), json!({ "nodeName": "n1" })),
        ("unbound", json!({}), json!({})),
    ];
    for (name, meta, spec) in pods {
        let origin = Origin { file: "a".into(), document: 0, path: String::new() };
        let value = json!({ "metadata": meta, "spec": spec });
        let key = ObjectKey::new("default", name);
        world.put(Object { kind: Kind::Pod, key, value, origin }, 0);
    }
    let of_world = Wanted::on_nodes(&world, &["n1".into()].into());
    assert_eq!(of_world.pods, {
        store.save(&mut world).unwrap();
        Wanted::from_store(&store).unwrap().pods
    });
    sync_tree(&Destination::plain(dir.path()), &store).unwrap();
    assert_eq!(tree(dir.path()), ["n1", "n1/default_daemon.yaml", "n1/default_orphan.yaml"]);
}
