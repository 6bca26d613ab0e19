//! Label keys, label values, label selectors.

use std::collections::BTreeMap;

use serde_json::Value;

use super::errors::Errors;
use super::path::Cursor;
use super::path::Part;
use super::text;

/// A label key at `at`.
pub(super) fn label_name(at: &Cursor<'_, '_>, errors: &mut Errors) {
    errors.invalid_each(at, &text::qualified_name(at.text()));
}

/// A map of labels; errors of any of them are reported for the whole map.
pub(super) fn labels(at: &Cursor<'_, '_>, errors: &mut Errors) {
    for (key, value) in at.entries() {
        for why in text::qualified_name(key) {
            errors.invalid_because_of(at, &value, Part::Key, &why);
        }
        for why in text::label_value(value.text()) {
            errors.invalid_because_of(at, &value, Part::Value, &why);
        }
    }
}

/// A label selector; `invalid_values` tolerates values that no label can have.
pub(super) fn selector(at: &Cursor<'_, '_>, invalid_values: bool, errors: &mut Errors) {
    if !at.is_set() {
        return;
    }
    labels(&at.field("matchLabels"), errors);
    for requirement in at.field("matchExpressions").items() {
        let values = requirement.field("values");
        let operator = requirement.field("operator");
        match operator.text() {
            "In" | "NotIn" => {
                if values.is_empty() {
                    errors.required(&values, "must be given for the operators `In` and `NotIn`");
                }
            }
            "Exists" | "DoesNotExist" => {
                if !values.is_empty() {
                    errors
                        .forbidden(&values, "may not be given for the operators `Exists` and `DoesNotExist`");
                }
            }
            _ => bad_operator(&operator, &["In", "NotIn", "Exists", "DoesNotExist"], errors),
        }
        label_name(&requirement.field("key"), errors);
        if !invalid_values {
            for value in values.items() {
                errors.invalid_each(&value, &text::label_value(value.text()));
            }
        }
    }
}

/// An operator that is none of those that are allowed, which Kubernetes calls invalid.
pub(super) fn bad_operator(at: &Cursor<'_, '_>, allowed: &[&str], errors: &mut Errors) {
    errors.invalid(at, "is no operator of selectors");
    if let Some(error) = errors.0.last_mut() {
        error.allowed = allowed.iter().map(|&one| one.to_owned()).collect();
    }
}

/// Whether any value of a selector is one that no label can have.
pub(super) fn has_invalid_values(selector: &Value) -> bool {
    let expressions = selector["matchExpressions"].as_array();
    let mut values = expressions.into_iter().flatten().filter_map(|one| one["values"].as_array()).flatten();
    values.any(|value| !text::label_value(value.as_str().unwrap_or("")).is_empty())
}

/// Whether a selector selects these labels; `None` if it cannot be used at all. No
/// selector selects nothing.
#[must_use]
pub fn selects(selector: &Value, labels: &Value) -> Option<bool> {
    if selector.is_null() {
        return Some(false);
    }
    let labels: BTreeMap<&str, &str> = labels
        .as_object()
        .into_iter()
        .flatten()
        .map(|(key, value)| (key.as_str(), value.as_str().unwrap_or("")))
        .collect();
    let mut all = true;
    for (key, value) in selector["matchLabels"].as_object().into_iter().flatten() {
        let value = value.as_str().unwrap_or("");
        if !text::qualified_name(key).is_empty() || !text::label_value(value).is_empty() {
            return None;
        }
        all &= labels.get(key.as_str()) == Some(&value);
    }
    for one in selector["matchExpressions"].as_array().into_iter().flatten() {
        let key = one["key"].as_str().unwrap_or("");
        let values: Vec<&str> = one["values"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|value| value.as_str().unwrap_or(""))
            .collect();
        let usable =
            text::qualified_name(key).is_empty() && values.iter().all(|v| text::label_value(v).is_empty());
        if !usable {
            return None;
        }
        let have = labels.get(key);
        all &= match (one["operator"].as_str().unwrap_or(""), values.is_empty()) {
            ("In", false) => have.is_some_and(|have| values.contains(have)),
            ("NotIn", false) => have.is_none_or(|have| !values.contains(have)),
            ("Exists", true) => have.is_some(),
            ("DoesNotExist", true) => have.is_none(),
            _ => return None,
        };
    }
    Some(all)
}

/// A label that `matchLabels` asks for and that is not there.
pub(super) fn missing(selector: &Value, labels: &Value) -> Option<String> {
    let wanted = selector["matchLabels"].as_object().into_iter().flatten();
    let value = |value: &Value| value.as_str().unwrap_or("").to_owned();
    let mut missing = wanted.filter(|(key, wanted)| labels.get(key).map(value) != Some(value(wanted)));
    missing.next().map(|(key, wanted)| format!("{key}: {}", value(wanted)))
}
