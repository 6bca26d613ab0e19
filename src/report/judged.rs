//! What constraints say of a plan, in the forms that other tools read.
//!
//! For code scanning and for tests each constraint is a rule, or a test, of its own, also
//! where it has no row.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::findings::{findings_github, sarif, sarif_result, xml};
use crate::diagnostic::{Diagnostic, Place};
use crate::plan::{Finding, Judged};

/// A row by itself, shown where a manifest has what it is about, and beside it the rule.
fn shown(judged: &Judged, finding: &Finding) -> Diagnostic {
    let mut told = judged.one(finding);
    let mut places: Vec<(Place, String)> = Vec::new();
    for about in &finding.objects {
        places.extend(about.place.clone().map(|place| (place, about.key.to_string())));
    }
    places.extend(finding.place.clone().map(|place| (place, "the rule".to_owned())));
    (told.place, told.related) = if places.is_empty() {
        (None, Vec::new())
    } else {
        let (first, _) = places.remove(0);
        (Some(first), places)
    };
    told
}

/// What constraints say as SARIF 2.1.0: a rule for each of them, a result for each row.
///
/// # Errors
/// Where writing fails.
pub fn judged_sarif(judged: &[Judged], said: &[Diagnostic], out: &mut dyn Write) -> io::Result<()> {
    let level = |it: &Judged| if it.is_error() { "error" } else { "warning" };
    let rule = |it: &Judged| {
        let about = if it.about.is_empty() { &*it.relation } else { it.about.trim() };
        json!({
            "id": it.relation,
            "shortDescription": { "text": about },
            "defaultConfiguration": { "level": level(it) },
        })
    };
    let mut rules: Vec<Value> = judged.iter().map(rule).collect();
    let mut results = Vec::new();
    for (at, it) in judged.iter().enumerate() {
        for finding in &it.findings {
            let mut result = sarif_result(&shown(it, finding), &it.relation);
            result["ruleIndex"] = at.into();
            results.push(result);
        }
    }
    let mut codes: Vec<&str> = said.iter().map(|it| it.code).collect();
    codes.sort_unstable();
    codes.dedup();
    for it in said {
        let mut result = sarif_result(it, it.code);
        result["ruleIndex"] =
            codes.iter().position(|code| *code == it.code).map(|at| judged.len() + at).into();
        results.push(result);
    }
    rules.extend(codes.iter().map(|code| json!({ "id": code })));
    sarif(rules, results, out)
}

/// What constraints say as workflow commands of GitHub.
///
/// # Errors
/// Where writing fails.
pub fn judged_github(judged: &[Judged], said: &[Diagnostic], out: &mut dyn Write) -> io::Result<()> {
    let rows = judged.iter().flat_map(|it| it.findings.iter().map(|finding| shown(it, finding)));
    let all: Vec<Diagnostic> = rows.chain(said.iter().cloned()).collect();
    findings_github(&all, out)
}

/// What constraints say as JUnit XML: a constraint is a test, and it fails if it refuses
/// the plan.
///
/// # Errors
/// Where writing fails.
pub fn judged_junit(judged: &[Judged], said: &[Diagnostic], out: &mut dyn Write) -> io::Result<()> {
    let failed = judged.iter().filter(|it| it.refuses()).count();
    let tests = judged.len();
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    writeln!(out, "<testsuites name=\"dsrules plan\" tests=\"{tests}\" failures=\"{failed}\">")?;
    writeln!(out, "  <testsuite name=\"rules\" tests=\"{tests}\" failures=\"{failed}\">")?;
    for it in judged {
        let name = xml(&it.relation);
        if it.findings.is_empty() {
            writeln!(out, "    <testcase classname=\"rules\" name=\"{name}\"/>")?;
            continue;
        }
        writeln!(out, "    <testcase classname=\"rules\" name=\"{name}\">")?;
        let rows: Vec<String> = it.findings.iter().map(|finding| in_line(it, finding)).collect();
        let text = xml(&rows.join("\n"));
        if it.refuses() {
            let message = xml(&it.findings[0].sentence);
            writeln!(out, "      <failure type=\"{}\" message=\"{message}\">{text}</failure>", it.code)?;
        } else {
            writeln!(out, "      <system-out>{text}</system-out>")?;
        }
        writeln!(out, "    </testcase>")?;
    }
    if !said.is_empty() {
        let all: Vec<String> = said.iter().map(|it| it.message.clone()).collect();
        writeln!(out, "    <system-out>{}</system-out>", xml(&all.join("\n")))?;
    }
    writeln!(out, "  </testsuite>\n</testsuites>")
}

/// `web/front.yaml:3:9: too_full("r1"): r1 has too much  [policy.dl:7]`.
fn in_line(judged: &Judged, finding: &Finding) -> String {
    let place = shown(judged, finding).place.map(|place| format!("{place}: ")).unwrap_or_default();
    format!("{place}{}: {}  [{}]", finding.fact, finding.sentence, finding.rule)
}
