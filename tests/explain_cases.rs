//! Explanations as they are read: rules of a user's own, tolerations with an end, pods
//! that do not run, a node with all its daemonsets, manifests from stdin, rules by place.

#![allow(clippy::unwrap_used, missing_docs)]

#[path = "cli/session.rs"]
#[allow(dead_code)]
mod session;

use std::fs;
use std::io::Write;
use std::process::Stdio;

use session::Session;

/// A session with a folder of `tests/explain/` in it.
fn with(folder: &str) -> Session {
    let session = Session::new();
    let from = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/explain").join(folder);
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        session.write(entry.file_name().to_str().unwrap(), fs::read(entry.path()).unwrap());
    }
    session
}

#[test]
fn rules_of_ones_own_are_told_with_what_they_rest_on() {
    let mut session = with("rules");
    for rules in ["f1", "f1b", "f2", "f3", "f3b", "f6"] {
        session.ok(&format!("explain ns/d n1 -f one.yaml --rules {rules}.dl"));
        session.ok(&format!("explain ns/e n1 -f one.yaml --rules {rules}.dl"));
        session.ok(&format!("explain ns/e -f one.yaml --rules {rules}.dl"));
    }
    session.ok("explain ns/e n1 -f three.yaml");
    session.ok("explain ns/d -f levers.yaml --rules two.dl");
    session.ok("explain ns/d -f levers.yaml --rules levers.dl");
    session.ok("explain ns/d spinning -f levers.yaml --rules levers.dl");
    session.snapshot("explain_own_rules");
}

#[test]
fn the_example_of_the_documentation_can_be_loaded() {
    let mut session = with("rules");
    session.ok("rules show crowded --rules docex.dl");
    session.ok("explain ns/d n1 -f one.yaml --rules docex.dl");
    let docs = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/rules.md")).unwrap();
    let declared = docs.split("```").find(|block| block.contains(".decl crowded")).unwrap();
    // The first line of a block names its language.
    let (_, declared) = declared.split_once('\n').unwrap();
    session.write(
        "shown.dl",
        format!("{declared}\ncrowded(R) :- rack(_, R).\ntoo_full(R) :- crowded(R).\nodd(N) :- rack(N, _).\n"),
    );
    assert_eq!(session.quietly("explain ns/d n1 -f one.yaml --rules shown.dl").code, 0);
}

#[test]
fn tolerations_say_how_long() {
    for (case, lines) in [
        ("toleration-seconds", &["explain tol nr -n ops", "explain tol mt -n ops"][..]),
        ("unavailable", &["explain mix -n ops", "explain mix dead -n ops", "explain node/dead"][..]),
        ("unreachable", &["explain ur a -n ops", "explain ur b -n ops"][..]),
        ("gt-floats", &["explain fl hi -n ops", "explain it f -n ops"][..]),
    ] {
        let mut session = with(&format!("cases/{case}"));
        for line in lines {
            session.ok(&format!("{line} -f all.json"));
        }
        session.snapshot(&format!("explain_{}", case.replace('-', "_")));
    }
}

fn pod(name: &str, on: &str, more: &str, status: &str) -> String {
    format!(
        "---
apiVersion: v1
kind: Pod
metadata:
  name: {name}
  namespace: ns
  labels: {{app: d}}
{more}
  ownerReferences:
  - {{apiVersion: apps/v1, kind: DaemonSet, name: d, uid: uid-d, controller: true}}
spec:
  nodeName: {on}
  containers: [{{name: c, image: x}}]
status: {{phase: {status}}}
"
    )
}

#[test]
fn a_pod_that_does_not_run_is_not_said_to_run() {
    let mut session = Session::new();
    let mut text = String::new();
    for name in ["ending", "failed", "pending", "running", "two"] {
        text.push_str(&format!("---\napiVersion: v1\nkind: Node\nmetadata: {{name: {name}}}\n"));
    }
    text.push_str(
        "---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: d, namespace: ns, uid: uid-d}
spec:
  selector: {matchLabels: {app: d}}
  template:
    metadata: {labels: {app: d}}
    spec: {containers: [{name: c, image: x}]}
",
    );
    let deleting = "  deletionTimestamp: 2026-03-02T08:59:00Z";
    text.push_str(&pod("d-ending", "ending", deleting, "Running"));
    text.push_str(&pod("d-failed", "failed", "", "Failed"));
    text.push_str(&pod("d-pending", "pending", "", "Pending"));
    text.push_str(&pod("d-running", "running", "", "Running"));
    text.push_str(&pod("d-two-a", "two", "", "Running"));
    text.push_str(&pod("d-two-b", "two", deleting, "Running"));
    session.write("all.yaml", text);
    for node in ["ending", "failed", "pending", "running", "two"] {
        session.ok(&format!("explain ns/d {node} -f all.yaml"));
    }
    session.ok("explain ns/d -f all.yaml");
    session.ok("explain node/failed -f all.yaml");
    session.ok("explain node/ending -f all.yaml");
    session.snapshot("explain_pods");
}

