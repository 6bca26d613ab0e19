//! The commands that look back, as people type them.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use tempfile::TempDir;

pub const NODES: &str = "apiVersion: v1\nkind: Node\nmetadata:\n  name: n1\n  labels: {disk: ssd}\n---\n\
    apiVersion: v1\nkind: Node\nmetadata:\n  name: n2\n  labels: {disk: ssd}\n";
pub const AGENT: &str = "apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: agent, namespace: default}\nspec:\n\
    \x20 selector: {matchLabels: {app: agent}}\n  template:\n    metadata: {labels: {app: agent}}\n\
    \x20   spec: {containers: [{name: c, image: \"x:1\"}], nodeSelector: {disk: ssd}}\n";

pub struct Folder(TempDir);

impl Folder {
    pub fn new() -> Self {
        let folder = Folder(tempfile::tempdir().unwrap());
        fs::create_dir(folder.path().join("in")).unwrap();
        folder.write("nodes.yaml", NODES);
        folder.write("agent.yaml", AGENT);
        folder
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.path().join("in").join(name), text).unwrap();
    }

    /// Rules of one's own, beside the manifests.
    pub fn rules(&self, text: &str) {
        fs::write(self.path().join("own.dl"), text).unwrap();
    }

    fn command(&self, hour: u8, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dsrules"));
        command.current_dir(self.path()).env("DSRULES_BY", "ana@laptop");
        command.env("DSRULES_NOW", format!("2026-03-02T{hour:02}:00:00Z")).env("NO_COLOR", "1");
        command.args(line.split(' '));
        command
    }

    pub fn run(&self, hour: u8, line: &str) -> Output {
        self.command(hour, line).output().unwrap()
    }

    pub fn ok(&self, hour: u8, line: &str) -> String {
        let output = self.run(hour, line);
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
        let path = self.path().canonicalize().unwrap().display().to_string();
        String::from_utf8(output.stdout).unwrap().replace(&path, "FOLDER")
    }
}

/// Two applies and a delete: the second takes the label of n2 away.
pub fn happened() -> Folder {
    let folder = Folder::new();
    folder.ok(9, "apply in");
    folder.write("nodes.yaml", &NODES.replace("n2\n  labels: {disk: ssd}", "n2\n  labels: {disk: hdd}"));
    folder.write("agent.yaml", &AGENT.replace("nodeSelector", "tolerations: [{key: a}], nodeSelector"));
    folder.ok(10, "apply in --max-delete 5");
    folder.ok(11, "delete node n1 --max-delete 5");
    folder
}

#[test]
fn a_log_reads_like_one() {
    let folder = happened();
    insta::with_settings!({ snapshot_path => "../../snapshots", prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("history__log", folder.ok(12, "log"));
        insta::assert_snapshot!("history__log_node", folder.ok(12, "log node/n2"));
        insta::assert_snapshot!("history__log_json", folder.ok(12, "log daemonset/agent --since 2h -o json"));
    });
    assert_eq!(folder.ok(12, "log daemonset/other"), "");
}

#[test]
fn a_past_moment_is_shown_as_the_present_was() {
    let folder = Folder::new();
    folder.ok(9, "apply in");
    let (pods, why) = (folder.ok(9, "get pods -o wide"), folder.ok(9, "explain agent n2"));
    folder.write("nodes.yaml", &NODES.replace("n2\n  labels: {disk: ssd}", "n2\n  labels: {disk: hdd}"));
    folder.ok(10, "apply in");
    folder.ok(11, "delete node n1 --max-delete 5");
    for at in ["@1", "150m", "2026-03-02T09:59:59Z"] {
        let read = folder.ok(12, &format!("get pods -o wide --at {at}"));
        // Ages are of that moment.
        assert_eq!(read.lines().count(), pods.lines().count(), "{read}");
        assert!(read.contains("n1") && read.contains("n2"), "{read}");
    }
    assert_eq!(folder.ok(12, "get pods -o wide --at @1"), pods);
    // The files are other ones by now, so their lines are not named.
    let then = folder.ok(12, "explain agent n2 --at @1");
    assert_eq!(then.lines().next(), why.lines().next(), "{then}");
    let told = folder.run(12, "get pods --at 2026-03-02T08:59:59Z");
    assert!(!told.status.success());
    let told = String::from_utf8(told.stderr).unwrap();
    assert!(told.contains("goes back to 2026-03-02T09:00:00Z (@1)"), "{told}");
}

#[test]
fn a_run_that_is_killed_leaves_every_moment_as_it_was() {
    let folder = Folder::new();
    folder.ok(9, "apply in");
    let mut right = vec![folder.ok(9, "get all -A -o json --at @1")];
    for (hour, wait) in [(10, 3), (11, 8), (12, 15), (13, 25), (14, 40)] {
        folder.write("agent.yaml", &AGENT.replace("x:1", &format!("x:{hour}")));
        let mut run =
            folder.command(hour, "apply in").stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(wait));
        run.kill().unwrap();
        run.wait().unwrap();
        folder.ok(hour, "apply in");
        right.push(folder.ok(hour, "get all -A -o json"));
        for (nth, right) in right.iter().enumerate() {
            assert_eq!(
                &folder.ok(hour, &format!("get all -A -o json --at @{}", nth + 1)),
                right,
                "@{}",
                nth + 1
            );
        }
    }
}
