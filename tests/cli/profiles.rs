//! `rules profile`: what is counted of rules, and what is said of dear ones.

use serde_json::Value;

use crate::session::{Session, daemonset, node};

const RULES: &str = "\
.decl near(a: Node, b: Node) output
/// {A} is near {B}.
near(A, B) :- node_label(A, \"place\", X), node_label(B, \"place\", Y), X < Y, !node_label(A, \"far\", _).
.decl far(a: Node, b: Node) output
far(A, B) :- near(A, B).
far(A, C) :- far(A, B), near(B, C).
";

fn session() -> Session {
    let session = Session::new();
    session.write("own.dl", RULES);
    session.write("fleet/dsrules.yaml", "rules: ../own.dl\n");
    let nodes: Vec<String> =
        (0..120).map(|at| node(&format!("n{at}"), &format!("place=p{}", at / 60), "")).collect();
    session.write("fleet/nodes.yaml", nodes.join("---\n"));
    session.write("fleet/agent.yaml", daemonset("agent", "agent:1", "", ""));
    session
}

#[test]
fn rules_are_counted_one_by_one() {
    let session = session();
    let said = session.quietly("rules profile -f fleet -o json --top 200");
    assert_eq!(said.code, 0, "{}", said.err);
    let json: Value = serde_json::from_str(&said.out).unwrap();
    let of = |line: u64| {
        let rules = json["rules"].as_array().unwrap().iter();
        rules.clone().find(|it| it["file"] == "own.dl" && it["line"] == line).cloned().unwrap()
    };
    let near = of(3);
    assert_eq!((&near["found"], &near["rows"], &near["runs"]), (&3600.into(), &3600.into(), &1.into()));
    assert!(near["looks"].as_u64().unwrap() >= 120 * 120, "{near}");
    let join = near["join"].as_array().unwrap();
    assert_eq!((join.len(), &join[1]["made"], &join[1]["stay"]), (2, &14400.into(), &3600.into()), "{near}");
    assert!(near["help"][0].as_str().unwrap().contains("shares no variable"), "{near}");
    assert_eq!(of(6)["runs"], 1);
    // With the pods of the plan, the rules of pods run as well.
    let rules = json["rules"].as_array().unwrap();
    assert!(rules.iter().any(|it| it["relation"] == "has_pod" || it["file"] == "rules/status.dl"));
    let dearest = rules.windows(2).all(|pair| pair[0]["seconds"].as_f64() >= pair[1]["seconds"].as_f64());
    assert!(dearest);
}

#[test]
fn what_is_stopped_is_shown_as_far_as_it_came() {
    let session = session();
    let said = session.quietly("rules profile own.dl -f fleet --max-rows 1000");
    assert_eq!(said.code, 1, "{}", said.out);
    assert!(said.err.contains("error[too-many-rows]: `near` would have at least"), "{}", said.err);
    assert!(said.out.contains("near") && said.out.contains("own.dl:3"), "{}", said.out);
}

#[test]
fn a_store_is_profiled_as_it_is() {
    let session = session();
    assert_eq!(session.quietly("apply fleet").code, 0);
    let said = session.quietly("rules profile --top 3");
    assert_eq!(said.out.lines().next().map(|line| line.split_whitespace().count()), Some(7), "{}", said.out);
    assert!(said.out.contains(" of them shown), in "), "{}", said.out);
}
