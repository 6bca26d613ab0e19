//! The pages of the documentation, which are a book (`docs/book.rs` looks at it as that): each command that one shows is run, in the order of the page,
//! and what it prints is what the page shows. `DSRULES_UPDATE=1` writes what is printed now.
//!
//! A page's commands stand in blocks of the language `console`, as `$ COMMAND` (goes on with lines
//! that begin with `> `) and what it prints, standard error too; a block of `sh` is a script of
//! which nothing is shown, and which ends well. They are run by `sh` with one working folder and
//! one environment for a page, beginning in a fresh folder that has the project's `examples`;
//! `<!-- runs in a fresh copy of FOLDER -->` begins anew in a copy of that folder's content, and
//! `<!-- runs in a fresh folder -->` in an empty one. A page calls it `/srv/dsrules`.
//!
//! - Time stands still at 2026-03-02 09:00 UTC, for git too, and whoever runs it is `ana@laptop`.
//! - A line `...` stands for any lines, and `…` at the end of a line for the rest of it.
//! - The number of the line on which a built-in rule stands may be another one, as it moves with
//!   every rule above it.
//! - A command that fails shows an error, or is followed by `$ echo $?`.
//! - `<!-- file: PATH -->` has the block below it be a file, which is written.
//! - `<!-- needs PROGRAM -->` has it run where there is such a program.
//! - What cannot run here has `<!-- not run: REASON -->` above it (or `not run from here on`), and is counted in [`NOT_RUN`].
//!   A test that is named in the reason is there.
//!
//! So that no command hides, each block has a language, and there are no indented ones.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

#[path = "docs/book.rs"]
mod book;
#[path = "docs/matching.rs"]
mod matching;
#[path = "docs/page.rs"]
mod page;
#[path = "docs/shell.rs"]
mod shell;
#[path = "docs/spans.rs"]
mod spans;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use page::{Block, Page};

/// How many blocks of a page are not run.
const NOT_RUN: [(&str, usize); 15] = [
    ("README.md", 1),
    ("SECURITY.md", 1),
    ("docs/install.md", 5),
    ("docs/kubernetes-api.md", 5),
    ("docs/report.md", 1),
    ("docs/rollouts.md", 1),
    ("docs/scale.md", 15),
    ("docs/services.md", 1),
    ("docs/systemd.md", 2),
    ("docs/without-control-plane.md", 4),
    ("editors/README.md", 1),
    ("examples/ci/README.md", 1),
    ("examples/edge/README.md", 2),
    ("examples/in-cluster/README.md", 1),
    ("fuzz/README.md", 2),
];

/// Languages of blocks that are no commands.
const LANGUAGES: [&str; 9] = ["text", "yaml", "json", "datalog", "ini", "toml", "lua", "elisp", "csv"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The pages, by their paths in the project.
fn pages() -> Vec<Page> {
    let walk =
        ["docs", "examples", "editors", "fuzz"].iter().flat_map(|it| walkdir::WalkDir::new(root().join(it)));
    let mut paths: Vec<PathBuf> = walk
        .map(|entry| entry.unwrap().into_path())
        .filter(|path| path.extension().is_some_and(|end| end == "md"))
        // What `init` writes is read in a terminal; tests/cli/init.rs runs it.
        .filter(|path| !path.ends_with("examples/start/README.md"))
        .chain(["README.md", "SECURITY.md", "CONTRIBUTING.md"].map(|name| root().join(name)))
        .collect();
    paths.sort();
    let name = |path: &Path| path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
    paths.iter().map(|path| Page::read(&name(path), &fs::read_to_string(path).unwrap())).collect()
}

#[test]
fn every_command_prints_what_its_page_shows() {
    let pages = pages();
    let (next, ran, wrong) = (AtomicUsize::new(0), AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                while let Some(page) = pages.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let (count, differ) = run(page);
                    ran.fetch_add(count, Ordering::Relaxed);
                    wrong.lock().unwrap().extend(differ);
                }
            });
        }
    });
    let mut wrong = wrong.into_inner().unwrap();
    wrong.sort();
    println!("{} commands of {} pages ran", ran.into_inner(), pages.len());
    assert!(wrong.is_empty(), "DSRULES_UPDATE=1 writes what is printed now\n\n{}", wrong.join("\n"));
}

