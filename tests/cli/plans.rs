//! `plan`: what it prints in each form, its exit codes, and that it writes nothing.

use serde_json::Value;

use crate::session::{Session, daemonset, node, nodes, snapshot};

fn changed() -> Session {
    let session = Session::new();
    session.write("fleet/nodes.yaml", nodes(&["a", "b"]));
    session.write("fleet/agent.yaml", daemonset("agent", "agent:1", "", ""));
    assert_eq!(session.quietly("apply fleet").code, 0);
    session
        .write("fleet/nodes.yaml", format!("{}---\n{}", node("b", "", "x=y:NoExecute"), node("c", "", "")));
    session
}

#[test]
fn a_plan_has_a_form_for_everyone() {
    let mut session = changed();
    session.ok("plan fleet");
    session.ok("plan fleet -o wide");
    session.ok("plan fleet -o name");
    session.ok("plan fleet -o json");
    session.ok("plan fleet -o yaml");
    session.ok("apply fleet --dry-run");
    session.snapshot("plan_forms");
}

#[test]
fn a_rule_without_a_sentence_says_what_stands_over_its_constraint() {
    let session = changed();
    let rules = "/// {Node} has more than {N} pods.\n.decl packed(node: Node) warning\n\
        packed(Node) :- node(Node), N = 0, count : { pod_target(_, Node) } > N.\n\
        /// Nodes that have a name.\n.decl named(node: Node) warning\nnamed(Node) :- node(Node).\n\
        /// {Other} is not there.\n.decl other(node: Node) warning\nother(Node) :- node(Node).\n";
    session.write("own.dl", rules);
    let said = session.quietly("plan fleet --rules own.dl");
    let text = format!("{}{}", said.out, said.err);
    for part in ["c has more than 0 pods", "`named(\"c\")`", "`other(\"c\")`"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("packed(\"c\")"), "{text}");
}

#[test]
fn the_json_and_yaml_forms_hold_the_same_and_say_their_version() {
    let session = changed();
    let json: Value = serde_json::from_str(&session.quietly("plan fleet -o json").out).unwrap();
    let yaml: Value = serde_yaml::from_str(&session.quietly("plan fleet -o yaml").out).unwrap();
    assert_eq!(json, yaml);
    assert_eq!((&json["apiVersion"], &json["kind"]), (&"dsrules.dev/v1".into(), &"Plan".into()));
    assert_eq!((&json["summary"]["create"], &json["summary"]["delete"]), (&1.into(), &1.into()));
}

#[test]
fn the_exit_code_tells_nothing_to_do_from_changes_from_errors() {
    let session = changed();
    let code = |line: &str| session.quietly(line).code;
    assert_eq!(code("plan fleet"), 0);
    assert_eq!(code("plan fleet --detailed-exitcode"), 2);
    assert_eq!(code("plan nowhere --detailed-exitcode"), 1);
    assert_eq!(code("plan --no-such-flag"), 1, "a typo must not look like changes");
    assert_eq!(code("apply fleet"), 0);
    assert_eq!(code("plan fleet --detailed-exitcode"), 0);
    session.write("fleet/nodes.yaml", node("b", "a=b", "x=y:NoExecute"));
    assert_eq!(code("plan fleet --detailed-exitcode"), 2, "a changed object is a change, without any pod");
}

#[test]
fn planning_writes_nothing_and_needs_no_database() {
    let session = changed();
    let before = std::fs::read(session.path("dsrules.db")).unwrap();
    assert_eq!(session.quietly("plan fleet").code, 0);
    assert_eq!(session.quietly("apply fleet --dry-run=server").code, 0);
    assert_eq!(std::fs::read(session.path("dsrules.db")).unwrap(), before);
    let said = session.quietly("plan fleet --db elsewhere.db");
    assert!(said.out.contains("Plan: 1 to create, 0 to delete."), "{}", said.out);
    assert!(!session.path("elsewhere.db").exists());
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let transcript = || {
        let session = changed();
        let mut all = session.quietly("plan fleet -o json").out;
        for line in ["apply fleet", "get pods -A -o yaml", "get ds,controllerrevisions -A -o json"] {
            all.push_str(&session.quietly(line).out);
        }
        all
    };
    assert_eq!(transcript(), transcript());
}

#[test]
fn a_rollout_is_planned_in_waves() {
    let mut session = Session::new();
    session.write("nodes.yaml", nodes(&["a", "b", "c", "d", "e", "f", "g"]));
    session.write("agent.yaml", daemonset("agent", "agent:1", "", ""));
    session.ok("apply nodes.yaml agent.yaml -q");
    session.say("a new image, two at a time");
    let two = "updateStrategy:\n  rollingUpdate:\n    maxUnavailable: 2";
    session.write("agent.yaml", daemonset("agent", "agent:2", "", two));
    session.ok("plan agent.yaml");
    session.say("or each new pod before the old one goes");
    let surge = "updateStrategy:\n  rollingUpdate:\n    maxUnavailable: 0\n    maxSurge: 50%";
    session.write("agent.yaml", daemonset("agent", "agent:2", "", surge));
    session.ok("plan agent.yaml -o wide");
    session.say("or when somebody deletes the old ones");
    session.write("agent.yaml", daemonset("agent", "agent:2", "", "updateStrategy:\n  type: OnDelete"));
    session.ok("plan agent.yaml");
    session.snapshot("plan_waves");
}

#[test]
fn colour_is_for_terminals_and_for_those_who_ask() {
    let session = changed();
    assert!(!session.quietly("plan fleet").out.contains('\u{1b}'));
    assert!(session.quietly("plan fleet --color always").out.contains("\u{1b}[32m"));
    assert!(!session.quietly("plan fleet --color never").out.contains('\u{1b}'));
    snapshot("plan_colour", &session.quietly("plan fleet --color=always").out.replace('\u{1b}', "␛"));
}
