//! The pages as a book: each is in the table of contents, each link leads somewhere, and the page
//! of commands is what the program itself says of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use regex::Regex;

use crate::page::Page;
use crate::{pages, root, skipped};

/// The reference that is written from the program.
pub const COMMANDS: &str = "docs/commands.md";

#[test]
fn every_page_is_in_the_table_of_contents_once() {
    let summary = fs::read_to_string(root().join("docs/SUMMARY.md")).unwrap();
    let link = Regex::new(r"\]\(([^)]+)\)").unwrap();
    let mut listed: Vec<&str> = link.captures_iter(&summary).map(|it| it.extract::<1>().1[0]).collect();
    listed.sort_unstable();
    let pages = pages();
    let there: Vec<&str> = pages.iter().filter_map(|page| page.name.strip_prefix("docs/")).collect();
    let there: Vec<&str> = there.into_iter().filter(|name| *name != "SUMMARY.md").collect();
    assert_eq!(listed, there, "docs/SUMMARY.md, and the pages in docs/");
}

#[test]
fn every_link_leads_somewhere() {
    let pages = pages();
    let headings: BTreeMap<&str, BTreeSet<String>> =
        pages.iter().map(|page| (page.name.as_str(), headings(page))).collect();
    let wrong: Vec<String> = pages
        .iter()
        .flat_map(|page| links(page).into_iter().filter_map(|link| astray(page, &link, &headings)))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The links of a page's sentences, but those to other sites.
fn links(page: &Page) -> Vec<String> {
    let code = Regex::new(r"`[^`]*`").unwrap();
    let link = Regex::new(r"\]\(([^)\s]+)\)|(?m:^)\[[^\]]+\]: (\S+)").unwrap();
    let prose = page.prose();
    let bare = code.replace_all(&prose, "");
    let found =
        link.captures_iter(&bare).filter_map(|it| it.get(1).or(it.get(2)).map(|it| it.as_str().to_owned()));
    found.filter(|link| !link.contains("://") && !link.starts_with("mailto:")).collect()
}

/// Where a link of a page leads to nothing.
fn astray(page: &Page, link: &str, headings: &BTreeMap<&str, BTreeSet<String>>) -> Option<String> {
    let (path, place) = link.split_once('#').map_or((link, None), |(path, place)| (path, Some(place)));
    let folder = Path::new(&page.name).parent().unwrap();
    let target = if path.is_empty() { page.name.clone() } else { joined(folder, path) };
    if !root().join(&target).exists() {
        return Some(format!("{}: ({link}): there is no {target}", page.name));
    }
    let known = headings.get(target.as_str())?;
    let place = place.filter(|place| !known.contains(*place))?;
    Some(format!("{}: ({link}): {target} has no heading #{place}", page.name))
}

/// A path from a folder of the project on, without `..`.
fn joined(folder: &Path, path: &str) -> String {
    let mut parts: Vec<&str> = folder.iter().map(|it| it.to_str().unwrap()).collect();
    for part in path.split('/') {
        match part {
            "." | "" => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// The names that links have for a page's headings.
fn headings(page: &Page) -> BTreeSet<String> {
    let prose = page.prose();
    let lines =
        prose.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    let plain = |it: &char| it.is_alphanumeric() || "-_ ".contains(*it);
    let mut names = BTreeSet::new();
    for line in lines {
        let name = line.to_lowercase().chars().filter(plain).collect::<String>().replace(' ', "-");
        let second = (1..).map(|at| format!("{name}-{at}")).find(|it| !names.contains(it)).unwrap();
        names.insert(if names.contains(&name) { second } else { name });
    }
    names
}

/// What `dsrules WORDS --help` says.
fn help(words: &[String]) -> String {
    let output =
        Command::new(env!("CARGO_BIN_EXE_dsrules")).args(words).arg("--help").env_clear().output().unwrap();
    assert!(output.status.success(), "{words:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The commands that a help text lists.
fn listed(help: &str) -> Vec<String> {
    let Some((_, list)) = help.split_once("\nCommands:\n") else { return Vec::new() };
    let lines = list.lines().take_while(|line| !line.is_empty());
    let names = lines.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let name = |line: &str| line.split_whitespace().next().unwrap().to_owned();
    names.map(name).filter(|name| name != "help").collect()
}

/// A command, and those below it.
fn reference(words: &[String], text: &mut String) {
    let said = help(words);
    let (level, name) = ("#".repeat(words.len() + 1), words.join(" "));
    let name = if words.is_empty() { "dsrules".to_owned() } else { format!("dsrules {name}") };
    text.push_str(&format!("\n{level} {name}\n\n```text\n{}\n```\n", said.trim_end()));
    for name in listed(&said) {
        reference(&[words, &[name][..]].concat(), text);
    }
}

#[test]
fn the_page_of_commands_is_what_the_program_says() {
    let mut text = "# Commands and options\n\nWhat each command says of itself with `--help`. \
                    [The command line](cli.md) has what is behind it.\n\n\
                    <!-- generated from the program: DSRULES_UPDATE=1 cargo test --test docs -->\n"
        .to_owned();
    reference(&[], &mut text);
    if std::env::var_os("DSRULES_UPDATE").is_some() {
        fs::write(root().join(COMMANDS), &text).unwrap();
    }
    let page = fs::read_to_string(root().join(COMMANDS)).unwrap_or_default();
    assert!(page == text, "{COMMANDS} is not what --help says: DSRULES_UPDATE=1 writes it anew");
}

#[test]
fn the_book_is_built_where_there_is_mdbook() {
    if Command::new("mdbook").arg("--version").output().is_err() {
        return skipped("there is no mdbook");
    }
    let built = tempfile::tempdir().unwrap();
    let output =
        Command::new("mdbook").args(["build", "--dest-dir"]).arg(built.path()).current_dir(root()).output();
    let output = output.unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && !said.contains("WARN"), "{said}");
    assert!(built.path().join("index.html").exists());
}
