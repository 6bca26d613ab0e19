//! What bodies say beyond relations, part by part: each line of a table is a body and what
//! it comes to.

#![allow(clippy::unwrap_used, missing_docs)]

use dsrules::datalog::{Evaluation, Facts, Limits, Program, Query, Source, Symbols};
use dsrules::diagnostic::Diagnostic;

const FACTS: &str = r#".type Value
.decl number(n: number) input
.decl text(t: Value) input
number(-7). number(2). number(3). number(0).
text("a"). text("b"). text("registry.local/team/app:1.2").
"#;

/// The answers of a query, its values joined, or the first thing that is wrong with it.
fn ask(query: &str) -> String {
    let source = Source { file: "facts.dl", text: FACTS, builtin: false, folder: "" };
    let loaded = Program::load(&[source]);
    let program = loaded.program.unwrap_or_else(|| panic!("{:#?}", loaded.diagnostics));
    let query = match Query::compile(&program, query) {
        Ok(query) => query,
        Err(errors) => return format!("{}: {}", errors[0].code, errors[0].message),
    };
    let mut symbols = Symbols::new();
    let wanted = query.relations();
    let done = Evaluation::new(&program, &mut symbols, Facts::new(), &wanted, &Limits::default()).unwrap();
    match query.run(&done, &symbols) {
        Ok(rows) => {
            let shown = |values: Vec<String>| {
                if values.is_empty() { "yes".to_owned() } else { values.join(",") }
            };
            let rows = rows.rows().map(|row| row.map(|sym| symbols.value(sym).to_string()).collect());
            rows.map(shown).collect::<Vec<_>>().join(" ")
        }
        Err(error) => {
            let text = query_text(&error);
            format!("{}: {}{text}", error.code, error.message)
        }
    }
}

/// What of the query an error points at.
fn query_text(error: &Diagnostic) -> String {
    let Some(place) = error.place.as_ref().filter(|place| &*place.file == "<query>") else {
        return String::new();
    };
    let at = place.column as usize - 1;
    format!(" at `{}`", place.text.chars().skip(at).take(place.width as usize).collect::<String>())
}

