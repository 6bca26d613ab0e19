//! The engine against an evaluator that is too simple to be wrong, on random programs;
//! and an updated evaluation against a fresh one, over random changes.

#![allow(clippy::unwrap_used, missing_docs)]

#[path = "datalog/naive.rs"]
mod naive;
#[path = "datalog/random.rs"]
mod random;

use std::collections::{BTreeMap, BTreeSet};

use dsrules::datalog::explain::{self, Derivation, Failure, Subgoal};
use dsrules::datalog::{Evaluation, Facts, Limits, Program, RelationId, Source, Sym, Symbols, Value};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use naive::{Data, Row, Val};
use random::{Choices, Rules};

/// The program of a text, which has to be without errors.
fn load(text: &str) -> Program {
    let loaded = Program::load(&[Source { file: "random.dl", text, builtin: true }]);
    let shown: Vec<String> = loaded.diagnostics.iter().map(|found| found.render(false)).collect();
    loaded.program.unwrap_or_else(|| panic!("{}\n{text}", shown.join("\n")))
}

fn sym(symbols: &mut Symbols, value: &Val) -> Sym {
    match value {
        Val::Text(text) => symbols.text(text),
        Val::Number(number) => symbols.number(*number),
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
    Evaluation::new(program, symbols, facts, &everything(program), &Limits::default()).unwrap()
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
    let derived = std::cell::Cell::new(0usize);
    on_random(10_000, 240, |choices| {
        let rules = Rules::random(choices);
        let input = rules.random_input(choices, 12);
        let program = load(&rules.text());
        let mut symbols = Symbols::new();
        let facts = facts(&program, &mut symbols, all_rows(&input));
        let evaluation = evaluate(&program, &mut symbols, facts);
        let (found, expected) = (data(&evaluation, &symbols), naive::evaluate(&rules, &input));
        assert_eq!(found, expected, "{}", rules.text());
        derived.set(derived.get() + expected.values().map(BTreeSet::len).sum::<usize>());
    });
    // The programs must be worth evaluating.
    assert!(derived.get() > 100_000, "only {} rows in all", derived.get());
}

#[test]
fn an_update_equals_a_fresh_evaluation() {
    on_random(2_000, 900, |choices| {
        let rules = Rules::random(choices);
        let mut input = rules.random_input(choices, 8);
        let program = load(&rules.text());
        let mut symbols = Symbols::new();
        let start = facts(&program, &mut symbols, all_rows(&input));
        let mut evaluation = evaluate(&program, &mut symbols, start);
        let mut known = data(&evaluation, &symbols);
        for _ in 0..50 {
            let (added, removed) = rules.random_change(choices, &input);
            let added_facts = facts(&program, &mut symbols, added.iter().map(|(name, row)| (name, row)));
            let removed_facts = facts(&program, &mut symbols, removed.iter().map(|(name, row)| (name, row)));
            for (name, row) in &removed {
                input.entry(name.clone()).or_default().remove(row);
            }
            for (name, row) in &added {
                input.entry(name.clone()).or_default().insert(row.clone());
            }
            let changes = evaluation.update(&symbols, added_facts, removed_facts).unwrap();
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
            let fresh = facts(&program, &mut symbols, all_rows(&input));
            let fresh = data(&evaluate(&program, &mut symbols, fresh), &symbols);
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

fn shown(value: &Val) -> String {
    match value {
        Val::Text(text) => text.clone(),
        Val::Number(number) => number.to_string(),
    }
}

#[test]
fn every_row_has_a_reason_and_every_absence_too() {
    on_random(1_500, 240, |choices| {
        let rules = Rules::random(choices);
        let input = rules.random_input(choices, 6);
        let text = rules.text();
        let program = load(&text);
        let mut symbols = Symbols::new();
        let facts = facts(&program, &mut symbols, all_rows(&input));
        let evaluation = evaluate(&program, &mut symbols, facts);
        let data = data(&evaluation, &symbols);
        for declaration in program.declarations() {
            let id = declaration.id;
            for row in evaluation.rows(id).take(10) {
                let derivation = explain::why(&program, &symbols, &evaluation, id, &row).unwrap();
                check_derivation(&derivation, &data, &mut Vec::new(), &text);
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
            let absent = explain::why_not(&program, &symbols, &evaluation, id, &row);
            // For each rule whose head fits there is an attempt; without any there is a note.
            assert!(absent.note.is_some() || !absent.attempts.is_empty(), "{absent}\n{text}");
            for attempt in &absent.attempts {
                for subgoal in &attempt.holds {
                    if let Subgoal::Row(row) = subgoal {
                        let mut bare = row.clone();
                        bare.note = Some("input".to_owned());
                        check_derivation(&bare, &data, &mut Vec::new(), &text);
                    }
                }
                if let Failure::Blocked(derivation) = &attempt.fails {
                    check_derivation(derivation, &data, &mut Vec::new(), &text);
                }
            }
        }
    });
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
