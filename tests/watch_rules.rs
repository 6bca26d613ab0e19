//! `dsrules watch` and the user's own rules: what is edited while it runs decides from
//! the next look on, wherever it stands.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

#[path = "watch/watcher.rs"]
mod watcher;

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};
use watcher::{Place, Watcher, daemonset, node};

/// Keeps everything off the nodes with this disk.
fn off(disk: &str) -> String {
    format!(
        "/// {{Node}} has a disk that is {disk}.\n\
         blocked(DaemonSet, Node) :- daemonset(DaemonSet), node_label(Node, \"disk\", \"{disk}\").\n"
    )
}

/// A folder for rules beside the manifests.
fn beside(place: &Place, name: &str, text: &str) -> PathBuf {
    let file = place.base().join(name);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&file, text).unwrap();
    file
}

fn broken(line: &Value, file: &str) -> bool {
    line["broken"].as_array().unwrap().iter().any(|it| it.as_str().unwrap().ends_with(file))
}

#[test]
fn a_dsrules_yaml_and_what_it_names_come_change_and_go() {
    let place = Place::new();
    let rule = beside(&place, "policy/disk.dl", &off("hdd"));
    let mut watcher = Watcher::start(&place, &["--max-delete", "100%"]);
    assert_eq!(place.state().unwrap().pods.len(), 3);
    place.write("dsrules.yaml", "rules: ../policy\n");
    let line = watcher.until("the rule decides", |line| line["actions"]["pods deleted"] == 1);
    assert!(line["files"].to_string().contains("policy/disk.dl"), "{line}");
    watcher.converges();
    // A rule is edited where nothing but rules are watched.
    fs::write(&rule, off("ssd")).unwrap();
    watcher.until("the other one decides", |line| line["actions"]["pods created"] == 1);
    watcher.converges();
    assert_eq!(place.state().unwrap().pods.len(), 1);
    // Saved as editors do, beside one that is new.
    fs::write(place.base().join("policy/.disk.dl.tmp"), off("nvme")).unwrap();
    fs::rename(place.base().join("policy/.disk.dl.tmp"), &rule).unwrap();
    watcher.converges();
    beside(&place, "policy/more.dl", &off("hdd"));
    watcher.converges();
    assert_eq!(place.state().unwrap().pods.len(), 2);
    place.remove("dsrules.yaml");
    watcher.converges();
    assert_eq!(place.state().unwrap().pods.len(), 3);
}

#[test]
fn rules_named_on_the_command_line_are_read_again() {
    let place = Place::new();
    let rule = beside(&place, "rules/disk.dl", &off("nvme"));
    let facts = "/// {Node} is closed.\nblocked(DaemonSet, Node) :- daemonset(DaemonSet), closed(Node).\n.decl closed(node: Node) input\n";
    beside(&place, "rules/closed.dl", facts);
    beside(&place, "rules/facts/closed.csv", "elsewhere\n");
    let rules = place.base().join("rules");
    let mut watcher = Watcher::start(&place, &["--max-delete", "100%", "--rules", rules.to_str().unwrap()]);
    assert_eq!(place.state().unwrap().pods.len(), 3);
    fs::write(&rule, off("hdd")).unwrap();
    watcher.until("the rule decides", |line| line["actions"]["pods deleted"] == 1);
    // Facts are as good as rules.
    beside(&place, "rules/facts/closed.csv", "n1\n");
    let line = watcher.until("the facts decide", |line| line["actions"]["pods deleted"] == 2);
    assert!(line["files"].to_string().contains("closed.csv"), "{line}");
    assert_eq!(place.state().unwrap().pods.len(), 0);
    // A folder in place of the folder.
    let other = beside(&place, "other/disk.dl", &off("nvme"));
    fs::rename(&rules, place.base().join("old")).unwrap();
    fs::rename(other.parent().unwrap(), &rules).unwrap();
    watcher.until("the other folder decides", |line| line["actions"]["pods created"] == 3);
    fs::write(&rule, off("hdd")).unwrap();
    watcher.until("it is watched", |line| line["actions"]["pods deleted"] == 1);
}

