//! What rules cost: a table, and of the dearest how they are joined.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::data::API_VERSION;
use super::table::Table;
use crate::app::profile::{Profiled, RuleCost, thousands};

use crate::diagnostic::visible;

/// The `top` dearest rules.
///
/// # Errors
/// Where writing fails.
pub fn profile_text(profiled: &Profiled, top: usize, out: &mut dyn Write) -> io::Result<()> {
    let mut table = Table::new(["SECONDS", "LOOKS", "FOUND", "ROWS", "RUNS", "RELATION", "WHERE"]);
    let shown = &profiled.rules[..top.min(profiled.rules.len())];
    for rule in shown {
        table.row([
            format!("{:.3}", rule.time.as_secs_f64()),
            thousands(rule.looks),
            thousands(rule.found),
            thousands(rule.rows as u64),
            thousands(rule.runs),
            one_line(&rule.relation),
            place(rule),
        ]);
    }
    table.write(out, "", true)?;
    for rule in shown.iter().filter(|rule| !rule.steps.is_empty()) {
        join(rule, out)?;
    }
    let (took, (facts, count)) = (profiled.took.as_secs_f64(), profiled.facts);
    let more = profiled.rules.len() - shown.len();
    let more = if more == 0 { String::new() } else { format!(" ({} of them shown)", shown.len()) };
    writeln!(
        out,
        "\n{} rules ran{more}, in {took:.3} s; {} facts were read in {:.3} s",
        profiled.rules.len(),
        thousands(count as u64),
        facts.as_secs_f64()
    )
}

/// The join of a rule, step by step.
fn join(rule: &RuleCost, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\n{}  {}", place(rule), one_line(&rule.text))?;
    for (at, step) in (1..).zip(&rule.steps) {
        let parts: Vec<String> = step.parts.iter().map(|part| one_line(part)).collect();
        write!(out, "  {at}. {}: {}", parts.join(" and "), thousands(step.made))?;
        if step.tests.is_empty() {
            writeln!(out)?;
            continue;
        }
        let tests: Vec<String> = step.tests.iter().map(|test| one_line(test)).collect();
        writeln!(out, "\n     {}: {} stay", tests.join(", "), thousands(step.stay))?;
    }
    rule.help.iter().try_for_each(|help| writeln!(out, "  = help: {}", one_line(help)))
}

fn place(rule: &RuleCost) -> String {
    let way = if rule.way.1 > 1 { format!(" way {} of {}", rule.way.0, rule.way.1) } else { String::new() };
    format!("{}:{}{way}", visible(&rule.file), rule.line)
}

/// A text of a rule without its line breaks.
fn one_line(text: &str) -> String {
    visible(&text.split_whitespace().collect::<Vec<_>>().join(" ")).into_owned()
}

/// All rules as a `kind: RulesProfile` of `apiVersion: dsrules.dev/v1`.
#[must_use]
pub fn profile_document(profiled: &Profiled) -> Value {
    json!({
        "apiVersion": API_VERSION,
        "kind": "RulesProfile",
        "seconds": profiled.took.as_secs_f64(),
        "facts": { "seconds": profiled.facts.0.as_secs_f64(), "rows": profiled.facts.1 },
        "rules": profiled.rules.iter().map(rule).collect::<Vec<_>>(),
        "stopped": profiled.stopped,
    })
}

fn rule(rule: &RuleCost) -> Value {
    let steps = rule.steps.iter().map(
        |step| json!({ "parts": step.parts, "tests": step.tests, "made": step.made, "stay": step.stay }),
    );
    json!({
        "relation": rule.relation,
        "rule": rule.text,
        "file": rule.file,
        "line": rule.line,
        "builtin": rule.builtin,
        "way": rule.way.0,
        "ways": rule.way.1,
        "seconds": rule.time.as_secs_f64(),
        "looks": rule.looks,
        "found": rule.found,
        "rows": rule.rows,
        "runs": rule.runs,
        "join": steps.collect::<Vec<_>>(),
        "help": rule.help,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::time::Duration;

    use super::*;
    use crate::app::profile::StepCost;

    #[test]
    fn the_dearest_rules_come_first_with_their_joins() {
        let step = |part: &str, test: &str, made, stay| StepCost {
            parts: vec![part.to_owned()],
            tests: if test.is_empty() { vec![] } else { vec![test.to_owned()] },
            made,
            stay,
            is_free: false,
        };
        let dear = RuleCost {
            relation: "near".into(),
            text: "near(A, B) :-\n    n(A, X), n(B, Y), X < Y.".into(),
            file: "own.dl".into(),
            line: 3,
            way: (1, 1),
            runs: 1,
            looks: 1_001_000,
            found: 12,
            rows: 12,
            time: Duration::from_millis(1_250),
            steps: vec![step("n(A, X)", "", 1_000, 1_000), step("n(B, Y)", "X < Y", 1_000_000, 12)],
            help: vec!["join them".into()],
            ..RuleCost::default()
        };
        let cheap = RuleCost { line: 9, way: (2, 3), steps: vec![], time: Duration::ZERO, ..dear.clone() };
        let profiled = Profiled {
            rules: vec![dear, cheap],
            facts: (Duration::from_millis(20), 2_000),
            took: Duration::from_millis(1_250),
            stopped: None,
        };
        let mut out = Vec::new();
        profile_text(&profiled, 2, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        let expected = "\
SECONDS  LOOKS      FOUND  ROWS  RUNS  RELATION  WHERE
1.250    1,001,000  12     12    1     near      own.dl:3
0.000    1,001,000  12     12    1     near      own.dl:9 way 2 of 3

own.dl:3  near(A, B) :- n(A, X), n(B, Y), X < Y.
  1. n(A, X): 1,000
  2. n(B, Y): 1,000,000
     X < Y: 12 stay
  = help: join them

2 rules ran, in 1.250 s; 2,000 facts were read in 0.020 s
";
        let trimmed: String = text.lines().map(|line| format!("{}\n", line.trim_end())).collect();
        assert_eq!(
            trimmed.split_whitespace().collect::<Vec<_>>(),
            expected.split_whitespace().collect::<Vec<_>>(),
            "{text}"
        );
        assert_eq!(profile_document(&profiled)["rules"][0]["join"][1]["stay"], 12);
    }
}
