//! R8: nothing outside the tree is written, whatever things are called, and no link is followed,
//! whoever plants it and whenever.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use dsrules::kube::{Kind, Name, ObjectKey};
use dsrules::target::tree::{Destination, Format, TreeReport, Wanted, sync};
use rustix::fs::{CWD, RenameFlags, renameat_with};
use serde_json::{Value, json};

use crate::base::{Place, figure, is_full, look};
use crate::dice::Dice;

const FORMATS: [&str; 6] = ["plain", "manifest", "static", "kube-play", "systemd", "quadlet"];

/// 300 names that lead elsewhere, or are no names.
fn names(root: &Path) -> Vec<String> {
    let root = root.display();
    let seeds = [
        "..",
        ".",
        "...",
        "/",
        "//",
        "~",
        "-rf",
        "",
        " ",
        "a b",
        "a\nb",
        "a\tb",
        "a\0b",
        "\0",
        "*",
        "?",
        "|",
        ";",
        "&&",
        "$(touch x)",
        "`touch x`",
        "${HOME}",
        "%2e%2e%2f",
        "..%2f..%2f",
        "..\\..\\",
        "\\\\host\\share",
        "C:\\x",
        "con",
        "\u{ff0e}\u{ff0e}\u{ff0f}",
        "\u{202e}txt",
        "\u{1b}[31m",
        "\u{feff}",
        "a\u{0}/../x",
        "file:///x",
        "x/.",
        "x/..",
        "x/../../y",
        ".dsrules",
        ".dsrules.tmp",
        ".dsrules.files",
        ".git/config",
        "n1/../../x",
        "a/b/c",
        "'",
        "\"",
        "<x>",
        "#",
        "\u{7f}",
        "\r\nx",
        "%n%s",
    ];
    let mut names: Vec<String> = seeds.iter().map(|it| (*it).to_owned()).collect();
    for seed in seeds {
        names.push(format!("../{seed}"));
        names.push(format!("../../outside/{seed}"));
        names.push(format!("{root}/outside/{seed}"));
        names.push(format!("a{seed}"));
        names.push(format!("{seed}/precious"));
    }
    names.push("x".repeat(254));
    names.push("x".repeat(5_000));
    names.push(format!("{}x", "../".repeat(40)));
    names.sort();
    names.dedup();
    let mut dice = Dice::new(1);
    while names.len() > 300 {
        names.remove(dice.below(names.len()));
    }
    assert_eq!(names.len(), 300);
    names
}

/// A tree deep in a folder, and what it must not touch around it.
fn surrounded() -> Place {
    let place = Place::light();
    place.write("outside/precious", "precious");
    place.write("outside/precious.yaml", "precious");
    place.write("precious", "precious");
    fs::create_dir_all(place.path("a/b/trees")).unwrap();
    place.write("a/b/precious.yaml", "precious");
    place
}

/// All but the tree and what belongs to the store and the input.
fn around(place: &Place) -> BTreeMap<String, String> {
    let mut seen = place.look("");
    seen.retain(|path, _| !["a/b/trees/", "dsrules.db", "in"].iter().any(|own| path.starts_with(own)));
    seen
}

fn pod(name: &str, namespace: &str, node: &str, hostile: &str) -> Value {
    json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": name, "namespace": namespace },
        "spec": { "nodeName": node, "containers": [{ "name": "c", "image": "i:1",
            "volumeMounts": [{ "name": hostile, "mountPath": "/etc/c", "subPath": hostile }] }],
            "volumes": [{ "name": hostile, "configMap": { "name": "config",
                "items": [{ "key": "k", "path": hostile }, { "key": hostile, "path": "x" }] } },
                { "name": "all", "configMap": { "name": "config" } }] } })
}

