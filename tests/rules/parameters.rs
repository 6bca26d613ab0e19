//! Parameters of rules: who sets them, what they change, and what wrong ones are told.

use std::fs;
use std::path::Path;

use super::{cluster, dsrules, text};

const RULES: &str = "/// Labels that a node may have.\n.param quota: number = 2\n.param disk: Value = \"ssd\"\n\
    .param grace: number = 1h\n\
    .decl rich(node: Node, labels: number) output\n\
    rich(Node, N) :- node(Node), N = count : { node_label(Node, _, _) }, N > quota.\n\
    /// {Node} has a disk that is {disk}, and more than {quota} labels are too many.\n\
    blocked(DaemonSet, Node) :- daemonset(DaemonSet), node_label(Node, \"disk\", disk).\n\
    .decl late(node: Node) output\n\
    late(Node) :- node_created(Node, T), now(Now), Now - T < grace.\n";

fn told(here: &Path, arguments: &[&str]) -> String {
    let output = dsrules(here, arguments);
    let code = output.status.code().unwrap();
    format!("exit {code}\n{}{}", text(&output.stdout), text(&output.stderr))
}

#[test]
fn the_flag_wins_over_the_file_and_the_file_over_the_default() {
    let folder = cluster(&[("policy/disk.dl", RULES), ("in/dsrules.yaml", "rules: ../policy\n")]);
    let here = folder.path();
    let rich = |more: &[&str]| told(here, &[&["query", "rich(N, _)", "-f", "in"], more].concat());
    assert_eq!(rich(&[]), "exit 0\nNo answers.\n");
    fs::write(here.join("in/dsrules.yaml"), "rules: ../policy\nparams:\n  quota: 0\n").unwrap();
    assert_eq!(rich(&[]), "exit 0\nN\na\n");
    assert_eq!(rich(&["--param", "quota=1"]), "exit 0\nNo answers.\n");
    assert_eq!(rich(&["--param", "policy::quota=0", "--param", "quota=5"]), "exit 0\nN\na\n");
    assert_eq!(rich(&["--param", "quota=5", "--param", "quota=-1"]), "exit 0\nN\na\nb\n");
    assert_eq!(told(here, &["query", "node(_N), X = quota + 1", "-f", "in"]), "exit 0\nX\n1\n");
}

#[test]
fn what_was_set_stays_with_the_input_that_brought_it() {
    let folder = cluster(&[("policy/disk.dl", RULES), ("in/dsrules.yaml", "rules: ../policy\n")]);
    let here = folder.path();
    let placed = || told(here, &["query", "eligible(_D, N)"]);
    assert!(dsrules(here, &["apply", "in"]).status.success());
    assert_eq!(placed(), "exit 0\nN\nb\n");
    // The same files with another value are another question, and so is none again.
    assert!(dsrules(here, &["apply", "in", "--param", "disk=hdd"]).status.success());
    assert_eq!(placed(), "exit 0\nN\na\nb\n");
    fs::write(
        here.join("more.yaml"),
        "apiVersion: v1\nkind: Node\nmetadata: {name: c, labels: {disk: ssd}}\n",
    )
    .unwrap();
    assert!(dsrules(here, &["apply", "more.yaml"]).status.success());
    assert_eq!(placed(), "exit 0\nN\na\nb\nc\n");
    let explained = told(here, &["explain", "agent", "a", "--param", "disk=ssd"]);
    assert!(
        explained.contains("a has a disk that is ssd, and more than 2 labels are too many"),
        "{explained}"
    );
    fs::write(here.join("in/dsrules.yaml"), "rules: ../policy\nparams: {disk: nvme}\n").unwrap();
    assert!(dsrules(here, &["apply", "in", "--param", "quota=7"]).status.success());
    assert_eq!(placed(), "exit 0\nN\na\nb\nc\n");
    assert!(told(here, &["query", "node(\"a\"), X = quota"]).ends_with("X\n7\n"));
    assert!(dsrules(here, &["delete", "node", "b"]).status.success());
    fs::remove_file(here.join("in/dsrules.yaml")).unwrap();
    assert!(dsrules(here, &["apply", "in"]).status.success());
    assert!(told(here, &["query", "node(\"a\"), X = quota"]).contains("`quota` is neither"));
}

