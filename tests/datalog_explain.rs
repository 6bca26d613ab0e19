//! Explanations of a small program, as a person reads them.

#![allow(clippy::unwrap_used, missing_docs)]

use dsrules::datalog::explain::{Goal, Part, tree, why};
use dsrules::datalog::{Evaluation, Facts, Limits, Program, Source, Sym, Symbols};

const RULES: &str = r#".type Node
.type Set
.type Key
.decl node(n: Node, age: number) input
.decl set(d: Set) input
.decl taint(n: Node, k: Key) input
.decl tolerates(d: Set, k: Key) input
.decl link(a: Node, b: Node) input
.decl repelled(d: Set, n: Node, k: Key)
.decl eligible(d: Set, n: Node) output
.decl near(a: Node, b: Node) output

/// {Node} has the taint {Key}, which {Set} does not tolerate.
repelled(Set, Node, Key) :- set(Set), taint(Node, Key), !tolerates(Set, Key).

/// {Set} runs on {Node}, which is old enough and has no taint against it.
eligible(Set, Node) :- set(Set), node(Node, Age), Age + 10 > 60, !repelled(Set, Node, _).
/// {Set} runs on {Node}, as it does on {Other} beside it.
eligible(Set, Node) :- eligible(Set, Other), near(Other, Node), node(Node, _), Node != Other.

near(A, B) :- link(A, B).
near(A, C) :- near(A, B), near(B, C).
"#;

struct World {
    program: Program,
    symbols: Symbols,
    evaluation: Evaluation,
}

impl World {
    fn new(facts: &[&[&str]]) -> Self {
        World::of(RULES, facts)
    }

    fn of(text: &str, facts: &[&[&str]]) -> Self {
        let source = Source { file: "small.dl", text, builtin: true, folder: "" };
        let program = Program::load(&[source]).program.unwrap();
        let mut symbols = Symbols::new();
        let mut all = Facts::new();
        for fact in facts {
            let row: Vec<Sym> = fact[1..].iter().map(|value| sym(&mut symbols, value)).collect();
            all.insert(program.relation(fact[0]).unwrap(), &row);
        }
        let wanted: Vec<_> = program.declarations().map(|found| found.id).collect();
        let evaluation = Evaluation::new(&program, &mut symbols, all, &wanted, &Limits::default()).unwrap();
        World { program, symbols, evaluation }
    }

    fn explain(&mut self, fact: &[&str]) -> String {
        let row: Vec<Sym> = fact[1..].iter().map(|value| sym(&mut self.symbols, value)).collect();
        let relation = self.program.relation(fact[0]).unwrap();
        match why(&self.program, &self.symbols, &self.evaluation, relation, &row) {
            Some(derivation) => derivation.to_string(),
            None => {
                let goal = tree(&self.program, &self.symbols, &self.evaluation, relation, &row);
                let mut text = String::new();
                absent(&goal, 0, &mut text);
                text
            }
        }
    }
}

/// A row that is not there: each way through a rule, and what holds of it and what does not.
fn absent(goal: &Goal, depth: usize, text: &mut String) {
    let indent = "  ".repeat(depth);
    let note = match &goal.note {
        Some(note) => format!(" ({note})"),
        None if goal.input => " (not among the input)".to_owned(),
        None => String::new(),
    };
    *text += &format!("no {}{note}\n", goal.fact);
    for tried in &goal.rules {
        let sentence = tried.sentence.as_ref().map(|it| format!(": {it}")).unwrap_or_default();
        *text += &format!("{indent}  not by [{}:{}]{sentence}\n", tried.rule.file, tried.rule.line);
        assert!(tried.parts.iter().any(|part| !part.holds()), "all of {} holds", tried.rule.text);
        for part in &tried.parts {
            *text += &format!("{indent}    {}: ", if part.holds() { "holds" } else { "fails" });
            match part {
                Part::Row(goal) if !goal.holds => absent(goal, depth + 2, text),
                Part::Not(goal) if !goal.holds => *text += &format!("not {}\n", goal.fact),
                Part::Row(goal) => *text += &format!("{}\n", goal.fact),
                Part::Not(goal) => *text += &format!("there is {}\n", goal.fact),
                Part::Comparison(compared) => *text += &format!("{}\n", compared.text),
                Part::Aggregate(total) => *text += &format!("{total}\n"),
            }
        }
    }
}

