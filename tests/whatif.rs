//! `plan --set --taint --cordon --remove`, `query` and `test`, through the real binary.

#![allow(clippy::unwrap_used, missing_docs)]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

fn dsrules(folder: &Path, line: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_dsrules"))
        .args(line.split(' '))
        .current_dir(folder)
        .env_clear()
        .env("DSRULES_NOW", "2026-03-02T09:00:00Z")
        .output()
        .unwrap()
}

fn out(folder: &Path, line: &str) -> String {
    let output = dsrules(folder, line);
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn quickstart() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/quickstart");
    for name in ["nodes.yaml", "daemonset.yaml"] {
        fs::copy(from.join(name), folder.path().join(name)).unwrap();
    }
    out(folder.path(), "apply . -q");
    folder
}

/// The lines about what the changes come to.
fn difference(shown: &str) -> Vec<String> {
    let lines = shown.lines().skip_while(|line| !line.starts_with("What the changes come to"));
    lines.skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

#[test]
fn a_plan_with_changes_says_what_they_come_to_and_writes_nothing() {
    let folder = quickstart();
    let here = folder.path();
    let it = "kube-system/fluentd-elasticsearch";
    let tainted = out(here, "plan . --taint worker-1=dedicated=db:NoExecute --remove node/worker-2");
    assert_eq!(
        difference(&tainted),
        [
            format!("- {it} worker-1 it has the taint dedicated=db:NoExecute, which is not tolerated"),
            format!("- {it} worker-2 it is not there"),
        ]
    );
    // Without manifests it is about what is stored; nothing was changed by asking.
    let selected = out(
        here,
        "plan --set daemonset/kube-system/fluentd-elasticsearch:nodeSelector.disk=ssd --set node/worker-2:label.disk=ssd",
    );
    let lost: Vec<String> = ["control-plane", "worker-1"]
        .map(|node| format!("- {it} {node} it lacks the label disk=ssd of the nodeSelector"))
        .into();
    assert_eq!(difference(&selected), lost);
    let none = out(here, "plan . --cordon worker-1");
    assert!(none.contains("no pod more, none less"), "{none}");
    assert!(out(here, "plan .").contains("No changes:"));
    let json: serde_json::Value =
        serde_json::from_str(&out(here, "plan . -o json --taint worker-1=a:NoExecute")).unwrap();
    assert_eq!(json["kind"], "WhatIf");
    assert_eq!(json["difference"][0]["node"], "worker-1");
    assert_eq!(json["plan"]["kind"], "Plan");
}

#[test]
fn what_cannot_be_is_told() {
    let folder = quickstart();
    for (line, expected) in [
        ("plan . --set node/nowhere:label.a=b", "nodes \"nowhere\" not found"),
        ("plan . --set worker-1:label.a=b", "`--set worker-1` cannot be read"),
        ("plan . --taint worker-1=a:Never", "`--taint worker-1=a:Never` cannot be read"),
        ("plan . --remove pod/x", "pods \"default/x\" not found"),
    ] {
        let output = dsrules(folder.path(), line);
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{line}: {told}");
        assert!(told.contains(expected) && told.contains("help:"), "{line}: {told}");
    }
}

#[test]
fn questions_are_answered_as_a_table_as_json_and_as_csv() {
    let folder = quickstart();
    let here = folder.path();
    let ask = |query: &str, form: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_dsrules"))
            .args(["query", query, "-o", form])
            .current_dir(here)
            .env_clear()
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let query = "has_pod(_D, Node), node_role(Node, Role)";
    assert_eq!(ask(query, "table"), "NODE            ROLE\ncontrol-plane   master\n");
    assert_eq!(ask(query, "csv"), "Node,Role\ncontrol-plane,master\n");
    let json: serde_json::Value = serde_json::from_str(&ask("now(Now), Now > 1", "json")).unwrap();
    assert!(json["answers"][0]["Now"].is_i64(), "{json}");
    assert_eq!(ask("node(\"worker-1\"), !node(\"worker-9\")", "table"), "yes\n");
    assert_eq!(ask("node_unschedulable(_)", "table"), "no\n");
}

#[test]
fn cases_fail_with_a_difference_and_are_accepted() {
    let folder = quickstart();
    let here = folder.path();
    assert_eq!(dsrules(here, "test .").status.code(), Some(1), "there is no case yet");
    assert_eq!(out(here, "test . --update"), "updated    .\n");
    assert!(out(here, "test .").ends_with("1 passed, 0 failed\n"));
    let nodes = fs::read_to_string(here.join("nodes.yaml")).unwrap().replace("worker-2", "worker-3");
    fs::write(here.join("nodes.yaml"), nodes).unwrap();
    let failed = dsrules(here, "test .");
    let shown = String::from_utf8(failed.stdout).unwrap();
    assert_eq!(failed.status.code(), Some(1));
    assert!(shown.contains("-  - create kube-system/fluentd-elasticsearch on worker-2"), "{shown}");
    assert!(shown.contains("+  - create kube-system/fluentd-elasticsearch on worker-3"), "{shown}");
    let junit = String::from_utf8(dsrules(here, "test . -o junit").stdout).unwrap();
    assert!(junit.contains("<testsuites tests=\"1\" failures=\"1\">"), "{junit}");
    out(here, "test . --update");
    out(here, "test .");
    fs::write(here.join("nodes.yaml"), "kind: Node\n").unwrap();
    let broken = String::from_utf8(dsrules(here, "test .").stdout).unwrap();
    assert!(broken.contains("FAIL") && broken.contains("error["), "{broken}");
}
