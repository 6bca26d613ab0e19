//! What is read fits terminals of 40 to 300 columns: nothing is lost, no letter is broken, and
//! columns stand under their heads, whatever letters there are.

use std::fs::File;
use std::io::{Read, Write};
use std::process::Stdio;
use std::sync::Mutex;
use std::thread;

use dsrules::report::Fit;
use nix::pty::{OpenptyResult, openpty};
use unicode_width::UnicodeWidthStr;

use crate::session::{Session, daemonset, node};

/// A letter of two signs.
const LETTER: &str = "e\u{301}";

const OWN: &str = "/// {Node} は 🚀 の漢字かな交じり文で、長い説明がここに続くので、四十桁の端末には収まりません。\n\
    blocked(D, Node) :- daemonset(D), node_label(Node, \"zone\", \"west\").\n\
    .decl named(node: Node, what: Value)\n\
    /// {N} は漢字です。\n\
    named(N, \"漢字🚀é漢字かな交じり文\") :- node(N).\n\
    /// {N} は {V} です。\n\
    named(N, V) :- node_label(N, \"zone\", V).\n\
    .decl odd(n: Node) warning\n\
    /// {N} は西にあります。🚀\n\
    odd(N) :- node_label(N, \"zone\", \"west\").\n";

const LINES: &[&str] = &[
    "plan fleet --rules 規則.dl",
    "plan fleet --rules 規則.dl -o wide",
    "plan changed --prune --input-of fleet --rules 規則.dl",
    "apply fleet --dry-run --rules 規則.dl",
    "get nodes,ds,pods -A -o wide",
    "get events -A",
    "describe node a-node-with-quite-a-long-name",
    "describe ds agent",
    "explain agent a-node-with-quite-a-long-name",
    "explain agent",
    "explain node/a-node-with-quite-a-long-name -o wide",
    "blame agent a-node-with-quite-a-long-name",
    "log",
    "log -o wide",
    "query named(N,V)",
    "capacity",
    "capacity -o wide",
    "report",
    "report -o wide",
    "reach daemonset/agent",
    "rollout status daemonset/agent",
    "rollout history daemonset/agent",
    "rollout restart daemonset/agent --dry-run",
    "rules list",
    "rules list -o wide",
    "diff fleet changed",
    "show kept.json",
    "--help",
    "plan --help",
];

fn begun() -> Session {
    let session = Session::new();
    let long = node("a-node-with-quite-a-long-name", "zone=west", "");
    let nodes = [node("b", "zone=east", ""), node("c", "zone=east", ""), long.clone()];
    session.write("fleet/nodes.yaml", nodes.join("---\n"));
    session.write("fleet/運用.yaml", daemonset("agent", "agent:1", "", ""));
    session.write("fleet/other.yaml", daemonset("another-daemonset-with-a-long-name", "agent:1", "", ""));
    session.write("規則.dl", OWN);
    let mut apply = session.command();
    apply.env("DSRULES_BY", "山田太郎🚀@計算機").args(["apply", "fleet", "-q", "--rules", "規則.dl"]);
    assert!(apply.output().unwrap().status.success());
    session.write("changed/nodes.yaml", [node("b", "zone=west", ""), long].join("---\n"));
    session.write("changed/運用.yaml", daemonset("agent", "agent:2", "", ""));
    assert_eq!(session.quietly("plan changed --out kept.json --rules 規則.dl").code, 0);
    session
}

/// What a command writes to a terminal of so many columns.
fn on_terminal(session: &Session, line: &str, columns: usize) -> String {
    let OpenptyResult { master, slave } = openpty(None, None).unwrap();
    let mut command = session.command();
    command.args(line.split(' ')).env("COLUMNS", columns.to_string()).env("NO_COLOR", "1");
    let mut child = command.stdout(Stdio::from(slave)).stderr(Stdio::null()).spawn().unwrap();
    drop(command);
    let (mut bytes, mut screen) = (Vec::new(), File::from(master));
    // A terminal that nobody writes to any longer is at its end, or gone.
    let _ = screen.read_to_end(&mut bytes);
    child.wait().unwrap();
    String::from_utf8(bytes).unwrap().replace("\r\n", "\n")
}

fn fitted(text: &str, columns: usize) -> String {
    let mut out = Vec::new();
    Fit::new(&mut out, Some(columns)).write_all(text.as_bytes()).unwrap();
    String::from_utf8(out).unwrap()
}

/// What is wrong with a text that was made to fit.
fn wrong(fitted: &str, whole: &str, columns: usize) -> Option<String> {
    let letters = |text: &str| text.split_whitespace().collect::<String>();
    if letters(fitted) != letters(whole) {
        return Some(format!("something is lost:\n{fitted}\n{whole}"));
    }
    if fitted.matches(LETTER).count() != whole.matches(LETTER).count() {
        return Some("a letter is broken".to_owned());
    }
    let line = fitted.lines().find(|line| line.width() > columns)?;
    Some(format!("a line is {} wide: {line}", line.width()))
}

/// The columns in which the heads of a table stand, if a line has such.
fn heads(line: &str) -> Vec<usize> {
    let words: Vec<&str> = line.split("   ").filter(|word| !word.trim().is_empty()).collect();
    let is_head = |word: &&str| word.trim().chars().all(|c| c.is_ascii_uppercase() || " -%()".contains(c));
    if words.len() < 2 || !words.iter().all(is_head) || line.starts_with(' ') {
        return Vec::new();
    }
    let is_start = |at: &usize| line[*at..].starts_with(char::is_alphabetic) && line[..*at].ends_with("   ");
    (1..line.len()).filter(is_start).collect()
}

/// A row of a table in which something does not stand under its head.
fn slanted(text: &str) -> Option<String> {
    let mut columns = Vec::new();
    for line in text.lines() {
        let found = heads(line);
        if !found.is_empty() || line.is_empty() {
            columns = found;
            continue;
        }
        // What is no row is a sentence.
        if !line.trim().contains("   ") {
            continue;
        }
        // A cell begins on its column, behind a gap.
        let letters = || {
            line.chars().scan(0, |at, letter| {
                let here = *at;
                *at += letter.to_string().width();
                Some((here, letter))
            })
        };
        let stands = |column: &usize| {
            let in_gap = |(at, letter): (usize, char)| (column - 1..*column).contains(&at) && letter != ' ';
            line.width() <= *column || !letters().any(in_gap)
        };
        if !columns.iter().all(stands) {
            return Some(line.to_owned());
        }
    }
    None
}

#[test]
fn what_is_read_fits_terminals_of_40_to_300_columns() {
    let session = begun();
    let (next, found) = (Mutex::new(LINES.iter()), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    let Some(line) = next.lock().unwrap().next() else { return };
                    let said = session.quietly(line);
                    let mut problems: Vec<String> = Vec::new();
                    if said.out.is_empty() {
                        problems.push(format!("says nothing: {}", said.err));
                    }
                    problems.extend(
                        slanted(&said.out)
                            .map(|row| format!("does not stand under its head: {row}\n{}", said.out)),
                    );
                    for columns in [80, 120, 300] {
                        problems.extend(wrong(&fitted(&said.out, columns), &said.out, columns));
                    }
                    // The help is laid out by who parses the line.
                    if !line.ends_with("--help") {
                        let narrow = on_terminal(&session, line, 40);
                        problems.extend(wrong(&narrow, &said.out, 40));
                    }
                    found.lock().unwrap().extend(problems.into_iter().map(|it| format!("{line}: {it}")));
                }
            });
        }
    });
    let found = found.into_inner().unwrap();
    assert!(found.is_empty(), "{}", found.join("\n\n"));
}
