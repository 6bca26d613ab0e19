//! What constraints say, in documents: each row with its columns by name.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use super::key::Key;
use crate::diagnostic::{Diagnostic, Place};
use crate::plan::{Finding, Judged};

/// A row of a constraint, or something else that is warned of.
#[derive(Debug, Serialize)]
pub struct FindingLine {
    /// What it is: `violation`, `warning`, `host-port`.
    code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    relation: Option<Arc<str>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    row: BTreeMap<Arc<str>, Value>,
    sentence: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    rule: String,
    /// Where the rule stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<Place>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    objects: Vec<ObjectLine>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
}

/// An object that a row names, and where it stands in a manifest.
#[derive(Debug, Serialize)]
struct ObjectLine {
    kind: &'static str,
    #[serde(flatten)]
    key: Key,
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<Place>,
}

/// The rows of the constraints that refuse a plan, or of the others.
#[must_use]
pub fn finding_lines(judged: &[Judged], errors: bool) -> Vec<FindingLine> {
    let asked = judged.iter().filter(|it| it.is_error() == errors);
    asked.flat_map(|it| it.findings.iter().map(|finding| line(it, finding))).collect()
}

fn line(judged: &Judged, finding: &Finding) -> FindingLine {
    let objects = finding.objects.iter().map(|it| ObjectLine {
        kind: it.kind.name(),
        key: it.key.clone().into(),
        place: it.place.clone(),
    });
    FindingLine {
        code: judged.code,
        relation: Some(judged.relation.clone()),
        row: finding.row.iter().cloned().collect(),
        sentence: finding.sentence.clone(),
        rule: finding.rule.clone(),
        place: finding.place.clone(),
        objects: objects.collect(),
        notes: finding.notes.clone(),
    }
}

/// What is warned of and is no row.
pub(super) fn said_line(said: &Diagnostic) -> FindingLine {
    FindingLine {
        code: said.code,
        relation: None,
        row: BTreeMap::new(),
        sentence: said.message.clone(),
        rule: String::new(),
        place: said.place.clone(),
        objects: Vec::new(),
        notes: said.notes.clone(),
    }
}
