//! `dsrules blame`: the run and the change that made a pair what it is.

use serde_json::Value;

use super::words::{AGENT, Folder, NODES, happened};

const TAINTED: &str = "spec: {taints: [{key: a, value: b, effect: NoSchedule}]}\n";

const BLOCKS: &str =
    "/// {Node} is kept free of {D}.\nblocked(D, Node) :- daemonset(D), node(Node), Node = \"n1\".\n";

fn nodes(n1: &str, disk: &str) -> String {
    NODES.replacen("---\n", &format!("{n1}---\n"), 1).replacen("{disk: ssd}", &format!("{{disk: {disk}}}"), 1)
}

/// n1 is tainted after a while and then blocked by a rule; all the time other things happen.
fn told() -> Folder {
    let folder = Folder::new();
    let other = |image: &str| AGENT.replace("agent", "other").replace("x:1", image);
    folder.ok(1, "apply in");
    folder.write("other.yaml", &other("x:1"));
    folder.ok(2, "apply in");
    folder.write("nodes.yaml", &nodes(TAINTED, "ssd"));
    folder.ok(3, "apply in");
    folder.write("other.yaml", &other("x:2"));
    folder.ok(4, "apply in");
    folder.rules(BLOCKS);
    folder.ok(5, "apply in --rules own.dl");
    folder.write("other.yaml", &other("x:3"));
    folder.ok(6, "apply in --rules own.dl");
    folder
}

#[test]
fn a_pair_is_blamed_on_the_run_that_made_it_so() {
    let (folder, gone) = (told(), happened());
    insta::with_settings!({ snapshot_path => "../../snapshots", prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("history__blame", folder.ok(7, "blame agent n1"));
        insta::assert_snapshot!("history__blame_json", folder.ok(7, "blame agent n1 -o json"));
        insta::assert_snapshot!("history__blame_then", folder.ok(7, "blame agent n1 --at @2"));
        insta::assert_snapshot!("history__blame_gone", gone.ok(12, "blame agent n2"));
    });
    let wrong = folder.run(7, "blame agent n9");
    assert!(String::from_utf8(wrong.stderr).unwrap().contains("n9"));
}

/// Numbers that look random, and are the same each time.
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// The run since which it is so, found by asking about every moment.
fn naive(folder: &Folder, runs: u64) -> u64 {
    let at = |run: u64| {
        let output = folder.run(23, &format!("explain agent n1 -o json --at @{run}"));
        let said: Option<Value> = serde_json::from_slice(&output.stdout).ok();
        said.map(|it| it["eligible"].as_bool().unwrap())
    };
    let now = at(runs);
    (1..runs).rev().take_while(|run| at(*run) == now).last().unwrap_or(runs)
}

#[test]
fn the_run_is_the_one_that_is_found_by_asking_about_every_moment() {
    let mut dice = Dice(7);
    let folder = Folder::new();
    folder.rules("// nothing\n");
    folder.ok(1, "apply in --rules own.dl");
    let (mut taint, mut disk, mut runs) = ("", "ssd", 1);
    for hour in 2..10 {
        match dice.throw(5) {
            0 => taint = if taint.is_empty() { TAINTED } else { "" },
            1 => disk = if disk == "ssd" { "hdd" } else { "ssd" },
            2 => folder.write("agent.yaml", &AGENT.replace("x:1", &format!("x:{hour}"))),
            3 => folder
                .write("other.yaml", &AGENT.replace("agent", "other").replace("x:1", &format!("x:{hour}"))),
            _ if dice.throw(2) == 0 => folder.rules(BLOCKS),
            _ => folder.rules("// nothing\n"),
        }
        folder.write("nodes.yaml", &nodes(taint, disk));
        folder.ok(hour, "apply in --rules own.dl --max-delete 9");
        runs =
            folder.ok(hour, "log").lines().next().unwrap()[1..].split(' ').next().unwrap().parse().unwrap();
        if hour % 4 == 0 || hour == 9 {
            let blamed: Value = serde_json::from_str(&folder.ok(23, "blame agent n1 -o json")).unwrap();
            assert_eq!(blamed["since"]["run"]["run"], naive(&folder, runs), "after {hour}: {blamed:#}");
        }
    }
    assert!(runs > 3);
}

#[test]
fn what_is_no_longer_remembered_is_not_told() {
    let folder = Folder::new();
    folder.ok(1, "apply in");
    for hour in 2..8 {
        folder.write("other.yaml", &AGENT.replace("agent", "other").replace("x:1", &format!("x:{hour}")));
        folder.ok(hour, "apply in --keep 1h");
    }
    let blamed = folder.ok(9, "blame agent n1");
    assert!(blamed.contains("A pod should be there for longer than is remembered"), "{blamed}");
    assert!(blamed.contains(" is there for longer than is remembered"), "{blamed}");
}
