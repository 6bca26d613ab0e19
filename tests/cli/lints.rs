//! `rules check`: what is told of rules alone, and beside a cluster.

use serde_json::Value;

use crate::session::{Session, daemonset, node};

const RULES: &str = r#"//! Lints.

/// {Node} runs Linux.
.decl linux(node: Node) output
linux(Node) :- node_label(Node, "kubernetes.io/oss", "linux").
linux(Node) :- node_label(Node, "kubernetes.io/os", "linus").
linux(Node) :- node_label(Node, "kubernetes.io/os", Os), Os in ["linux", "linxu"].

// allow: unknown-constant
.decl cursed(node: Node) output
// allow: unknown-constant
cursed(Node) :- node_label(Node, "cursed", _).
cursed(Node) :- node_label(Node, "kubernetes.io/os", Os), node_label(Node, "kubernetes.io/os", Other), Os != Other.

/// {Node} is {DaemonSet}'s.
blocked(DaemonSet, Node) :- DaemonSet = "default/agent", daemonset(DaemonSet), node(Node), Node = "n9".
blocked("default/agnet", Node) :- node(Node), 1 > 2.

wave(DaemonSet, Node, 1) :- daemonset(DaemonSet), node(Node).
wave(D, N, 1) :- node(N), daemonset(D).

/// {Node} has {Pods} pods.
.decl crowded(node: Node, pods: number) violation
/// {Node} has {Pods} pods.
crowded(Node, Pods) :- node(Node), Pods = count : { pod_target(_, Node) }, Pods > 5, Pods < 3.
"#;

fn session() -> Session {
    let session = Session::new();
    session.write("rules/own.dl", RULES);
    let nodes = [node("n1", "kubernetes.io/os=linux", ""), node("n2", "kubernetes.io/os=linux", "")];
    session.write("fleet/nodes.yaml", nodes.join("---\n"));
    session.write("fleet/agent.yaml", daemonset("agent", "agent:1", "", ""));
    session
}

#[test]
fn rules_are_checked_alone_and_beside_a_cluster() {
    let mut session = session();
    session.ok("rules check rules");
    session.ok("rules check rules -f fleet");
    session.ok("rules check rules -f fleet --allow unknown-constant,never-fired");
    session.say("Warnings fail where that is asked for, and errors always.");
    assert_eq!(session.run("rules check rules --deny-warnings -o github").code, 1);
    session.write("rules/own.dl", "linux(Node) :- node(Nod).\n");
    assert_eq!(session.run("rules check rules -f fleet -o github").code, 1);
    let rules = ".decl soon(node: Node)\nsoon(N) :- planned(\"create\", _, N).\nhold(D, N) :- daemonset(D), soon(N).\n";
    session.write("rules/own.dl", rules);
    assert_eq!(session.run("rules check rules").code, 1);
    let two = "wave(D, N, 1) :- daemonset(D), node(N).\nwave(D, N, 2) :- daemonset(D), node_label(N, \"kubernetes.io/os\", _).\n";
    session.write("rules/own.dl", two);
    assert_eq!(session.run("rules check rules -f fleet").code, 1);
    session.say("What is not there is told.");
    session.fails("rules check rules --allow never-fird");
    session.fails("rules check");
    session.fails("rules check nowhere.dl");
    session.snapshot("lints");
}

#[test]
fn findings_have_forms_for_tools() {
    let session = session();
    let json: Value =
        serde_json::from_str(&session.quietly("rules check rules -f fleet -o json").out).unwrap();
    let of = |code: &str| json["findings"].as_array().unwrap().iter().filter(|it| it["code"] == code).count();
    assert_eq!((of("unknown-constant"), of("duplicate-rule")), (5, 1));
    assert_eq!(of("never-fired"), 1);
    assert_eq!(json["summary"]["files"], 1);
    let sarif: Value =
        serde_json::from_str(&session.quietly("rules check rules -f fleet -o sarif").out).unwrap();
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    assert_eq!(results.len(), json["findings"].as_array().unwrap().len());
    assert_eq!(results[0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"], "rules/own.dl");
}

#[test]
fn a_store_is_a_cluster_to_compare_with() {
    let session = session();
    session.write("fleet/dsrules.yaml", "rules: ../rules\n");
    assert_eq!(session.quietly("apply fleet").code, 0);
    let said = session.quietly("rules check -o github");
    assert!(
        said.out.contains("title=unknown-constant::no `node_label` has the key `kubernetes.io/oss`"),
        "{}",
        said.out
    );
    assert!(session.quietly("rules check fleet").err.contains("did you mean `default/agent`?"));
}

#[test]
fn a_comment_that_allows_what_is_no_lint_is_told_what_was_meant() {
    let session = Session::new();
    let rules = "/// {N} has a label.\n.decl odd(n: Node) output\n// allow: sigleton-variable, never-fired\nodd(N) :- node_label(N, K, _).\n";
    session.write("own.dl", rules);
    let said = session.quietly("rules check own.dl");
    let text = format!("{}{}", said.out, said.err);
    for part in [
        "warning[unknown-lint]: there is no lint `sigleton-variable`",
        "own.dl:3:11",
        "did you mean `singleton-variable`?",
        "warning[singleton-variable]",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    session.write("own.dl", rules.replace("sigleton", "singleton"));
    let said = session.quietly("rules check own.dl");
    assert!(!said.out.contains("warning[") && !said.err.contains("warning["), "{}{}", said.out, said.err);
}

#[test]
fn the_lints_are_listed_and_documented() {
    let mut session = Session::new();
    let listed = session.ok("rules check --list");
    let docs = include_str!("../../docs/rules.md");
    for line in listed.lines().skip(1) {
        let (name, says) = line.split_once("  ").unwrap();
        assert!(docs.contains(&format!("| `{name}` | {} |", says.trim())), "docs/rules.md lacks {line}");
    }
}

/// What is warned of about rules can be silenced, and so has its line in the table.
#[test]
fn every_warning_about_rules_is_a_lint() {
    fn sources(path: &std::path::Path, out: &mut String) {
        if path.is_dir() {
            std::fs::read_dir(path).unwrap().for_each(|entry| sources(&entry.unwrap().path(), out));
        } else {
            out.push_str(&std::fs::read_to_string(path).unwrap());
        }
    }
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut text = String::new();
    for part in ["datalog", "policy", "app/lint", "app/strangers.rs"] {
        sources(&root.join(part), &mut text);
    }
    let listed = Session::new().quietly("rules check --list").out;
    let codes =
        ["Diagnostic::warning(", "Diagnostic::note("].into_iter().flat_map(|call| text.split(call).skip(1));
    let codes: Vec<&str> =
        codes.filter_map(|rest| rest.trim_start().strip_prefix('"')?.split('"').next()).collect();
    assert!(codes.len() > 12, "{codes:?}");
    let missing: Vec<&&str> =
        codes.iter().filter(|code| !listed.lines().any(|line| line.starts_with(*code))).collect();
    assert!(missing.is_empty(), "`LINTS` lacks {missing:?}");
}