fn sym(symbols: &mut Symbols, value: &str) -> Sym {
    match value.parse() {
        Ok(number) => symbols.number(number),
        Err(_) => symbols.text(value),
    }
}

#[test]
fn rows_are_explained_down_to_the_input() {
    let mut world = World::new(&[
        &["set", "agent"],
        &["set", "proxy"],
        &["node", "n1", "90"],
        &["node", "n2", "90"],
        &["node", "n3", "5"],
        &["node", "n4", "5"],
        &["taint", "n2", "gpu"],
        &["tolerates", "proxy", "gpu"],
        &["link", "n1", "n3"],
        &["link", "n3", "n1"],
        &["link", "n3", "n2"],
    ]);
    let asked: [&[&str]; 8] = [
        &["eligible", "agent", "n1"],
        &["eligible", "proxy", "n2"],
        &["eligible", "agent", "n2"],
        &["near", "n1", "n1"],
        &["eligible", "agent", "n4"],
        &["eligible", "nobody", "n1"],
        &["repelled", "proxy", "n2", "gpu"],
        &["node", "n9", "7"],
    ];
    let shown: Vec<String> = asked.iter().map(|fact| world.explain(fact)).collect();
    insta::with_settings!({
        snapshot_path => "../snapshots",
        prepend_module_to_snapshot => false,
        omit_expression => true,
    }, {
        insta::assert_snapshot!("datalog_explain", shown.join("\n"));
    });
}

#[test]
fn a_long_circle_is_cut_and_ends() {
    let names: Vec<String> = (0..120).map(|n| format!("n{n}")).collect();
    let links: Vec<[&str; 3]> = (0..120).map(|n| ["link", &*names[n], &*names[(n + 1) % 120]]).collect();
    let mut facts: Vec<&[&str]> = links.iter().map(|link| &link[..]).collect();
    facts.push(&["set", "agent"]);
    let mut world = World::new(&facts);
    let long = world.explain(&["near", "n0", "n299"]);
    assert!(long.contains("too much of it") || long.lines().count() < 2_000, "{}", long.len());
    let absent = world.explain(&["near", "n0", "elsewhere"]);
    assert!(absent.contains("it would need itself"), "{absent}");
}

#[test]
fn what_a_variable_stands_for_twice_is_one_value_also_while_it_is_not_known() {
    let rules = ".type N\n.decl pair(a: N, b: N) input\n.decl other(a: N) input\n.decl node(a: N) input\n\
        .decl couple(a: N, b: N)\n.decl few(a: N) output\n.decl fewer(a: N) output\n\
        .decl never(a: N) output\n\
        couple(A, B) :- pair(A, B).\nfew(N) :- node(N), pair(X, X).\nfewer(N) :- node(N), couple(X, X).\n\
        never(N) :- node(N), other(X), !couple(X, X).\n";
    let mut world = World::of(rules, &[&["node", "n"], &["pair", "n", "m"]]);
    let asked = ["few", "fewer", "never"].map(|relation| world.explain(&[relation, "n"]));
    assert_eq!(
        asked,
        [
            "no few(\"n\")\n  not by [small.dl:10]\n    holds: node(\"n\")\n    \
             fails: no pair(X, X) (not among the input)\n",
            "no fewer(\"n\")\n  not by [small.dl:11]\n    holds: node(\"n\")\n    fails: no couple(X, X)\n      \
             not by [small.dl:9]\n        fails: no pair(A, A) (not among the input)\n",
            "no never(\"n\")\n  not by [small.dl:12]\n    holds: node(\"n\")\n    \
             fails: no other(_) (not among the input)\n",
        ]
    );
}

#[test]
fn explanations_are_data() {
    let mut world = World::new(&[&["set", "agent"], &["node", "n1", "90"]]);
    let row = [sym(&mut world.symbols, "agent"), sym(&mut world.symbols, "n1")];
    let relation = world.program.relation("eligible").unwrap();
    let found = why(&world.program, &world.symbols, &world.evaluation, relation, &row).unwrap();
    let json = serde_json::to_value(&found).unwrap();
    assert_eq!(json["sentence"], "agent runs on n1, which is old enough and has no taint against it.");
    assert_eq!(json["because"][2]["comparison"], "90 + 10 > 60");
    assert_eq!(json["because"][3]["absent"], "repelled(\"agent\", \"n1\", _)");
}
