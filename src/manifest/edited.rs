//! Objects that were changed after they were read: what an API server would refuse of
//! them now, and did not before.

use serde_json::Value;

use super::options::Options;
use super::schema::{self, Findings};
use super::source::{Format, Source};
use super::{check, wording};
use crate::diagnostic::{Diagnostic, Severity};
use crate::kube::Kind;
use crate::validate;

/// What is wrong with an object as it is now that was not wrong `before`; and what may not
/// change of the one that is `stored`.
#[must_use]
pub fn faults(kind: Kind, now: &Value, before: &Value, stored: Option<&Value>) -> Vec<Diagnostic> {
    let options = Options::default();
    let known: Vec<String> =
        check::fields(kind, before, &options).list.into_iter().map(|it| it.problem.message).collect();
    let mut found = check::fields(kind, now, &options).list;
    found.retain(|it| it.problem.severity == Severity::Error && !known.contains(&it.problem.message));
    if let Some(stored) = stored.filter(|_| validate::has_update_rules(kind)) {
        found.extend(validate::validate_update(kind, now, stored).into_iter().map(wording::finding));
    }
    let nowhere = Source::new("".into(), String::new(), Format::Yaml);
    let told = found.into_iter().map(|it| {
        let mut diagnostic = it.problem.into_diagnostic(&nowhere);
        diagnostic.place = None;
        diagnostic
    });
    let mut told: Vec<Diagnostic> = told.collect();
    told.dedup();
    told
}

/// What is wrong with the fields of an object, in an API server's words: each with whether it is
/// a field that there is none of, or one of another type than it should be.
#[must_use]
pub fn faults_of_fields(kind: Kind, value: &Value) -> Vec<(bool, String)> {
    const MOST: usize = 50;
    let mut findings = Findings::new(MOST);
    schema::check(kind, value, &mut findings);
    let told = findings.list.into_iter().map(|it| match it.problem.code {
        "unknown-field" => (true, format!("unknown field \"{}\"", it.path)),
        _ => (false, it.problem.message.replace('`', "")),
    });
    told.collect()
}
