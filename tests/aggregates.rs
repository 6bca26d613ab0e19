//! What aggregates come to: each line of a table is a rule for `r` and its rows.

#![allow(clippy::unwrap_used, missing_docs)]

use dsrules::datalog::{Evaluation, Facts, Limits, Program, Source, Symbols, explain};

const FACTS: &str = r#".type Node
.type Pod
.decl node(n: Node) input
.decl on(p: Pod, n: Node) input
.decl asks(p: Pod, n: Node, amount: number) input
.decl at(n: Node, time: number) input
.decl r(n: Node, v: number) output
node("a"). node("b"). node("c").
on("p", "a"). on("q", "a"). on("p", "b").
asks("p", "a", 5). asks("q", "a", 5). asks("p", "b", -7).
at("a", 1). at("b", 2). at("c", 3).
"#;

fn load(rules: &str) -> Result<Program, String> {
    let text = format!("{FACTS}{rules}");
    let loaded = Program::load(&[Source { file: "facts.dl", text: &text, builtin: false, folder: "" }]);
    let first = loaded.diagnostics.iter().find(|found| found.is_error());
    let told = first.map(|error| format!("{}: {}", error.code, error.message));
    loaded.program.ok_or_else(|| told.unwrap())
}

fn evaluated(rules: &str) -> Result<(Program, Symbols, Evaluation), String> {
    let program = load(rules)?;
    let mut symbols = Symbols::new();
    let wanted = [program.relation("r").unwrap()];
    let done = Evaluation::new(&program, &mut symbols, Facts::new(), &wanted, &Limits::default());
    let done = done.map_err(|error| error.render(false))?;
    Ok((program, symbols, done))
}

/// The rows of `r`, or the first thing that is wrong.
fn rows(rules: &str) -> String {
    match evaluated(rules) {
        Ok((program, symbols, done)) => {
            let rows = done.rows(program.relation("r").unwrap());
            let shown = |sym: &u32| symbols.value(*sym).to_string();
            let mut rows: Vec<String> =
                rows.map(|row| row.iter().map(shown).collect::<Vec<_>>().join("")).collect();
            rows.sort();
            rows.join(" ")
        }
        Err(told) => told.lines().next().unwrap().to_owned(),
    }
}

