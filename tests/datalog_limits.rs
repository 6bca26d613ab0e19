//! Rules that want more than a machine has: each bound stops them, says which rule and
//! where it stands, and takes nothing before it says so.

#![allow(clippy::unwrap_used, missing_docs)]

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use dsrules::datalog::{Deadline, Evaluation, Facts, Limits, Program, Query, Source, Symbols};
use dsrules::diagnostic::Diagnostic;

const CHAIN: &str = ".decl e(a: number, b: number) input\n.decl p(a: number, b: number) output\n\
    p(A, B) :- e(A, B).\np(A, C) :- p(A, B), p(B, C).\n";

fn load(text: &str) -> Program {
    let loaded = Program::load(&[Source { file: "own.dl", text, builtin: true, folder: "" }]);
    loaded.program.unwrap_or_else(|| panic!("{:#?}", loaded.diagnostics))
}

/// The edges of a chain, and everything evaluated.
fn chain(program: &Program, edges: std::ops::Range<i64>, symbols: &mut Symbols) -> Facts {
    let edge = program.relation("e").unwrap();
    let mut facts = Facts::new();
    for at in edges {
        facts.insert(edge, &[symbols.number(at), symbols.number(at + 1)]);
    }
    facts
}

fn evaluate(text: &str, edges: i64, limits: &Limits) -> Result<Evaluation, Diagnostic> {
    let program = load(text);
    let mut symbols = Symbols::new();
    let facts = chain(&program, 0..edges, &mut symbols);
    let all: Vec<_> = program.declarations().map(|declaration| declaration.id).collect();
    Evaluation::new(&program, &mut symbols, facts, &all, limits)
}

fn refused(text: &str, edges: i64, limits: &Limits) -> String {
    evaluate(text, edges, limits).err().unwrap().render(false)
}

#[test]
fn a_recursion_has_one_budget_for_all_of_its_rounds() {
    // Each of the eight rounds alone stays far below: 200 edges are 20,100 pairs and 2.6
    // million looks.
    let limits = Limits { rows_per_rule: 1_000_000, ..Limits::default() };
    let told = refused(CHAIN, 200, &limits);
    assert!(
        told.starts_with("error[too-many-rows]: a rule for `p` looks at more than 1000000 rows"),
        "{told}"
    );
    assert!(told.contains("own.dl:4:1"), "{told}");
    assert!(told.contains("p(A, C) :- p(A, B), p(B, C)."), "{told}");
    assert!(evaluate(CHAIN, 200, &Limits { rows_per_rule: 10_000_000, ..limits }).is_ok());
    // A rule without recursion has the same, to the row.
    let pairs = format!("{CHAIN}.decl two(a: number, b: number) output\ntwo(A, B) :- e(A, _), e(_, B).\n");
    let told = refused(&pairs, 2_000, &Limits { rows_per_rule: 3_000_000, ..limits });
    assert!(told.contains("looks at more than 3000000 rows"), "{told}");
}

#[test]
fn a_chain_of_thousands_of_edges_is_refused_and_not_waited_for() {
    let clock = Instant::now();
    let limits = Limits { rows_per_rule: 20_000_000, ..Limits::default() };
    let told = refused(CHAIN, 8_000, &limits);
    assert!(told.contains("looks at more than 20000000 rows"), "{told}");
    assert!(clock.elapsed() < Duration::from_secs(60), "{:?}", clock.elapsed());
}

#[test]
fn rows_are_bounded_by_what_they_take() {
    // Eight columns take four times as much as two.
    let text = ".decl e(a: number, b: number) input\n.decl p(a: number, b: number, c: number, d: number, \
        e: number, f: number, g: number, h: number) output\n\
        p(A, B, C, D, E, F, G, H) :- e(A, B), e(C, D), e(E, F), e(G, H).\n";
    let limits = Limits { bytes_per_relation: 64_000_000, ..Limits::default() };
    let told = refused(text, 100, &limits);
    assert!(told.contains("error[too-many-rows]: the rows of `p` would take at least"), "{told}");
    assert!(told.contains("the limit is 64 MB"), "{told}");
    assert!(told.contains("own.dl:3:1"), "{told}");
    // 38 edges are 2,085,136 rows: 67 MB.
    assert!(evaluate(text, 38, &limits).is_err());
    assert!(evaluate(text, 37, &limits).is_ok());
    // A recursion too.
    let told = refused(CHAIN, 600, &Limits { bytes_per_relation: 1_000_000, ..Limits::default() });
    assert!(told.contains("the rows of `p` would take at least 1 MB, the limit is 1 MB"), "{told}");
}

#[test]
fn all_rows_and_indexes_together_are_bounded() {
    let text = ".decl e(a: number, b: number) input\n.decl p(a: number, b: number) output\n\
        .decl q(a: number, b: number) output\n.decl r(a: number, b: number) output\n\
        p(A, B) :- e(A, _), e(B, _).\nq(A, B) :- p(A, B), A < B.\nr(A, B) :- p(A, B), A > B.\n";
    // A million pairs take 8 MB, and each half of them 4.
    assert!(evaluate(text, 1_000, &Limits { bytes: 20_000_000, ..Limits::default() }).is_ok());
    for bytes in [9_000_000, 14_000_000] {
        let told = refused(text, 1_000, &Limits { bytes, ..Limits::default() });
        assert!(told.contains("error[too-many-rows]: all rows with those of"), "{told}");
        assert!(told.contains("own.dl:"), "{told}");
    }
}

