//! Units: those of a tree and those of `examples/systemd` are taken by systemd, run commands
//! that there are, and are followed by the script that comes with them.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use dsrules::target::tree::{Destination, Format, Wanted, sync};
use serde_json::json;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn examples() -> PathBuf {
    root().join("examples/systemd")
}

fn units(dir: &Path) -> Vec<PathBuf> {
    let ends = ["service", "target", "timer", "path"];
    let files = fs::read_dir(dir).unwrap().map(|it| it.unwrap().path());
    let mut units: Vec<PathBuf> =
        files.filter(|it| it.extension().is_some_and(|end| ends.iter().any(|it| end == *it))).collect();
    units.sort();
    units
}

/// Runs systemd-analyze; `None`, with a line that says so, where it is not there.
fn analyze(args: &[&str], units: &[PathBuf], beside: &Path) -> Option<Output> {
    let mut command = Command::new("systemd-analyze");
    command.args(args).args(units).env("SYSTEMD_UNIT_PATH", format!("{}:", beside.display()));
    match command.output() {
        Ok(output) => Some(output),
        Err(_) => {
            println!("skipped: there is no systemd-analyze to look at units");
            None
        }
    }
}

/// What `systemd-analyze verify` says of units.
fn verify(units: &[PathBuf], beside: &Path) -> Option<String> {
    let output = analyze(&["verify", "--man=no", "--recursive-errors=one"], units, beside)?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    // A program that is not installed where the test runs is no fault of the unit.
    let lines = said.lines().filter(|line| !line.contains("is not executable: No such file or directory"));
    Some(lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n"))
}

#[test]
fn systemd_takes_the_units_that_come_with_it() {
    let units = units(&examples());
    assert!(units.len() >= 6, "{units:?}");
    if let Some(said) = verify(&units, &examples()) {
        assert_eq!(said, "");
    }
}

#[test]
fn systemd_takes_the_units_of_a_tree() {
    let dir = tempfile::tempdir().unwrap();
    let tree = Destination {
        folder: dir.path().to_owned(),
        format: Format::Systemd,
        at: Some("/srv/a folder/50% $HOME".into()),
    };
    let pod = |name: &str, context: serde_json::Value| {
        json!({ "metadata": { "name": name, "namespace": "shop" }, "spec": { "nodeName": "n1",
            "terminationGracePeriodSeconds": 3600,
            "containers": [{ "name": "c", "image": "c", "securityContext": context }] } })
    };
    let pods = [
        pod("plain", json!({})),
        pod("privileged", json!({ "privileged": true })),
        pod("all", json!({ "capabilities": { "add": ["ALL"] } })),
        pod("with.dots-and-dashes", json!({ "allowPrivilegeEscalation": false })),
        pod("Wrong Name", json!({})),
    ];
    let key = |pod: &serde_json::Value| {
        dsrules::kube::ObjectKey::new("shop", pod["metadata"]["name"].as_str().unwrap())
    };
    let wanted = Wanted { pods: [("n1".into(), pods.iter().map(key).collect())].into(), whole: true };
    let report =
        sync(&tree, &wanted, &mut |_, asked| Ok(pods.iter().find(|pod| key(pod) == *asked).cloned()));
    let report = report.unwrap();
    assert!(report.problems.is_empty(), "{:?}", report.problems);
    let node = dir.path().join("n1");
    let units = units(&node);
    assert_eq!(units.len(), pods.len() + 1, "{units:?}");
    assert!(node.join("dsrules-shop_Wrong\\x20Name.service").exists(), "{units:?}");
    if let Some(said) = verify(&units, &node) {
        assert_eq!(said, "");
    }
    // What is wrong would be seen.
    let wrong = node.join("wrong.service");
    fs::write(&wrong, "[Service]\nExecStart=true\nNonsense=1\n").unwrap();
    if let Some(said) = verify(&[wrong], &node) {
        assert!(said.contains("Nonsense"), "{said}");
    }
}

#[test]
fn the_exposure_is_what_the_page_says() {
    let page = fs::read_to_string(root().join("docs/systemd.md")).unwrap();
    for unit in units(&examples()).iter().filter(|it| it.extension().is_some_and(|it| it == "service")) {
        let name = unit.file_name().unwrap().to_str().unwrap();
        let Some(row) = page.lines().find(|line| line.starts_with(&format!("| `{name}`"))) else {
            panic!("docs/systemd.md has no row for {name}");
        };
        let told: f64 = row.trim_end_matches(" |").rsplit(' ').next().unwrap().parse().unwrap();
        let Some(output) = analyze(&["security", "--offline=yes"], std::slice::from_ref(unit), &examples())
        else {
            return;
        };
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let line = said.lines().rfind(|line| line.contains("exposure level")).unwrap().to_owned();
        let number = line.split(": ").nth(1).unwrap().split(' ').next().unwrap();
        // Another systemd looks at more.
        assert!((number.parse::<f64>().unwrap() - told).abs() < 0.6, "{name}: {number}, not {told}");
    }
}

/// The words of a command, as far as these units need it.
fn words(line: &str) -> Vec<String> {
    line.split(' ').map(|word| word.replace("%H", "n1")).collect()
}

#[test]
fn the_units_run_commands_that_there_are() {
    let mut seen = 0;
    for unit in units(&examples()) {
        let text = fs::read_to_string(&unit).unwrap();
        for line in text.lines().filter_map(|line| line.strip_prefix("ExecStart=/usr/local/bin/dsrules ")) {
            seen += 1;
            // Every option is one of the command's, and a value that it takes.
            let dir = tempfile::tempdir().unwrap();
            let here = dir.path().display().to_string();
            let words = words(line).into_iter().map(|word| match word.strip_prefix('/') {
                Some(path) => format!("{here}/missing/{path}"),
                None => word,
            });
            let output = Command::new(env!("CARGO_BIN_EXE_dsrules"))
                .args(words)
                .env("PATH", "/nowhere")
                .output()
                .unwrap();
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(!output.status.success(), "{}: {line}", unit.display());
            if said.contains("unrecognized subcommand 'agent'") {
                println!("skipped: this dsrules has no agent");
                continue;
            }
            assert!(!said.contains("Usage:") && !said.contains("--help"), "{}: {said}", unit.display());
        }
    }
    assert_eq!(seen, 3);
}

/// A systemctl that knows what runs by the files of a folder, and writes down what it is told.
const SYSTEMCTL: &str = r#"#!/bin/sh
case "$1" in
list-units) for unit in "$RUNNING"/*; do [ -e "$unit" ] && echo "${unit##*/} loaded active running Pod"; done ;;
show) cmp -s "$RUNNING/$4" "$FOLDER/$4" && echo no || echo yes ;;
stop) echo "$*" >>"$TOLD"; rm -f "$RUNNING/$2" ;;
start) echo "$*" >>"$TOLD"; for unit in "$FOLDER"/*.service; do [ -e "$unit" ] && cp "$unit" "$RUNNING"; done ;;
restart) echo "$*" >>"$TOLD"; cp "$FOLDER/$2" "$RUNNING" ;;
daemon-reload) echo "$*" >>"$TOLD" ;;
*) echo "what is $*" >&2; exit 1 ;;
esac
exit 0
"#;

#[test]
fn the_script_follows_the_folder() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    for name in ["bin", "running", "pods"] {
        fs::create_dir(path(name)).unwrap();
    }
    fs::write(path("bin/systemctl"), SYSTEMCTL).unwrap();
    fs::set_permissions(path("bin/systemctl"), fs::Permissions::from_mode(0o755)).unwrap();
    let search = format!("{}:{}", path("bin").display(), std::env::var("PATH").unwrap());
    let follow = || {
        let output = Command::new("sh")
            .arg(examples().join("follow-units"))
            .arg(path("pods"))
            .env("PATH", &search)
            .envs([("RUNNING", path("running")), ("FOLDER", path("pods")), ("TOLD", path("told"))])
            .output()
            .unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
        assert!(output.status.success());
        let told = fs::read_to_string(path("told")).unwrap();
        fs::remove_file(path("told")).unwrap();
        told
    };
    fs::write(path("pods/dsrules-pods.target"), "").unwrap();
    for name in ["a_1", "a_2"] {
        fs::write(path(&format!("pods/dsrules-{name}.service")), "1").unwrap();
    }
    assert_eq!(follow(), "daemon-reload\nstart dsrules-pods.target\n");
    // Nothing is other than it was.
    assert_eq!(follow(), "daemon-reload\nstart dsrules-pods.target\n");
    // One goes, one is another, one is new: the port of the one is free before the other asks for it.
    fs::remove_file(path("pods/dsrules-a_1.service")).unwrap();
    fs::write(path("pods/dsrules-a_2.service"), "2").unwrap();
    fs::write(path("pods/dsrules-a_3.service"), "1").unwrap();
    assert_eq!(
        follow(),
        "stop dsrules-a_1.service\ndaemon-reload\nrestart dsrules-a_2.service\nstart dsrules-pods.target\n"
    );
    // All have gone.
    for name in ["dsrules-a_2.service", "dsrules-a_3.service", "dsrules-pods.target"] {
        fs::remove_file(path("pods").join(name)).unwrap();
    }
    assert_eq!(follow(), "stop dsrules-a_2.service\nstop dsrules-a_3.service\ndaemon-reload\n");
}
