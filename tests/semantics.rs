//! docs/semantics.md names rules, files and tests: all of them exist, and no output of
//! the rules is missing there.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::path::Path;

use dsrules::datalog::Kind;

/// What stands in backticks in a piece of text.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// What is wrong with a page, given which heads each rule file has and which outputs
/// there are.
fn problems(page: &str, heads: &BTreeSet<(String, String)>, outputs: &BTreeSet<String>) -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut problems, mut mentioned) = (Vec::new(), BTreeSet::new());
    for line in page.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| behaviour")) {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").collect();
        let [.., here, checked] = cells.as_slice() else {
            problems.push(format!("no cells: {line}"));
            continue;
        };
        let mut file = "";
        for word in quoted(here) {
            if word.ends_with(".dl") {
                file = word;
            } else if word.contains('/') {
                file = "";
                if !root.join(word).exists() {
                    problems.push(format!("there is no file {word}"));
                }
            } else if heads.contains(&(file.to_owned(), word.to_owned())) {
                mentioned.insert(word.to_owned());
            } else {
                problems.push(format!("{file} has no {word}"));
            }
        }
        let files = quoted(checked).filter(|word| !root.join(word).exists());
        problems.extend(files.map(|word| format!("there is no file {word}")));
        if checked.trim().is_empty() || quoted(here).next().is_none() {
            problems.push(format!("a row without a rule or a check: {line}"));
        }
    }
    problems.extend(outputs.difference(&mentioned).map(|output| format!("nothing is said of {output}")));
    problems
}

#[test]
fn the_page_names_what_there_is() {
    let program = dsrules::policy::builtin::load(&[]).program.unwrap();
    let file = |path: &str| path.trim_start_matches("rules/").to_owned();
    let declared = program.declarations().filter(|it| it.kind != Kind::Input);
    let heads = declared.map(|it| (file(&it.file), it.name.to_string())).collect();
    // rules/cluster.dl is for rules of a user's own: docs/rules.md has it.
    let ours = program.declarations().filter(|it| &*it.file != "rules/cluster.dl");
    let outputs = ours.filter(|it| it.kind == Kind::Output || it.open);
    let outputs = outputs.map(|it| it.name.to_string()).collect();
    let found = problems(include_str!("../docs/semantics.md"), &heads, &outputs);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn what_is_wrong_with_a_page_is_noticed() {
    let heads = [("a.dl".to_owned(), "x".to_owned())].into();
    let outputs = ["x".to_owned()].into();
    let right = "| b | K | `a.dl` `x` | sync |";
    assert!(problems(right, &heads, &outputs).is_empty());
    for wrong in [
        "| b | K | `a.dl` `y` | sync |",
        "| b | K | `b.dl` `x` | sync |",
        "| b | K | `src/nothing.rs` | sync |",
        "| b | K | `a.dl` `x` | `tests/nothing.rs` |",
        "",
    ] {
        assert!(!problems(wrong, &heads, &outputs).is_empty(), "{wrong}");
    }
}
