//! The engine against an evaluator that is too simple to be wrong, on random programs;
//! and an updated evaluation against a fresh one, over random changes.

#![allow(clippy::unwrap_used, missing_docs)]

#[path = "datalog/braces.rs"]
mod braces;
#[path = "datalog/explained.rs"]
mod explained;
#[path = "datalog/mend.rs"]
mod mend;
#[path = "datalog/naive.rs"]
mod naive;
#[path = "datalog/random.rs"]
mod random;
#[path = "datalog/search.rs"]
mod search;
#[path = "datalog/shapes.rs"]
mod shapes;

use std::collections::{BTreeMap, BTreeSet};

use dsrules::datalog::explain::{self, Derivation, Goal, Part, Subgoal};
use dsrules::datalog::{
    Evaluation, Facts, Limits, Literal, Program, RelationId, Rule, Source, Sym, Symbols, Value,
};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use naive::{Data, Row, Val};
use random::{Choices, Rules};

/// The program of a text, which has to be without errors.
fn load(text: &str) -> Program {
    let loaded = Program::load(&[Source { file: "random.dl", text, builtin: true, folder: "" }]);
    let shown: Vec<String> = loaded.diagnostics.iter().map(|found| found.render(false)).collect();
    loaded.program.unwrap_or_else(|| panic!("{}\n{text}", shown.join("\n")))
}

fn sym(symbols: &mut Symbols, value: &Val) -> Sym {
    match value {
        Val::Text(text) => symbols.text(text),
        Val::Number(number) => symbols.number(*number),
        Val::Beyond => unreachable!("no row has it"),
    }
}

fn facts<'a>(
    program: &Program,
    symbols: &mut Symbols,
    rows: impl IntoIterator<Item = (&'a String, &'a Row)>,
) -> Facts {
    let mut facts = Facts::new();
    for (name, row) in rows {
        let row: Vec<Sym> = row.iter().map(|value| sym(symbols, value)).collect();
        facts.insert(program.relation(name).unwrap(), &row);
    }
    facts
}

fn all_rows(data: &Data) -> impl Iterator<Item = (&String, &Row)> {
    data.iter().flat_map(|(name, rows)| rows.iter().map(move |row| (name, row)))
}

fn everything(program: &Program) -> Vec<RelationId> {
    program.declarations().map(|declaration| declaration.id).collect()
}

fn evaluate(program: &Program, symbols: &mut Symbols, facts: Facts) -> Evaluation {
    evaluated(program, symbols, facts).unwrap()
}

/// As `evaluate`, but for numbers that no row can hold and rows that may not both be there.
fn evaluated(program: &Program, symbols: &mut Symbols, facts: Facts) -> Option<Evaluation> {
    match Evaluation::new(program, symbols, facts, &everything(program), &Limits::default()) {
        Ok(evaluation) => Some(evaluation),
        Err(error) => {
            assert!(["number-overflow", "not-unique"].contains(&error.code), "{error}");
            assert!(error.place.is_some());
            None
        }
    }
}

fn values(symbols: &Symbols, row: &[Sym]) -> Row {
    let value = |sym: &Sym| match symbols.value(*sym) {
        Value::Text(text) => Val::Text(text.to_owned()),
        Value::Number(number) => Val::Number(number),
    };
    row.iter().map(value).collect()
}

fn data(evaluation: &Evaluation, symbols: &Symbols) -> Data {
    let mut data = Data::new();
    for declaration in evaluation.program().declarations() {
        let rows: Vec<_> = evaluation.rows(declaration.id).collect();
        assert!(rows.windows(2).all(|pair| pair[0] < pair[1]), "rows are a sorted set");
        assert_eq!(rows.len(), evaluation.len(declaration.id));
        assert!(rows.iter().all(|row| evaluation.contains(declaration.id, row)));
        let rows: BTreeSet<Row> = rows.iter().map(|row| values(symbols, row)).collect();
        if !rows.is_empty() {
            data.insert(declaration.name.to_string(), rows);
        }
    }
    data
}

/// So many random cases, or as many times more as `DSRULES_TIMES` says.
fn cases(each: u32) -> u32 {
    let times = std::env::var("DSRULES_TIMES").ok().and_then(|times| times.parse::<u32>().ok());
    each * times.unwrap_or(1)
}

