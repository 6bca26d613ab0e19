//! Any row of any relation is explained: why it is there, or what each rule lacks. In words,
//! as data, and over every relation of the tool without a group of objects in it.

#![allow(clippy::unwrap_used, missing_docs)]

#[path = "cli/session.rs"]
#[allow(dead_code)]
mod session;

use session::Session;

fn session() -> Session {
    let session = Session::new();
    for file in ["policy.dl", "cluster.yaml"] {
        let path = format!("{}/tests/explain/rows/{file}", env!("CARGO_MANIFEST_DIR"));
        session.write(file, std::fs::read(path).unwrap());
    }
    session
}

/// What is said of an atom.
fn explain(session: &mut Session, atom: &str, more: &str) {
    session.ok(&format!("explain '{atom}' -f cluster.yaml --rules policy.dl{more}"));
}

#[test]
fn rows_that_are_there_are_told_down_to_their_facts() {
    let mut session = session();
    for atom in [
        r#"rack("n1", Rack)"#,
        r#"too_many("n1")"#,
        "asked_cpu(Node, Sum)",
        r#"near("n1", "n1")"#,
        r#"good_kernel("n2")"#,
        r#"lonely("n3")"#,
        r#"blocked("ns/agent", Node)"#,
        r#"pod_target(Pod, "n1")"#,
        r#"may_start("ns/proxy", Profile)"#,
    ] {
        explain(&mut session, atom, "");
    }
    explain(&mut session, "pod_target(_, _)", " --limit 2");
    explain(&mut session, r#"blocked("ns/agent", "n1")"#, " --depth 2");
    explain(&mut session, r#"too_many("n1")"#, " -o wide");
    session.snapshot("explain_rows_there");
}

#[test]
fn rows_that_are_not_there_are_told_by_what_each_rule_lacks() {
    let mut session = session();
    for atom in [
        r#"too_many("n2")"#,
        r#"asked_cpu("n1", 7)"#,
        r#"free("n2", _)"#,
        r#"free(_, 1)"#,
        r#"near("n1", "n3")"#,
        r#"good_kernel("n1")"#,
        r#"good_kernel("n3")"#,
        r#"old_kernel("n2")"#,
        r#"lonely("n1")"#,
        r#"lonely("n2")"#,
        r#"blocked("ns/agent", "n2")"#,
        r#"eligible("ns/gpu", "n1")"#,
        r#"node_label("n1", "zone", "eu-b")"#,
        r#"rack("n1", "r9")"#,
        r#"create("ns/gpu", Node)"#,
    ] {
        explain(&mut session, atom, "");
    }
    session.snapshot("explain_rows_not_there");
}

#[test]
fn what_is_asked_wrongly_is_told() {
    let mut session = session();
    for atom in [
        r#"too_man("n1")"#,
        r#"too_many("n1", 2)"#,
        "too_many(n1)",
        "too_many(7)",
        r#"too_many("n9")"#,
        r#"blocked("agent", "n1")"#,
        r#"blocked("ns/agnet", "n1")"#,
        "near(A, B), A != B",
        r#"near("n1", "#,
    ] {
        session.fails(&format!("explain '{atom}' -f cluster.yaml --rules policy.dl"));
    }
    session.snapshot("explain_rows_wrong");
}

#[test]
fn rows_are_data() {
    let session = session();
    let json = |atom: &str| -> serde_json::Value {
        let line = format!("explain '{atom}' -f cluster.yaml --rules policy.dl -o json");
        serde_json::from_str(&session.quietly(&line).out).unwrap()
    };
    let found = json("pod_target(Pod, Node)");
    assert_eq!(found["kind"], "ExplanationOfRows");
    assert_eq!((&found["holds"], &found["more"]), (&true.into(), &0.into()));
    assert_eq!(found["rows"][4]["values"], serde_json::json!(["ns/p-e", "n1"]));
    assert_eq!(found["rows"][0]["steps"][0]["source"]["path"], serde_json::json!(["spec", "nodeName"]));
    let found = json(r#"asked_cpu("n2", Sum)"#);
    assert_eq!(found["rows"][0]["values"], serde_json::json!(["n2", 1880]));
    let found = json(r#"too_many("n2")"#);
    assert_eq!((&found["holds"], &found["rows"][0]["row"]), (&false.into(), &r#"too_many("n2")"#.into()));
    let dot = session.quietly("explain 'too_many(Node)' -f cluster.yaml --rules policy.dl -o dot").out;
    assert!(dot.starts_with("digraph explanation {") && dot.contains("n0 -> n1;"), "{dot}");
    assert!(dot.contains("label=\"5 > 2\""), "{dot}");
}
