//! Folders and files that are no plain manifests, and what an API server warns about,
//! through the real binary: one finding that says what it is and what to do.
#![allow(clippy::unwrap_used, missing_docs)]

use std::path::Path;

use assert_cmd::Command;

fn dsrules(args: &[&str], stdin: &str) -> (Option<i32>, String) {
    let work = tempfile::tempdir().unwrap();
    let output = Command::new(assert_cmd::cargo::cargo_bin!("dsrules"))
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/folders"))
        .env("NO_COLOR", "1")
        .env("DSRULES_DB", work.path().join("dsrules.db"))
        .args(args)
        .write_stdin(stdin)
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(text).unwrap())
}

fn pinned(name: &str, args: &[&str], code: i32) -> String {
    let (ended, shown) = dsrules(args, "");
    insta::with_settings!({
        snapshot_path => "../snapshots",
        prepend_module_to_snapshot => false,
        omit_expression => true,
        description => format!("dsrules {}", args.join(" ")),
    }, {
        insta::assert_snapshot!(format!("folders__{name}"), shown);
    });
    assert_eq!(ended, Some(code), "{shown}");
    shown
}

fn findings(shown: &str) -> usize {
    shown.lines().filter(|line| line.starts_with("error") || line.starts_with("warning")).count()
}

#[test]
fn a_folder_of_another_tool_is_one_finding() {
    let told = |name, args: &[&str]| findings(&pinned(name, args, 1));
    assert_eq!(told("kustomize", &["plan", "kustomize/base"]), 1);
    assert_eq!(told("kustomize-recursive", &["plan", "-R", "kustomize"]), 1);
    assert_eq!(told("helm", &["plan", "chart"]), 1);
    assert_eq!(told("helm-templates", &["apply", "chart/templates"]), 1);
    assert_eq!(told("both", &["validate", "-R", "."]), 2 + 1 + 1 + 1 + warnings());
    let empty = tempfile::tempdir().unwrap();
    std::fs::create_dir(empty.path().join("sub")).unwrap();
    let (_, shown) = dsrules(&["plan", empty.path().to_str().unwrap()], "");
    assert!(!shown.contains("-R"), "nothing is in the folder's folder: {shown}");
}

/// In the files beside the folders, which are read with them.
fn warnings() -> usize {
    findings(&dsrules(&["validate", "server-warnings.yaml", "server-warnings-more.yaml"], "").1)
}

#[test]
fn a_file_of_another_tool_is_one_finding() {
    assert_eq!(findings(&pinned("kustomization", &["plan", "mixed/app/kustomization.yaml"], 1)), 1);
    assert_eq!(findings(&pinned("kustomization-no-kind", &["plan", "no-kind.yaml"], 1)), 1);
    assert_eq!(findings(&pinned("chart", &["plan", "chart/Chart.yaml"], 1)), 1);
    assert_eq!(findings(&pinned("patch", &["plan", "mixed/app/patch.yaml"], 1)), 1);
    assert_eq!(findings(&pinned("patch-without-words", &["plan", "patch-without-words.yaml"], 1)), 1);
    assert_eq!(findings(&pinned("values", &["plan", "chart/values.yaml"], 1)), 1);
    assert_eq!(findings(&pinned("json-patch", &["plan", "json-patch.yaml"], 1)), 1);
    let (code, shown) = dsrules(&["plan", "-"], "resources: [a.yaml]\n");
    assert_eq!((code, findings(&shown)), (Some(1), 1), "{shown}");
}

#[test]
fn what_is_in_such_a_folder_is_unknown_and_not_gone() {
    let work = tempfile::tempdir().unwrap();
    let run = |args: &[&str]| {
        let output = Command::new(assert_cmd::cargo::cargo_bin!("dsrules"))
            .current_dir(work.path())
            .env("NO_COLOR", "1")
            .args(args)
            .output()
            .unwrap();
        String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
    };
    for app in ["one", "two"] {
        let text = include_str!("folders/mixed/plain/daemonset.yaml").replace("speaker", app);
        std::fs::create_dir_all(work.path().join("m").join(app)).unwrap();
        std::fs::write(work.path().join("m").join(app).join("daemonset.yaml"), text).unwrap();
    }
    run(&["apply", "-R", "m"]);
    std::fs::write(work.path().join("m/two/kustomization.yaml"), "resources: [daemonset.yaml]\n").unwrap();
    let shown = run(&["apply", "-R", "m", "--prune", "--keep-going"]);
    assert!(shown.contains("error[kustomize]"), "{shown}");
    let kept = run(&["get", "daemonsets", "-o", "name"]);
    assert_eq!(kept, "daemonset.apps/one\ndaemonset.apps/two\n", "{shown}");
    // Nor is what stood under a name that is not there now.
    let shown = run(&["apply", "-R", "m/one", "m/gone", "--prune", "--keep-going"]);
    assert!(shown.contains("m/gone"), "{shown}");
    assert_eq!(run(&["get", "daemonsets", "-o", "name"]), kept);
}

#[test]
fn what_an_api_server_warns_of_is_told_and_is_no_error() {
    pinned("server-warnings", &["validate", "server-warnings.yaml"], 0);
    let (code, shown) = dsrules(&["plan", "server-warnings.yaml"], "");
    assert_eq!((code, findings(&shown)), (Some(0), 7), "{shown}");
    pinned("server-warnings-more", &["validate", "server-warnings-more.yaml"], 0);
}