/// Runs `check` on so many random streams of choices and shows the least one that fails.
fn on_random(cases: u32, size: usize, check: impl Fn(&mut Choices)) {
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    let stream = proptest::collection::vec(any::<u16>(), size / 4..size);
    let mut runner = TestRunner::new_with_rng(
        config,
        proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha),
    );
    let outcome = runner.run(&stream, |stream| {
        check(&mut Choices::new(stream));
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}

#[test]
fn the_engine_equals_the_naive_evaluator() {
    let (derived, beyond) = (std::cell::Cell::new(0usize), std::cell::Cell::new(0usize));
    on_random(cases(1_000), 240, |choices| {
        let rules = Rules::random(choices);
        let input = rules.random_input(choices, 12);
        let program = load(&rules.text());
        let mut symbols = Symbols::new();
        let facts = facts(&program, &mut symbols, all_rows(&input));
        let evaluation = evaluated(&program, &mut symbols, facts);
        let found = evaluation.map(|evaluation| data(&evaluation, &symbols));
        let expected = naive::evaluate(&rules, &input);
        assert_eq!(found, expected, "{}", rules.text());
        match expected {
            Some(expected) => {
                derived.set(derived.get() + expected.values().map(BTreeSet::len).sum::<usize>())
            }
            None => beyond.set(beyond.get() + 1),
        }
    });
    // The programs must be worth evaluating.
    assert!(derived.get() > 10_000, "only {} rows in all", derived.get());
    assert!(beyond.get() > 10, "only {} programs pass 64 bits", beyond.get());
}

#[test]
fn an_update_equals_a_fresh_evaluation() {
    on_random(cases(200), 900, |choices| {
        let rules = Rules::random(choices);
        let mut input = rules.random_input(choices, 8);
        let program = load(&rules.text());
        let mut symbols = Symbols::new();
        let start = facts(&program, &mut symbols, all_rows(&input));
        let Some(mut evaluation) = evaluated(&program, &mut symbols, start) else { return };
        let mut known = data(&evaluation, &symbols);
        for _ in 0..50 {
            let (added, removed) = rules.random_change(choices, &input);
            let added_facts = facts(&program, &mut symbols, added.iter().map(|(name, row)| (name, row)));
            let removed_facts = facts(&program, &mut symbols, removed.iter().map(|(name, row)| (name, row)));
            let before = input.clone();
            for (name, row) in &removed {
                input.entry(name.clone()).or_default().remove(row);
            }
            for (name, row) in &added {
                input.entry(name.clone()).or_default().insert(row.clone());
            }
            let updated = evaluation.update(&symbols, added_facts, removed_facts);
            let fresh = facts(&program, &mut symbols, all_rows(&input));
            let fresh = evaluated(&program, &mut symbols, fresh);
            let (Ok(changes), Some(fresh)) = (&updated, &fresh) else {
                assert!(updated.is_err() && fresh.is_none(), "{}", rules.text());
                input = before;
                assert_eq!(data(&evaluation, &symbols), known, "{}", rules.text());
                continue;
            };
            for relation in changes.relations() {
                let rows = known.entry(program.declaration(relation).name.to_string()).or_default();
                for row in changes.removed(relation) {
                    assert!(rows.remove(&values(&symbols, &row)), "it was there\n{}", rules.text());
                }
                for row in changes.added(relation) {
                    assert!(rows.insert(values(&symbols, &row)), "it was not there\n{}", rules.text());
                }
            }
            known.retain(|_, rows| !rows.is_empty());
            let fresh = data(fresh, &symbols);
            assert_eq!(data(&evaluation, &symbols), fresh, "{}", rules.text());
            assert_eq!(known, fresh, "{}", rules.text());
        }
    });
}

/// Whether an explanation is one: every row in it is there, every rule is a rule, and a row
/// is not explained by itself.
fn check_derivation(derivation: &Derivation, data: &Data, above: &mut Vec<String>, text: &str) {
    assert!(!above.contains(&derivation.fact), "{} explains itself\n{text}", derivation.fact);
    let row = |row: &Row| row.iter().map(shown).collect::<Vec<_>>();
    let there =
        data.get(&derivation.relation).is_some_and(|rows| rows.iter().any(|it| row(it) == derivation.values));
    assert!(there, "{} is not there\n{text}", derivation.fact);
    match derivation.note.as_deref() {
        None => assert!(text.contains(&derivation.rule.as_ref().unwrap().text), "{derivation}\n{text}"),
        Some(note) => assert!(["input", "explained above"].contains(&note), "{derivation}\n{text}"),
    }
    above.push(derivation.fact.clone());
    for subgoal in &derivation.because {
        if let Subgoal::Row(row) = subgoal {
            check_derivation(row, data, above, text);
        }
    }
    above.pop();
}

/// Whether a tree tells the truth: what it says is there is, what it says is not is not, and
/// of each way to a row that is there all parts hold, of one to a row that is not, not all.
fn check_goal(goal: &Goal, data: &Data, text: &str) {
    // What stands twice in `r("a", X, X)` has one value.
    let inner = goal.fact.split_once('(').unwrap().1.strip_suffix(')').unwrap();
    let cells: Vec<&str> = inner.split(", ").collect();
    let pairs = (0..cells.len()).flat_map(|at| (0..at).map(move |other| (at, other)));
    let equal: Vec<(usize, usize)> =
        pairs.filter(|(at, other)| cells[*at] != "_" && cells[*at] == cells[*other]).collect();
    let fits = |row: &Row| {
        let mut values = row.iter().zip(&goal.values);
        values.all(|(value, wanted)| wanted.as_ref().is_none_or(|it| *it == shown(value)))
            && equal.iter().all(|(at, other)| row[*at] == row[*other])
    };
    let there = data.get(&goal.relation).is_some_and(|rows| rows.iter().any(fits));
    assert_eq!(goal.holds, there, "{}\n{text}", goal.fact);
    for tried in &goal.rules {
        assert!(text.contains(&tried.rule.text), "{}\n{text}", goal.fact);
        let told = (&goal.fact, &tried.rule.text, &tried.bound, &tried.parts);
        assert_eq!(goal.holds, tried.parts.iter().all(Part::holds), "{told:#?}\n{text}");
        for part in &tried.parts {
            if let Part::Row(goal) | Part::Not(goal) = part {
                check_goal(goal, data, text);
            }
        }
    }
}

fn shown(value: &Val) -> String {
    match value {
        Val::Text(text) => text.clone(),
        Val::Number(number) => number.to_string(),
        Val::Beyond => unreachable!("no row has it"),
    }
}

#[test]
fn every_row_has_a_reason_and_every_absence_too() {
    on_random(cases(500), 240, |choices| {
        let rules = Rules::random(choices);
        let input = rules.random_input(choices, 6);
        let text = rules.text();
        let program = load(&text);
        let mut symbols = Symbols::new();
        let facts = facts(&program, &mut symbols, all_rows(&input));
        let Some(evaluation) = evaluated(&program, &mut symbols, facts) else { return };
        let data = data(&evaluation, &symbols);
        for declaration in program.declarations() {
            let id = declaration.id;
            for row in evaluation.rows(id).take(10) {
                let derivation = explain::why(&program, &symbols, &evaluation, id, &row).unwrap();
                check_derivation(&derivation, &data, &mut Vec::new(), &text);
                let goal = explain::tree(&program, &symbols, &evaluation, id, &row);
                assert!(goal.holds, "{}\n{text}", goal.fact);
                check_goal(&goal, &data, &text);
            }
            let row: Vec<Sym> = rules
                .random_values(choices, &declaration.name)
                .iter()
                .map(|value| sym(&mut symbols, value))
                .collect();
            if evaluation.contains(id, &row) {
                continue;
            }
            assert_eq!(explain::why(&program, &symbols, &evaluation, id, &row), None);
            let absent = explain::tree(&program, &symbols, &evaluation, id, &row);
            assert!(!absent.holds, "{}\n{text}", absent.fact);
            check_goal(&absent, &data, &text);
        }
    });
}

#[test]
fn an_update_over_a_limit_leaves_everything_as_it_was() {
    let program = load(
        ".type N\n.decl a(n: N) input\n.decl b(n: N) output\n.decl pairs(n: N, m: N) output\n\
         b(N) :- a(N).\npairs(N, M) :- b(N), b(M).\n",
    );
    let mut symbols = Symbols::new();
    let input = |count: usize| {
        let rows = (0..count).map(|at| vec![Val::Text(format!("n{at}"))]);
        BTreeMap::from([("a".to_owned(), rows.collect::<BTreeSet<Row>>())])
    };
    let start = facts(&program, &mut symbols, all_rows(&input(9)));
    let limits = Limits { rows_per_relation: 100, ..Limits::default() };
    let mut evaluation =
        Evaluation::new(&program, &mut symbols, start, &everything(&program), &limits).unwrap();
    let before = data(&evaluation, &symbols);
    let more = facts(&program, &mut symbols, all_rows(&input(11)));
    let error = evaluation.update(&symbols, more, Facts::new()).unwrap_err();
    assert_eq!(error.code, "too-many-rows");
    assert_eq!(data(&evaluation, &symbols), before);
    let more = facts(&program, &mut symbols, all_rows(&input(10)));
    let changes = evaluation.update(&symbols, more, Facts::new()).unwrap();
    assert_eq!(changes.added(program.relation("pairs").unwrap()).count(), 19);
    assert_eq!(evaluation.len(program.relation("pairs").unwrap()), 100);
}

#[test]
fn a_large_change_equals_a_fresh_evaluation() {
    // Enough rows that overlays are merged and batches are full.
    let program = load(
        ".type N\n.decl edge(a: N, b: N) input\n.decl mark(a: N) input\n.decl two(a: N, b: N, c: N) output\n\
         .decl far(a: N, c: N) output\n.decl odd(a: N) output\n\
         two(A, B, C) :- edge(A, B), edge(B, C), !mark(B).\n\
         far(A, C) :- two(A, _, C), !edge(A, C).\nodd(A) :- edge(A, _), !far(A, _).\n",
    );
    let mut symbols = Symbols::new();
    let nodes: Vec<Sym> = (0..3_000).map(|node| symbols.text(&format!("n{node}"))).collect();
    let (edge, mark) = (program.relation("edge").unwrap(), program.relation("mark").unwrap());
    let rows = |range: std::ops::Range<usize>| {
        let mut facts = Facts::new();
        for at in range {
            facts.insert(edge, &[nodes[at * 7 % 3_000], nodes[(at * at + 3 * at) % 3_000]]);
            if at % 50 == 0 {
                facts.insert(mark, &[nodes[at / 50 % 3_000]]);
            }
        }
        facts
    };
    let mut updated = evaluate(&program, &mut symbols, rows(0..20_000));
    for (add, remove) in
        [(20_000..20_010, 0..0), (20_010..45_000, 0..10), (0..0, 10..30_000), (0..9_000, 30_000..30_001)]
    {
        updated.update(&symbols, rows(add), rows(remove)).unwrap();
    }
    let mut last = Facts::new();
    for relation in [edge, mark] {
        updated.rows(relation).for_each(|row| last.insert(relation, &row));
    }
    let fresh = evaluate(&program, &mut symbols, last);
    for relation in everything(&program) {
        assert!(fresh.len(relation) > 100);
        assert!(updated.rows(relation).eq(fresh.rows(relation)), "{}", program.declaration(relation).name);
    }
}

#[test]
fn a_program_can_be_changed_and_is_checked_again() {
    let program = load(
        ".type N\n.decl a(n: N) input\n.decl b(n: N) input\n.decl c(n: N) output\n\
         c(N) :- a(N), !b(N).\nc(\"always\").\n",
    );
    let rules: Vec<Rule> = program.rules().cloned().collect();
    let mut symbols = Symbols::new();
    let mut facts = Facts::new();
    for (name, values) in [("a", ["x", "y"]), ("b", ["y", "z"])] {
        for value in values {
            facts.insert(program.relation(name).unwrap(), &[symbols.text(value)]);
        }
    }
    let mut found = |rules: Vec<Rule>| {
        let program = program.with_rules(rules).program?;
        let evaluation = evaluate(&program, &mut symbols, facts.clone());
        let rows = data(&evaluation, &symbols).remove("c").unwrap_or_default();
        Some(rows.iter().map(|row| shown(&row[0])).collect::<Vec<_>>().join(" "))
    };
    assert_eq!(found(rules.clone()).as_deref(), Some("always x"));
    assert_eq!(found(rules[..1].to_vec()).as_deref(), Some("x"));
    let mut without = rules.clone();
    without[0].body.remove(1);
    assert_eq!(found(without).as_deref(), Some("always x y"));
    let mut flipped = rules.clone();
    if let Literal::Negative(atom) = flipped[0].body[1].clone() {
        flipped[0].body[1] = Literal::Positive(atom);
    }
    assert_eq!(found(flipped).as_deref(), Some("always y"));
    let mut wrong = rules.clone();
    wrong[0].body.remove(0);
    assert_eq!(found(wrong), None, "its variable is bound nowhere");
    let mut wrong = rules;
    wrong[0].variables.clear();
    assert_eq!(found(wrong), None, "its variables have no names");
}

/// datafrog's antijoin of two plain relations is empty: whoever uses it gets no rows.
#[test]
fn an_antijoin_of_two_inputs_has_rows() {
    let program = load(
        ".type N\n.decl a(n: N) input\n.decl b(n: N) input\n.decl only_a(n: N) output\n\
         only_a(N) :- a(N), !b(N).\n",
    );
    let mut symbols = Symbols::new();
    let row = |text: &str| vec![Val::Text(text.to_owned())];
    let mut input = BTreeMap::new();
    input.insert("a".to_owned(), BTreeSet::from([row("x"), row("y")]));
    input.insert("b".to_owned(), BTreeSet::from([row("y")]));
    let facts = facts(&program, &mut symbols, all_rows(&input));
    let found = data(&evaluate(&program, &mut symbols, facts), &symbols);
    assert_eq!(found["only_a"], BTreeSet::from([row("x")]));
}