/// What writes files is given the names as they are, though no manifest could bring them.
#[test]
fn names_lead_nowhere() {
    let place = surrounded();
    let before = around(&place);
    let config_map = Kind::other("v1", "ConfigMap").unwrap();
    let (mut files, mut refused) = (0, 0);
    let names = names(&place.path(""));
    for (at, format) in Format::ALL.into_iter().enumerate() {
        let tree = place.path(&format!("a/b/trees/{at}"));
        let mut wanted: BTreeMap<Name, Vec<ObjectKey>> = BTreeMap::new();
        let mut values = BTreeMap::new();
        for (nth, hostile) in names.iter().enumerate() {
            for (name, namespace, node, of_volume) in [
                (&**hostile, "ns", "n1", "v"),
                ("p", hostile, "n1", "v"),
                ("p", "ns", hostile, "v"),
                ("q", "ns", "n2", hostile),
            ] {
                let name = if name == hostile { name.to_owned() } else { format!("{name}{nth}") };
                let key = ObjectKey::new(namespace, &*name);
                wanted.entry(node.into()).or_default().push(key.clone());
                values.insert(key, pod(&name, namespace, node, of_volume));
            }
        }
        let data: serde_json::Map<String, Value> = names.iter().map(|it| (it.clone(), json!("x"))).collect();
        let config = json!({ "data": data });
        let wanted = Wanted { pods: wanted, whole: true };
        let destination = Destination { format, at: None, ..Destination::plain(&tree) };
        let report = sync(&destination, &wanted, &mut |kind, key| {
            Ok(if kind == config_map { Some(config.clone()) } else { values.get(key).cloned() })
        });
        refused += report.map_or(1, |report| report.problems.len());
        files += look(&tree).len();
        assert_eq!(around(&place), before, "{format:?}");
        assert!(look(&tree).values().all(|what| !what.starts_with("-> ")), "{format:?}: a link");
    }
    figure(
        "R8",
        format!(
            "300 names x 6 name fields x 6 formats: {files} files and folders in the trees, {refused} names refused, 0 bytes outside"
        ),
    );
}

/// The same by manifests, of every kind that has a name.
#[test]
fn names_in_manifests_lead_nowhere() {
    let place = surrounded();
    let mut text = String::new();
    let mut add = |value: Value| text += &format!("---\n{value}\n");
    add(json!({ "apiVersion": "v1", "kind": "Node", "metadata": { "name": "n1" } }));
    for (nth, hostile) in names(&place.path("")).iter().enumerate() {
        let template = |volume: &str| pod("x", "x", "", volume)["spec"].clone();
        let daemonset = |name: &str, namespace: &str, volume: &str| {
            json!({ "apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": { "name": name, "namespace": namespace },
                "spec": { "selector": { "matchLabels": { "a": format!("d{nth}") } }, "template": {
                    "metadata": { "labels": { "a": format!("d{nth}") } }, "spec": template(volume) } } })
        };
        add(json!({ "apiVersion": "v1", "kind": "Node", "metadata": { "name": hostile } }));
        add(json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": hostile } }));
        add(
            json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": hostile }, "data": { hostile: "x" } }),
        );
        add(daemonset(hostile, "default", "v"));
        add(daemonset("d", hostile, "v"));
        add(daemonset(&format!("e{nth}"), "default", hostile));
        add(pod(hostile, "default", "n1", "v"));
        add(pod("p", hostile, "n1", "v"));
        add(pod(&format!("r{nth}"), "default", hostile, "v"));
        add(pod(&format!("s{nth}"), "default", "n1", hostile));
    }
    place.write("in/all.yaml", text);
    let before = around(&place);
    for format in FORMATS {
        let said =
            place.run(&format!("apply in --keep-going -q --tree a/b/trees/{format} --tree-format {format}"));
        assert!(said.is_orderly(), "{format}: {said:?}");
        assert_eq!(around(&place), before, "{format}");
        let seen = look(&place.path("a/b/trees"));
        assert!(seen.values().all(|what| !what.starts_with("-> ")), "{format}: a link");
    }
    figure("R8", "300 names x 11 name fields in manifests x 6 formats: 0 bytes outside");
}

/// Pods of two nodes whose files differ each turn.
fn turn(tree: &Path, format: Format, turn: usize) -> Result<TreeReport, dsrules::diagnostic::Diagnostic> {
    let names = ["a", "b"];
    let mut wanted: BTreeMap<Name, Vec<ObjectKey>> = BTreeMap::new();
    for node in ["n1", "n2"] {
        let keys = names.iter().filter(|name| turn % 3 != 1 || **name == "a");
        wanted.insert(node.into(), keys.map(|name| ObjectKey::new("ns", format!("{name}-{node}"))).collect());
    }
    let wanted = Wanted { pods: wanted, whole: true };
    let destination = Destination {
        format,
        at: (format != Format::Plain).then(|| "/pods".into()),
        ..Destination::plain(tree)
    };
    sync(&destination, &wanted, &mut |kind, key| {
        let is_pod = kind == Kind::Pod;
        let node = key.name.rsplit('-').next().unwrap_or_default().to_owned();
        let mut pod = pod(&key.name, "ns", &node, "v");
        pod["spec"]["containers"][0]["image"] = json!(format!("i:{turn}"));
        Ok(Some(if is_pod { pod } else { json!({ "data": { "k": format!("{turn}"), "v": "x" } }) }))
    })
}

/// What is outside, with when each was changed and how many names lead to it.
fn fingerprint(outside: &Path) -> Vec<String> {
    let mut all: Vec<String> = walkdir::WalkDir::new(outside)
        .into_iter()
        .map(|entry| {
            let entry = entry.unwrap();
            let meta = entry.metadata().unwrap();
            let text = if meta.is_file() { fs::read(entry.path()).unwrap() } else { Vec::new() };
            format!(
                "{} {} {} {} {text:?}",
                entry.path().display(),
                meta.mtime_nsec(),
                meta.nlink(),
                meta.mode()
            )
        })
        .collect();
    all.sort();
    all
}

#[test]
fn planted_links_are_not_followed() {
    let links = [
        "",
        "n1",
        "n1/ns_a-n1.yaml",
        "n1/.dsrules",
        "n1/.dsrules.tmp",
        "n1/.dsrules.files",
        "n1/.dsrules.files/ns_a-n1",
        ".dsrules.tmp",
        ".dsrules",
    ];
    let mut tried = 0;
    for format in Format::ALL {
        for link in links {
            for (target, begun) in
                [("outside", true), ("outside/precious", true), ("nowhere", true), ("outside", false)]
            {
                let place = surrounded();
                place.write("outside/ns_a-n1.yaml", "precious");
                place.write("outside/.dsrules", "precious");
                let tree = place.path("a/b/trees/t");
                if begun {
                    turn(&tree, format, 0).unwrap();
                }
                let at = if link.is_empty() { tree.clone() } else { tree.join(link) };
                fs::create_dir_all(at.parent().unwrap()).unwrap();
                let _ = fs::remove_dir_all(&at);
                let _ = fs::remove_file(&at);
                symlink(place.path(target), &at).unwrap();
                let before = fingerprint(&place.path("outside"));
                for nth in 1..4 {
                    let _ = turn(&tree, format, nth);
                }
                assert_eq!(fingerprint(&place.path("outside")), before, "{format:?} {link} {target}");
                assert!(!place.path("nowhere").exists(), "{format:?} {link} {target}");
                tried += 1;
            }
        }
    }
    figure(
        "R8",
        format!("{tried} planted links (root, node folder, file, index, temporary names): 0 followed"),
    );
}

/// Swaps two names at once, over and over, until it is told to stop.
fn swapper(one: &Path, other: &Path, stop: &AtomicBool) -> usize {
    let mut swaps = 0;
    while !stop.load(Ordering::Relaxed) {
        if renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE).is_ok() {
            swaps += 1;
        }
        // Some of the time it stands, so that each side is met.
        if swaps % 7 == 0 {
            std::thread::yield_now();
        }
    }
    swaps
}

