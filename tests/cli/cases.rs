//! `test`: rows of relations, as a case expects them.

use serde_json::Value;

use crate::session::{Session, daemonset, node};

const RULES: &str = "\
/// {DaemonSet} is not to be interrupted, and {Node} is a spot node.
blocked(DaemonSet, Node) :- daemonset_label(DaemonSet, \"app\", \"ledger\"), spot(Node).

.decl spot(node: Node)
spot(Node) :- node_label(Node, \"capacity\", \"spot\").

.decl pods(node: Node, n: number)
pods(Node, N) :- node(Node), N = count : { pod_target(_, Node) }.

/// {Node} has more than one pod.
.decl too_many(node: Node) violation
/// {Node} has {N} pods.
too_many(Node) :- pods(Node, N), N > 1.

.decl late()
late() :- now(Time), Time > \"2026-06-01\".
";

fn case() -> Session {
    let session = Session::new();
    session.write("spot/rules.dl", RULES);
    session.write("spot/dsrules.yaml", "rules: rules.dl\n");
    let nodes =
        [node("firm-1", "", ""), node("spot-1", "capacity=spot", ""), node("spot-2", "capacity=spot", "")];
    session.write("spot/nodes.yaml", nodes.join("---\n"));
    let daemonsets = [daemonset("ledger", "l:1", "", ""), daemonset("metrics", "m:1", "", "")];
    session.write("spot/daemonsets.yaml", daemonsets.join("---\n"));
    session
}

fn expect(session: &Session, text: &str) {
    let text = format!("apiVersion: dsrules.dev/v1\nkind: ExpectedPlan\n{text}");
    session.write("spot/expected-plan.yaml", text);
}

#[test]
fn rows_are_compared_one_by_one_and_each_has_its_reason() {
    let mut session = case();
    session.say("All is as expected, in every way of writing a row.");
    expect(
        &session,
        "expect:\n  blocked: [[default/ledger, spot-1], {node: spot-2, daemonset: default/ledger}]\n  spot: [spot-1, spot-2]\n  \
         pods: {contains: [[firm-1, 2], {n: 1}], not: [{n: 3}, [spot-1, 2]]}\n  too_many: [firm-1]\n  late: false\n",
    );
    session.ok("test spot");
    session.say("Nothing of it is.");
    let wrong = "expect:\n  blocked: [[default/ledger, spot-1], [default/metrics, spot-2], [default/ledger, firm-1]]\n  \
        pods: {contains: [[firm-1, 1], {n: 7}], not: [{node: spot-1}]}\n  too_many: []\n  late: true\n";
    expect(&session, wrong);
    assert_eq!(session.run("test spot").code, 1);
    assert_eq!(session.run("test spot -o junit").code, 1);
    assert_eq!(session.run("test spot -o json").code, 1);
    session.say("What is said of rows stays as it is; which rows there are is written anew.");
    session.fails_after("test spot --update");
    session.show("spot/expected-plan.yaml");
    session.snapshot("cases_rows");
}

#[test]
fn a_case_has_as_many_settings_as_files() {
    let mut session = case();
    expect(&session, "expect: {late: false, pods: {contains: [{n: 2}]}}\n");
    let more = |name: &str, text: &str| {
        let text = format!("# {name}\napiVersion: dsrules.dev/v1\nkind: ExpectedPlan\n{text}");
        session.write(&format!("spot/expected-{name}.yaml"), text);
    };
    more("in-summer", "settings: {now: \"2026-07-01T00:00:00Z\"}\nexpect: {late: true}\n");
    more(
        "before",
        "settings: {state: given}\nexpect:\n  pods: {not: [{n: 1}, {n: 2}]}\n  too_many: [spot-1]\n",
    );
    session.write("spot/expected-more.yaml", node("n4", "", ""));
    assert_eq!(session.run("test spot").code, 1);
    session.ok("test spot --update");
    session.show("spot/expected-before.yaml");
    session.ok("test spot");
    let json: Value = serde_json::from_str(&session.quietly("test spot -o json").out).unwrap();
    assert_eq!(json["summary"]["passed"], 3);
    session.snapshot("cases_settings");
}

#[test]
fn what_is_wrong_with_an_expectation_has_its_place_and_a_way_out() {
    let mut session = case();
    for text in [
        "expect: {blokced: []}\n",
        "expect: {}\n",
        "expect:\n  blocked:\n  - [default/ledger, spot-1]\n  - [spot-1]\n",
        "expect:\n  blocked:\n  - {daemonset: default/ledger, nod: spot-1}\n",
        "expect:\n  blocked:\n  - {daemonset: default/ledger}\n",
        "expect:\n  pods: [[n1, many]]\n",
        "expect:\n  pods: [[n1, 1.5], [n2, ]]\n",
        "expect:\n  spot:\n",
        "expect:\n  spot: {contain: [n1]}\n",
        "expect: {spot: []}\nwave: []\n",
        "settings: {state: after}\nexpect: {spot: []}\n",
    ] {
        expect(&session, text);
        assert_eq!(session.run("test spot").code, 1, "{text}");
    }
    session.snapshot("cases_wrong");
}

#[test]
fn a_slip_of_the_pen_in_a_file_of_a_case_is_no_manifest() {
    let session = case();
    expect(&session, "expect: {late: false}\n");
    session.write("spot/expected-x.yml", "kind: ExpectedPlann\nexpect: {late: true}\n");
    let said = session.quietly("test spot");
    assert_eq!(said.code, 1);
    assert!(said.out.contains("`ExpectedPlann` stands where `ExpectedPlan` should"), "{}", said.out);
    session.write("spot/expected-x.yml", "kind: ExpectedPlan\nexpect: {late: false}\n");
    let said = session.quietly("test spot");
    assert!(said.code == 0 && said.out.contains("2 passed"), "{}{}", said.out, said.err);
}

#[test]
fn rows_that_may_not_be_alike_are_told_also_where_nothing_reads_them() {
    let session = case();
    let rules = ".decl owner(node: Node, team: Value) unique(node)\nowner(N, \"a\") :- node(N).\nowner(N, \"b\") :- spot(N).\n";
    session.write("spot/rules.dl", format!("{RULES}{rules}"));
    expect(&session, "expect: {late: false}\nstatus: []\n");
    for command in ["plan spot", "test spot", "watch spot --once"] {
        let said = session.quietly(command);
        let text = format!("{}{}", said.out, said.err);
        assert_eq!(said.code, 1, "{command}: {text}");
        let both = "`owner(\"spot-1\", \"a\")` and `owner(\"spot-1\", \"b\")` cannot both hold";
        assert!(text.contains(both), "{command}: {text}");
    }
}

#[test]
fn what_no_case_fires_is_named_with_its_place() {
    let mut session = case();
    session.write("spot/more.dl", ".decl odd(node: Node) output\nodd(N) :- node(N),\n    (node_label(N, \"a\", _); count : { pod_target(_, N) } > 1; !spot(N), N = \"x\").\n");
    session.write("spot/dsrules.yaml", "rules: [rules.dl, more.dl]\n");
    expect(&session, "expect: {late: false}\n");
    session.ok("test spot --coverage");
    session.ok("test spot --coverage-min 50%");
    assert_eq!(session.quietly("test spot --coverage-min 90%").code, 1);
    session.write("spot/expected-in-summer.yaml", "apiVersion: dsrules.dev/v1\nkind: ExpectedPlan\nsettings: {now: \"2026-07-01T00:00:00Z\"}\nexpect: {late: true}\n");
    session.ok("test spot --coverage");
    session.fails("test spot --coverage-min all");
    let json: Value = serde_json::from_str(&session.quietly("test spot --coverage -o json").out).unwrap();
    assert_eq!(json["coverage"]["rules"], serde_json::json!({ "fired": 6, "all": 6 }));
    assert_eq!(json["coverage"]["notFired"].as_array().unwrap().len(), 2);
    session.snapshot("cases_coverage");
}
