//! The tree against a plain restatement of what it has to be, after random tampering,
//! and after a run that was killed.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use dsrules::kube::{Name, ObjectKey};
use dsrules::target::tree::{Destination, TreeReport, Wanted, sync};
use proptest::prelude::*;
use serde_json::{Value, json};

#[path = "tree/killed.rs"]
mod killed;

/// Which pods are to be where: (node, pod) to image.
type Pods = BTreeMap<(u8, u8), u8>;

fn pod(node: u8, name: u8, image: u8) -> Value {
    json!({ "metadata": { "name": format!("p{node}{name}"), "namespace": "ns" },
        "spec": { "nodeName": format!("n{node}"), "containers": [{ "name": "c", "image": format!("i:{image}") }] } })
}

fn follow(dir: &Path, pods: &Pods) -> TreeReport {
    let mut wanted: BTreeMap<Name, Vec<ObjectKey>> = BTreeMap::new();
    let mut values = BTreeMap::new();
    for ((node, name), image) in pods {
        let key = ObjectKey::new("ns", format!("p{node}{name}"));
        wanted.entry(format!("n{node}").into()).or_default().push(key.clone());
        values.insert(key, pod(*node, *name, *image));
    }
    let wanted = Wanted { pods: wanted, whole: true };
    sync(&Destination::plain(dir), &wanted, &mut |_, key| Ok(values.get(key).cloned())).unwrap()
}

/// What each path below `dir` is: a file's text, a link's target, a folder.
fn look(dir: &Path) -> BTreeMap<String, String> {
    let mut seen = BTreeMap::new();
    for entry in walkdir::WalkDir::new(dir).min_depth(1) {
        let entry = entry.unwrap();
        let path = entry.path().strip_prefix(dir).unwrap().display().to_string();
        let what = if entry.file_type().is_dir() {
            "folder".to_owned()
        } else if entry.path_is_symlink() {
            format!("link to {}", fs::read_link(entry.path()).unwrap().display())
        } else {
            fs::read_to_string(entry.path()).unwrap()
        };
        seen.insert(path, what);
    }
    seen
}

