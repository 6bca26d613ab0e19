//! `rules fmt`: one layout for every text, reached in one step; and what a text says stays.

#![allow(clippy::unwrap_used, missing_docs)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use dsrules::datalog::{Program, Source, format};
use proptest::prelude::*;
use regex::Regex;

#[allow(dead_code)]
#[path = "datalog/braces.rs"]
mod braces;
#[allow(dead_code)]
#[path = "datalog/naive.rs"]
mod naive;
#[allow(dead_code)]
#[path = "datalog/random.rs"]
mod random;

use random::{Choices, Rules};

fn rule_files() -> Vec<PathBuf> {
    fn walk(dir: &Path, out: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, out);
            } else if path.extension().is_some_and(|extension| extension == "dl") {
                out.push(path);
            }
        }
    }
    let mut files = Vec::new();
    for folder in ["rules", "examples", "tests"] {
        walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut files);
    }
    files.sort();
    assert!(files.len() > 40);
    files
}

/// All that is known of the program, but for where it stands and how it was written.
fn meant(text: &str) -> String {
    let loaded = Program::load(&[Source { file: "t.dl", text, builtin: true, folder: "" }]);
    let codes: Vec<&str> = loaded.diagnostics.iter().map(|found| found.code).collect();
    let program = loaded.program.map_or_else(String::new, |program| {
        let all = (program.declarations().collect::<Vec<_>>(), program.rules().collect::<Vec<_>>());
        format!("{all:?} {:?}", program.given().collect::<Vec<_>>())
    });
    // What braces come to has their text for a name, comments and all.
    let places = Regex::new(
        r#"(?x) Span\ \{[^}]*\} | line:\ \d+ | \btext:\ "(\\.|[^"\\])*" | \s | value[\s\d]+
        | "(count|sum|min|max|mean|first)\b(\\.|[^"\\])*" "#,
    )
    .unwrap();
    format!("{codes:?} {}", places.replace_all(&program, ""))
}

fn stays_the_same(text: &str) -> Option<String> {
    let once = format("t.dl", text).ok()?;
    assert_eq!(format("t.dl", &once).unwrap(), once, "a second time changes something");
    assert_eq!(meant(&once), meant(text), "{once}");
    Some(once)
}

#[test]
fn all_rule_files_mean_the_same_formatted() {
    let formatted = rule_files().into_iter().filter(|file| {
        let text = fs::read_to_string(file).unwrap_or_default();
        stays_the_same(&text).is_some()
    });
    assert!(formatted.count() > 40);
}

#[test]
fn the_layout_is_this() {
    let text = fs::read_to_string("tests/format/stable.dl").unwrap();
    let once = format("t.dl", &text).unwrap();
    assert_eq!(format("t.dl", &once).unwrap(), once);
    insta::with_settings!({
        snapshot_path => "../snapshots", prepend_module_to_snapshot => false, omit_expression => true,
    }, {
        insta::assert_snapshot!("format_layout", once);
    });
}

/// The text with other things between its tokens.
fn shaken(text: &str, choices: &mut Choices) -> String {
    let tokens =
        Regex::new(r#"(?s)"(\\.|[^"\\])*"|/\*.*?\*/|\w+(\.\d+)?|\.(type|decl)\b|:-|!=|<=|>=|\S"#).unwrap();
    let mut out = String::new();
    for token in tokens.find_iter(text).map(|found| found.as_str()) {
        let (gap, comment) = [
            (" ", ""),
            (" ", ""),
            ("", ""),
            ("\n", ""),
            ("\n\n  ", ""),
            ("\t\r\n", ""),
            (" ", "// at the end\n"),
            (" ", "/// no sentence\n"),
            ("\n", "// alone\n"),
            ("\n\n", "// alone\n\n"),
            (" ", "/* in */ "),
            ("\n", "/* first */ "),
            ("", "/* last */\n"),
            (" ", "/* of\n  two */ "),
            ("\n", "/* of\n  two, alone */\n"),
            ("\n", "/* a */ /* b */ "),
        ][choices.pick(16)];
        let word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || "\"_=<>!:/-*.".contains(c));
        let gap = match gap {
            // What would become another token, or a comment.
            "" if word(out.chars().last()) && (word(token.chars().next()) || !comment.is_empty()) => " ",
            gap => gap,
        };
        out.push_str(gap);
        out.push_str(comment);
        if token.starts_with(".t") || token.starts_with(".d") {
            out.push('\n');
        }
        let starts_rule =
            token.starts_with(|c: char| c.is_ascii_lowercase()) && out.trim_end().ends_with('.');
        if starts_rule && choices.pick(2) == 0 {
            out.push_str("\n/// It holds.\n");
        }
        out.push_str(token);
    }
    out
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn whatever_stands_between_the_tokens(
        rules in prop::collection::vec(any::<u16>(), 1..60),
        between in prop::collection::vec(any::<u16>(), 1..200),
    ) {
        let text = Rules::random(&mut Choices::new(rules)).text();
        let shaken = shaken(&text, &mut Choices::new(between));
        let once = stays_the_same(&text).expect("a random program has no mistake in its syntax");
        prop_assert_eq!(stays_the_same(&once), Some(once));
        // A sentence may come to stand inside of a rule, which is an error.
        stays_the_same(&shaken);
    }
}