fn all(table: &[(&str, &str)]) {
    let wrong: Vec<String> = table
        .iter()
        .filter(|(rule, expected)| rows(rule) != *expected)
        .map(|(rule, expected)| format!("{rule}\n  expected {expected}\n  found    {}", rows(rule)))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_value_is_made_of_many() {
    all(&[
        ("r(N, V) :- node(N), V = count : { on(P, N) }.", "a2 b1 c0"),
        ("r(N, V) :- node(N), V = count : { on(_, N) }.", "a2 b1 c0"),
        ("r(N, V) :- node(N), count : { on(P, N) } = V.", "a2 b1 c0"),
        ("r(N, V) :- on(_, N), V = count : { on(\"q\", N) }.", "a1 b0"),
        ("r(N, V) :- node(N), V = sum A : { asks(P, N, A) }.", "a10 b-7 c0"),
        ("r(N, V) :- node(N), V = sum A : { asks(_, N, A) }.", "a10 b-7 c0"),
        ("r(N, V) :- node(N), V = sum A * 2 + 1 : { asks(P, N, A) }.", "a22 b-13 c0"),
        ("r(N, V) :- node(N), V = max A : { asks(P, N, A) }.", "a5 b-7"),
        ("r(N, V) :- node(N), V = min T : { at(_, T) }.", "a1 b1 c1"),
        ("r(N, V) :- node(N), V = 2 * (count : { on(P, N) }) + 1.", "a5 b3 c1"),
        ("r(N, 1) :- node(N), count : { on(P, N) } > 1.", "a1"),
        ("r(N, 1) :- node(N), count : { on(P, N) } in [0, 1].", "b1 c1"),
        ("r(N, 1) :- node(N), count : { on(P, N) } = count : { asks(P, N, _) }.", "a1 b1 c1"),
        ("r(N, V) :- node(N), A = count : { on(P, N) }, V = A + (count : { on(P, \"a\") }).", "a4 b3 c2"),
        ("r(N, V) :- node(N), A = count : { on(P, N) }, V = count : { at(M, A) }.", "a1 b1 c0"),
        ("r(N, V) :- node(N), V = count : { at(M, A) }, A = count : { on(P, N) }.", "a1 b1 c0"),
        ("r(N, V) :- at(N, T), V = count : { at(M, U), U < T }.", "a0 b1 c2"),
        ("r(N, V) :- at(N, T), A = count : { on(P, N) }, V = count : { at(M, U), U < T }, A = 0.", "c2"),
        ("r(N, V) :- at(N, T), U = T + 1, V = count : { at(M, W), W != U }.", "a2 b2 c3"),
        ("r(N, V) :- node(N), V = count : { node(M), !on(\"p\", M), M != N }.", "a1 b1 c0"),
        (
            "r(N, V) :- node(N), (V = count : { on(P, N) }; V = sum A : { asks(P, N, A) }), V != 0.",
            "a10 a2 b-7 b1",
        ),
        ("r(N, V) :- node(N), T = sum A : { asks(P, N, A) }, V = 10% of T.", "a1 b0 c0"),
        (".decl sum(n: Node) sum(N) :- node(N). r(N, 1) :- sum(N).", "a1 b1 c1"),
    ]);
}

#[test]
fn braces_stand_in_braces_and_hold_in_several_ways() {
    all(&[
        ("r(N, V) :- node(N), V = count : { on(P, N); asks(P, N, A), A > 0 }.", "a4 b1 c0"),
        ("r(N, V) :- node(N), V = count : { on(P, N); on(P, \"b\") }.", "a2 b1 c1"),
        ("r(N, V) :- node(N), V = count : { on(_, N); on(_, N) }.", "a4 b2 c0"),
        ("r(N, V) :- node(N), V = sum A : { asks(P, N, A); at(N, A), P = \"z\" }.", "a11 b-5 c3"),
        ("r(N, V) :- node(N), V = max A : { asks(_, N, A); at(N, A) }.", "a5 b2 c3"),
        ("r(N, V) :- node(N), V = count : { node(M), count : { on(P, M) } > 0 }.", "a2 b2 c2"),
        ("r(N, V) :- node(N), V = count : { node(M), count : { on(P, M) } < 1 }.", "a1 b1 c1"),
        ("r(N, V) :- node(N), V = count : { node(M), count : { on(P, M), on(P, N) } > 0 }.", "a2 b2 c0"),
        ("r(\"a\", V) :- V = sum (count : { on(P, N) }) * 10 : { node(N) }.", "a30"),
        ("r(\"a\", V) :- V = max C : { node(N), C = count : { on(P, N) } }.", "a2"),
        ("r(\"a\", V) :- V = count : { node(N), W = sum A : { asks(P, N, A) }, W < 0 }.", "a1"),
        ("r(N, 1) :- node(N), sum (A * 2) : { asks(_, N, A) } > 3.", "a1"),
        ("r(N, V) :- node(N), A = count : { on(P, N) }, V = count : { at(M, T), T > A }.", "a1 b2 c3"),
        ("r(N, V) :- node(N), A = min T : { at(N, T) }, V = count : { at(M, T), T > A }.", "a2 b1 c0"),
    ]);
}

#[test]
fn the_first_of_a_group_are_taken() {
    all(&[
        ("r(N, T) :- first 2 N by U : { at(N, U) }, at(N, T).", "a1 b2"),
        ("r(N, T) :- first 2 N by U desc : { at(N, U) }, at(N, T).", "b2 c3"),
        ("r(N, 1) :- first 1 N by T asc : { at(N, T) }.", "a1"),
        ("r(N, 1) :- first 2 N : { node(N) }.", "a1 b1"),
        ("r(N, 1) :- first 1 N by N desc : { node(N) }.", "c1"),
        ("r(N, 1) :- first 0 N : { node(N) }.", ""),
        ("r(N, 1) :- first 9 N : { node(N) }.", "a1 b1 c1"),
        ("r(N, 1) :- node(N), first 1 P : { on(P, N) }, P = \"p\".", "a1 b1"),
        ("r(N, 1) :- node(N), first 1 P by P desc : { on(P, N) }, P = \"q\".", "a1"),
        ("r(N, V) :- first 2 (N, V) by V desc, N : { asks(_, N, V); at(N, V) }.", "a5 c3"),
        ("r(N, V) :- at(N, K), first K V by V desc : { at(_, V) }.", "a3 b2 b3 c1 c2 c3"),
        ("r(N, V) :- node(N), K = count : { on(P, N) }, first K V : { at(_, V) }.", "a1 a2 b1"),
        ("r(N, T) :- first 2 N by U / 2, U desc : { at(N, U) }, at(N, T).", "a1 c3"),
        ("r(N, 1) :- first 1 N by count : { on(P, N) } : { node(N) }.", "c1"),
        ("r(N, 1) :- first 1 N by (count : { on(P, N) }) desc : { node(N) }.", "a1"),
        ("r(N, V) :- node(N), V = count : { first 2 M by T : { at(M, T) }, M != N }.", "a1 b1 c2"),
        ("r(M, 1) :- first 1 N by T : { at(N, T) }, first 1 M by T : { at(M, T), M != N }.", "b1"),
        (".param k: number = 2\nr(N, 1) :- first k N : { node(N) }, count : { node(M) } > k.", "a1 b1"),
        (".decl first(n: Node) first(N) :- node(N). r(N, 1) :- first(N).", "a1 b1 c1"),
    ]);
}

#[test]
fn too_large_a_sum_is_an_error_of_the_rule_that_asks_for_it() {
    let rules = "at(\"a\", 9223372036854775807).\nr(N, V) :- node(N), V = sum T : { at(N, T) }.";
    assert_eq!(rows(rules), "error[number-overflow]: a number worked out for `r` is beyond 64 bits");
    let told = evaluated(rules).err().unwrap();
    assert!(told.contains("facts.dl:13:1") && told.contains("the rule is `r(N, V)"), "{told}");
    let asked = "at(\"a\", 9223372036854775807).\nr(N, V) :- node(N), V = sum T : { at(N, T) }, N != \"a\".";
    assert_eq!(rows(asked), "b2 c3");
}

#[test]
fn wrong_uses_are_told() {
    all(&[
        (
            "r(N, 1) :- first 2 N by T : { node(N) }.",
            "unsafe-variable: `T` has no value in the braces of the aggregate",
        ),
        (
            "r(N, 1) :- first 2 M by P : { on(P, N) }, node(N).",
            "unsafe-variable: `M` has no value in the braces of the aggregate",
        ),
        (
            "r(N, 1) :- first 2 M : { node(M), on(_, N) }, M = N.",
            "local-variable: `N` stands outside of the aggregate too, and gets no value there",
        ),
        (
            "r(N, 1) :- first K N : { node(N) }.",
            "unsafe-variable: the variable `K` stands in a comparison only",
        ),
        ("r(N, 1) :- first \"2\" N : { node(N) }.", "syntax: `first` is neither a variable nor a constant"),
        (
            "r(N, 1) :- first N by T : { at(N, T) }.",
            "syntax: expected how many and a variable: `first 2 Node by Created : { … }`, found `by`",
        ),
        (
            "r(N, 1) :- first 2 N by T { at(N, T) }.",
            "syntax: expected `:` and what is looked at in `{` and `}`, found `{`",
        ),
        (
            "r(N, T) :- first 2 N by T : { at(N, T) }, at(N, T).",
            "local-variable: `T` stands outside of `first` too, so that it puts nothing in order",
        ),
        (
            "r(N, V) :- node(N), at(N, V), first 1 M : { r(M, V) }, M = N.",
            "aggregate-in-recursion: `r` depends on an aggregate over what depends on `r`",
        ),
        ("r(N, 1) :- first 1 P : { on(P, _) }, N = P, node(N).", ""),
        (
            "r(N, V) :- V = count : { on(P, N) }.",
            "local-variable: `N` stands outside of the aggregate too, and gets no value there",
        ),
        (
            "r(N, V) :- node(N), V = count : { on(P, N) }, V = count : { r(N, V) }.",
            "aggregate-in-recursion: `r` depends on an aggregate over what depends on `r`",
        ),
        (
            "r(N, V) :- node(N), V = sum A : { on(P, N) }.",
            "unsafe-variable: `A` has no value in the braces of the aggregate",
        ),
        (
            "r(N, V) :- node(N), V = sum P : { on(P, N) }.",
            "type-mismatch: the column `P` of `sum P : { on(P, N) }` takes `number`, not what stands here",
        ),
        (
            "r(\"a\", V) :- on(N, _), V = count : { on(P, N) }.",
            "type-mismatch: the column `N` of `count : { on(P, N) }` takes `Node`, not what stands here",
        ),
        ("r(N, V) :- node(N), V = count P : { on(P, N) }.", "syntax: expected `:` behind `count`, found `P`"),
        (
            "r(N, V) :- node(N), V = count : { on(P, N), !on(Q, N) }.",
            "unsafe-variable: the variable `Q` stands in a negated atom only",
        ),
        (
            "r(N, V) :- node(N), V = count : on(P, N).",
            "syntax: expected `{` and what is looked at, found `on`",
        ),
        ("r(N, V) :- node(N), V = count { on(P, N) }.", "syntax: expected `:` behind `count`, found `{`"),
    ]);
}

/// Why `r("n", value)` is there, or what each rule lacks.
fn told(rules: &str, node: &str, value: i64) -> String {
    let (program, mut symbols, done) = evaluated(rules).unwrap();
    let row = [symbols.text(node), symbols.number(value)];
    let id = program.relation("r").unwrap();
    if let Some(why) = explain::why(&program, &symbols, &done, id, &row) {
        return why.to_string();
    }
    let tree = explain::tree(&program, &symbols, &done, id, &row);
    let parts = tree.rules.iter().flat_map(|tried| &tried.parts).filter(|part| !part.holds());
    let said = parts.map(|part| match part {
        explain::Part::Aggregate(total) => total.to_string(),
        explain::Part::Comparison(it) => format!("not {}", it.text),
        explain::Part::Row(goal) | explain::Part::Not(goal) => goal.fact.clone(),
    });
    said.collect::<Vec<_>>().join("; ")
}

#[test]
fn an_explanation_shows_the_value_and_what_makes_it() {
    let rule = "r(N, V) :- node(N), V = count : { on(P, N) }.";
    assert_eq!(
        told(rule, "a", 2),
        "r(\"a\", 2) [facts.dl:12]\n  node(\"a\") (input)\n  \
         2 = count : { on(P, N) } for N = \"a\" (2 rows)\n    on(\"p\", \"a\")\n    on(\"q\", \"a\")\n"
    );
    assert_eq!(
        told(rule, "c", 0),
        "r(\"c\", 0) [facts.dl:12]\n  node(\"c\") (input)\n  0 = count : { on(P, N) } for N = \"c\" (0 rows)\n"
    );
    assert_eq!(told(rule, "a", 7), "7 = count : { on(P, N) } for N = \"a\", but it is 2 (2 rows)");
    assert_eq!(told(rule, "c", 7), "7 = count : { on(P, N) } for N = \"c\", but it is 0 (0 rows)");
    let rule = "r(N, 1) :- node(N), count : { on(P, N) } > 1.";
    assert_eq!(told(rule, "b", 1), "not 1 > 1");
    assert_eq!(told(rule, "c", 1), "not 0 > 1");
    let rule = "r(N, 1) :- node(N), max A : { asks(P, N, A) } > 1.";
    assert!(
        told(rule, "c", 1).contains("max A : { asks(P, N, A) } for N = \"c\", but there is none (0 rows)")
    );
    let rule = "r(N, 1) :- first 2 N by T : { at(N, T) }.";
    assert_eq!(
        told(rule, "b", 1),
        "r(\"b\", 1) [facts.dl:12]\n  N = \"b\" is 2nd of 3 in first 2 N by T : { at(N, T) } (3 rows)\n    \
         at(\"a\", 1)\n    at(\"b\", 2)\n    at(\"c\", 3)\n"
    );
    assert_eq!(told(rule, "c", 1), "N = \"c\" is 3rd of 3 in first 2 N by T : { at(N, T) } (3 rows)");
    let rule = "r(N, 1) :- node(N), first 1 P by P : { on(P, N) }, P = \"q\".";
    assert_eq!(told(rule, "a", 1), "not \"p\" = \"q\"");
}