#[test]
fn a_folder_that_is_swapped_for_a_link_is_not_followed() {
    let long = if is_full() { Duration::from_secs(20) } else { Duration::from_millis(700) };
    for (what, at) in [("the root", ""), ("a node's folder", "n1"), ("a file", "n1/ns_a-n1.yaml")] {
        let place = surrounded();
        for name in ["ns_a-n1.yaml", "ns_b-n1.yaml", ".dsrules", "n1/ns_a-n1.yaml", "n1/.dsrules"] {
            place.write(&format!("outside/{name}"), "precious");
        }
        let tree = place.path("a/b/trees/t");
        turn(&tree, Format::Plain, 0).unwrap();
        let at = if at.is_empty() { tree.clone() } else { tree.join(at) };
        let link = place.path("a/b/link");
        symlink(place.path(if what == "a file" { "outside/precious" } else { "outside" }), &link).unwrap();
        let before = fingerprint(&place.path("outside"));
        let stop = AtomicBool::new(false);
        let (mut turns, mut whole) = (0, 0);
        let swaps = std::thread::scope(|scope| {
            let swapping = scope.spawn(|| swapper(&at, &link, &stop));
            let end = Instant::now() + long;
            while Instant::now() < end {
                turns += 1;
                whole +=
                    usize::from(turn(&tree, Format::Plain, turns).is_ok_and(|it| it.problems.is_empty()));
            }
            stop.store(true, Ordering::Relaxed);
            swapping.join().unwrap()
        });
        assert_eq!(fingerprint(&place.path("outside")), before, "{what}");
        figure(
            "R8",
            format!(
                "{what} swapped with a link {swaps} times in {} s, over {turns} runs ({whole} undisturbed): 0 bytes outside",
                long.as_secs_f32()
            ),
        );
    }
}
