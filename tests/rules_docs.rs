//! docs/rules.md and docs/engine.md: what rules may read, and what the engine keeps to itself,
//! is written from the declarations; and the cookbook names every policy there is.
//! `DSRULES_UPDATE=1` writes what this test expects.

#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use dsrules::datalog::{Declaration, Kind, Program};
use regex::Regex;

const DOCS: &str = "docs/rules.md";
const ENGINE: &str = "docs/engine.md";
const BEGIN: &str = "cargo test --test rules_docs -->\n";
const END: &str = "<!-- end of the generated part -->";

fn program() -> Program {
    dsrules::policy::builtin::load(&[]).program.unwrap()
}

/// A title, and what belongs there.
type Group = (&'static str, fn(&Declaration) -> bool);

/// What the exported relations are about, in the order of the page.
const GROUPS: [Group; 11] = [
    ("Open to rules of yours", |it| it.open),
    ("Nodes", |it| begins(it, "Node") && !is_field(it)),
    ("Daemonsets and their templates", |it| {
        begins(it, "DaemonSet") && !is_placed(it) && !is_past(it) && !is_field(it)
    }),
    ("Daemonsets on nodes: places, pods, rollouts", |it| {
        begins(it, "DaemonSet") && is_placed(it) && !is_judged(it)
    }),
    ("Pods", |it| begins(it, "Pod") && !is_field(it)),
    ("Revisions", |it| is_past(it) && !is_field(it)),
    ("Namespaces", |it| begins(it, "Namespace") && !is_field(it)),
    ("Services", |it| begins(it, "Service") && !is_field(it)),
    ("Fields, and objects of any kind", |it| begins(it, "Object") || is_field(it)),
    ("Time", |it| !OBJECTS.iter().any(|ty| has(it, ty))),
    ("What a plan does", |it| is_judged(it)),
];

const OBJECTS: [&str; 7] = ["Node", "DaemonSet", "Pod", "Revision", "Namespace", "Service", "Object"];

fn is_field(it: &Declaration) -> bool {
    it.name.ends_with("_field")
}

fn is_placed(it: &Declaration) -> bool {
    has(it, "Node") || has(it, "Pod")
}

fn is_past(it: &Declaration) -> bool {
    has(it, "Revision") || has(it, "Hash")
}

fn is_judged(it: &Declaration) -> bool {
    it.constraint.is_some() || &*it.name == "planned"
}

fn begins(it: &Declaration, ty: &str) -> bool {
    it.columns.first().is_some_and(|column| &*column.ty == ty)
}

fn has(it: &Declaration, ty: &str) -> bool {
    it.columns.iter().any(|column| &*column.ty == ty)
}

/// A table of relations.
fn table<'a>(out: &mut String, program: &Program, relations: impl IntoIterator<Item = &'a Declaration>) {
    writeln!(out, "\n| relation | | what it says |\n|---|---|---|").unwrap();
    for it in relations {
        let words: Vec<String> = it.qualifiers().into_iter().filter(|word| word != "export").collect();
        let said = program.rules_for(it.id).next().filter(|_| it.doc.is_empty());
        let doc = said.map_or(&*it.doc, |rule| &*rule.sentence);
        let says = doc.replace('\n', " ").replace('|', "\\|");
        writeln!(out, "| `{it}` | {} | {says} |", words.join(" ")).unwrap();
    }
}

/// What rules of a user's may read and add to, by what it is about.
fn reference(program: &Program) -> String {
    let version = dsrules::policy::builtin::LIST_VERSION;
    let mut out = format!("\nThis is version {version} of the list.\n");
    let is_of = |group: usize, it: &Declaration| (group == 0 || !it.open) && GROUPS[group].1(it);
    for it in program.declarations().filter(|it| it.exported) {
        let groups = (0..GROUPS.len()).filter(|group| is_of(*group, it));
        assert_eq!(groups.count(), 1, "{it} is in one group");
    }
    for (at, (title, _)) in GROUPS.iter().enumerate() {
        write!(out, "\n### {title}\n").unwrap();
        if *title == "Fields, and objects of any kind" {
            for name in program.overloads() {
                let (_, doc) = program.overload(name).unwrap();
                write!(out, "\n`{name}(Object, Path, Value)`: {}\n", doc.replace('\n', " ")).unwrap();
            }
        }
        table(&mut out, program, program.declarations().filter(|it| it.exported && is_of(at, it)));
    }
    out.push('\n');
    out
}