#[test]
fn what_cannot_be_set_is_told_with_its_place() {
    let folder = cluster(&[("policy/disk.dl", RULES), ("in/dsrules.yaml", "rules: ../policy\n")]);
    let here = folder.path();
    let mut all = String::new();
    for params in [
        "quotta=3",
        "other=3",
        "spot::quota=3",
        "quota=three",
        "quota=1.5",
        "quota=99999999999999999999",
        "grace=3 days",
        "quota",
    ] {
        all += &format!("--param {params}\n{}\n", told(here, &["plan", "in", "--param", params]));
    }
    for yaml in [
        "params:\n  quota: 3\n  quotta: 3\n",
        "params: {quota: many}\n",
        "params:\n  disk: [a]\n",
        "params:\n  quota: 1.5\n",
        "params: 3\n",
        "param: {quota: 3}\n",
    ] {
        fs::write(here.join("in/dsrules.yaml"), format!("rules: ../policy\n{yaml}")).unwrap();
        all += &format!("{yaml}{}\n", told(here, &["plan", "in"]));
    }
    fs::write(here.join("in/dsrules.yaml"), "params: {quota: 3}\n").unwrap();
    all += &told(here, &["plan", "in"]);
    insta::with_settings!({
        snapshot_path => "../../snapshots",
        prepend_module_to_snapshot => false,
        omit_expression => true,
    }, {
        insta::assert_snapshot!("wrong_parameters", all);
    });
}

#[test]
fn a_parameter_is_shown_with_its_value_and_its_rules() {
    let folder = cluster(&[("policy/disk.dl", RULES), ("in/dsrules.yaml", "rules: ../policy\n")]);
    let here = folder.path();
    let shown = |arguments: &[&str]| {
        told(here, &[&["rules"], arguments, &["--rules", "policy", "--param", "quota=1k"]].concat())
    };
    let listed = shown(&["list"]);
    let listed = listed.split_once("Built in").unwrap().0;
    insta::with_settings!({
        snapshot_path => "../../snapshots",
        prepend_module_to_snapshot => false,
        omit_expression => true,
    }, {
        insta::assert_snapshot!("parameters_shown", format!("{listed}{}\n{}", shown(&["show", "quota"]), shown(&["show", "policy::disk"])));
    });
}

#[test]
fn a_case_sets_parameters_of_its_own() {
    let folder = cluster(&[("policy/disk.dl", RULES), ("in/dsrules.yaml", "rules: ../policy\n")]);
    let here = folder.path();
    let expected = here.join("in/expected-plan.yaml");
    assert!(dsrules(here, &["test", "in", "--update"]).status.success());
    let with_default = fs::read_to_string(&expected).unwrap();
    let set = "settings:\n  params:\n    disk: none\n    grace: 30d\n";
    fs::write(&expected, set).unwrap();
    assert!(dsrules(here, &["test", "in", "--update"]).status.success());
    let with_other = fs::read_to_string(&expected).unwrap();
    assert!(with_other.contains(set), "{with_other}");
    assert_ne!(with_default, with_other.replace(set, ""));
    assert!(
        with_other.contains("create kube-system/agent on a") || with_other.contains(" on a"),
        "{with_other}"
    );
    assert_eq!(dsrules(here, &["test", "in"]).status.code(), Some(0));
    fs::write(&expected, "settings:\n  params: {disc: none}\n").unwrap();
    let told = told(here, &["test", "in"]);
    assert!(told.contains("did you mean `disk`?") && told.contains("expected-plan.yaml:2"), "{told}");
}

/// Where a constant may stand, a parameter may.
#[test]
fn a_parameter_stands_for_a_constant() {
    let rules = ".param share: number = 10\n.param zones: Value = \"a\"\n.param images: Value = \"^s\"\n\
        .param low: number = -1\n.param kernel: Value = \"5.10\"\n.param until: number = \"2026-12-24\"\n\
        .decl n(node: Node, x: number) output\n\
        n(Node, X) :- node(Node), X = share% of 250, X > -share, X != low.\n\
        n(Node, low) :- node_label(Node, \"disk\", D), D in [zones, \"ssd\"], matches(D, images).\n\
        n(Node, X) :- node(Node), version(\"5.9\") < version(kernel), X = until / 86400.\n\
        n(Node, X) :- node(Node), X = sum N : { node_label(Node, _, _), N = share }.\n\
        .decl some(node: Node) output\nsome(Node) :- first share Node : { node(Node) }.\n";
    let folder = cluster(&[("r.dl", rules)]);
    let query = ["query", "n(N, X)", "-f", "in", "--rules", "r.dl", "-o", "csv"];
    assert_eq!(told(folder.path(), &query), "exit 0\nN,X\na,-1\na,10\na,25\na,20811\nb,0\nb,25\nb,20811\n");
    let other = [&query[..], &["--param", "share=100", "--param", "images=^h"]].concat();
    assert_eq!(told(folder.path(), &other), "exit 0\nN,X\na,100\na,250\na,20811\nb,0\nb,250\nb,20811\n");
    let some = ["query", "some(N)", "-f", "in", "--rules", "r.dl", "--param", "share=1", "-o", "csv"];
    assert_eq!(told(folder.path(), &some), "exit 0\nN\na\n");
}
