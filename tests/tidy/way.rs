//! The way from manifests to the tree, as docs/architecture.md tells it: each step is a
//! function that stands where it is said to, and none is met twice.

use std::collections::BTreeSet;

/// The functions that a text names with their files, as "`put` (`src/state/put.rs`)".
pub fn steps(text: &str) -> Vec<(&str, &str)> {
    // Every second piece is code.
    let pieces: Vec<&str> = text.split('`').collect();
    let step = |three: &[&str]| three[1].trim_start() == "(" && three[2].starts_with("src/");
    let threes = pieces.windows(3).enumerate().filter(|(at, three)| at % 2 == 1 && step(three));
    threes.map(|(_, three)| (three[0], three[2])).collect()
}

/// What is wrong with the steps; `read` gives the text of a file.
pub fn wrong(steps: &[(&str, &str)], read: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let mut met = BTreeSet::new();
    let mut wrong = Vec::new();
    for (name, file) in steps {
        let function = name.rsplit("::").next().unwrap_or(name);
        match read(file) {
            None => wrong.push(format!("there is no {file}, where `{name}` is said to be")),
            Some(text) if !has(&text, function) => {
                wrong.push(format!("there is no `{name}` in {file}"));
            }
            Some(_) if !met.insert(*name) => wrong.push(format!("`{name}` is met twice")),
            Some(_) => {}
        }
    }
    wrong
}

/// Whether a text has the function, of that very name.
fn has(text: &str, function: &str) -> bool {
    ["(", "<"].iter().any(|after| text.contains(&format!("fn {function}{after}")))
}

#[test]
fn a_step_that_is_not_there_or_is_met_twice_is_found() {
    let text = "1. `a::go` (`src/a.rs`), then `b` and `c` (`src/b.rs`) with `Type` (no file).";
    let found = steps(text);
    assert_eq!(found, [("a::go", "src/a.rs"), ("c", "src/b.rs")]);
    let read = |file: &str| (file == "src/a.rs").then(|| "pub fn go() {}".to_owned());
    assert_eq!(wrong(&found[..1], read), Vec::<String>::new());
    assert_eq!(wrong(&found[1..], read), ["there is no src/b.rs, where `c` is said to be"]);
    assert_eq!(wrong(&[("a::g", "src/a.rs")], read), ["there is no `a::g` in src/a.rs"]);
    assert_eq!(wrong(&[("a::stop", "src/a.rs")], read), ["there is no `a::stop` in src/a.rs"]);
    assert_eq!(wrong(&[found[0], found[0]], read), ["`a::go` is met twice"]);
}
