//! Rules that people write, through the real binary: what wrong ones are told, policies
//! that work, and what keeps a rule in bounds.

#![allow(clippy::unwrap_used, missing_docs)]

use std::fs;
use std::path::{Path, PathBuf};

#[path = "rules/facts.rs"]
mod facts;
#[path = "rules/parameters.rs"]
mod parameters;
#[path = "rules/run.rs"]
mod run;
#[path = "rules/types.rs"]
mod types;

use run::{dsrules, text};

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

/// Each wrong rule file, and all that is said about it: the place, and a way out.
#[test]
fn wrong_rules_are_told_what_is_wrong() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bad-rules");
    let files = entries(&folder);
    assert!(files.len() >= 40);
    let mut unhelpful = Vec::new();
    for file in files {
        let name = file.file_name().unwrap().to_str().unwrap();
        let output = dsrules(&folder, &["rules", "list", "--open", "--rules", name]);
        let told = text(&output.stderr);
        let code = output.status.code().unwrap();
        let stem = name.trim_end_matches(".dl");
        let places = told.lines().filter(|line| line.trim_start().starts_with("--> ")).count();
        let helps = told.matches("= help: ").count();
        if places == 0 || helps == 0 {
            unhelpful.push(stem.to_owned());
        }
        insta::with_settings!({
            snapshot_path => "../snapshots",
            prepend_module_to_snapshot => false,
            omit_expression => true,
        }, {
            insta::assert_snapshot!(format!("bad_rules_{stem}"), format!("exit {code}\n\n{told}"));
        });
    }
    assert!(unhelpful.is_empty(), "no place or no help: {unhelpful:?}");
}

/// Every policy of the cookbook plans what it promises.
#[test]
fn the_cookbook_works() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = dsrules(root, &["test", "examples/policies"]);
    let shown = text(&output.stdout);
    assert!(output.status.success(), "{shown}\n{}", text(&output.stderr));
    assert!(shown.contains(" passed, 0 failed"), "{shown}");
}

/// And nothing in it is worth a warning.
#[test]
fn the_cookbook_has_no_mistakes() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let policies = fs::read_dir(root.join("examples/policies")).unwrap();
    for policy in policies.map(|entry| entry.unwrap().path().display().to_string()) {
        let output = dsrules(root, &["rules", "check", "--deny-warnings", &policy]);
        assert!(output.status.success(), "{}", text(&output.stderr));
    }
}

const NODES: &str = "apiVersion: v1\nkind: Node\nmetadata: {name: a, labels: {disk: ssd}}\n---\n\
    apiVersion: v1\nkind: Node\nmetadata: {name: b}\n";

fn daemonset(image: &str) -> String {
    format!(
        "apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {{name: agent}}\nspec:\n  selector: {{matchLabels: \
         {{app: agent}}}}\n  template:\n    metadata: {{labels: {{app: agent}}}}\n    spec:\n      containers: \
         [{{name: agent, image: \"{image}\"}}]\n"
    )
}

/// A folder with a small cluster and these files beside it.
fn cluster(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("in")).unwrap();
    fs::write(folder.path().join("in/nodes.yaml"), NODES).unwrap();
    fs::write(folder.path().join("in/agent.yaml"), daemonset("x:1")).unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

#[test]
fn rules_come_from_options_and_from_dsrules_yaml_and_stay() {
    let rule = "/// {Node} has a disk of its own.\nblocked(DaemonSet, Node) :- daemonset(DaemonSet), node_label(Node, \"disk\", _).\n";
    let folder = cluster(&[("policy/disk.dl", rule), ("in/dsrules.yaml", "rules: ../policy\n")]);
    let here = folder.path();
    let query = |arguments: &[&str]| {
        text(&dsrules(here, &[&["query", "eligible(_D, N)"], arguments].concat()).stdout)
    };
    assert_eq!(query(&["-f", "in"]), "N\nb\n");
    assert!(dsrules(here, &["apply", "in"]).status.success());
    // The store knows the rule: another command decides with it.
    assert_eq!(query(&[]), "N\nb\n");
    assert!(dsrules(here, &["delete", "node", "b"]).status.success());
    assert_eq!(query(&[]), "");
    // And it goes with the input that brought it.
    fs::remove_file(here.join("in/dsrules.yaml")).unwrap();
    assert!(dsrules(here, &["apply", "in"]).status.success());
    assert_eq!(query(&[]), "N\na\nb\n");
    let only = dsrules(here, &["query", "eligible(_D, N)", "-f", "in", "--rules", "policy/disk.dl"]);
    assert_eq!(text(&only.stdout), "N\nb\n");
}

#[test]
fn a_query_counts() {
    let folder = cluster(&[]);
    let ask = |query: &str| text(&dsrules(folder.path(), &["query", query, "-f", "in", "-o", "csv"]).stdout);
    assert_eq!(ask("N = count : {node(X)}"), "N\n2\n");
    assert_eq!(ask("node(Node), Labels = count : { node_label(Node, Key, _) }"), "Node,Labels\na,1\nb,0\n");
    assert_eq!(ask("first 1 Node by Node desc : { node(Node) }"), "Node\nb\n");
    let wrong = dsrules(folder.path(), &["query", "N = count : { nod(X) }", "-f", "in"]);
    assert!(text(&wrong.stderr).contains("did you mean `node`?"));
}

