//! What a person sees for each kind of broken input, through the real binary.
//!
//! Every file in `tests/bad-input/` has a snapshot of `dsrules validate FILE`. A new
//! case is a new file; `INSTA_UPDATE=always cargo test --test bad_input` writes its
//! snapshot, to be read before it is committed.
#![allow(clippy::unwrap_used, missing_docs)]

use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bad-input")
}

fn validate(folder: &Path, args: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(assert_cmd::cargo::cargo_bin!("dsrules"))
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .arg("validate")
        .args(args)
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(text).unwrap())
}

#[test]
fn what_clusters_run_is_not_refused() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/good-input");
    let (code, shown) = validate(&folder, &["."]);
    // An API server warns of one of the ports, too; and a host port does not go with maxSurge.
    assert!(shown.starts_with("valid: 9 files with 3 Nodes, 10 DaemonSets\n"), "{shown}");
    assert_eq!((code, shown.matches("warning[").count()), (Some(0), 2), "{shown}");
}

#[test]
fn every_broken_file_says_what_is_wrong_and_where() {
    let mut files: Vec<String> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    assert!(files.len() >= 60, "{} files", files.len());
    for file in files {
        let (code, shown) = validate(&folder(), &[&file]);
        assert_eq!(code, Some(1), "{file}: {shown}");
        assert!(!shown.contains(|c: char| c.is_control() && c != '\n'), "{file}: {shown:?}");
        insta::with_settings!({
            snapshot_path => "../snapshots",
            prepend_module_to_snapshot => false,
            omit_expression => true,
            description => format!("dsrules validate {file}"),
        }, {
            insta::assert_snapshot!(format!("bad-input__{file}"), shown);
        });
    }
}
