//! What is wrong with a field, in Kubernetes' own terms.
//!
//! A [`FieldError`] has the type and the field path that an API server would answer
//! with, so both can be compared with it. The path that it reports is not always where
//! the field stands (a node's taints are reported under `metadata`), so the place is
//! kept apart.

use std::fmt;

use serde::Serialize;

use super::path::Part;
use super::path::{Cursor, FieldPath, Step};
use super::text;

/// Kubernetes' error types.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum ErrorType {
    /// A field that must be there is not.
    Required,
    /// A value has the wrong form or is out of range.
    Invalid,
    /// A value is none of those that are allowed.
    NotSupported,
    /// A value stands twice where it may stand once.
    Duplicate,
    /// A field may not be set here.
    Forbidden,
    /// A value names something that is not there.
    NotFound,
    /// A text is too long.
    TooLong,
}

impl ErrorType {
    /// The words with which Kubernetes prints it.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            ErrorType::Required => "Required value",
            ErrorType::Invalid => "Invalid value",
            ErrorType::NotSupported => "Unsupported value",
            ErrorType::Duplicate => "Duplicate value",
            ErrorType::Forbidden => "Forbidden",
            ErrorType::NotFound => "Not found",
            ErrorType::TooLong => "Too long",
        }
    }
}

impl fmt::Display for ErrorType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())
    }
}

/// One field that an API server would refuse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// Kubernetes' error type.
    pub kind: ErrorType,
    /// The path that Kubernetes reports.
    pub field: FieldPath,
    /// Where the field stands.
    pub at: FieldPath,
    /// Whether its key or its value is wrong.
    pub part: Part,
    /// The wrong value, if it is short enough to be shown.
    pub value: Option<String>,
    /// What is wrong with it; may be empty where the type says all.
    pub detail: String,
    /// What would be right, if it is one of few values.
    pub allowed: Vec<String>,
}

/// The errors of an object, in the order in which they are found.
#[derive(Debug, Default)]
pub(super) struct Errors(pub(super) Vec<FieldError>);

impl Errors {
    fn push(&mut self, kind: ErrorType, at: &Cursor<'_, '_>, detail: &str) -> &mut FieldError {
        let path = at.path();
        let value = match at.value {
            serde_json::Value::String(text) => Some(text.clone()),
            serde_json::Value::Null | serde_json::Value::Array(_) | serde_json::Value::Object(_) => None,
            simple => Some(simple.to_string()),
        };
        let error = FieldError {
            kind,
            field: path.clone(),
            at: path,
            part: Part::Value,
            value,
            detail: detail.to_owned(),
            allowed: Vec::new(),
        };
        let last = self.0.len();
        self.0.push(error);
        &mut self.0[last]
    }

    /// A field that must be there is not.
    pub(super) fn required(&mut self, at: &Cursor<'_, '_>, detail: &str) {
        self.push(ErrorType::Required, at, detail);
    }

    /// A value has the wrong form.
    pub(super) fn invalid(&mut self, at: &Cursor<'_, '_>, detail: &str) {
        self.push(ErrorType::Invalid, at, detail);
    }

    /// A value has the wrong form, for each reason that is given.
    pub(super) fn invalid_each(&mut self, at: &Cursor<'_, '_>, details: &[String]) {
        for detail in details {
            self.invalid(at, detail);
        }
    }

    /// A value that stands elsewhere makes this field invalid.
    pub(super) fn invalid_because_of(
        &mut self,
        at: &Cursor<'_, '_>,
        culprit: &Cursor<'_, '_>,
        part: Part,
        detail: &str,
    ) {
        let place = culprit.path();
        let value = match (part, place.0.last()) {
            (Part::Key, Some(Step::Key(key) | Step::Field(key))) => Some(key.clone()),
            _ => culprit.value.as_str().map(str::to_owned),
        };
        let error = self.push(ErrorType::Invalid, at, detail);
        error.at = place;
        error.part = part;
        error.value = value;
    }

    /// A value is none of the allowed ones.
    pub(super) fn not_supported(&mut self, at: &Cursor<'_, '_>, allowed: &[&str]) {
        self.push(ErrorType::NotSupported, at, "").allowed =
            allowed.iter().map(|&one| one.to_owned()).collect();
    }

    /// A value stands twice.
    pub(super) fn duplicate(&mut self, at: &Cursor<'_, '_>) {
        self.push(ErrorType::Duplicate, at, "");
    }

    /// A field may not be set.
    pub(super) fn forbidden(&mut self, at: &Cursor<'_, '_>, detail: &str) {
        self.push(ErrorType::Forbidden, at, detail).part = Part::Key;
    }

    /// A value names nothing that is there.
    pub(super) fn not_found(&mut self, at: &Cursor<'_, '_>, detail: &str) {
        self.push(ErrorType::NotFound, at, detail);
    }

    /// A text is too long.
    pub(super) fn too_long(&mut self, at: &Cursor<'_, '_>, limit: usize) {
        self.push(ErrorType::TooLong, at, &format!("may not be longer than {limit} bytes")).value = None;
    }

    /// Says that a value must not be negative, if it is.
    pub(super) fn non_negative(&mut self, at: &Cursor<'_, '_>) {
        if at.int().is_some_and(|value| value < 0) {
            self.invalid(at, "must be greater than or equal to 0");
        }
    }

    /// Says that a value must be one of a range, if it is not.
    pub(super) fn in_range(&mut self, at: &Cursor<'_, '_>, low: i64, high: i64) {
        if at.int().is_some_and(|value| value < low || value > high) {
            self.invalid(at, &format!("must be between {low} and {high}, inclusive"));
        }
    }

    /// Says that a value must be one of a few, if it is not.
    pub(super) fn one_of(&mut self, at: &Cursor<'_, '_>, allowed: &[&str]) {
        if at.text().is_empty() {
            self.required(at, "");
        } else if !allowed.contains(&at.text()) {
            self.not_supported(at, allowed);
        }
    }

    /// Says that a path must stay below where it starts, if it does not.
    pub(super) fn descending_path(&mut self, at: &Cursor<'_, '_>) {
        if at.text().starts_with('/') {
            self.invalid(at, "must be a relative path");
        }
        if text::has_backsteps(at.text()) {
            self.invalid(at, "must not have `..` in it");
        }
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    /// Reports the errors since the `from`th under the path that Kubernetes uses for
    /// them: `change` gets the steps of each.
    pub(super) fn report_as(&mut self, from: usize, change: impl Fn(&mut Vec<Step>)) {
        for error in self.0.iter_mut().skip(from) {
            change(&mut error.field.0);
        }
    }
}