fn all(table: &[(&str, &str)]) {
    let wrong: Vec<String> = table
        .iter()
        .filter(|(query, expected)| ask(query) != *expected)
        .map(|(query, expected)| format!("{query}\n  expected {expected}\n  found    {}", ask(query)))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn signs_bind_as_in_arithmetic() {
    all(&[
        ("2 + 3 * 4 = 14", "yes"),
        ("(2 + 3) * 4 = 20", "yes"),
        ("2 - 3 - 4 = -5", "yes"),
        ("2 - (3 - 4) = 3", "yes"),
        ("24 / 4 / 2 = 3", "yes"),
        ("7 % 4 * 2 = 6", "yes"),
        ("-7 / 2 = -3", "yes"),
        ("-7 % 2 = -1", "yes"),
        ("number(N), -N > 6", "-7"),
        ("number(N), -(N - 1) * 2 = 16", "-7"),
        ("number(N), number(M), N * M = 6", "2,3 3,2"),
        ("number(N), 6 / N = 3", "2"),
        ("number(N), 6 / N != 3", "-7 3"),
        ("number(N), 6 % N >= 0", "-7 2 3"),
        ("9223372036854775807 + 1 > 9223372036854775807", "yes"),
        ("9223372036854775807 * 9223372036854775807 > 0", "yes"),
    ]);
}

#[test]
fn an_equation_gives_a_value() {
    all(&[
        ("number(N), M = N * 2", "-7,-14 0,0 2,4 3,6"),
        ("N + 1 = M, number(N), K = M - N, N > 2", "3,4,1"),
        ("A = B + 1, B = C * 2, C = 3", "7,6,3"),
        ("number(N), M = 6 / N", "-7,0 2,3 3,2"),
        ("number(N), M = N + 1, number(M)", "2,3"),
        ("number(N), M = N - 3, !number(M), N < 3", "-7,-10 0,-3 2,-1"),
        ("number(N), M = N + 1, M in [1, 4]", "0,1 3,4"),
        ("number(N), (M = N + 1; M = N - 1), N > 2", "3,2 3,4"),
        ("X = \"a\", text(X)", "a"),
        ("X = \"new\"", "new"),
        ("X = X + 1", "unsafe-variable: the variable `X` stands in a comparison only"),
        ("X = Y + 1, Y = X", "unsafe-variable: the variable `X` stands in a comparison only"),
        (
            "X = 9223372036854775807, Y = X + 1",
            "number-overflow: a number worked out for the query is beyond 64 bits at `Y = X + 1`",
        ),
        (
            "X = 9223372036854775807, Y = X + 1, Y < 0",
            "number-overflow: a number worked out for the query is beyond 64 bits at `Y = X + 1`",
        ),
        ("X = 9223372036854775807, Y = X + 1, number(Y)", ""),
        ("X = 9223372036854775807, Y = X + 1, X < 7", ""),
    ]);
}

#[test]
fn a_number_that_no_row_can_hold_is_an_error_where_it_is_asked_for() {
    let told = |bits: usize, at: &str| {
        format!("number-overflow: a number worked out for the query is beyond {bits} bits at `{at}`")
    };
    let sum = "sum 4611686018427387904 : { number(N) }";
    let (row, max) = (told(64, sum), "M = 9223372036854775807");
    all(&[
        (&format!("X = {sum}"), &row),
        (&format!("{sum} < 3"), &row),
        (&format!("{sum} > 3"), &row),
        (&format!("number(M), {sum} + M > 3"), &row),
        (&format!("X = 1, Y = {sum} / 4"), &row),
        (
            &format!("X = count : {{ {sum} > 3 }}"),
            &format!(
                "number-overflow: a number worked out for `count : {{ {sum} > 3 }}` is beyond 64 bits at \
                `count : {{ {sum} > 3 }}`"
            ),
        ),
        (&format!("_X = {sum}"), "yes"),
        (&format!("X = {sum}, X = 7"), ""),
        (&format!("X = {sum}, number(X)"), ""),
        (&format!("X = {sum}, 1 > 2"), ""),
        (&format!("X = 2; X = {sum}"), &row),
        (&format!("{max}, M * M * M > 0"), &told(128, "M * M * M > 0")),
        (&format!("{max}, X = M * M * M / M / M"), &told(128, "X = M * M * M / M / M")),
        (&format!("{max}, X = M * M, Y = X + 1"), &told(64, "X = M * M")),
    ]);
}

#[test]
fn numbers_have_units_and_times_are_compared() {
    all(&[
        ("100m + 1.5cpu = 1600", "yes"),
        ("64Mi = 67108864, 1.5Gi = 1536Mi, 2k = 2000", "yes"),
        ("30d = 30 * 24h, 5min = 300s, 1w = 7d", "yes"),
        ("X = 10% of 255, Y = 10% of -255, Z = 50% of (2 + 3)", "25,-25,2"),
        ("X = 7 % 4, Y = 10", "3,10"),
        ("number(N), N < \"1970-01-01T00:00Z\"", "-7"),
        ("number(N), \"1970-01-01T00:00:02Z\" <= N", "2 3"),
        ("number(N), N in [\"1970-01-01\", 3]", "0 3"),
        ("1798131600 = to_time(\"2026-12-24T18:00[Europe/Berlin]\")", "yes"),
        ("number(N), N < \"tomorrow\"", "type-mismatch: a number is compared with a text"),
        ("1.5 < 2", "no-whole-number: `1.5` is no whole number"),
        ("5m = 5min", "units-mixed: numbers of two units are compared"),
    ]);
}

#[test]
fn texts_are_asked_and_taken_apart() {
    all(&[
        ("text(T), starts_with(T, \"registry.\")", "registry.local/team/app:1.2"),
        ("text(T), !starts_with(T, \"registry.\"), T != \"b\"", "a"),
        ("text(T), ends_with(T, \":1.2\"), contains(T, \"team\")", "registry.local/team/app:1.2"),
        ("text(T), matches(T, \"^[^/]+/team/.*:1\\\\.\")", "registry.local/team/app:1.2"),
        ("text(T), !matches(T, \"[a-z]{2}\")", "a b"),
        ("text(_T), Host = split(_T, \"/\", 0), contains(Host, \".\")", "registry.local"),
        ("text(_T), Tag = split(split(_T, \"/\", -1), \":\", 1)", "1.2"),
        ("text(_T), P = split(_T, \"/\", 9)", ""),
        ("X = lower(\"ÄB\"), L = length(\"ÄB\")", "äb,2"),
        (
            "X = to_number(\"-12\"), Y = to_cpu(\"1.5\"), Z = to_amount(\"2Ki\"), W = to_seconds(\"1h\")",
            "-12,1500,2048,3600",
        ),
        ("X = to_number(\"twelve\")", ""),
        ("text(T), T = lower(T), length(T) = 1", "a b"),
    ]);
}

#[test]
fn versions_are_compared_as_such() {
    all(&[
        ("V = \"5.4.0\", V < v\"5.10.3\"", "5.4.0"),
        ("V = \"5.15.0-91-generic\", V >= v\"5.10.3\", V < v\"5.15.0-100\"", "5.15.0-91-generic"),
        ("A = \"1.30.2\", B = \"v1.30.2-rc.1\", version(A) > version(B)", "1.30.2,v1.30.2-rc.1"),
        ("V = \"1.30\", V = v\"1.30.0\"", "1.30"),
        ("V = \"1.30\", V in [v\"1.29\", v\"1.30.0\"]", "1.30"),
        ("V = \"latest\", V < v\"5.10.3\"", ""),
        ("V = \"latest\", V >= v\"5.10.3\"", ""),
        ("text(T), T < v\"latest\"", "bad-version: `latest` is no version"),
        ("number(N), N < v\"5\"", "type-mismatch: `version` takes a text here"),
    ]);
}

#[test]
fn or_separates_what_and_joins() {
    all(&[
        ("number(N), N > 2; number(N), N < 0", "-7 3"),
        ("number(N), (N > 2; N < 0)", "-7 3"),
        ("number(N), (N > 2; N < 0; N > 0), (N != 3; N = 3, N != 3)", "-7 2"),
        ("(text(\"a\"); text(\"nothing\"))", "yes"),
        ("(text(\"x\"); text(\"nothing\"))", ""),
        ("((number(N))), ((N + 1)) * 2 = 6", "2"),
        (
            "number(N); text(T)",
            "unsafe-variable: the variable `N` stands in some of the ways only that `;` leaves open",
        ),
        ("number(N) /* ; text(\"a\") */, N > 2 // and no more", "3"),
    ]);
}

#[test]
fn a_value_is_one_of_a_list() {
    all(&[
        ("text(T), T in [\"a\", \"c\"]", "a"),
        ("text(T), T not in [\"a\", \"c\"], T < \"c\"", "b"),
        ("number(N), N !in [2, -7]", "0 3"),
        ("number(N), number(M), N + 1 in [M, 99]", "2,3"),
    ]);
}
