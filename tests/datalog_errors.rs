//! What people are told about wrong rules: each file of `tests/datalog/errors/` is a
//! program with mistakes, its snapshot is all that is said about it. Each part of a file
//! behind `=== NAME` is a user's file beside the built-in one, in the folder that it names.

#![allow(clippy::unwrap_used, missing_docs)]

use std::fs;
use std::time::{Duration, Instant};

use dsrules::datalog::{Program, Source};

fn told(name: &str, text: &str) -> String {
    let mut parts = text.split("=== ");
    let builtin = parts.next().unwrap_or("");
    let mut sources = vec![Source { file: name, text: builtin, builtin: true, folder: "" }];
    for (file, text) in parts.filter_map(|part| part.split_once('\n')) {
        let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
        sources.push(Source { file, text, builtin: false, folder });
    }
    let loaded = Program::load(&sources);
    let failed = loaded.diagnostics.iter().any(|found| found.is_error());
    assert_eq!(loaded.program.is_none(), failed);
    let shown: Vec<String> = loaded.diagnostics.iter().map(|found| found.render(false)).collect();
    shown.join("\n\n")
}

#[test]
fn every_mistake_is_told_with_its_place_and_a_way_out() {
    let mut files: Vec<_> =
        fs::read_dir("tests/datalog/errors").unwrap().map(|found| found.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 8);
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let name = file.file_stem().unwrap().to_str().unwrap().to_owned();
        insta::with_settings!({
            snapshot_path => "../snapshots",
            prepend_module_to_snapshot => false,
            omit_expression => true,
        }, {
            insta::assert_snapshot!(format!("datalog_error_{name}"), told(&format!("{name}.dl"), &text));
        });
    }
}

/// Cutting a good program anywhere, or changing any byte of it, is told and never more.
#[test]
fn damaged_text_never_panics() {
    let text = fs::read_to_string("tests/datalog/errors/open.dl").unwrap();
    for at in 0..text.len() {
        told("cut.dl", &text[..at]);
        for byte in [b'(', b'.', b'"', b'\n', b'{', b':', 0xc3, 0] {
            let mut bytes = text.clone().into_bytes();
            bytes[at] = byte;
            told("changed.dl", &String::from_utf8_lossy(&bytes));
        }
    }
}

#[test]
fn large_hostile_texts_end() {
    let most = dsrules::datalog::MAX_SOURCE;
    let repeated = |piece: &str| piece.repeat(most / piece.len());
    let start = Instant::now();
    for text in [
        repeated("("),
        repeated("\""),
        repeated("p"),
        repeated("é"),
        repeated("p(X) :- q(X).\n"),
        repeated(".decl p(a: T)\n"),
        repeated(".type T\n"),
        repeated("/// {X}\n"),
        repeated("p(X),"),
        repeated("1+"),
        repeated("!"),
        format!("{}x", repeated("\u{0}")),
        (0..40_000).map(|n| format!(".decl p{n}()\np{n}() :- p{}().\n", n + 1)).collect(),
    ] {
        told("large.dl", &text);
    }
    let ring: String =
        (0..20_000).map(|n| format!(".decl p{n}()\np{n}() :- !p{}().\n", (n + 1) % 20_000)).collect();
    assert!(told("ring.dl", &ring).contains("negation-in-recursion"));
    assert!(told("over.dl", &" ".repeat(most + 1)).contains("source-too-large"));
    // Not a measurement: quadratic work would take hours.
    assert!(start.elapsed() < Duration::from_secs(300));
}
