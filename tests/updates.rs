//! What may not change of stored objects, and good objects beside bad ones, through the
//! real binary.
#![allow(clippy::unwrap_used, missing_docs)]

use std::fs;
use std::path::Path;

use assert_cmd::Command;

const DAEMONSET: &str = "\
apiVersion: apps/v1
kind: DaemonSet
metadata:
  name: agent
spec:
  selector:
    matchLabels:
      app: agent
  template:
    metadata:
      labels:
        app: agent
        tier: infra
    spec:
      containers:
      - name: agent
        image: registry.example/agent:1
";
const NODE: &str =
    "apiVersion: v1\nkind: Node\nmetadata:\n  name: worker-1\nspec:\n  providerID: cloud://1\n";

fn dsrules(folder: &Path, args: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(assert_cmd::cargo::cargo_bin!("dsrules"))
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .args(args)
        .output()
        .unwrap();
    (output.status.code(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
}

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

#[test]
fn what_may_not_change_is_refused_at_its_place() {
    let folder = folder(&[("agent.yaml", DAEMONSET), ("node.yaml", NODE)]);
    let files = ["agent.yaml", "node.yaml"];
    assert_eq!(dsrules(folder.path(), &["apply", files[0], files[1]]).0, Some(0));
    let changed = DAEMONSET.replace("      app: agent\n  template", "      tier: infra\n  template");
    fs::write(folder.path().join("agent.yaml"), changed).unwrap();
    fs::write(folder.path().join("node.yaml"), NODE.replace("cloud://1", "cloud://2")).unwrap();
    let pods = dsrules(folder.path(), &["get", "pods", "-o", "json"]).1;
    for command in ["plan", "apply"] {
        let (code, shown) = dsrules(folder.path(), &[command, files[0], files[1]]);
        assert_eq!(code, Some(1), "{shown}");
        assert!(shown.contains("agent.yaml:6:3"), "{shown}");
        assert!(shown.contains("`spec.selector` may not change once it is set"), "{shown}");
        assert!(shown.contains("node.yaml:6:3"), "{shown}");
        assert!(shown.contains("2 errors"), "{shown}");
    }
    assert_eq!(dsrules(folder.path(), &["get", "pods", "-o", "json"]).1, pods, "nothing was changed");
    // The other of the two is applied when asked to go on.
    fs::write(folder.path().join("node.yaml"), NODE.replace("spec:\n", "spec:\n  unschedulable: true\n"))
        .unwrap();
    let (code, shown) = dsrules(folder.path(), &["apply", "--keep-going", files[0], files[1]]);
    assert_eq!(code, Some(1), "{shown}");
    assert!(shown.contains("node/worker-1 configured"), "{shown}");
    assert!(!shown.contains("daemonset.apps/agent"), "{shown}");
}

#[test]
fn nothing_is_applied_beside_a_bad_object_unless_asked() {
    let bad = DAEMONSET.replace("image: registry.example/agent:1", "imge: registry.example/agent:1");
    let all = format!("{bad}---\n{NODE}");
    let folder = folder(&[("all.yaml", all.as_str())]);
    let (code, shown) = dsrules(folder.path(), &["apply", "all.yaml"]);
    assert_eq!(code, Some(1));
    assert!(shown.contains("unknown field `spec.template.spec.containers[0].imge`"), "{shown}");
    assert!(!shown.contains("node/worker-1"), "{shown}");
    let (code, shown) = dsrules(folder.path(), &["apply", "--keep-going", "all.yaml"]);
    assert_eq!(code, Some(1));
    assert!(shown.contains("node/worker-1 created"), "{shown}");
    assert!(!shown.contains("daemonset.apps/agent"), "{shown}");
}

#[test]
fn findings_come_in_the_forms_that_tools_read() {
    let bad = DAEMONSET.replace("matchLabels", "matchlabels");
    let folder = folder(&[("agent.yaml", bad.as_str()), ("node.yaml", NODE)]);
    for form in ["json", "sarif", "github", "junit"] {
        let (code, shown) = dsrules(folder.path(), &["validate", "agent.yaml", "node.yaml", "-o", form]);
        assert_eq!(code, Some(1), "{form}: {shown}");
        insta::with_settings!({
            snapshot_path => "../snapshots",
            prepend_module_to_snapshot => false,
            omit_expression => true,
            filters => [(env!("CARGO_PKG_VERSION"), "[version]")],
        }, {
            insta::assert_snapshot!(format!("validate__{form}"), shown);
        });
    }
    let (code, shown) = dsrules(folder.path(), &["validate", "node.yaml", "-o", "github"]);
    assert_eq!((code, shown.as_str()), (Some(0), ""));
}
