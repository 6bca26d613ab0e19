//! What came of test cases: in words for a person and for JUnit, and as JSON.

use std::fmt::Write;

use serde_json::{Value, json};
use similar::TextDiff;

use super::data::API_VERSION;
use crate::app::cases::{Clause, Coverage, Difference, Differing, Got, Outcome};
use crate::diagnostic::visible;

/// So many rows of a relation are shown, of those that are missing and of the others.
const ROWS_SHOWN: usize = 20;

/// What is wrong with a case, line by line: `-` is what was expected, `+` what is. Nothing of one that passed.
#[must_use]
pub fn case_failure(outcome: &Outcome) -> String {
    match &outcome.got {
        Ok(got) => failure(outcome, got),
        Err(diagnostics) => {
            diagnostics.iter().map(|found| found.render(false)).collect::<Vec<_>>().join("\n\n")
        }
    }
}

fn failure(outcome: &Outcome, got: &Got) -> String {
    let mut text = got.plan.as_ref().map_or_else(String::new, |(expected, planned)| {
        let lines = TextDiff::from_lines(expected, planned);
        lines.unified_diff().context_radius(3).header("expected", "planned").to_string()
    });
    for difference in &got.rows {
        rows(outcome, difference, &mut text);
    }
    let mut differing = got.rows.iter().flat_map(|it| it.missing.iter().chain(&it.unexpected));
    if let Some(first) = differing.find(|it| it.row.iter().all(Option::is_some)) {
        let fact = first.fact.replace('\'', "'\\''");
        let _ = writeln!(text, "  more: dsrules explain '{fact}' -f {}", outcome.folder.display());
    }
    text
}

fn rows(outcome: &Outcome, difference: &Difference, text: &mut String) {
    let file = outcome.file.file_name().unwrap_or_default().display();
    let _ = writeln!(text, "{} ({file}:{})", difference.relation, difference.line);
    for (sign, list) in [('-', &difference.missing), ('+', &difference.unexpected)] {
        for Differing { fact, because, .. } in list.iter().take(ROWS_SHOWN) {
            let _ = writeln!(text, "{sign} {fact}");
            for why in because {
                let _ = writeln!(text, "    {why}");
            }
        }
        if list.len() > ROWS_SHOWN {
            let _ = writeln!(text, "{sign} and {} more", list.len() - ROWS_SHOWN);
        }
    }
}

/// How much of the rules is tested, and what is not, line by line.
#[must_use]
pub fn coverage_text(coverage: &Coverage) -> String {
    let ((rules, all_rules), (clauses, all)) = (coverage.rules(), coverage.fired());
    let mut text = format!("fired {rules} of {all_rules} rules, {clauses} of {all} clauses\n");
    for Clause { place, rule, way, .. } in coverage.clauses().filter(|clause| !clause.fired) {
        let way = if way.1 > 1 { format!(" (way {} of {})", way.0, way.1) } else { String::new() };
        let rule = rule.split_whitespace().collect::<Vec<_>>().join(" ");
        let _ = writeln!(text, "  no case fires {place}{way}: {}", visible(&rule));
    }
    text
}

/// Cases as a `kind: TestResults` of `apiVersion: dsrules.dev/v1`.
#[must_use]
pub fn cases_document(outcomes: &[Outcome], coverage: Option<&Coverage>) -> Value {
    let passed = outcomes.iter().filter(|outcome| outcome.passed()).count();
    let mut document = json!({
        "apiVersion": API_VERSION,
        "kind": "TestResults",
        "summary": { "passed": passed, "failed": outcomes.len() - passed },
        "cases": outcomes.iter().map(case).collect::<Vec<_>>(),
    });
    if let Some(coverage) = coverage {
        let ((rules, all_rules), (fired, all)) = (coverage.rules(), coverage.fired());
        document["coverage"] = json!({
            "rules": { "fired": rules, "all": all_rules },
            "clauses": { "fired": fired, "all": all },
            "notFired": coverage.clauses().filter(|clause| !clause.fired).collect::<Vec<_>>(),
        });
    }
    document
}

fn case(outcome: &Outcome) -> Value {
    let mut case = json!({
        "name": outcome.name,
        "file": outcome.file.display().to_string(),
        "passed": outcome.passed(),
    });
    match &outcome.got {
        Err(diagnostics) => case["errors"] = json!(diagnostics),
        Ok(got) => {
            if let Some((expected, planned)) = &got.plan {
                case["plan"] = json!({ "expected": expected, "planned": planned });
            }
            if !got.rows.is_empty() {
                case["rows"] = json!(got.rows);
            }
        }
    }
    case
}