#[test]
fn a_parameter_that_is_edited_decides_from_the_next_look_on() {
    let place = Place::new();
    place.write("own.dl", &format!(".param kind: Value = \"nvme\"\n{}", off("x").replace("\"x\"", "kind")));
    place.write("dsrules.yaml", "rules: own.dl\n");
    let mut watcher = Watcher::start(&place, &["--max-delete", "100%"]);
    let before = place.state().unwrap().pods.len();
    place.write("dsrules.yaml", "rules: own.dl\nparams: {kind: hdd}\n");
    let line = watcher.until("the parameter decides", |line| line["actions"]["pods deleted"] == 1);
    assert!(line["files"].to_string().contains("dsrules.yaml"), "{line}");
    watcher.converges();
    place.write("dsrules.yaml", "rules: own.dl\nparams: {kinds: hdd}\n");
    watcher.until("a wrong one is told", |line| broken(line, "dsrules.yaml"));
    assert_eq!(place.state().unwrap().pods.len(), before - 1);
    place.write("dsrules.yaml", "rules: own.dl\n");
    watcher.until("it is mended", |line| line["actions"]["pods created"] == 1);
    watcher.converges();
}

#[test]
fn rules_that_are_not_understood_leave_the_last_good_ones() {
    let place = Place::new();
    place.write("dsrules.yaml", "rules: own.dl\n");
    place.write("own.dl", &off("hdd"));
    let mut watcher = Watcher::start(&place, &["--max-delete", "100%"]);
    let before = place.state();
    assert_eq!(before.as_ref().unwrap().pods.len(), 2);
    place.write("own.dl", &off("hdd").replace(").\n", "\n"));
    let line = watcher.until("it is told", |line| broken(line, "own.dl"));
    assert_eq!(line["files"], json!(["own.dl"]));
    assert_eq!(place.state(), before);
    // A manifest that changes meanwhile is placed by the last good ones.
    place.write("n3.yaml", &node("n3", "hdd"));
    let line = watcher.until("the node is there", |line| line["objects"]["created"] == 1);
    assert!(broken(&line, "own.dl"), "it is still told: {line}");
    assert_eq!(line["actions"], json!({}));
    // One that is gone is no better.
    fs::rename(place.file("own.dl"), place.file("away.dl")).unwrap();
    watcher.read();
    place.write("n4.yaml", &node("n4", "hdd"));
    let line = watcher.until("the other node is there", |line| line["objects"]["created"] == 1);
    assert!(broken(&line, "own.dl"), "{line}");
    assert_eq!(line["actions"], json!({}));
    place.write("own.dl", &off("nvme"));
    let line = watcher.until("it is mended", |line| line["mended"].to_string().contains("own.dl"));
    assert_eq!(line["files"], json!(["own.dl"]));
    assert!(!broken(&line, "own.dl"), "{line}");
    watcher.converges();
    assert_eq!(place.state().unwrap().pods.len(), 5);
    let (code, said) = watcher.end("TERM");
    assert_eq!(code, Some(0));
    assert!(said.contains("own.dl:2"), "{said}");
}

#[test]
fn a_dsrules_yaml_that_is_wrong_is_told_until_it_is_right() {
    let place = Place::new();
    place.write("own.dl", &off("hdd"));
    let mut watcher = Watcher::start(&place, &["--max-delete", "100%"]);
    let before = place.state();
    place.write("dsrules.yaml", "rule: own.dl\n");
    let line = watcher.until("it is told", |line| broken(line, "dsrules.yaml"));
    assert_eq!(line["files"], json!(["dsrules.yaml"]));
    assert_eq!(place.state(), before);
    place.write("dsrules.yaml", "rules: own.dl\n");
    watcher.until("it is mended", |line| line["mended"] == json!(["dsrules.yaml"]));
    watcher.converges();
    assert_eq!(place.state().unwrap().pods.len(), 2);
}

