//! What is wrong is told with its place, ends with 1, and changes nothing.

use std::fs;

use dsrules::target::sqlite::{Open, Store};

use crate::session::{Session, daemonset, node, nodes};

fn begun() -> Session {
    let session = Session::new();
    session.write("good.yaml", format!("{}---\n{}", nodes(&["a"]), daemonset("agent", "agent:1", "", "")));
    assert_eq!(session.quietly("apply good.yaml").code, 0);
    session
}

#[test]
fn a_wrong_manifest_changes_nothing() {
    let mut session = begun();
    let before = fs::read(session.path("dsrules.db")).unwrap();
    let good = daemonset("agent", "agent:1", "", "");
    let cases: [(&str, String); 11] = [
        ("not-yaml", "apiVersion: v1\nkind: [Node\n".to_owned()),
        ("tab", "apiVersion: v1\n\tkind: Node\n".to_owned()),
        ("twice-a-key", "apiVersion: v1\nkind: Node\nkind: Pod\nmetadata:\n  name: x\n".to_owned()),
        ("wrong-type", good.replace("app: agent\n  template", "app: [agent]\n  template")),
        ("boolean", node("x", "", "").replace("  name: x\n", "  name: x\n  labels:\n    ready: yes\n")),
        ("missing-field", good.replace("  selector:\n    matchLabels:\n      app: agent\n", "")),
        ("unknown-field", good.replace("matchLabels", "matchlabels")),
        ("unknown-version", good.replace("apps/v1", "apps/v1beta1")),
        ("no-name", "apiVersion: v1\nkind: Node\nmetadata: {}\n".to_owned()),
        ("twice", format!("{}---\n{}", node("x", "a=b", ""), node("x", "a=c", ""))),
        ("not-text", "x".to_owned()),
    ];
    for (name, text) in cases {
        let file = format!("{name}.yaml");
        if name == "not-text" {
            session.write(&file, b"\x1f\x8b\x08\0kind");
        } else {
            session.write(&file, text);
        }
        let err = session.fails(&format!("apply {file}"));
        assert!(err.contains(&file), "{err}");
    }
    session.fails("apply good.yaml wrong-type.yaml missing-field.yaml");
    assert_eq!(fs::read(session.path("dsrules.db")).unwrap(), before);
    session.snapshot("bad_manifests");
}

#[test]
fn an_input_that_is_not_there_is_an_error() {
    let mut session = begun();
    fs::create_dir(session.path("empty")).unwrap();
    session.write("folder/readme.txt", "no manifest");
    session.write("hollow.yaml", "# nothing\n---\n");
    for input in ["nowhere", "nowhere.yaml", "empty", "folder", "hollow.yaml"] {
        session.fails(&format!("apply {input}"));
    }
    session.snapshot("bad_inputs");
}

#[test]
fn what_is_right_can_be_applied_in_spite_of_what_is_wrong() {
    let session = begun();
    session.write("fleet/b.yaml", node("b", "", ""));
    session.write("fleet/broken.yaml", "kind: [\n");
    let said = session.quietly("apply fleet");
    assert_eq!((said.code, said.out.as_str()), (1, ""));
    let said = session.quietly("apply fleet --keep-going");
    assert_eq!(said.code, 1);
    assert!(said.out.contains("node/b created") && said.err.contains("broken.yaml"), "{}", said.err);
    assert_eq!(session.nodes_of("agent"), ["a", "b"]);
}

#[test]
fn what_a_broken_file_brought_is_unknown_and_not_gone() {
    let session = Session::new();
    session.write("fleet/nodes.yaml", nodes(&["a"]));
    session.write("fleet/agent.yaml", daemonset("agent", "agent:1", "", ""));
    assert_eq!(session.quietly("apply fleet").code, 0);
    session.write("fleet/agent.yaml", "kind: [\n");
    let said = session.quietly("apply fleet --prune --keep-going");
    assert_eq!(said.code, 1);
    assert_eq!(session.nodes_of("agent"), ["a"], "{}", said.out);
}

#[test]
fn other_kinds_are_named_once_and_left_alone() {
    let mut session = begun();
    session.write(
        "mixed.yaml",
        format!(
            "apiVersion: v1\nkind: LimitRange\nmetadata:\n  name: x\n---\napiVersion: v1\nkind: LimitRange\nmetadata:\n  \
             name: y\n---\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: z\n---\n{}",
            node("c", "", "")
        ),
    );
    session.ok("apply mixed.yaml");
    session.snapshot("other_kinds");
}

#[test]
fn a_database_that_cannot_be_used_says_why() {
    let mut session = begun();
    session.write("corrupt.db", "this is no database, and long enough to look like one".repeat(200));
    session.fails("apply good.yaml --db corrupt.db");
    session.fails("get pods --db corrupt.db");
    fs::create_dir(session.path("folder.db")).unwrap();
    session.fails("apply good.yaml --db folder.db");
    session.fails("apply good.yaml --db no/such/folder.db");
    fs::copy(session.path("dsrules.db"), session.path("newer.db")).unwrap();
    let newer = rusqlite::Connection::open(session.path("newer.db")).unwrap();
    newer.pragma_update(None, "user_version", 9999).unwrap();
    drop(newer);
    session.fails("apply good.yaml --db newer.db");
    session.fails("get pods --db newer.db");
    session.fails("get pods --db nowhere.db");
    session.fails("delete ds agent --db nowhere.db");
    session.fails("report --db nowhere.db");
    session.snapshot("bad_databases");
}

#[test]
fn a_second_writer_is_told_who_is_writing() {
    let session = begun();
    let held = Store::open(&session.path("dsrules.db"), &Open::write("dsrules apply")).unwrap();
    session.write("more.yaml", node("b", "", ""));
    let said = session.quietly("apply more.yaml --lock-timeout 50ms");
    assert_eq!(said.code, 1, "{}", said.out);
    assert!(said.err.contains("dsrules apply"), "{}", said.err);
    // Readers are not kept waiting.
    assert_eq!(session.quietly("get pods").code, 0);
    drop(held);
    assert_eq!(session.quietly("apply more.yaml --lock-timeout 50ms").code, 0);
}

#[test]
#[cfg(unix)]
fn a_tree_that_is_a_file_or_a_link_is_refused_before_anything_is_done() {
    let mut session = begun();
    session.write("file", "mine");
    fs::create_dir(session.path("real")).unwrap();
    std::os::unix::fs::symlink("real", session.path("link")).unwrap();
    session.write("more.yaml", node("b", "", ""));
    session.fails("apply more.yaml --tree file");
    session.fails("apply more.yaml --tree link");
    assert_eq!(session.nodes_of("agent"), ["a"]);
    assert_eq!(session.quietly("get nodes -o name").out, "node/a\n");
    assert_eq!(fs::read_dir(session.path("real")).unwrap().count(), 0);
    session.snapshot("bad_trees");
}