/// What somebody does to the tree.
#[derive(Debug, Clone)]
enum Hand {
    Write(u8, &'static str, &'static str),
    Remove(u8, &'static str),
    Link(u8, &'static str),
    Folder(u8, &'static str),
    Copy(u8, u8, &'static str),
    RemoveNode(u8),
}

const FILES: [&str; 6] =
    ["ns_p00.yaml", "ns_p01.yaml", "ns_p10.yaml", "foreign.yaml", ".dsrules", ".dsrules.tmp"];

fn hand() -> impl Strategy<Value = Hand> {
    let file = prop::sample::select(&FILES[..]);
    prop_oneof![
        3 => (0..3_u8, file.clone(), prop::sample::select(&["", "junk\n", "{}", "kind: Pod\n"][..]))
            .prop_map(|(node, file, text)| Hand::Write(node, file, text)),
        2 => (0..3_u8, file.clone()).prop_map(|(node, file)| Hand::Remove(node, file)),
        1 => (0..3_u8, file.clone()).prop_map(|(node, file)| Hand::Link(node, file)),
        1 => (0..3_u8, file.clone()).prop_map(|(node, file)| Hand::Folder(node, file)),
        1 => (0..3_u8, 0..3_u8, file).prop_map(|(from, to, file)| Hand::Copy(from, to, file)),
        1 => (0..3_u8).prop_map(Hand::RemoveNode),
    ]
}

fn tamper(dir: &Path, hand: &Hand) {
    // A hand that finds nothing to do does nothing.
    let place = |node: &u8, file: &str| dir.join(format!("n{node}")).join(file);
    let clear = |path: &Path| {
        let _ = fs::remove_file(path);
        let _ = fs::remove_dir_all(path);
        let _ = fs::create_dir(path.parent().unwrap());
    };
    match hand {
        Hand::Write(node, file, text) => {
            clear(&place(node, file));
            fs::write(place(node, file), text).unwrap();
        }
        Hand::Remove(node, file) => {
            let _ = fs::remove_file(place(node, file));
        }
        Hand::Link(node, file) => {
            clear(&place(node, file));
            symlink("../outside", place(node, file)).unwrap();
        }
        Hand::Folder(node, file) => {
            clear(&place(node, file));
            fs::create_dir(place(node, file)).unwrap();
        }
        Hand::Copy(from, to, file) => {
            if let Ok(text) = fs::read(place(from, file)) {
                clear(&place(to, file));
                fs::write(place(to, file), text).unwrap();
            }
        }
        Hand::RemoveNode(node) => {
            let _ = fs::remove_dir_all(dir.join(format!("n{node}")));
        }
    }
}

/// The paths that are dsrules' own: what a node's index names, and what says in its first
/// line that it is written there by dsrules. Never a folder.
fn own(seen: &BTreeMap<String, String>) -> BTreeSet<String> {
    let mut own = BTreeSet::new();
    for (path, what) in seen {
        let Some((node, file)) = path.split_once('/') else { continue };
        if what == "folder" || !file.ends_with(".yaml") || !file.contains('_') {
            continue;
        }
        let index =
            seen.get(&format!("{node}/.dsrules")).and_then(|text| serde_json::from_str::<Value>(text).ok());
        let indexed = index.is_some_and(|index| {
            index["node"] == *node
                && index["files"].as_array().is_some_and(|files| files.contains(&json!(file)))
        });
        let first = format!("# {path} is written by dsrules; changes are overwritten.");
        if indexed || what.lines().next() == Some(&*first) {
            own.insert(path.clone());
        }
    }
    own
}

fn is_hidden(path: &str) -> bool {
    path.ends_with("/.dsrules") || path.ends_with("/.dsrules.tmp") || path == ".dsrules.tmp"
}

fn pods() -> impl Strategy<Value = Pods> {
    proptest::collection::btree_map((0..3_u8, 0..2_u8), 0..2_u8, 0..6)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_tree_is_what_it_has_to_be(turns in proptest::collection::vec((pods(), proptest::collection::vec(hand(), 0..6)), 1..5)) {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("outside"), "not to be touched").unwrap();
        for (wanted, hands) in &turns {
            for hand in hands {
                tamper(dir.path(), hand);
            }
            let before = look(dir.path());
            let own = own(&before);
            let report = follow(dir.path(), wanted);
            let after = look(dir.path());

            let mut expected: BTreeMap<String, String> = BTreeMap::new();
            // What is of others stays, byte for byte.
            for (path, what) in &before {
                if what != "folder" && !is_hidden(path) && !own.contains(path) {
                    expected.insert(path.clone(), what.clone());
                }
            }
            // What is wanted is there, but for what others are in the way of.
            let mut blocked = 0;
            for ((node, name), image) in wanted {
                let path = format!("n{node}/ns_p{node}{name}.yaml");
                // An index that is a folder cannot be written, and without it nothing is.
                if before.get(&format!("n{node}/.dsrules")).is_some_and(|what| what == "folder") {
                    continue;
                }
                if before.contains_key(&path) && !own.contains(&path) {
                    blocked += 1;
                    continue;
                }
                let mut text = format!("# {path} is written by dsrules; changes are overwritten.\n");
                text.push_str(&dsrules::yaml::to_yaml(&{
                    let mut value = pod(*node, *name, *image);
                    value["apiVersion"] = json!("v1");
                    value["kind"] = json!("Pod");
                    value
                }));
                expected.insert(path, text);
            }
            let foreign = report.problems.iter().filter(|told| told.code == "tree-foreign").count();
            prop_assert_eq!(foreign, blocked, "{:?}", report.problems);
            let stuck = |path: &str| {
                let node = path.split('/').next().unwrap_or("");
                ["/.dsrules", "/.dsrules.tmp"].iter().any(|name| before.get(&format!("{node}{name}")).is_some_and(|what| what == "folder"))
            };
            let files = |all: &BTreeMap<String, String>| -> BTreeMap<String, String> {
                all.iter()
                    .filter(|(path, what)| *what != "folder" && !is_hidden(path) && !stuck(path))
                    .map(|(path, what)| (path.clone(), what.clone()))
                    .collect()
            };
            prop_assert_eq!(files(&after), files(&expected));
            prop_assert_eq!(&after["outside"], "not to be touched");
            if !before.keys().any(|path| stuck(path)) {
                prop_assert!(after.keys().all(|path| !path.ends_with(".dsrules.tmp")), "{:?}", after);
                // And then it rests: another run finds nothing to do.
                let again = follow(dir.path(), wanted);
                prop_assert!(again.changes.is_empty(), "{:?}", again.changes);
                prop_assert_eq!(look(dir.path()), after);
            }
        }
    }
}

/// Not a test by itself: what the next one runs as a process of its own, and kills.
#[test]
#[ignore = "run by the test below"]
fn follower_process() {
    let Some(dir) = std::env::var_os("TREE_UNDER_TEST") else { return };
    for turn in 0_u8.. {
        let pods = (0..8).flat_map(|node| (0..4).map(move |name| ((node, name), turn)));
        let kept = pods.filter(|((node, name), _)| (node + name + turn) % 3 != 0);
        follow(Path::new(&dir), &kept.collect());
        killed::done(turn);
    }
}

#[test]
fn a_killed_run_is_mended_by_the_next() {
    let dir = tempfile::tempdir().unwrap();
    let wanted: Pods = (0..4).map(|node| ((node, 0), 9)).collect();
    for turns in [0, 1, 2, 5] {
        killed::killed_after(dir.path(), turns);

        let report = follow(dir.path(), &wanted);
        assert!(report.problems.is_empty(), "{:?}", report.problems);
        let seen = look(dir.path());
        let files: Vec<&String> = seen
            .iter()
            .filter(|(path, what)| *what != "folder" && !is_hidden(path))
            .map(|(path, _)| path)
            .collect();
        assert_eq!(files, ["n0/ns_p00.yaml", "n1/ns_p10.yaml", "n2/ns_p20.yaml", "n3/ns_p30.yaml"]);
        // A folder that was being made when it died may stay, empty; nothing half-written does.
        assert!(seen.keys().all(|path| !path.ends_with(".dsrules.tmp")), "{seen:?}");
        assert!(follow(dir.path(), &wanted).changes.is_empty());
    }
}