#[test]
fn folders_in_the_folder_bring_their_rules() {
    let place = Place::new();
    fs::create_dir(place.file("edge")).unwrap();
    place.write("edge/n3.yaml", &node("n3", "hdd"));
    let mut watcher = Watcher::start(&place, &["-R", "--max-delete", "100%"]);
    place.write("edge/own.dl", &off("hdd"));
    place.write("edge/dsrules.yaml", "rules: [own.dl]\n");
    watcher.converges();
    assert_eq!(place.state().unwrap().pods.len(), 2);
    place.write("edge/own.dl", &off("ssd"));
    watcher.converges();
    assert_eq!(place.state().unwrap().pods.len(), 2);
    fs::remove_dir_all(place.file("edge")).unwrap();
    watcher.converges();
    assert_eq!(place.state().unwrap().pods.len(), 3);
    // A folder that comes with its rules, as from a checkout.
    let outside = place.base().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("own.dl"), off("ssd")).unwrap();
    fs::write(outside.join("dsrules.yaml"), "rules: [own.dl]\n").unwrap();
    fs::write(outside.join("n4.yaml"), node("n4", "hdd")).unwrap();
    fs::rename(&outside, place.file("west")).unwrap();
    watcher.converges();
    assert_eq!(place.state().unwrap().pods.len(), 2);
}

#[test]
fn a_plan_that_the_new_rules_refuse_changes_nothing() {
    let place = Place::new();
    place.write("dsrules.yaml", "rules: own.dl\n");
    place.write("own.dl", &off("nvme"));
    let mut watcher = Watcher::start(&place, &["--max-delete", "1"]);
    let before = place.state();
    place.write("own.dl", &off("ssd"));
    let line = watcher.until("it is refused", |line| line["event"] == "failed");
    assert!(line["files"].to_string().contains("own.dl"), "{line}");
    assert_eq!(place.state(), before);
    // Another edit is not applied either, and that is told.
    place.write("n9.yaml", &node("n9", "nvme"));
    let is_told = |line: &Value| line["event"] == "failed" && line["files"].to_string().contains("n9.yaml");
    watcher.until("it is refused again", is_told);
    assert_eq!(place.state(), before);
    place.remove("n9.yaml");
    place.write("own.dl", &off("hdd"));
    watcher.converges();
    assert_eq!(place.state().unwrap().pods.len(), 2);
}

#[test]
fn without_events_rules_are_read_every_so_often() {
    let place = Place::new();
    place.write("dsrules.yaml", "rules: own.dl\n");
    place.write("own.dl", &off("nvme"));
    let mut watcher = Watcher::start(&place, &["--poll=50ms"]);
    place.write("own.dl", &off("hdd"));
    watcher.converges();
    assert_eq!(place.state().unwrap().pods.len(), 2);
}

/// Seconds of Unix time.
fn clock() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    i64::try_from(since.as_secs()).unwrap()
}

#[test]
fn what_a_rule_blocks_for_a_time_comes_when_the_time_has_passed() {
    let place = Place::new();
    let until = clock() + 4;
    let rule = format!("/// it is early.\nblocked(D, N) :- daemonset(D), node(N), now(W), W < {until}.\n");
    beside(&place, "policy/time.dl", &rule);
    place.write("dsrules.yaml", "rules: ../policy\n");
    let mut watcher = Watcher::start(&place, &[]);
    assert_eq!(place.state().unwrap().pods.len(), 0, "blocked until then");
    let line = watcher.until("the block ends", |line| line["actions"]["pods created"] == 3);
    assert!(clock() >= until, "{line}");
    // And it begins, without an event too.
    let from = clock() + 3;
    let rule = format!("/// it is late.\nblocked(D, N) :- daemonset(D), node(N), now(W), W >= {from}.\n");
    beside(&place, "policy/time.dl", &rule);
    watcher.until("the block begins", |line| line["actions"]["pods deleted"] == 3);
}

