//! docs/rules.md: its reference is written from the declarations, and its cookbook names
//! every policy there is. `DSRULES_UPDATE=1` writes what this test expects.

#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

use dsrules::datalog::{Declaration, Kind, Program};

const DOCS: &str = "docs/rules.md";
const BEGIN: &str = "cargo test --test rules_docs -->\n";
const END: &str = "<!-- end of the generated part -->";

fn program() -> Program {
    dsrules::policy::builtin::load(&[]).program.unwrap()
}

/// The relations of each file, in its order, as tables.
fn reference(program: &Program) -> String {
    let mut files: BTreeMap<usize, (String, String, Vec<&Declaration>)> = BTreeMap::new();
    for (at, (file, doc, _)) in program.files().enumerate() {
        let relations: Vec<&Declaration> =
            program.declarations().filter(|it| &*it.file == file && !it.doc.is_empty()).collect();
        files.insert(at, (file.to_owned(), doc.to_owned(), relations));
    }
    let mut out = String::new();
    // What people ask for most comes first.
    let order = |(at, (file, ..)): &(&usize, &(String, String, Vec<&Declaration>))| {
        (!file.ends_with("cluster.dl"), **at)
    };
    let mut sorted: Vec<_> = files.iter().collect();
    sorted.sort_by_key(order);
    for (_, (file, doc, relations)) in sorted {
        let title = doc.lines().next().unwrap_or("").trim_end_matches('.');
        writeln!(out, "\n### {title}\n\n`{file}`\n\n| relation | | what it says |\n|---|---|---|").unwrap();
        for it in relations {
            let kind = match (it.constraint, it.kind) {
                (Some(_), _) => "violation",
                _ if it.open => "open",
                (_, Kind::Input) => "input",
                (_, Kind::Output) => "output",
                (_, Kind::Internal) => "",
            };
            let says = it.doc.replace('\n', " ").replace('|', "\\|");
            writeln!(out, "| `{it}` | {kind} | {says} |").unwrap();
        }
    }
    out.push('\n');
    out
}

#[test]
fn the_reference_is_what_the_declarations_say() {
    let text = fs::read_to_string(DOCS).unwrap();
    let (before, rest) = text.split_once(BEGIN).expect("where the generated part begins");
    let (_, after) = rest.split_once(END).expect("where it ends");
    let wanted = format!("{before}{BEGIN}{}{END}{after}", reference(&program()));
    if std::env::var_os("DSRULES_UPDATE").is_some() {
        fs::write(DOCS, &wanted).unwrap();
    } else {
        assert!(text == wanted, "{DOCS} is out of date: DSRULES_UPDATE=1 cargo test --test rules_docs");
    }
}

#[test]
fn what_people_may_use_is_documented() {
    let program = program();
    let bare: Vec<String> = program
        .declarations()
        .filter(|it| {
            it.doc.is_empty() && (it.open || it.kind == Kind::Input || it.file.ends_with("cluster.dl"))
        })
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
