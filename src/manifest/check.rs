//! Objects that were found -> what is wrong with their fields.
//!
//! Every object is looked at in full: what is wrong with one field does not hide what is
//! wrong with others, except where it only follows from it.

use serde_json::Value;

use super::object::Harvest;
use super::options::{FieldValidation, Options};
use super::problem::Problem;
use super::schema::{self, Finding, Findings};
use super::{versions, wording};
use crate::diagnostic::Severity;
use crate::kube::Kind;
use crate::validate::path::{FieldPath, Part, Step};
use crate::validate::{ErrorType, FieldError, is_checked, validate, warnings};

/// Checks all that was found; an object with errors is not kept.
pub(super) fn all(harvest: &mut Harvest, options: &Options) {
    let Harvest { found, findings, hidden, hides_errors, others, .. } = harvest;
    found.retain(|found| {
        if found.kind.is_other() {
            let is_small = size(&found.value) <= options.limits.object_bytes;
            if !is_small {
                *others.entry(found.kind.to_string()).or_default() += 1;
            }
            // Of the others nothing is read that could be wrong.
            let errors = if is_small && is_checked(found.kind) {
                validate(found.kind, &found.value, None)
            } else {
                Vec::new()
            };
            let sound = errors.is_empty();
            findings.extend(errors.into_iter().map(|error| (found.at.clone(), wording::finding(error))));
            return is_small && sound;
        }
        let checked = fields(found.kind, &found.value, options);
        let mut sound = checked.hidden == 0 && !found.refused;
        *hidden += checked.hidden;
        *hides_errors |= checked.hidden > 0;
        let mut hidden_unknown = checked.hidden_unknown;
        for mut finding in checked.list {
            if finding.problem.code == "unknown-field" {
                if let Some(help) = versions::gone(&found.value, &finding.path.to_string()) {
                    finding.problem.help = Some(help);
                }
                match options.validate {
                    FieldValidation::Strict => {}
                    FieldValidation::Warn => finding.problem.severity = Severity::Warning,
                    FieldValidation::Ignore => continue,
                }
            }
            sound &= finding.problem.severity != Severity::Error;
            findings.push((found.at.clone(), finding));
        }
        if options.validate == FieldValidation::Ignore {
            hidden_unknown = 0;
        }
        *hidden += hidden_unknown;
        if options.validate == FieldValidation::Strict && hidden_unknown > 0 {
            *hides_errors = true;
            sound = false;
        }
        sound
    });
}

pub(super) fn fields(kind: Kind, value: &Value, options: &Options) -> Findings {
    let mut findings = Findings::new(options.limits.diagnostics);
    let bytes = size(value);
    if bytes > options.limits.object_bytes {
        let message = format!(
            "the object has {bytes} bytes, more than the {} that an API server takes",
            options.limits.object_bytes
        );
        findings.push(|| Finding {
            path: FieldPath::default(),
            part: Part::Value,
            problem: Problem::new("object-too-large", message),
        });
        return findings;
    }
    schema::check(kind, value, &mut findings);
    let wrong: Vec<FieldPath> = findings
        .list
        .iter()
        .filter(|finding| finding.problem.code == "wrong-type")
        .map(|finding| finding.path.clone())
        .collect();
    let errors = if findings.hidden > 0 {
        // What the rest says is anyone's guess.
        Vec::new()
    } else if wrong.is_empty() {
        validate(kind, value, None)
    } else {
        let mut errors = validate(kind, &without(value, &wrong), None);
        errors.retain(|error| !follows(error, &wrong));
        errors
    };
    for error in errors {
        findings.push(|| wording::finding(error));
    }
    for warning in warnings(kind, value) {
        findings.push_note(|| wording::warning(warning));
    }
    drop_consequences(&mut findings.list);
    findings
}

/// How many bytes a value has as compact JSON, about.
fn size(value: &Value) -> usize {
    match value {
        Value::Null => 4,
        Value::Bool(_) => 5,
        Value::Number(number) => {
            number.as_i64().map_or(20, |int| int.checked_ilog10().unwrap_or(0) as usize + 1)
        }
        Value::String(text) => text.len() + 2,
        Value::Array(list) => list.iter().map(|value| size(value) + 1).sum::<usize>() + 2,
        Value::Object(map) => map.iter().map(|(key, value)| key.len() + 4 + size(value)).sum::<usize>() + 2,
    }
}

/// A copy in which some fields are not set.
fn without(value: &Value, fields: &[FieldPath]) -> Value {
    let mut value = value.clone();
    for path in fields {
        let Some((last, way)) = path.0.split_last() else { continue };
        let owner = way.iter().try_fold(&mut value, |at, step| match step {
            Step::Field(name) | Step::Key(name) => at.get_mut(name),
            Step::Index(index) => at.get_mut(index),
        });
        match (owner, last) {
            (Some(Value::Object(map)), Step::Field(name) | Step::Key(name)) => drop(map.remove(name)),
            (Some(Value::Array(list)), Step::Index(index)) => {
                if let Some(item) = list.get_mut(*index) {
                    *item = Value::Null;
                }
            }
            _ => {}
        }
    }
    value
}

/// Whether an error may only be there because fields of a wrong type were left out.
fn follows(error: &FieldError, wrong: &[FieldPath]) -> bool {
    let starts = |path: &FieldPath, with: &FieldPath| path.0.starts_with(&with.0);
    let spec = || FieldPath::default().field("spec");
    let (selector, metadata) = (spec().field("selector"), spec().field("template").field("metadata"));
    let about_labels = error.at == selector || error.at == metadata.clone().field("labels");
    error.kind == ErrorType::NotFound
        || wrong.iter().any(|wrong| {
            let selects = starts(wrong, &selector) || starts(wrong, &metadata);
            starts(&error.at, wrong) || starts(wrong, &error.at) || (about_labels && selects)
        })
}

/// A misspelt field makes the right one missing: only the first is worth telling.
fn drop_consequences(findings: &mut Vec<Finding>) {
    let misspelt: Vec<FieldPath> = findings
        .iter()
        .filter(|finding| finding.problem.code == "unknown-field")
        .filter_map(|finding| {
            let near = finding.problem.help.as_deref()?.strip_prefix("did you mean `")?.strip_suffix("`?")?;
            let mut path = finding.path.clone();
            path.0.pop();
            Some(path.field(near))
        })
        .collect();
    if misspelt.is_empty() {
        return;
    }
    findings.retain(|finding| {
        let missing = matches!(finding.problem.code, "required-value" | "invalid-value");
        let follows =
            |right: &FieldPath| finding.path == *right || finding.path.0[..] == right.0[..right.0.len() - 1];
        !(missing && misspelt.iter().any(follows))
    });
}