#[test]
fn a_new_node_is_left_alone_for_a_time_that_is_worked_out_in_advance() {
    let place = Place::new();
    let rule = "/// {Node} is new.\nblocked(D, Node) :- daemonset(D), node_created(Node, Made), now(W), Age = W - Made, Age < 4.\n";
    beside(&place, "policy/time.dl", rule);
    place.write("dsrules.yaml", "rules: ../policy\n");
    let mut watcher = Watcher::start(&place, &[]);
    let first = watcher.until("the first nodes are old enough", |line| line["actions"]["pods created"] == 3);
    assert_eq!(first["event"], "applied");
    place.write("n3.yaml", &node("n3", "hdd"));
    let made = clock();
    let line = watcher.until("the new one is", |line| line["actions"]["pods created"] == 1);
    assert!(clock() >= made + 3, "{line}");
    // Nothing was asked in between: each look that does something has a line.
    assert!(watcher.seen.len() <= 5, "{:?}", watcher.seen);
}

#[test]
fn what_a_rule_holds_for_a_time_goes_when_the_time_has_passed() {
    let place = Place::new();
    let until = clock() + 6;
    let rule = format!("/// it is early.\nhold(D, N) :- daemonset(D), node(N), now(W), W < {until}.\n");
    beside(&place, "policy/time.dl", &rule);
    place.write("dsrules.yaml", "rules: ../policy\n");
    let mut watcher = Watcher::start(&place, &["--max-delete", "100%"]);
    assert_eq!(place.state().unwrap().pods.len(), 3);
    let text = fs::read_to_string(place.file("ds.yaml")).unwrap();
    place.write("ds.yaml", &text.replace("image: ", "image: new-"));
    let line = watcher.until("the hold ends", |line| line["actions"]["pods deleted"] == 2);
    assert!(clock() >= until, "{line}");
}

#[test]
fn a_warning_is_told_once_and_once_more_when_it_is_over() {
    let place = Place::new();
    let rule = ".decl slow(node: Node) warning\n/// {Node} is slow.\nslow(Node) :- node_label(Node, \"disk\", \"hdd\").\n";
    place.write("own.dl", rule);
    place.write("dsrules.yaml", "rules: own.dl\n");
    let mut watcher = Watcher::start(&place, &[]);
    let told = |line: &Value| line["warnings"][0]["sentence"].clone();
    let first = watcher.seen.first().unwrap();
    assert_eq!(told(first), "n2 is slow");
    assert!(first["warnings"][0]["objects"][0]["place"]["file"].to_string().contains("n2.yaml"), "{first}");
    place.write("n3.yaml", &node("n3", "hdd"));
    let line = watcher.until("the new one is told", |line| told(line) == "n3 is slow");
    assert_eq!(line["warnings"].as_array().unwrap().len(), 1, "{line}");
    place.write("n2.yaml", &node("n2", "ssd"));
    let line = watcher.until("it is over", |line| line["over"] == json!(["n2 is slow"]));
    assert_eq!(line["warnings"], Value::Null);
    // Violations are named with their rows.
    place.write("own.dl", &rule.replace("warning", "violation"));
    let line = watcher.until("it is refused", |line| line["event"] == "failed");
    assert_eq!(line["violations"][0]["row"], json!({ "node": "n3" }));
}

#[test]
fn host_ports_that_clash_are_told_where_the_manifest_takes_them() {
    let place = Place::new();
    let port = "image: x:1, ports: [{containerPort: 80, hostPort: 80}]";
    let with_port = |name: &str| daemonset(name, "").replace("image: x:1", port);
    place.write("ds.yaml", &with_port("one"));
    place.write("two.yaml", &with_port("two"));
    let watcher = Watcher::start(&place, &[]);
    let warning = &watcher.seen.first().unwrap()["warnings"][0];
    assert_eq!((&warning["code"], &warning["relation"]), (&json!("host-port"), &json!("host_port_clash")));
    let found = &warning["objects"][1]["place"];
    assert!(
        found["file"].to_string().contains("two.yaml") && found["text"].to_string().contains("hostPort"),
        "{warning}"
    );
}
