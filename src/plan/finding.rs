//! What constraints say of a plan: each row a finding, with where its rule stands and which
//! objects it is about.
//!
//! A finding is the same one wherever it is shown: as text for a person, where of many the
//! first are told and the rest is counted, and in the forms of machines, where all are.

use std::sync::Arc;

use serde_json::Value;

use crate::datalog::{Constraint, Declaration};
use crate::diagnostic::{Diagnostic, Place};
use crate::kube::{Kind, ObjectKey};

/// So many rows of one constraint a person is told.
pub const FINDINGS_TOLD: usize = 10;

/// What one constraint says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// The relation, as `too_full`.
    pub relation: Arc<str>,
    /// What its declaration says of it; may be empty.
    pub about: String,
    /// Whether its rows must not be, or should not be.
    pub constraint: Constraint,
    /// Whether its rows are gone past all the same (`--ignore-violations`).
    pub ignored: bool,
    /// The kind of what is told: `violation`, `warning`, `host-port`.
    pub code: &'static str,
    /// How many rows it has.
    pub count: usize,
    /// The rows, sorted by the place of their rule; as many of them as were asked for.
    pub findings: Vec<Finding>,
}

/// A row of a constraint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The values, each with the name of its column.
    pub row: Vec<(Arc<str>, Value)>,
    /// The row as one would write it: `too_full("r1")`.
    pub fact: String,
    /// The sentence of the rule, without a full stop.
    pub sentence: String,
    /// The rule, as `policy.dl:7`.
    pub rule: String,
    /// Where it stands; not of a rule that is built in.
    pub place: Option<Place>,
    /// The objects that the row names, in the order of its columns.
    pub objects: Vec<About>,
    /// What else is said of it.
    pub notes: Vec<String>,
}

/// An object that a finding is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// Its kind.
    pub kind: Kind,
    /// Its key.
    pub key: ObjectKey,
    /// The field that it is about, as `spec.template`.
    pub field: String,
    /// Where that stands in a manifest, if it was looked up and found.
    pub place: Option<Place>,
}

impl Judged {
    /// What is known of a relation with so many rows, before they are looked at.
    #[must_use]
    pub fn of(declaration: &Declaration, count: usize) -> Self {
        Judged {
            relation: declaration.name.clone(),
            about: declaration.doc.clone(),
            constraint: Constraint::Warning,
            ignored: false,
            code: "warning",
            count,
            findings: Vec::new(),
        }
    }

    /// Whether it refuses the plan.
    #[must_use]
    pub fn refuses(&self) -> bool {
        self.is_error() && self.count > 0
    }

    /// Whether its rows are errors.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.constraint == Constraint::Violation && !self.ignored
    }

    /// What a person is told of so many rows: of those of one rule the first, and the others
    /// below it.
    #[must_use]
    pub fn told(&self, most: usize) -> Vec<Diagnostic> {
        let (mut told, rows): (Vec<Diagnostic>, Vec<usize>) = self.grouped(most).unzip();
        let more = self.count.saturating_sub(rows.iter().sum());
        if let (Some(last), 1..) = (told.last_mut(), more) {
            last.notes.push(format!("and {more} more of `{}`", self.relation));
        }
        told
    }

    /// The same, each with how many rows it tells of, and without a word about the rest.
    pub fn grouped(&self, most: usize) -> impl Iterator<Item = (Diagnostic, usize)> {
        let same = |a: &Finding, b: &Finding| a.place.is_some() && a.place == b.place;
        let shown = &self.findings[..most.min(self.findings.len())];
        shown.chunk_by(same).map(|rows| {
            let mut one = self.one(&rows[0]);
            one.notes.extend(rows[1..].iter().map(|row| row.sentence.clone()));
            (one, rows.len())
        })
    }

    /// One row, by itself.
    #[must_use]
    pub fn one(&self, finding: &Finding) -> Diagnostic {
        let told = if self.is_error() {
            Diagnostic::error(self.code, &finding.sentence)
                .help("change what leads to it; or, if it is meant, say `--ignore-violations`")
        } else {
            Diagnostic::warning(self.code, &finding.sentence)
        };
        let mut told = Diagnostic { notes: finding.notes.clone(), ..told };
        match &finding.place {
            Some(place) => told.at(place.clone()),
            // A rule that is built in is nothing to be mended: what it is about is.
            None => {
                told.notes.push(format!("by the rule {}", finding.rule));
                let mut places = finding.objects.iter().filter_map(|it| Some((it.place.clone()?, it)));
                let Some((first, _)) = places.next() else { return told };
                places.fold(told.at(first), |told, (place, it)| told.related(place, it.key.to_string()))
            }
        }
    }
}