#[test]
fn a_violation_changes_nothing_and_ends_with_3() {
    let rule = ".decl bare(node: Node) violation\n/// {Node} has no disk\nbare(Node) :- node(Node), !node_label(Node, \"disk\", _).\n";
    let folder = cluster(&[("r.dl", rule)]);
    let here = folder.path();
    let refused = dsrules(here, &["apply", "in", "--rules", "r.dl"]);
    assert_eq!(refused.status.code(), Some(3), "{}", text(&refused.stderr));
    assert!(text(&refused.stderr).contains("error[violation]: b has no disk"), "{}", text(&refused.stderr));
    assert_eq!(text(&dsrules(here, &["get", "nodes", "-o", "name"]).stdout), "");
    assert_eq!(dsrules(here, &["plan", "in", "--rules", "r.dl"]).status.code(), Some(3));
    let meant = dsrules(here, &["apply", "in", "--rules", "r.dl", "--ignore-violations"]);
    assert!(meant.status.success(), "{}", text(&meant.stderr));
    assert!(text(&meant.stderr).contains("warning[violation]: b has no disk"));
    // A constraint that holds again lets the plan pass.
    fs::write(here.join("in/nodes.yaml"), NODES.replace("{name: b}", "{name: b, labels: {disk: hdd}}"))
        .unwrap();
    assert!(dsrules(here, &["apply", "in", "--rules", "r.dl"]).status.success());
}

#[test]
fn a_rule_that_derives_too_much_is_stopped_by_name() {
    let bits: String = (0..40).map(|n| format!("bit(\"{n}\").\n")).collect();
    let rule = format!(
        ".decl bit(value: Value)\n{bits}.decl flood(a: Value, b: Value, c: Value) output\n\
         flood(A, B, C) :- bit(A), bit(B), bit(C).\n\
         blocked(DaemonSet, Node) :- daemonset(DaemonSet), node_label(Node, \"none\", None), flood(None, _, _).\n"
    );
    let folder = cluster(&[("r.dl", &rule)]);
    let plan = |most: &str| {
        let output = dsrules(folder.path(), &["plan", "in", "--rules", "r.dl", "--max-rows", most]);
        (output.status.code(), text(&output.stderr))
    };
    let (code, told) = plan("63999");
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("error[too-many-rows]: `flood` would have at least 64000 rows"), "{told}");
    assert!(told.contains("the limit is 63999") && told.contains("--> r.dl:4"), "{told}");
    assert_eq!(plan("64000").0, Some(0));
}

#[test]
fn recursion_is_allowed_and_ends() {
    let rule = ".decl beside(a: Node, b: Node)\nbeside(\"a\", \"b\").\nbeside(\"b\", \"a\").\n\
        .decl reaches(a: Node, b: Node) output\n/// {A} is beside {B}.\nreaches(A, B) :- beside(A, B).\n\
        /// {A} reaches {C} by {B}.\nreaches(A, C) :- reaches(A, B), beside(B, C).\n";
    let folder = cluster(&[("r.dl", rule)]);
    let query = "reaches(A, B)";
    let output = dsrules(folder.path(), &["query", query, "-f", "in", "--rules", "r.dl", "-o", "csv"]);
    assert_eq!(text(&output.stdout), "A,B\na,a\na,b\nb,a\nb,b\n", "{}", text(&output.stderr));
}

/// A rule with an aggregate is told as it was written, and the relations behind it never.
#[test]
fn an_aggregate_stays_one_part_of_its_rule() {
    let folder = tempfile::tempdir().unwrap();
    let rules = "/// {Node} has {N} labels.\n.decl rich(node: Node, n: number) warning\n\
        /// {Node} has {N} labels.\nrich(Node, N) :- node(Node), N = count : { node_label(Node, _, _) }, N > 1.\n";
    fs::write(folder.path().join("own.dl"), rules).unwrap();
    fs::write(folder.path().join("nodes.yaml"), NODES.replace("{disk: ssd}", "{disk: ssd, zone: z}"))
        .unwrap();
    let plan = dsrules(folder.path(), &["plan", "-f", "nodes.yaml", "--rules", "own.dl"]);
    let told = text(&plan.stderr);
    assert!(told.contains("warning[warning]: a has 2 labels\n --> own.dl:4:1\n"), "{told}");
    let listed = text(&dsrules(folder.path(), &["rules", "list", "--rules", "own.dl"]).stdout);
    assert!(
        listed.contains("rich(node: Node, n: number) warning") && !listed.contains("count :"),
        "{listed}"
    );
    let shown = text(&dsrules(folder.path(), &["rules", "show", "node_label", "--rules", "own.dl"]).stdout);
    assert!(shown.contains("rich: own.dl:4\n") && !shown.contains("count :"), "{shown}");
}
