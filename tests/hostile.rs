//! Inputs that are too large in some way: each is an error, in bounded time and memory.
//!
//! The limits are made small here, so that the inputs can be; `real_sizes` has the
//! sizes that the defaults are for, and is run on demand.
#![allow(clippy::unwrap_used, missing_docs)]

use std::io::Read;
use std::path::PathBuf;

use dsrules::manifest::{FieldValidation, Input, Limits, Options, Reading, read};

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
    assert_eq!(reading.diagnostics.len(), 1, "{:.500?}", reading.diagnostics.first());
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
fn text_of_which_nothing_comes_has_an_end() {
    let small = |limits: &mut Limits| limits.scalar_bytes = 1_000;
    let long = "x".repeat(20_000);
    let lines = "x\n    ".repeat(10_000);
    for (yaml, code) in [
        (format!("{NODE}# {long}\n"), "endless"),
        (format!("{NODE}{}", "\n".repeat(20_000)), "endless"),
        (format!("{NODE}{}", " ".repeat(20_000)), "endless"),
        (format!("- [{}]\n", "x, ".repeat(5_000)), "not-an-object"),
        (format!("{NODE}  labels: &{long} x\n"), "scalar-too-long"),
        (format!("{NODE}  labels:\n    ? {long}\n    : x\n"), "scalar-too-long"),
        (format!("{NODE}  labels: {long}"), "scalar-too-long"),
        (format!("{NODE}  labels: \"{long}\"\n"), "scalar-too-long"),
        (format!("{NODE}  labels: '{lines}'\n"), "scalar-too-long"),
        (format!("{NODE}  labels: |\n    {lines}\n"), "scalar-too-long"),
        (format!("{NODE}  labels: {lines}\n"), "scalar-too-long"),
    ] {
        assert_eq!(only_code(&read_with(text(yaml.clone()), small)), code, "{:.90}", yaml);
    }
    // What is long and sound is read.
    let sound = format!("{NODE}  labels:\n    # words\n    a: b\n\n{}", "# x\n".repeat(900));
    assert_eq!(read_with(text(sound), small).objects.len(), 1);
}

#[test]
fn many_documents_together_have_bounds_too() {
    let document = format!("---\n{NODE}  annotations: {{a: &a [x, x, x, x], b: [*a, *a, *a, *a]}}\n");
    let reading = read_with(text(document.repeat(100)), |limits| {
        (limits.alias_bytes, limits.diagnostics) = (3_000, 10)
    });
    assert_eq!(only_code(&reading), "alias-expansion");
    assert!(reading.diagnostics[0].message.starts_with("the aliases of all documents"));
}

#[test]
fn a_key_is_a_string_and_an_object_has_a_size() {
    let long = "x".repeat(2_000);
    let json = format!(r#"{{"apiVersion": "v1", "kind": "Node", "metadata": {{"name": "a", "{long}": 1}}}}"#);
    let reading = read_with(text(json.clone()), |limits| limits.scalar_bytes = 1_000);
    assert_eq!(only_code(&reading), "scalar-too-long");
    assert_eq!(
        only_code(&read_with(text(json.clone()), |limits| limits.object_bytes = 1_000)),
        "object-too-large"
    );
    // What is told of a long key is short, whatever the key is.
    let reading = read_with(text(json), |_| ());
    assert_eq!(only_code(&reading), "unknown-field");
    assert!(reading.diagnostics[0].message.chars().count() <= 1_001);
}

#[test]
fn what_is_not_shown_of_an_object_still_counts() {
    use std::fmt::Write as _;
    let mut fields = String::new();
    (0..50).for_each(|nth| writeln!(fields, "  field{nth}: 1").unwrap());
    let yaml = format!("{NODE}spec:\n{fields}  unschedulable: 1\n");
    let reading = read_with(text(yaml.clone()), |limits| limits.diagnostics = 10);
    assert_eq!(reading.diagnostics.len(), 11);
    assert!(
        reading.diagnostics.iter().any(|one| one.message == "41 more problems of this file are not shown")
    );
    assert!(reading.objects.is_empty());
    let twice = format!("{NODE}spec:\n{}", "  unschedulable: true\n".repeat(31));
    let reading = read_with(text(twice), |limits| limits.diagnostics = 10);
    assert!(
        reading.diagnostics.iter().any(|one| one.message == "20 more problems of this file are not shown")
    );
    assert!(reading.objects.is_empty() && !reading.files[0].complete);
    let mut options = Options { validate: FieldValidation::Ignore, ..Options::default() };
    options.limits.diagnostics = 10;
    let reading = read(&[text(yaml)], &options);
    assert!(reading.has_errors() && reading.objects.is_empty() && !reading.files[0].complete, "{reading:?}");
    assert!(reading.diagnostics.len() <= 11);
}

#[test]
fn what_is_hidden_of_many_documents_still_counts() {
    let bad = "---\napiVersion: v1\nkind: Node\nmetadata: {name: X}\n".repeat(3_000);
    let reading = read_with(text(bad + "---\n" + NODE), |limits| limits.diagnostics = 10);
    assert!(
        reading.diagnostics.iter().any(|one| one.message == "2990 more problems of this file are not shown")
    );
    assert_eq!((reading.objects.len(), reading.files[0].complete), (1, false));
}

#[test]
fn objects_that_are_defined_over_and_over_are_cut_short() {
    let twice: String = (0..30).map(|nth| format!("---\n{NODE}spec: {{providerID: x{nth}}}\n")).collect();
    let reading = read_with(text(twice), |limits| limits.diagnostics = 10);
    assert_eq!(reading.diagnostics.iter().filter(|one| one.code == "defined-twice").count(), 10);
    let place = reading.diagnostics.iter().find(|one| one.code == "defined-twice").unwrap();
    assert_eq!(place.place.as_ref().unwrap().to_string(), "<stdin>:8:1");
    assert_eq!(place.related[0].0.to_string(), "<stdin>:2:1");
    assert!(reading.diagnostics.iter().any(|one| one.message.starts_with("19 more objects")));
}

#[test]
fn packed_files_and_other_encodings_are_named() {
    for (bytes, what) in [
        (&b"\x1f\x8b\x08\0"[..], "compressed with gzip"),
        (&b"\x28\xb5\x2f\xfd"[..], "compressed with zstd"),
        (&b"PK\x03\x04"[..], "a zip archive"),
        (&b"a\0p\0i\0"[..], "UTF-16"),
        (&b"\0a\0p\0i"[..], "UTF-16"),
        (&b"\xff\xfe\0\0a\0\0\0"[..], "UTF-32"),
    ] {
        let reading = read_with(text(bytes), |_| ());
        assert_eq!(only_code(&reading), "not-utf8");
        assert!(reading.diagnostics[0].message.contains(what), "{}", reading.diagnostics[0].message);
    }
}

#[cfg(unix)]
#[test]
fn a_pipe_is_read_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    let twice = format!("{NODE}---\n{NODE}spec: {{unschedulable: true}}\n");
    let writer = std::thread::spawn({
        let path = path.clone();
        move || std::fs::write(path, twice).unwrap()
    });
    // The places of both definitions are looked up after the pipe was read to its end.
    assert_eq!(dsrules::manifest::hashes(&[Input::Path(path.clone())], &Options::default()), None);
    let reading = read_with(Input::Path(path), |_| ());
    writer.join().unwrap();
    assert_eq!(reading.diagnostics[0].code, "defined-twice");
    assert_eq!(reading.diagnostics[0].place.as_ref().unwrap().line, 6);
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