#[test]
fn a_daemonset_is_explained_by_cause_and_a_node_by_daemonset() {
    let mut session = Session::new();
    session.example("cluster");
    session.ok("explain nvidia-device-plugin -n gpu -R -f cluster");
    session.ok("explain object-store -n storage -R -f cluster");
    session.ok("explain reboot-agent worker-b-03 -n kube-system -R -f cluster");
    session.ok("explain node/worker-c-05 -R -f cluster");
    session.ok("explain node gpu-a-01 -R -f cluster");
    session.fails("explain node/gpu-a-1 -R -f cluster");
    session.fails("explain node/gpu-a-01 -o dot -R -f cluster");
    let json = session.quietly("explain node/gpu-a-01 -o json -R -f cluster").out;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["kind"], "ExplanationOfNode");
    assert_eq!(json["daemonsets"], 8);
    assert_eq!(json["others"][0]["daemonsets"][0], "kube-system/reboot-agent");
    let json = session.quietly("explain object-store -n storage -o json -R -f cluster").out;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["others"][0]["nodes"].as_array().unwrap().len(), 37);
    session.snapshot("explain_groups");
}

/// Runs a command with a file as its stdin.
fn piped(session: &Session, line: &[&str], file: &str) -> String {
    let mut command = session.command();
    let mut child = command
        .args(line)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(&fs::read(session.path(file)).unwrap()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{line:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn manifests_may_come_from_stdin() {
    let session = with("rules");
    let same = session.quietly("explain ns/e n1 -f one.yaml").out;
    let told = piped(&session, &["explain", "ns/e", "n1", "-f", "-"], "one.yaml");
    assert_eq!(told, same.replace("one.yaml", "<stdin>"));
    assert!(told.contains("[<stdin>:23]"), "{told}");
    let question = "node(N)";
    assert!(piped(&session, &["query", question, "-f", "-"], "one.yaml").contains("n1"));
}

#[test]
fn a_rule_can_be_looked_up_by_the_place_that_explain_names() {
    let mut session = with("rules");
    let told = session.quietly("explain ns/e n1 -f one.yaml --rules f3.dl").out;
    let places: Vec<&str> =
        told.split('[').filter_map(|part| part.split(']').next()).filter(|it| it.contains(".dl:")).collect();
    assert!(places.len() >= 2, "{told}");
    for place in places {
        let shown = session.quietly(&format!("rules show {place}"));
        assert_eq!(shown.code, 0, "{place}: {}", shown.err);
        assert!(shown.out.contains(&format!("// {place}\n")), "{place}: {}", shown.out);
    }
    session.ok("rules show f3.dl:4");
    session.ok("rules show f3.dl:3");
    session.ok("rules show f3.dl:1");
    session.fails("rules show f3.dl:99");
    session.fails("rules show nowhere.dl:1");
    session.snapshot("rules_show_place");
}

#[test]
fn violations_are_counted_also_those_that_are_not_told() {
    let session = Session::new();
    let nodes: Vec<String> =
        (0..300).map(|at| format!("apiVersion: v1\nkind: Node\nmetadata: {{name: n{at:03}}}\n")).collect();
    session.write("nodes.yaml", nodes.join("---\n"));
    session.write("own/rule.dl", ".decl v(n: Node) violation\n/// {N} v\nv(N) :- node(N).\n");
    let said = session.quietly("plan nodes.yaml --rules own");
    assert!(said.err.contains("300 violations of your own rules"), "{}", said.err);
    assert!(said.err.contains("\n300 errors\n") && said.err.contains("and 290 more of `v`"), "{}", said.err);
}

#[test]
fn facts_about_what_is_not_there_are_warned_of() {
    let session = Session::new();
    session.write("nodes.yaml", "apiVersion: v1\nkind: Node\nmetadata: {name: n1}\n");
    session.write(
        "own/rule.dl",
        ".decl rack(node: Node, rack: Value) input\n.decl odd(n: Node) warning\n/// {N} is odd\nodd(N) :- rack(N, \"zz\").\n",
    );
    session.write("own/facts/rack.csv", "Node,Racks\nn1,r1\nn01,r1\n");
    let said = session.quietly("plan nodes.yaml --rules own");
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(
        said.err.contains("warning[no-header]") && said.err.contains("for a header write `node,rack`"),
        "{}",
        said.err
    );
    assert!(said.err.contains("there is no node `Node`, `n01`"), "{}", said.err);
    session.write("own/facts/rack.csv", "node,rack\nn1,r1\n");
    assert_eq!(session.quietly("plan nodes.yaml --rules own").err, "");
}
