//! Text from manifests cannot act on a terminal, in whatever form it is shown; what a
//! program reads is what was written.

use std::path::Path;

use dsrules::diagnostic::acts;
use serde_json::Value;

use crate::session::Session;

fn begun() -> Session {
    let session = Session::new();
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/terminal/hostile.yaml");
    session.write("hostile.yaml", std::fs::read(from).unwrap());
    session.write("own.dl", "/// {V} is on {D}.\nblocked(D, N) :- daemonset_annotation(D, \"k\", V), node(N), V != \"\".\n.decl odd(d: DaemonSet, v: Value) warning\n/// {D} has {V}\nodd(D, V) :- daemonset_annotation(D, _, V).\n");
    session
}

#[test]
fn no_output_acts_on_a_terminal() {
    let session = begun();
    for command in [
        "validate hostile.yaml",
        "validate hostile.yaml --output json",
        "plan hostile.yaml",
        "plan hostile.yaml -o json",
        "plan hostile.yaml -o yaml --rules own.dl",
        "plan hostile.yaml -o wide --rules own.dl",
        "plan hostile.yaml -o name",
        "apply hostile.yaml",
        "apply hostile.yaml --rules own.dl",
        "get nodes,ds,pods,controllerrevisions -A -o yaml",
        "get nodes,ds,pods,controllerrevisions -A -o json",
        "get nodes,ds,pods,controllerrevisions -A -o wide",
        "get ds,pods -A -o name",
        "get events -A",
        "describe ds d -n ns",
        "describe node node-1",
        "explain d node-1 -n ns",
        "explain d node-1 -n ns -o wide",
        "explain d node-1 -n ns -o json",
        "explain d node-1 -n ns -o yaml",
        "query daemonset_annotation(D,K,V)",
        "query daemonset_annotation(D,K,V) -o json",
        "rollout history ds/d -n ns",
        "rollout history ds/d -n ns --revision 1",
        "delete ds d -n ns --dry-run",
    ] {
        let said = session.quietly(command);
        assert!(said.code == 0, "{command}\n{}", said.err);
        for text in [&said.out, &said.err] {
            let bad: Vec<char> = text.chars().filter(|c| acts(*c)).collect();
            assert!(bad.is_empty(), "{command}: {bad:?}\n{text:?}");
        }
    }
}

#[test]
fn what_is_typed_or_written_in_rules_does_not_act_either() {
    let session = begun();
    let evil = "\u{1b}[31m\u{202e}";
    session.write(
        "r.dl",
        format!("/// s{evil}\nblocked(D, N) :- daemonset(D), node_label(N, \"a{evil}\", _).\n"),
    );
    session.write(&format!("w{evil}/a{evil}.yaml"), format!("kind: Node\nname: \"{evil}\"\n"));
    for command in [
        format!("get x{evil}"),
        format!("get nodes --db x{evil}.db"),
        format!("plan no{evil}.yaml"),
        format!("plan --output x{evil}"),
        format!("plan --x{evil}"),
        format!("query blocked({evil},N)"),
        "rules show blocked --rules r.dl".to_owned(),
        "rules show r --rules r.dl".to_owned(),
        format!("validate w{evil} --output sarif"),
        format!("validate w{evil} --output github"),
        format!("validate w{evil} --output junit"),
        format!("watch --once w{evil}"),
        format!("watch --once w{evil} --log-format json"),
    ] {
        let said = session.quietly(&command);
        for text in [&said.out, &said.err] {
            let bad: Vec<char> = text.chars().filter(|c| acts(*c)).collect();
            assert!(bad.is_empty(), "{command}: {bad:?}\n{text:?}");
        }
    }
}

#[test]
fn what_is_escaped_reads_back_as_it_was() {
    let session = begun();
    assert_eq!(session.quietly("apply hostile.yaml").code, 0);
    let written = "a\u{202e}txt\u{2066}";
    let json: Value = serde_json::from_str(&session.quietly("get ds d -n ns -o json").out).unwrap();
    let yaml: Value = serde_yaml::from_str(&session.quietly("get ds d -n ns -o yaml").out).unwrap();
    for read in [json, yaml] {
        assert_eq!(read["metadata"]["annotations"]["b"], written);
        assert_eq!(read["metadata"]["annotations"]["t"], "tag\u{e0041}");
        assert_eq!(read["metadata"]["annotations"]["k"], "\u{1b}[31mred\u{1b}]0;title\u{7}");
        assert_eq!(read["spec"]["template"]["metadata"]["annotations"]["l"], "one\ntwo\u{202e}\n");
    }
    // A pipe gets the bytes.
    let csv = session.quietly("query daemonset_annotation(_D,\"b\",V) -o csv").out;
    assert_eq!(csv, format!("V\n{written}\n"));
}

#[test]
fn rules_that_take_too_long_are_stopped() {
    let mut session = begun();
    let nodes: String =
        (0..300).map(|nth| crate::session::node(&format!("n{nth}"), "", "") + "---\n").collect();
    session.write("nodes.yaml", nodes);
    session.write(
        "slow.dl",
        ".decl slow(node: Node) warning\nslow(A) :- node(A), node(B), node(C), node(D), A < B, B < C, C < D, D < A.\n",
    );
    let error = session.fails("plan nodes.yaml --rules slow.dl --timeout 100ms");
    assert!(error.contains("slow.dl:2"), "{error}");
    session.snapshot("rules_timeout");
}
