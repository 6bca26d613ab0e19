//! Small inputs from the field: what people met with the real controller and reported.
//!
//! Each folder of `tests/field/` has inputs and `commands`: the right answer in words, and
//! command lines that are run through the real binary, all of them in one folder that is
//! nobody else's. What they print is pinned (`snapshots/field_*`). A snapshot pins whatever
//! is printed, so `field/facts.txt` says beside it what has to come of the cases, as facts
//! of the machine form. `@TIME` (`at TIME` in the facts) lets time pass.
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "field/facts.rs"]
mod facts;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/field");
const NOW: &str = "2026-06-01T12:00:00Z";

/// A case's inputs in a folder of their own.
pub struct Case {
    folder: tempfile::TempDir,
    now: String,
}

impl Case {
    pub fn new(from: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        copy(from, folder.path());
        Case { folder, now: NOW.to_owned() }
    }

    pub fn at(&mut self, now: &str) {
        now.clone_into(&mut self.now);
    }

    /// Runs a command line: what it printed, and its exit code.
    pub fn run(&self, line: &str) -> (String, String, i32) {
        let words = line.split_whitespace().map(|word| word.replace("REPO", env!("CARGO_MANIFEST_DIR")));
        let mut command = Command::new(env!("CARGO_BIN_EXE_dsrules"));
        command.current_dir(self.folder.path()).env_clear().env("DSRULES_NOW", &self.now).args(words);
        let output = command.output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (text(output.stdout), text(output.stderr), output.status.code().unwrap())
    }
}

/// The folders of the cases, in order.
pub fn folders() -> Vec<PathBuf> {
    let entries = fs::read_dir(CASES).unwrap().map(|entry| entry.unwrap().path());
    let mut folders: Vec<PathBuf> = entries.filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

/// The number of a case, as `05b`.
pub fn number(folder: &Path) -> String {
    let name = folder.file_name().unwrap().to_str().unwrap();
    name.split('-').next().unwrap().to_owned()
}

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

#[test]
fn what_is_printed() {
    for folder in folders() {
        let mut case = Case::new(&folder);
        let mut text = String::new();
        for line in fs::read_to_string(folder.join("commands")).unwrap().lines() {
            if let Some(now) = line.strip_prefix('@') {
                case.at(now);
            }
            if line.starts_with(['#', '@']) || line.is_empty() {
                writeln!(text, "{line}").unwrap();
                continue;
            }
            let (out, err, code) = case.run(line);
            writeln!(text, "\n$ dsrules {line}\n{out}{err}(exit code {code})").unwrap();
        }
        insta::with_settings!({
            snapshot_path => "../snapshots",
            prepend_module_to_snapshot => false,
            omit_expression => true,
            filters => vec![
                (r"((?:rules|policies)/[\w/-]+\.dl):\d+", "$1:LINE"),
                (regex_of(env!("CARGO_MANIFEST_DIR")), "REPO"),
            ],
        }, {
            insta::assert_snapshot!(format!("field_{}", number(&folder)), text);
        });
    }
}

/// A path as a pattern; of what paths have, the dot alone means something there.
fn regex_of(path: &'static str) -> &'static str {
    path.replace('.', r"\.").leak()
}

#[test]
fn what_has_to_come_of_them() {
    let facts = facts::read();
    let wrong: Vec<String> = facts.iter().flat_map(facts::Facts::check).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let told: BTreeSet<&str> = facts.iter().map(|it| it.case.as_str()).collect();
    let silent: Vec<String> =
        folders().iter().map(|it| number(it)).filter(|it| !told.contains(it.as_str())).collect();
    assert!(silent.is_empty(), "nothing has to come of {silent:?}");
}
