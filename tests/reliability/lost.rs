//! R12: a folder of manifests that is empty, gone, or half there, and files that are not
//! understood: nothing is deleted for it, unless that is asked for.

use std::fs;

use crate::base::{Place, daemonset, figure, node, pods};

const NODES: usize = 6;

/// Nodes and daemonsets, a file each, and an apply of them.
fn applied() -> Place {
    let place = Place::new();
    for nth in 0..NODES {
        place.write(&format!("in/n{nth}.yaml"), node(&format!("n{nth}"), "ssd"));
    }
    for name in ["agent", "logs"] {
        place.write(&format!("in/{name}.yaml"), daemonset(name, "x:1", ""));
    }
    place.ok("apply in --prune --tree pods");
    assert_eq!(pods(&place.path("dsrules.db")).len(), 2 * NODES);
    place
}

/// What is in store and tree.
fn all(place: &Place) -> (Vec<String>, Vec<String>) {
    (pods(&place.path("dsrules.db")), place.look("pods").into_keys().collect())
}

/// Neither a plan nor an apply, with `--prune` or without, deletes anything.
fn deletes_nothing(place: &Place, when: &str) -> usize {
    let before = all(place);
    let mut tried = 0;
    for line in [
        "plan in --prune",
        "apply in --prune --tree pods",
        "apply in --tree pods",
        "apply in --prune --keep-going --tree pods",
        "apply in --keep-going",
    ] {
        let said = place.run(line);
        assert!(said.is_orderly() && said.code != Some(101), "{when}: {line}: {said:?}");
        assert!(!said.out.contains("pruned"), "{when}: {line}: {}", said.out);
        assert_eq!(all(place), before, "{when}: {line}");
        tried += 1;
    }
    tried
}

#[test]
fn nothing_is_deleted_for_what_is_not_known() {
    type Harm = fn(&Place);
    let harms: [(&str, Harm); 9] = [
        ("the folder is empty", |place| {
            fs::remove_dir_all(place.path("in")).unwrap();
            fs::create_dir(place.path("in")).unwrap();
        }),
        ("the folder is gone", |place| fs::remove_dir_all(place.path("in")).unwrap()),
        ("the folder is a link to nowhere", |place| {
            fs::remove_dir_all(place.path("in")).unwrap();
            std::os::unix::fs::symlink("nowhere", place.path("in")).unwrap();
        }),
        ("the folder is a file", |place| {
            fs::remove_dir_all(place.path("in")).unwrap();
            fs::write(place.path("in"), "").unwrap();
        }),
        ("a file is cut to nothing", |place| place.write("in/agent.yaml", "")),
        ("a file is cut off", |place| place.write("in/agent.yaml", &daemonset("agent", "x:1", "")[..150])),
        ("a document is not understood", |place| {
            place.write("in/agent.yaml", "---\na: [\n".to_owned() + &daemonset("agent", "x:1", ""));
        }),
        ("a file is no text", |place| place.write("in/agent.yaml", [0xff, 0xfe, 0x00, 0x41])),
        ("git is at work", |place| {
            fs::create_dir(place.path(".git")).unwrap();
            place.write(".git/index.lock", "");
            fs::remove_file(place.path("in/agent.yaml")).unwrap();
            fs::remove_file(place.path("in/n1.yaml")).unwrap();
        }),
    ];
    let mut tried = 0;
    for (when, harm) in harms {
        let place = applied();
        harm(&place);
        tried += deletes_nothing(&place, when);
    }
    figure("R12", format!("{} harms, {tried} runs: 0 objects deleted", harms.len()));
}

#[test]
fn a_checkout_that_is_done_is_believed_again() {
    let place = applied();
    place.write(".git/index.lock", "");
    fs::remove_file(place.path("in/agent.yaml")).unwrap();
    let told = place.run("apply in --prune");
    assert!(told.err.contains("git is at work in"), "{}", told.err);
    assert!(told.err.contains("index.lock` is there"), "{}", told.err);
    fs::remove_file(place.path(".git/index.lock")).unwrap();
    place.ok("apply in --prune");
    assert_eq!(pods(&place.path("dsrules.db")).len(), NODES);
}

#[test]
fn how_much_may_be_deleted_is_asked_for() {
    // All of it: by `--allow-empty` alone, or only as much as `--max-delete` says.
    let empty = |place: &Place| {
        for entry in fs::read_dir(place.path("in")).unwrap() {
            fs::remove_file(entry.unwrap().path()).unwrap();
        }
    };
    let place = applied();
    empty(&place);
    let before = all(&place);
    for (line, code) in [
        ("apply in --prune", "error[empty-folder]"),
        ("apply in --prune --max-delete 100%", "error[empty-folder]"),
        ("apply in --prune --allow-empty --max-delete 0", "error[too-many-deletions]"),
        ("apply in --prune --allow-empty --max-delete 50%", "error[too-many-deletions]"),
        ("apply in --prune --allow-empty --max-delete 11", "error[too-many-deletions]"),
    ] {
        let said = place.run(line);
        assert!(said.code == Some(1) && said.err.contains(code), "{line}: {said:?}");
        assert_eq!(all(&place), before, "{line}");
    }
    place.ok("apply in --prune --allow-empty --max-delete 12 --tree pods");
    assert_eq!(all(&place), (vec![], vec![]));
    // A part of it: the bound counts pods that are not replaced.
    let place = applied();
    fs::remove_file(place.path("in/n3.yaml")).unwrap();
    for (bound, code) in [("0", 1), ("1", 1), ("10%", 1), ("2", 0)] {
        let said = place.run(&format!("apply in --prune --max-delete {bound}"));
        assert_eq!(said.code, Some(code), "{bound}: {said:?}");
    }
    assert_eq!(pods(&place.path("dsrules.db")).len(), 2 * NODES - 2);
    figure("R12", "`--allow-empty` and `--max-delete` (0, 1, 11, 10%, 50%) hold to the pod");
}