#[test]
fn more_rows_of_a_relation_may_take_more_memory() {
    let more = Limits::of_rows(100_000_000);
    assert_eq!((more.rows_per_relation, more.bytes_per_relation), (100_000_000, 800_000_000));
    let fewer = Limits::of_rows(10);
    assert_eq!(fewer.bytes_per_relation, Limits::default().bytes_per_relation);
}

/// A clock that goes a second further each time it is looked at.
fn second_by_second() -> Instant {
    static LOOKS: AtomicU64 = AtomicU64::new(0);
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    let looks = LOOKS.fetch_add(1, Ordering::Relaxed);
    *START.get_or_init(Instant::now) + Duration::from_secs(looks)
}

#[test]
fn a_deadline_ends_recursion_joins_and_queries() {
    let late = |allowed: u64| {
        let deadline = Deadline { allowed: Duration::from_secs(allowed), clock: second_by_second };
        Limits { deadline: Some(deadline), ..Limits::default() }
    };
    let told = refused(CHAIN, 400, &late(10));
    assert!(told.starts_with("error[rules-too-slow]: a rule for `p` is not done after 10s"), "{told}");
    assert!(told.contains("own.dl:4:1"), "{told}");
    let product = ".decl e(a: number, b: number) input\n.decl p(a: number) output\n\
        p(A) :- e(A, _), e(C, _), e(D, _), A + C + D < 0.\n";
    let told = refused(product, 2_000, &late(5));
    assert!(told.contains("a rule for `p` is not done after 5s"), "{told}");
    assert!(evaluate(CHAIN, 50, &late(3_600)).is_ok());
    let program = load(CHAIN);
    let mut symbols = Symbols::new();
    let facts = chain(&program, 0..3_000, &mut symbols);
    let edge = program.relation("e").unwrap();
    let limits = late(5);
    let done = Evaluation::new(&program, &mut symbols, facts, &[edge], &limits).unwrap();
    let query = Query::compile(&program, "e(A, _), e(B, _), e(C, _), A + B + C < 0").unwrap();
    let error = query.run(&done, &symbols).unwrap_err();
    assert_eq!(error.code, "rules-too-slow");
}

#[test]
fn a_deadline_ends_rounds_that_look_nothing_up() {
    let text = ".decl e(a: number, b: number) input\n.decl n(a: number) output\n\
        n(A) :- e(A, _).\nn(B) :- n(A), B = A + 1.\n";
    let deadline = Deadline { allowed: Duration::from_secs(100), clock: second_by_second };
    let limits = Limits { deadline: Some(deadline), rows_per_relation: 10_000, ..Limits::default() };
    let told = refused(text, 1, &limits);
    assert!(told.starts_with("error[rules-too-slow]: a rule for `n` is not done after"), "{told}");
    assert!(told.contains("own.dl:4:1"), "{told}");
    // What is handed from round to round counts as looked at.
    let told = refused(text, 1, &Limits { rows_per_rule: 500, ..Limits::default() });
    assert!(told.contains("a rule for `n` looks at more than 500 rows"), "{told}");
}

#[test]
fn an_update_that_is_stopped_leaves_everything_as_it_was() {
    let program = load(CHAIN);
    let (edge, far) = (program.relation("e").unwrap(), program.relation("p").unwrap());
    let mut symbols = Symbols::new();
    let start = chain(&program, 0..60, &mut symbols);
    let more = chain(&program, 60..400, &mut symbols);
    let limits = Limits { rows_per_rule: 300_000, ..Limits::default() };
    let mut done = Evaluation::new(&program, &mut symbols, start, &[far], &limits).unwrap();
    let before: Vec<_> = done.rows(far).collect();
    assert_eq!(before.len(), 60 * 61 / 2);
    let error = done.update(&symbols, more, Facts::new()).unwrap_err();
    assert_eq!(error.code, "too-many-rows");
    assert!(done.rows(far).eq(before) && done.len(edge) == 60);
    // Every update has a budget of its own.
    for at in 60..70 {
        let one = chain(&program, at..at + 1, &mut symbols);
        done.update(&symbols, one, Facts::new()).unwrap();
    }
    assert_eq!(done.len(far), 70 * 71 / 2);
}

#[test]
fn a_number_beyond_64_bits_names_its_rule_and_is_never_another_number() {
    let text = "\n.decl e(a: number, b: number) input\n.decl p(a: number) output\n\
        p(C) :- e(A, _), C = A * 9223372036854775807.\n";
    let told = refused(text, 3, &Limits::default());
    assert!(
        told.starts_with("error[number-overflow]: a number worked out for `p` is beyond 64 bits"),
        "{told}"
    );
    assert!(told.contains("own.dl:4:1") && told.contains("the rule is `p(C) :- e(A, _)"), "{told}");
    let done = evaluate(text, 2, &Limits::default()).unwrap();
    assert_eq!(done.len(done.program().relation("p").unwrap()), 2);
}

#[test]
fn a_rule_that_counts_on_without_an_end_is_stopped() {
    let text = ".decl e(a: number, b: number) input\n.decl n(a: number) output\n\
        n(A) :- e(A, _).\nn(B) :- n(A), B = A + 1.\n";
    let told = refused(text, 1, &Limits { rows_per_relation: 1_000, ..Limits::default() });
    assert!(told.contains("`n` would have at least 1001 rows, the limit is 1000"), "{told}");
    let bounded = text.replace("B = A + 1.", "B = A + 1, B < 500.");
    let done = evaluate(&bounded, 1, &Limits::default()).unwrap();
    assert_eq!(done.len(done.program().relation("n").unwrap()), 500);
}
