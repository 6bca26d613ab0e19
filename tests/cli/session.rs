//! A session: a fresh folder, a clock that stands still, and a transcript.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// The time at which every session begins: 2026-03-02T09:00:00Z.
const BEGIN: i64 = 1_772_442_000;

pub struct Session {
    folder: TempDir,
    now: i64,
    transcript: String,
}

/// What one command said.
pub struct Said {
    pub out: String,
    pub err: String,
    pub code: i32,
}

impl Session {
    pub fn new() -> Self {
        Session { folder: tempfile::tempdir().unwrap(), now: BEGIN, transcript: String::new() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub fn remove(&self, name: &str) {
        fs::remove_file(self.path(name)).unwrap();
    }

    /// Copies a folder of `examples/`.
    pub fn example(&self, name: &str) {
        self.take("examples", name);
    }

    /// Copies the folder `name` of a folder of the project.
    pub fn take(&self, of: &str, name: &str) {
        fn copy(from: &Path, to: &Path) {
            fs::create_dir_all(to).unwrap();
            for entry in fs::read_dir(from).unwrap() {
                let entry = entry.unwrap();
                let to = to.join(entry.file_name());
                if entry.path().is_dir() {
                    copy(&entry.path(), &to);
                } else {
                    fs::copy(entry.path(), to).unwrap();
                }
            }
        }
        copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join(of).join(name), &self.path(name));
    }

    /// Lets time pass.
    pub fn later(&mut self, seconds: i64) {
        self.now += seconds;
    }

    /// The binary, in the session's folder and nothing of the environment but the clock.
    pub fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dsrules"));
        let now = jiff::Timestamp::from_second(self.now).unwrap().to_string();
        command.current_dir(self.folder.path()).env_clear().env("DSRULES_NOW", now).stdin(Stdio::null());
        command
    }

    /// Runs without a word in the transcript.
    pub fn quietly(&self, line: &str) -> Said {
        let output = self.command().args(words(line)).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Said { out: text(output.stdout), err: text(output.stderr), code: output.status.code().unwrap() }
    }

    /// Runs a command line and writes down what was typed and read.
    pub fn run(&mut self, line: &str) -> Said {
        let said = self.quietly(line);
        let transcript = &mut self.transcript;
        write!(transcript, "$ dsrules {line}\n{}", said.out).unwrap();
        if !said.err.is_empty() {
            write!(transcript, "(stderr)\n{}", said.err).unwrap();
        }
        if said.code != 0 {
            writeln!(transcript, "(exit code {})", said.code).unwrap();
        }
        transcript.push('\n');
        said
    }

    /// [`run`](Self::run), which must end well.
    pub fn ok(&mut self, line: &str) -> String {
        let said = self.run(line);
        assert_eq!(said.code, 0, "{line}\n{}\n{}", said.out, said.err);
        said.out
    }

    /// [`run`](Self::run), which must end with an error, whose text it gives.
    pub fn fails(&mut self, line: &str) -> String {
        let said = self.run(line);
        assert_eq!(said.code, 1, "{line}\n{}\n{}", said.out, said.err);
        assert!(said.err.starts_with("error"), "{line}\n{}", said.err);
        said.err
    }

    /// [`run`](Self::run), which does what it can and then must end with an error.
    pub fn fails_after(&mut self, line: &str) {
        let said = self.run(line);
        assert_eq!(said.code, 1, "{line}\n{}\n{}", said.out, said.err);
    }

    /// A file as it is now, in the transcript.
    pub fn show(&mut self, name: &str) {
        let text = fs::read_to_string(self.path(name)).unwrap();
        writeln!(self.transcript, "$ cat {name}\n{text}").unwrap();
    }

    /// A line of prose in the transcript.
    pub fn say(&mut self, text: &str) {
        writeln!(self.transcript, "# {text}\n").unwrap();
    }

    /// The nodes that have a pod of the daemonset `name` bound to them.
    pub fn nodes_of(&self, name: &str) -> Vec<String> {
        let out = self.quietly("get pods -A -o json").out;
        let pods: serde_json::Value = serde_json::from_str(&out).unwrap();
        let mut nodes: Vec<String> = pods["items"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|pod| pod["metadata"]["ownerReferences"][0]["name"] == name)
            .filter_map(|pod| pod["spec"]["nodeName"].as_str().map(ToOwned::to_owned))
            .collect();
        nodes.sort();
        nodes
    }

    /// Compares the transcript with the snapshot `cli_<name>`.
    pub fn snapshot(self, name: &str) {
        snapshot(name, &self.transcript);
    }
}

/// The words of a line; what stands in `'…'` is one.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (at, part) in line.split('\'').enumerate() {
        match at % 2 {
            0 => words.extend(part.split_whitespace().map(ToOwned::to_owned)),
            _ => words.push(part.to_owned()),
        }
    }
    words
}

pub fn snapshot(name: &str, text: &str) {
    insta::with_settings!({
        snapshot_path => "../../snapshots",
        prepend_module_to_snapshot => false,
        omit_expression => true,
        // Where a rule stands moves with every rule above it; which file it is in does not.
        filters => vec![(r"(rules/\w+\.dl):\d+", "$1:LINE")],
    }, {
        insta::assert_snapshot!(format!("cli_{name}"), text);
    });
}

/// A Node manifest; `labels` as `a=b c=d`, `taints` as `k=v:Effect`.
pub fn node(name: &str, labels: &str, taints: &str) -> String {
    let mut text = format!("apiVersion: v1\nkind: Node\nmetadata:\n  name: {name}\n");
    if !labels.is_empty() {
        text.push_str("  labels:\n");
        for label in labels.split_whitespace() {
            let (key, value) = label.split_once('=').unwrap();
            writeln!(text, "    {key}: \"{value}\"").unwrap();
        }
    }
    if !taints.is_empty() {
        text.push_str("spec:\n  taints:\n");
        for taint in taints.split_whitespace() {
            let (pair, effect) = taint.split_once(':').unwrap();
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            writeln!(text, "  - key: {key}\n    value: \"{value}\"\n    effect: {effect}").unwrap();
        }
    }
    text
}

/// Nodes without anything, as one file.
pub fn nodes(names: &[&str]) -> String {
    names.iter().map(|name| node(name, "", "")).collect::<Vec<_>>().join("---\n")
}

/// A DaemonSet with the label `app: <name>`, running `image`; `spec` are further lines of
/// its pods' spec, `more` of its own.
pub fn daemonset(name: &str, image: &str, spec: &str, more: &str) -> String {
    let indented = |text: &str, by: usize| {
        text.lines().map(|line| format!("{}{line}\n", " ".repeat(by))).collect::<String>()
    };
    format!(
        "apiVersion: apps/v1\nkind: DaemonSet\nmetadata:\n  name: {name}\n  labels:\n    app: {name}\n\
         spec:\n{}  selector:\n    matchLabels:\n      app: {name}\n  template:\n    metadata:\n      \
         labels:\n        app: {name}\n    spec:\n{}      containers:\n      - name: main\n        \
         image: {image}\n",
        indented(more, 2),
        indented(spec, 6),
    )
}