fn fmt(args: &[&str], dir: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dsrules"));
    command.args(["rules", "fmt"]).args(args).current_dir(dir).output().unwrap()
}

#[test]
fn files_are_written_whole_or_not_at_all() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    fs::create_dir_all(at("policy/.git")).unwrap();
    fs::write(at("policy/a.dl"), "a( 1 ).\n").unwrap();
    fs::write(at("policy/good.dl"), "a(1).\n").unwrap();
    fs::write(at("policy/.git/hidden.dl"), "a( 1 ).\n").unwrap();
    fs::copy("tests/format/wrong.dl", at("policy/wrong.dl")).unwrap();
    let wrong = fs::read_to_string(at("policy/wrong.dl")).unwrap();

    let checked = fmt(&["--check"], dir.path());
    assert_eq!(checked.status.code(), Some(1));
    let diff = String::from_utf8(checked.stdout).unwrap();
    assert!(diff.contains("-a( 1 ).\n+a(1).\n") && diff.contains("policy/a.dl"), "{diff}");
    assert_eq!(fs::read_to_string(at("policy/a.dl")).unwrap(), "a( 1 ).\n");

    let written = fmt(&["policy"], dir.path());
    assert_eq!(written.status.code(), Some(1), "a file with a mistake is told");
    assert_eq!(String::from_utf8_lossy(&written.stdout), "policy/a.dl\n");
    insta::with_settings!({
        snapshot_path => "../snapshots", prepend_module_to_snapshot => false, omit_expression => true,
    }, {
        insta::assert_snapshot!("format_wrong", String::from_utf8_lossy(&written.stderr));
    });
    assert_eq!(fs::read_to_string(at("policy/a.dl")).unwrap(), "a(1).\n");
    assert_eq!(fs::read_to_string(at("policy/wrong.dl")).unwrap(), wrong);
    assert_eq!(fs::read_to_string(at("policy/.git/hidden.dl")).unwrap(), "a( 1 ).\n");
    assert_eq!(fs::read_dir(at("policy")).unwrap().count(), 4, "no other file is left there");

    fs::remove_file(at("policy/wrong.dl")).unwrap();
    let again = fmt(&["--check"], dir.path());
    assert_eq!((again.status.code(), again.stdout.len()), (Some(0), 0));
    assert_eq!(fmt(&["nowhere.dl"], dir.path()).status.code(), Some(1));
}

#[test]
fn the_examples_have_the_layout() {
    let checked = fmt(&["--check", "examples"], Path::new(env!("CARGO_MANIFEST_DIR")));
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stdout));
}

#[cfg(unix)]
#[test]
fn a_link_stays_one_and_permissions_stay() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let dir = tempfile::tempdir().unwrap();
    let (real, link) = (dir.path().join("real.dl"), dir.path().join("link.dl"));
    fs::write(&real, "a( 1 ).").unwrap();
    fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
    symlink(&real, &link).unwrap();
    assert!(fmt(&["link.dl"], dir.path()).status.success());
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::read_to_string(&real).unwrap(), "a(1).\n");
    assert_eq!(fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o640);
}

#[test]
fn the_standard_input_goes_to_the_standard_output() {
    use std::io::Write;
    for (args, text, code, out) in [
        (&["-"][..], "a( \"ö\" ).\r\n", 0, "a(\"ö\").\r\n"),
        (&["-", "--check"], "a(1).\n", 0, ""),
        (&["-", "--check"], "a( 1).\n", 1, "--- <stdin>\n+++ formatted\n@@ -1 +1 @@\n-a( 1).\n+a(1).\n"),
        (&["-"], "a(", 1, ""),
    ] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_dsrules"))
            .args(["rules", "fmt"])
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        let said = child.wait_with_output().unwrap();
        assert_eq!((said.status.code(), &*String::from_utf8_lossy(&said.stdout)), (Some(code), out));
    }
}
