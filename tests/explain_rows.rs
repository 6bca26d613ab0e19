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
        r#"spare("n2", _)"#,
        r#"spare(_, 1)"#,
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
fn what_rests_on_a_plan_is_looked_for_behind_it() {
    let session = session();
    session.write(
        "planned.dl",
        ".decl refused(d: DaemonSet, n: Node) violation\n/// {D} must not go to {N}.\n\
         refused(D, N) :- planned(\"create\", D, N).\n.decl any()\nany() :- refused(_, _).\n",
    );
    let more = "-f cluster.yaml --rules policy.dl --rules planned.dl";
    for (asked, holds, behind) in [
        (r#"'refused("ns/agent", "n2")'"#, true, true),
        (r#"'refused("ns/agent", "n1")'"#, false, true),
        ("'any()'", true, true),
        (r#"'has_pod("ns/agent", "n2")'"#, false, false),
        (r#"'has_pod("ns/agent", "n2")' --planned"#, true, true),
    ] {
        let said = session.quietly(&format!("explain {asked} {more}")).out;
        assert_eq!(!said.contains("does not hold\n"), holds, "{asked}\n{said}");
        assert_eq!(said.contains("in the state that the plan leads to"), behind, "{asked}\n{said}");
    }
    assert_eq!(session.quietly(&format!("explain agent -n ns {more} --planned")).code, 1);
}

#[test]
fn what_is_no_row_is_told() {
    let mut session = session();
    for words in [
        r#"!too_many("n1")"#,
        r#".decl on(n: Node) on(N) :- node(N). ?- on("n1")"#,
        r#".decl on(n: Node) on(N) :- node(N). ?- !on("n1")"#,
        "on(N) :- node(N). ?- on(N)",
        "on(N) :- node(N).",
        r#"near("n1""#,
        "too_many",
        "",
    ] {
        let said = session.run(&format!("explain '{words}' -f cluster.yaml --rules policy.dl"));
        assert_eq!(
            said.code == 0,
            words.starts_with(".decl on") && !words.contains('!'),
            "{words}: {}",
            said.err
        );
    }
    session.snapshot("explain_rows_no_row");
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
    let found = json(r#"too_many("n3")"#);
    assert_eq!((&found["holds"], &found["rows"][0]["row"]), (&false.into(), &r#"too_many("n3")"#.into()));
    let dot = session.quietly("explain 'too_many(Node)' -f cluster.yaml --rules policy.dl -o dot").out;
    assert!(dot.starts_with("digraph explanation {") && dot.contains("n0 -> n1;"), "{dot}");
    assert!(dot.contains("label=\"5 > 2\""), "{dot}");
}