/// Says so past the test harness, which shows nothing of a test that passes.
fn skipped(why: &str) {
    std::io::stderr().write_all(format!("skipped: {why}\n").as_bytes()).unwrap();
}

fn is_there(program: &str, page: &str, line: usize) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).any(|dir| dir.join(program).is_file());
    if !found {
        skipped(&format!("the commands at {page}:{line} need {program}"));
    }
    found
}

/// Runs a page, or writes it anew: how many commands it has, and what differs.
fn run(page: &Page) -> (usize, Vec<String>) {
    let mut count = 0;
    let (mut differ, mut printed) = (Vec::new(), BTreeMap::new());
    for part in page.parts() {
        let can = |block: &&&Block| block.needs.iter().all(|it| is_there(it, &page.name, block.line));
        let commands: Vec<&page::Command> =
            part.blocks.iter().filter(can).flat_map(|it| &it.commands).collect();
        if commands.is_empty() {
            continue;
        }
        let said = shell::run(root(), part.folder, &commands);
        count += commands.len();
        for (at, (command, said)) in commands.iter().zip(&said).enumerate() {
            printed.insert(command.line, said.text.clone());
            let asked = commands.get(at + 1).is_some_and(|next| next.text.trim() == "echo $?");
            let told = command.shown.iter().any(|line| line.starts_with("error"));
            let place = format!("{}:{}: $ {}", page.name, command.line, command.text);
            if said.code != Some(0) && !asked && !told {
                differ.push(format!(
                    "{place}\nends with {:?}, and the page does not say so:\n{}",
                    said.code, said.text
                ));
            } else if !command.silent && !matching::fits(&command.shown, &said.text) {
                let shown = command.shown.join("\n");
                differ.push(format!("{place}\n--- shown\n{shown}\n--- printed\n{}", said.text));
            }
        }
    }
    if std::env::var_os("DSRULES_UPDATE").is_some() && !printed.is_empty() {
        fs::write(root().join(&page.name), page.with(&printed)).unwrap();
        differ.retain(|it| it.contains("the page does not say so"));
    }
    (count, differ)
}

#[test]
fn every_block_says_what_it_is_and_what_is_not_run_is_counted() {
    let (mut wrong, mut counts) = (Vec::new(), BTreeMap::new());
    for page in pages() {
        wrong.extend(page.wrong.iter().map(|it| format!("{}:{it}", page.name)));
        for block in &page.blocks {
            if let Some(reason) = &block.not_run {
                *counts.entry(page.name.clone()).or_insert(0) += 1;
                wrong.extend(unchecked(reason).map(|it| format!("{}:{}: {it}", page.name, block.line)));
            }
            // The program's own words may begin as a command does.
            let written = page.name == book::COMMANDS;
            wrong.extend(
                hidden(block).filter(|_| !written).map(|it| format!("{}:{}: {it}", page.name, block.line)),
            );
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let expected: BTreeMap<String, usize> = NOT_RUN.map(|(page, count)| (page.to_owned(), count)).into();
    assert_eq!(counts, expected, "blocks that are not run, by page");
}

/// What is wrong with why a block is not run.
fn unchecked(reason: &str) -> Option<String> {
    let named = reason.split([' ', ',', ';']).filter(|word| word.starts_with("tests/"));
    let missing: Vec<&str> = named.filter(|name| !root().join(name).exists()).collect();
    (!missing.is_empty()).then(|| format!("there is no {}", missing.join(", ")))
}

/// What keeps a block's commands from being seen.
fn hidden(block: &Block) -> Option<String> {
    let language = block.language.as_str();
    let known = language == "console" || LANGUAGES.contains(&language);
    if !known && language != "sh" {
        return Some(format!(
            "a block of the language `{language}`: commands stand in one of `console` or `sh`"
        ));
    }
    let is_command =
        |line: &&String| ["$ ", "dsrules ", "kubectl ", "cargo "].iter().any(|it| line.starts_with(it));
    let command = block.lines.iter().find(is_command).filter(|_| language == "text");
    command.map(|line| format!("a command in a block of the language `text`: {line}"))
}

#[test]
fn commands_and_options_in_sentences_are_there() {
    let mut help = spans::Help::default();
    let wrong: Vec<String> = pages().iter().flat_map(|page| spans::wrong(page, &mut help)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