/// What the engine keeps to itself, by the file that it is in.
fn engine(program: &Program) -> String {
    let mut out = String::new();
    for (file, doc, _) in program.files() {
        let private = program.declarations().filter(|it| &*it.file == file && !it.exported);
        let private: Vec<&Declaration> = private.filter(|it| !it.doc.is_empty()).collect();
        if !private.is_empty() {
            let title = doc.lines().next().unwrap_or("").trim_end_matches('.');
            write!(out, "\n## {title}\n\n`{file}`\n").unwrap();
            table(&mut out, program, private);
        }
    }
    out.push('\n');
    out
}

#[test]
fn the_reference_is_what_the_declarations_say() {
    let program = program();
    for (page, generated) in [(DOCS, reference(&program)), (ENGINE, engine(&program))] {
        let text = fs::read_to_string(page).unwrap();
        let (before, rest) = text.split_once(BEGIN).expect("where the generated part begins");
        let (_, after) = rest.split_once(END).expect("where it ends");
        let wanted = format!("{before}{BEGIN}{generated}{END}{after}");
        if std::env::var_os("DSRULES_UPDATE").is_some() {
            fs::write(page, &wanted).unwrap();
        } else {
            assert!(text == wanted, "{page} is out of date: DSRULES_UPDATE=1 cargo test --test rules_docs");
        }
    }
}

/// `rules/cluster.dl` is for users, and so is all that documents and examples name.
#[test]
fn what_people_are_told_of_is_exported() {
    let program = program();
    let private: BTreeMap<&str, &Declaration> =
        program.declarations().filter(|it| !it.exported).map(|it| (&*it.name, it)).collect();
    let kept: Vec<_> = private.values().filter(|it| it.file.ends_with("cluster.dl")).collect();
    assert!(kept.is_empty(), "{kept:?}");

    let mut pages: Vec<PathBuf> = ["README.md", "docs/cli.md", DOCS].map(PathBuf::from).to_vec();
    texts(Path::new("examples"), &mut pages);
    assert!(pages.len() > 30, "{}", pages.len());
    let named = Regex::new(r"(\.decl\s+)?\b(\w+::)?([a-z_]\w*)\(").unwrap();
    for page in pages {
        let text = fs::read_to_string(&page).unwrap();
        let own: BTreeSet<&str> = named
            .captures_iter(&text)
            .filter(|it| it.get(1).is_some())
            .map(|it| it.get(3).unwrap().as_str())
            .collect();
        for found in named.captures_iter(&text) {
            let name = found.get(3).unwrap().as_str();
            let is_private = private.contains_key(name) && !own.contains(name);
            assert!(!is_private || TESTS.contains(&name), "{}: `{name}` is not exported", page.display());
        }
    }
}

/// Comparisons of texts that are named as relations of the engine's.
const TESTS: [&str; 1] = ["matches"];

/// The rules and pages of a folder.
fn texts(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            texts(&path, out);
        } else if path.extension().is_some_and(|it| it == "dl" || it == "md") {
            out.push(path);
        }
    }
}

#[test]
fn what_people_may_use_is_documented() {
    let program = program();
    let bare: Vec<String> = program
        .declarations()
        .filter(|it| it.doc.is_empty() && (it.exported || it.kind == Kind::Input))
        .filter(|it| it.constraint.is_none())
        .map(ToString::to_string)
        .collect();
    assert!(bare.is_empty(), "no documentation over {bare:?}");
}

#[test]
fn the_cookbook_names_every_policy() {
    let text = fs::read_to_string(DOCS).unwrap();
    let policies = fs::read_dir("examples/policies").unwrap().map(|entry| entry.unwrap().file_name());
    let mut count = 0;
    for policy in policies {
        let name = policy.to_string_lossy().into_owned();
        assert!(text.contains(&format!("[{name}](../examples/policies/{name}/policy.dl)")), "{name}");
        count += 1;
    }
    assert!(count >= 10);
}

/// What platform teams asked for: each is a few lines.
const ASKED_FOR: &[&str] = &[
    "pods-per-node",
    "cpu-share",
    "gpu-driver",
    "kernel-version",
    "company-registry",
    "canary-a-zone",
    "no-friday",
    "one-rack-at-a-time",
    "quota",
    "host-access",
    "tolerates-everything",
    "never-together",
    "host-port-range",
    "young-nodes",
    "version-by-zone",
    "spot-share",
    "pdb-required",
    "removal-order",
    "cost-cap",
    "coverage",
];

#[test]
fn what_teams_ask_for_is_said_in_eight_lines() {
    for name in ASKED_FOR {
        let text = fs::read_to_string(format!("examples/policies/{name}/policy.dl")).unwrap();
        let lines = text.lines().filter(|line| !line.trim().is_empty()).count();
        assert!(lines <= 8, "{name} has {lines} lines");
    }
}
