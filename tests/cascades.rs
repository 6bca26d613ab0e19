//! What goes because something else is gone, or stays without an owner: one rule, whether a
//! delete was asked for, an input lost a manifest, or a watcher saw a file go.
#![allow(clippy::unwrap_used, missing_docs)]

#[allow(dead_code)]
#[path = "cli/session.rs"]
mod session;

use session::{Session, daemonset, nodes};

const SPACE: &str = "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: team\n";

fn of_team(name: &str) -> String {
    daemonset(name, "x:1", "", "").replacen("metadata:\n", "metadata:\n  namespace: team\n", 1)
}

/// A namespace and nodes of one input, and a daemonset in that namespace of another.
fn begun() -> Session {
    let session = Session::new();
    session.write("one/nodes.yaml", nodes(&["a", "b"]));
    session.write("one/space.yaml", SPACE);
    session.write("two/agent.yaml", of_team("agent"));
    session.write("two/other.yaml", daemonset("other", "x:1", "", ""));
    for input in ["one", "two"] {
        let said = session.quietly(&format!("apply {input}"));
        assert_eq!(said.code, 0, "{}", said.err);
    }
    session
}

/// What is there of the daemonset `agent`.
fn left(session: &Session) -> usize {
    let list = |what: &str| session.quietly(&format!("get {what} -n team --no-headers")).out;
    ["ds", "pods", "controllerrevisions"].iter().map(|what| list(what).lines().count()).sum()
}

#[test]
fn a_namespace_takes_along_what_is_in_it_however_it_went() {
    let mut session = begun();
    assert_eq!(left(&session), 4);
    session.ok("delete namespace team --dry-run");
    session.remove("one/space.yaml");
    session.ok("plan one --prune");
    assert_eq!(left(&session), 4);
    session.ok("apply one --prune");
    assert_eq!(left(&session), 0);
    assert_eq!(session.nodes_of("other"), ["a", "b"], "another namespace");
    session.ok("apply one --prune");
    session.write("one/space.yaml", SPACE);
    session.ok("apply one two -q");
    assert_eq!(left(&session), 4);
    session.ok("delete namespace team");
    assert_eq!(left(&session), 0);
    session.snapshot("namespace_gone");
}

#[test]
fn a_plan_names_each_of_them_with_its_rule() {
    let session = begun();
    session.remove("one/space.yaml");
    let names = session.quietly("plan one --prune -o name").out;
    assert!(names.contains("delete-daemonset daemonset.apps/team/agent\n"), "{names}");
    let json = session.quietly("plan one --prune -o json").out;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let actions = json["waves"][0]["actions"].as_array().unwrap();
    let verbs: Vec<&str> = actions.iter().map(|it| it["action"].as_str().unwrap()).collect();
    assert_eq!(verbs, ["delete", "delete", "delete-revision", "delete-daemonset"]);
    for action in actions {
        assert!(action["rule"].as_str().unwrap().starts_with("rules/cascade.dl:"), "{action}");
        assert!(action["reason"].as_str().unwrap().starts_with("the namespace team that "), "{action}");
    }
    assert_eq!(json["waves"].as_array().unwrap().len(), 1);
}

#[test]
fn what_the_input_still_has_stays_and_what_that_owns() {
    let session = Session::new();
    session.write("all/nodes.yaml", nodes(&["a", "b"]));
    session.write("all/space.yaml", SPACE);
    session.write("all/agent.yaml", of_team("agent"));
    session.write("all/broken.yaml", of_team("unread"));
    session.write("all/old.yaml", of_team("old"));
    session.write("two/other.yaml", of_team("other"));
    assert_eq!(session.quietly("apply all").code, 0);
    assert_eq!(session.quietly("apply two").code, 0);
    session.remove("all/space.yaml");
    session.remove("all/old.yaml");
    session.write("all/broken.yaml", "kind: [");
    let said = session.quietly("apply all --prune --keep-going");
    assert!(said.out.contains("namespace/team pruned"), "{}{}", said.out, said.err);
    assert!(session.nodes_of("other").is_empty(), "the input does not have it");
    assert!(session.nodes_of("old").is_empty(), "it left the input");
    let pods = session.quietly("get pods -n team --no-headers").out;
    assert_eq!(pods.lines().filter(|line| line.starts_with("agent-")).count(), 2, "{pods}");
    assert_eq!(pods.lines().filter(|line| line.starts_with("unread-")).count(), 2, "unknown is not gone");
    assert_eq!(pods.lines().count(), 4, "{pods}");
    session.write("all/broken.yaml", of_team("unread"));
    let said = session.quietly("apply all --prune");
    assert!(said.out.contains("No changes"), "{}", said.out);
}

#[test]
fn pods_that_go_with_a_namespace_are_counted() {
    let more: Vec<String> = (2..25).map(|nth| format!("n{nth:02}")).collect();
    let names: Vec<&str> = ["a", "b"].into_iter().chain(more.iter().map(String::as_str)).collect();
    let session = begun();
    session.write("one/nodes.yaml", nodes(&names));
    assert_eq!(session.quietly("apply one").code, 0);
    session.remove("one/space.yaml");
    for command in ["apply one --prune", "plan one --prune", "delete namespace team"] {
        let said = session.quietly(&format!("{command} --max-delete 24"));
        assert!(said.err.contains("deletes 25 of 50 pods"), "{command}: {}{}", said.out, said.err);
    }
    assert_eq!(session.quietly("apply one --prune --max-delete 25").code, 0);
    assert_eq!(left(&session), 0);
}

#[test]
fn what_was_orphaned_is_told_and_then_adopted() {
    let mut session = begun();
    session.ok("delete ds agent -n team --cascade=orphan --dry-run");
    session.ok("delete ds agent -n team --cascade=orphan");
    assert_eq!(left(&session), 3);
    session.ok("apply two");
    assert_eq!(left(&session), 4);
    session.snapshot("orphans");
}

#[test]
fn a_question_takes_along_what_is_in_a_namespace_too() {
    let session = begun();
    let said = session.quietly("plan one two --remove namespace/team").out;
    assert!(said.contains("- delete   a   agent-"), "{said}");
    assert!(said.contains("the namespace team that agent was in is gone."), "{said}");
}
