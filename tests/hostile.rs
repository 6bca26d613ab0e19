//! Inputs that are too large in some way: each is an error, in bounded time and memory.
//!
//! The limits are made small here, so that the inputs can be; `real_sizes` has the
//! sizes that the defaults are for, and is run on demand.
#![allow(clippy::unwrap_used, missing_docs)]

use std::io::Read;
use std::path::PathBuf;

use dsrules::manifest::{Input, Limits, Options, Reading, read};

const NODE: &str = "apiVersion: v1\nkind: Node\nmetadata:\n  name: a1\n";

fn text(text: impl Into<Vec<u8>>) -> Input {
    Input::Text { name: "<stdin>".into(), bytes: text.into().into() }
}

fn read_with(input: Input, change: impl FnOnce(&mut Limits)) -> Reading {
    let mut options = Options::default();
    change(&mut options.limits);
    read(&[input], &options)
}

fn only_code(reading: &Reading) -> &'static str {
    assert_eq!(reading.diagnostics.len(), 1, "{:?}", reading.diagnostics);
    assert!(reading.objects.is_empty() && !reading.files.iter().any(|file| file.complete));
    reading.diagnostics[0].code
}

#[test]
fn each_bound_has_an_error_of_its_own() {
    let long = format!("{NODE}  annotations: {{text: {}}}\n", "x".repeat(2_000));
    assert_eq!(
        only_code(&read_with(text(long.clone()), |limits| limits.scalar_bytes = 1_000)),
        "scalar-too-long"
    );
    let json = format!(r#"{{"apiVersion": "v1", "kind": "Node", "x": "{}"}}"#, "x".repeat(2_000));
    assert_eq!(only_code(&read_with(text(json), |limits| limits.scalar_bytes = 1_000)), "scalar-too-long");
    assert_eq!(only_code(&read_with(text(long), |limits| limits.yaml_bytes = 1_000)), "file-too-large");
    let many = "---\na: 1\n".repeat(100);
    assert_eq!(only_code(&read_with(text(many), |limits| limits.documents = 99)), "too-many-documents");
    let many = "{} ".repeat(100);
    assert_eq!(only_code(&read_with(text(many), |limits| limits.documents = 99)), "too-many-documents");
    let deep = format!("{NODE}  annotations: {}x{}\n", "{a: ".repeat(10), "}".repeat(10));
    assert_eq!(only_code(&read_with(text(deep), |limits| limits.depth = 9)), "nesting");
    let aliases = "a: &a [x, y, z]\nb: [*a, *a, *a]\n";
    assert_eq!(only_code(&read_with(text(aliases), |limits| limits.alias_bytes = 500)), "alias-expansion");
    let deep_alias = "a: &a {b: {c: {d: 1}}}\ne: {f: {g: *a}}\n";
    assert_eq!(only_code(&read_with(text(deep_alias), |limits| limits.depth = 5)), "nesting");
}

#[test]
fn a_pipe_without_end_is_left() {
    let limits = Limits { file_bytes: 10_000, ..Limits::default() };
    let error = Input::from_reader("<stdin>", std::io::repeat(b'x'), &limits).unwrap_err();
    assert_eq!(error.code, "file-too-large");
    let input = Input::from_reader("<stdin>", NODE.as_bytes().take(1 << 20), &limits).unwrap();
    assert_eq!(read_with(input, |_| ()).objects.len(), 1);
}

#[test]
fn so_many_errors_are_cut_short() {
    let bad = "---\napiVersion: v1\nkind: Node\nmetadata: {name: X}\n".repeat(50);
    let reading = read_with(text(bad), |limits| limits.diagnostics = 10);
    assert_eq!(reading.diagnostics.len(), 11);
    let note = reading.diagnostics.iter().find(|one| one.code == "not-shown").unwrap();
    assert_eq!(note.message, "40 more problems of this file are not shown");
    assert!(reading.objects.is_empty());
}

#[cfg(target_os = "linux")]
#[test]
fn what_is_no_file_is_not_read() {
    assert_eq!(only_code(&read_with(Input::Path(PathBuf::from("/dev/zero")), |_| ())), "unreadable");
    // Its size is 0 before it is read, as if it had grown meanwhile.
    assert_eq!(
        only_code(&read_with(Input::Path(PathBuf::from("/proc/self/status")), |_| ())),
        "changed-while-read"
    );
}

#[cfg(unix)]
#[test]
fn a_file_that_may_not_be_read_is_named() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret.yaml");
    std::fs::write(&path, NODE).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o000)).unwrap();
    if std::fs::read(&path).is_ok() {
        // Root may read everything.
        return;
    }
    let reading = read_with(Input::Path(folder.path().to_owned()), |_| ());
    assert_eq!(only_code(&reading), "unreadable");
    assert!(reading.diagnostics[0].message.ends_with("permission denied"));
}

#[test]
#[ignore = "takes hundreds of megabytes"]
fn real_sizes() {
    let scalar = format!("{NODE}  annotations: {{text: \"{}\"}}\n", "x".repeat(200 << 20));
    assert_eq!(only_code(&read_with(text(scalar), |_| ())), "scalar-too-long");
    let documents = "---\na: 1\n".repeat(10_000_000);
    assert_eq!(only_code(&read_with(text(documents), |_| ())), "too-many-documents");
    let nesting = format!("{}{}", "[".repeat(10_000_000), "]".repeat(10_000_000));
    assert_eq!(only_code(&read_with(text(nesting), |_| ())), "nesting");
}
