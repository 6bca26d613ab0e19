//! R13: rule files that ask for more than a machine has. Each is stopped with its rule and line,
//! or comes to an end, and none takes more than 256 MiB.

use std::fmt::Write as _;
use std::process::Command;

use nix::sys::resource::{UsageWho, getrusage};

use crate::base::{Place, daemonset, ended, figure, is_full, node, program};

/// In MiB: what a process may take, with the memory that rules have where nobody says.
const MOST: u64 = 256;

/// What is to come of rules.
#[derive(Clone, Copy, PartialEq, Debug)]
enum End {
    /// An error with a code that begins so, at a line of the file.
    Stopped(&'static str),
    /// An error of the text, with a place.
    Refused,
    /// The plan is made.
    Done,
}

/// Two columns of numbers, and what has to be derived so that the plan is known.
const EDGES: &str = ".decl e(a: number, b: number) input\n";
const HIT: &str = "/// {Node} is hit.\n.decl hit(node: Node) warning\n";

/// Rules over `e`; `asked` is the body that the plan asks for.
fn over_edges(rules: &str, asked: &str) -> String {
    format!("{EDGES}{rules}\n{HIT}hit(Node) :- node(Node), {asked}.\n")
}

fn looks() -> Vec<(&'static str, String, End)> {
    let rows = "error[too-many-rows]";
    let wide =
        ".decl w(a: number, b: number, c: number, d: number, e: number, f: number, g: number, h: number)\n";
    let count = ".decl n(a: number)\nn(0).\n";
    vec![
        (
            "a product of two",
            over_edges(".decl p(a: number, b: number)\np(A, B) :- e(A, _), e(B, _).", "p(A, B), A + B < 0"),
            End::Stopped(rows),
        ),
        (
            "a product of three",
            over_edges("", "e(A, _), e(B, _), e(C, _), A + B + C < 0"),
            End::Stopped("error["),
        ),
        (
            "a product of six",
            over_edges("", "e(A, _), e(B, _), e(C, _), e(D, _), e(E, _), e(F, _), A + B + C + D + E + F < 0"),
            End::Stopped("error["),
        ),
        (
            "a product of eight columns",
            over_edges(
                &format!("{wide}w(A, B, C, D, E, F, G, H) :- e(A, B), e(C, D), e(E, F), e(G, H)."),
                "w(A, _, _, _, _, _, _, H), A + H < 0",
            ),
            End::Stopped(rows),
        ),
        (
            "all ways through a chain",
            over_edges(
                ".decl p(a: number, b: number)\np(A, B) :- e(A, B).\np(A, C) :- p(A, B), p(B, C).",
                "p(A, B), A + B < 0",
            ),
            End::Stopped("error["),
        ),
        (
            "all ways, one step at a time",
            over_edges(
                ".decl p(a: number, b: number)\np(A, B) :- e(A, B).\np(A, C) :- p(A, B), e(B, C).",
                "p(A, B), A + B < 0",
            ),
            End::Stopped("error["),
        ),
        (
            "all that reach each other",
            over_edges(
                ".decl p(a: number, b: number)\np(A, B) :- e(A, B).\np(B, A) :- p(A, B).\np(A, C) :- p(A, B), p(B, C).",
                "p(A, B), A + B < 0",
            ),
            End::Stopped("error["),
        ),
        (
            "a chain of 100,000",
            format!(
                "{count}n(B) :- n(A), B = A + 1, B <= 100000.\n{HIT}hit(Node) :- node(Node), n(A), A = 100000.\n"
            ),
            End::Done,
        ),
        (
            "a chain without an end",
            format!("{count}n(B) :- n(A), B = A + 1.\n{HIT}hit(Node) :- node(Node), n(A), A < 0.\n"),
            End::Stopped("error["),
        ),
        (
            "doubling",
            format!("{count}n(1).\nn(B) :- n(A), B = A * 2.\n{HIT}hit(Node) :- node(Node), n(A), A < 0.\n"),
            End::Stopped("error[number-overflow]"),
        ),
        (
            "sums of sums",
            format!(
                "{count}n(1).\nn(2).\nn(C) :- n(A), n(B), C = A + B.\n{HIT}hit(Node) :- node(Node), n(A), A < 0.\n"
            ),
            End::Stopped("error["),
        ),
        (
            "a count of a product",
            over_edges("", "count : { e(A, _), e(B, _), e(C, _) } > 5"),
            End::Stopped("error["),
        ),
        (
            "a sum over a product",
            over_edges("", "sum A + B : { e(A, _), e(B, _), e(_, C), C > 0 } > 5"),
            End::Stopped("error["),
        ),
        (
            "nodes with nodes with nodes",
            format!(
                "{HIT}hit(Node) :- node(Node), node(A), node(B), node(C), node(D), A < B, B < C, C < D, D < A.\n"
            ),
            End::Stopped("error["),
        ),
        (
            "a negation of a product",
            over_edges(
                ".decl q(a: number, b: number)\nq(A, B) :- e(A, _), e(B, _), A + B < 0.",
                "e(A, _), e(B, _), e(C, _), !q(A, B), !q(B, C), A + C < 0",
            ),
            End::Stopped("error["),
        ),
    ]
}

fn texts() -> Vec<(&'static str, String, End)> {
    let list = |times: usize, of: &dyn Fn(usize) -> String| (0..times).map(of).collect::<String>();
    let chained = list(10_000, &|nth| {
        let before = if nth == 0 { "node(Node)".to_owned() } else { format!("r{}(Node)", nth - 1) };
        format!(".decl r{nth}(node: Node)\nr{nth}(Node) :- {before}.\n")
    });
    let alike = list(10_000, &|nth| format!("r(Node) :- node_label(Node, \"k{nth}\", _).\n"));
    let circle = list(2_000, &|nth| {
        format!(".decl r{nth}(node: Node)\nr{nth}(Node) :- r{}(Node).\n", (nth + 1) % 2_000)
    });
    let facts = list(60_000, &|nth| format!("f({nth}, {}).\n", nth + 1));
    let deep = |open: &str, close: &str| {
        format!(
            "{HIT}hit(Node) :- node(Node), {}node(Node){}.\n",
            open.repeat(100_000),
            close.repeat(100_000)
        )
    };
    let sum = format!("{HIT}hit(Node) :- node(Node), {}1{} > 0.\n", "(".repeat(100_000), ")".repeat(100_000));
    let minus = format!("{HIT}hit(Node) :- node(Node), {}1 > 0.\n", "-".repeat(100_000));
    let ways = format!("{HIT}hit(Node) :- node(Node){}.\n", ", (node(Node); node(Node))".repeat(40));
    let body = format!("{HIT}hit(Node) :- node(Node){}.\n", ", node(Node)".repeat(100_000));
    vec![
        (
            "10,000 rules one on the other",
            format!("{chained}{HIT}hit(Node) :- r9999(Node), node_label(Node, \"no\", _).\n"),
            End::Done,
        ),
        (
            "10,000 rules of one relation",
            format!(".decl r(node: Node)\n{alike}{HIT}hit(Node) :- r(Node).\n"),
            End::Done,
        ),
        ("a circle of 2,000 relations", format!("{circle}{HIT}hit(Node) :- r0(Node).\n"), End::Done),
        (
            "60,000 facts in the text",
            format!(".decl f(a: number, b: number)\n{facts}{HIT}hit(Node) :- node(Node), f(A, B), A > B.\n"),
            End::Done,
        ),
        (
            "10 MiB of comments",
            format!(
                "{}{HIT}hit(Node) :- node_label(Node, \"no\", _).\n",
                "// words and words\n".repeat(550_000)
            ),
            End::Refused,
        ),
        (
            "10 MiB of one text",
            format!("{HIT}hit(Node) :- node_label(Node, \"{}\", _).\n", "x".repeat(10 << 20)),
            End::Refused,
        ),
        ("10 MiB of one name", format!(".decl {}(node: Node)\n", "x".repeat(10 << 20)), End::Refused),
        ("10 MiB of nonsense", ") :- , ! \" ".repeat(1 << 20), End::Refused),
        ("10 MiB of open braces", "{".repeat(10 << 20), End::Refused),
        ("100,000 parentheses", deep("(", ")"), End::Refused),
        ("100,000 parentheses of a number", sum, End::Refused),
        ("100,000 signs", minus, End::Refused),
        ("2 to the power of 40 ways", ways, End::Refused),
        ("a body of 100,000 parts", body, End::Refused),
        (
            "a text that is not closed",
            format!("{HIT}hit(Node) :- node(Node), Node = \"{}", "x\\".repeat(1 << 20)),
            End::Refused,
        ),
    ]
}

/// Not a test by itself: runs a command as the only child of a process, and says what that took.
#[test]
#[ignore = "run by the test below"]
fn measured_process() {
    let Some(line) = std::env::var_os("MEASURED") else { return };
    let line = line.into_string().unwrap();
    let output = Command::new(program()).args(line.split_whitespace()).output().unwrap();
    let peak = getrusage(UsageWho::RUSAGE_CHILDREN).unwrap().max_rss() / 1024;
    println!("\npeak {peak} code {:?}", output.status.code());
    eprintln!("{}", String::from_utf8_lossy(&output.stderr));
}

/// The peak in MiB, the exit code, and what was said.
fn measured(place: &Place, line: &str) -> (u64, Option<i32>, String) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "explosion::measured_process", "--ignored", "--nocapture"]);
    command.current_dir(place.path("")).env("MEASURED", line).env("NO_COLOR", "1");
    command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let said = ended(command.spawn().unwrap(), line);
    let found =
        said.out.lines().find_map(|it| it.strip_prefix("peak ")).unwrap_or_else(|| panic!("{said:?}"));
    let (peak, code) = found.split_once(" code ").unwrap();
    let code = code.trim_start_matches("Some(").trim_end_matches(')').parse().ok();
    (peak.parse().unwrap(), code, said.err)
}

