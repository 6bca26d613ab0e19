//! What rules may ask about the cluster, as questions and their answers in
//! `facts/answers.txt`: the same of manifests and of a store that holds them.

#![allow(clippy::unwrap_used, missing_docs)]

use std::path::Path;
use std::process::Command;

const ANSWERS: &str = "tests/facts/answers.txt";

fn dsrules(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_dsrules"))
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .env("DSRULES_NOW", "2026-03-02T09:00:00Z")
        .output()
        .unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{arguments:?}: {told}");
    String::from_utf8(output.stdout).unwrap()
}

/// Each question with its answers; comments stay where they are.
fn answered(text: &str, answer: impl Fn(&str) -> String) -> String {
    let mut out = String::new();
    for line in text.lines().filter(|line| !line.starts_with("  ")) {
        out.push_str(line);
        out.push('\n');
        if !line.is_empty() && !line.starts_with('#') {
            answer(line).lines().for_each(|row| out.push_str(&format!("  {row}\n")));
        }
    }
    out
}

#[test]
fn questions_have_these_answers() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let store = tempfile::tempdir().unwrap();
    let db = store.path().join("x.db").display().to_string();
    let written = std::fs::read_to_string(folder.join(ANSWERS)).unwrap();
    let rows = |text: String| text.lines().skip(1).map(|line| format!("{line}\n")).collect::<String>();
    let ask =
        |query: &str, more: &[&str]| rows(dsrules(folder, &[&["query", "-o", "csv", query], more].concat()));
    let file = "tests/facts/cluster.yaml";
    let of_manifests = answered(&written, |query| ask(query, &["-f", file]));
    if std::env::var_os("DSRULES_UPDATE").is_some() {
        std::fs::write(folder.join(ANSWERS), &of_manifests).unwrap();
    } else {
        assert_eq!(of_manifests, written, "DSRULES_UPDATE=1 writes it anew");
    }
    dsrules(folder, &["apply", "--db", &db, file]);
    let of_store = answered(&written, |query| ask(query, &["--db", &db]));
    assert_eq!(of_store, of_manifests);
    // The pods that the plan made ask for what their template says.
    let made = r#"pod_label(_P, "app", "agent"), pod_target(_P, N), pod_request(_P, "cpu", A)"#;
    assert_eq!(ask(made, &["--db", &db]), "n1,300\nn2,300\nn3,300\n");
}
