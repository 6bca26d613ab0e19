//! `unique(…)`: two rows that may not both be there are an error that shows where both are from.

#![allow(clippy::unwrap_used, missing_docs)]

use std::fs;
use std::path::Path;
use std::process::Command;

use dsrules::datalog::{Evaluation, Facts, Limits, Program, Source, Symbols};

const RULES: &str = r#".type Node
.type Name
.decl label(n: Node, v: Name) input
.decl old(n: Node) input
.decl owner(n: Node, v: Name) output unique(n)
/// {N} is labelled {V}
owner(N, V) :- label(N, V).
/// {N} is old, so it belongs to nobody
owner(N, "nobody") :- old(N).
.decl of(v: Name, n: Node) output unique(n)
of(V, N) :- owner(N, V).
"#;

fn program(text: &str) -> Program {
    Program::load(&[Source { file: "own.dl", text, builtin: false, folder: "" }]).program.unwrap()
}

#[test]
fn two_rows_are_an_error_that_shows_both_derivations() {
    let program = program(RULES);
    let wanted = ["owner", "of"].map(|name| program.relation(name).unwrap());
    let mut symbols = Symbols::new();
    let [n1, n2, web, db] = ["n1", "n2", "web", "db"].map(|text| symbols.text(text));
    let (label, old) = (program.relation("label").unwrap(), program.relation("old").unwrap());
    let facts = |rows: &[(bool, [u32; 2])]| {
        let mut facts = Facts::new();
        for (is_old, row) in rows {
            if *is_old { facts.insert(old, &row[..1]) } else { facts.insert(label, row) }
        }
        facts
    };
    let evaluate = |symbols: &mut Symbols, rows: &[(bool, [u32; 2])]| {
        Evaluation::new(&program, symbols, facts(rows), &wanted, &Limits::default())
    };
    let good = [(false, [n1, web]), (false, [n2, db])];
    let mut evaluation = evaluate(&mut symbols, &good).unwrap();
    let wrong = [(false, [n1, web]), (true, [n1, 0])];
    let error = evaluate(&mut symbols, &wrong).err().unwrap();
    assert_eq!(
        error.render(false),
        "error[not-unique]: `owner(\"n1\", \"nobody\")` and `owner(\"n1\", \"web\")` cannot both hold\n \
         --> own.dl:9:1\n  |\n9 | owner(N, \"nobody\") :- old(N).\n  | ^^^^^^^^^^^^^^^^^^\n  |\n ::: own.dl:7:1\n  |\n7 | \
         owner(N, V) :- label(N, V).\n  | ----------- owner(\"n1\", \"web\") is from here\n  |\n  = note: no two rows of \
         `owner` may have the same `n`\n  = note: owner(\"n1\", \"nobody\"): n1 is old, so it belongs to nobody\n  = note: \
         owner(\"n1\", \"web\"): n1 is labelled web\n  = help: let one rule leave out what another one says, or take \
         one of the values: `N = min Number : { … }`"
    );
    // A change that makes it so is refused, and leaves all as it was.
    let same = evaluation.update(&symbols, facts(&wrong[1..]), Facts::new()).unwrap_err();
    assert_eq!(same.render(false), error.render(false));
    assert_eq!(evaluation.len(wanted[0]), 2);
    evaluation.update(&symbols, facts(&wrong[1..]), facts(&good[..1])).unwrap();
    assert_eq!(evaluation.len(wanted[1]), 2);
}

#[test]
fn columns_need_not_be_the_first_ones_and_facts_have_places() {
    let text =
        ".type N\n.decl rack(r: N, n: N) input unique(n)\nrack(\"r1\", \"n1\").\nrack(\"r2\", \"n1\").\n";
    let program = program(text);
    let rack = program.relation("rack").unwrap();
    let mut symbols = Symbols::new();
    let refused = Evaluation::new(&program, &mut symbols, Facts::new(), &[rack], &Limits::default());
    let told = refused.err().unwrap().render(false);
    assert!(told.contains("`rack(\"r1\", \"n1\")` and `rack(\"r2\", \"n1\")` cannot both hold"), "{told}");
    assert!(told.contains("own.dl:3:1") && told.contains("own.dl:4:1"), "{told}");
    // Many rows, and one that comes.
    let program = self::program(".type N\n.decl rack(r: N, n: N) input unique(n)\n");
    let mut row = |r: usize, n: usize| [symbols.text(&format!("r{r}")), symbols.text(&format!("n{n}"))];
    let mut facts = Facts::new();
    (0..100).for_each(|at| facts.insert(rack, &row(at % 3, at)));
    let (mut good, mut bad) = (Facts::new(), Facts::new());
    good.insert(rack, &row(1, 100));
    bad.insert(rack, &row(2, 100));
    let mut evaluation = Evaluation::new(&program, &mut symbols, facts, &[rack], &Limits::default()).unwrap();
    evaluation.update(&symbols, good, Facts::new()).unwrap();
    let told = evaluation.update(&symbols, bad, Facts::new()).unwrap_err();
    assert_eq!(told.message, "`rack(\"r1\", \"n100\")` and `rack(\"r2\", \"n100\")` cannot both hold");
    assert_eq!(evaluation.len(rack), 101);
}

#[test]
fn two_waves_for_a_node_end_a_plan() {
    let folder = tempfile::tempdir().unwrap();
    let cluster = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/policies/canary-first");
    let rules = "/// every node is in the second wave\nwave(DaemonSet, Node, 2) :- daemonset(DaemonSet), node(Node).\n";
    fs::write(folder.path().join("second.dl"), rules).unwrap();
    let rules = folder.path().join("second.dl");
    let canary = cluster.join("policy.dl");
    let arguments =
        ["plan", "-f", ".", "--rules", canary.to_str().unwrap(), "--rules", rules.to_str().unwrap()];
    let output =
        Command::new(env!("CARGO_BIN_EXE_dsrules")).args(arguments).current_dir(&cluster).output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("error[not-unique]: `wave("), "{told}");
    assert!(told.contains("policy.dl:5:1") && told.contains("second.dl:2:1"), "{told}");
    assert!(told.contains(": every node is in the second wave"), "{told}");
}