#[test]
fn rules_that_explode_are_stopped() {
    let place = Place::light();
    let nodes: String = (0..300).map(|nth| node(&format!("n{nth}"), "ssd")).collect();
    place.write("in/all.yaml", nodes + &daemonset("agent", "x:1", ""));
    let mut edges = String::new();
    (0..8_000).for_each(|nth| writeln!(edges, "{nth},{}", nth + 1).unwrap());
    let (mut highest, mut all) = ((0, ""), Vec::new());
    all.extend(looks());
    all.extend(texts());
    let mut wrong = String::new();
    for (name, text, end) in &all {
        let _ = std::fs::remove_dir_all(place.path("own"));
        place.write("own/own.dl", text);
        if text.contains(EDGES) {
            place.write("own/facts/e.csv", &edges);
        }
        let patience = if is_full() { "60s" } else { "2s" };
        let line = format!("plan in -q --rules own --timeout {patience}");
        let (peak, code, said) = measured(&place, &line);
        highest = highest.max((peak, name));
        let is_placed = said.contains("own/own.dl");
        // In a quick run nothing is waited for long.
        let is_late = !is_full() && code == Some(1) && said.starts_with("error[rules-too-slow]");
        let is_right = is_late
            || match end {
                End::Stopped(begins) => code == Some(1) && said.starts_with(begins) && is_placed,
                End::Refused => code == Some(1) && is_placed,
                End::Done => code == Some(0),
            };
        if !is_right || peak > MOST || said.contains("panicked") {
            writeln!(wrong, "{name}: {end:?}, but {code:?} with {peak} MiB: {:.600}", said).unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    let (peak, name) = highest;
    figure(
        "R13",
        format!("{} rule files: stopped with rule and line, or done; at most {peak} MiB ({name})", all.len()),
    );
}
