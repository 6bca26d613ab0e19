//! DaemonSets: selector, template, update strategy.

use serde_json::Value;

use super::errors::Errors;
use super::leniency::Leniency;
use super::path::Cursor;
use super::{labels, meta, template, text};

/// What is said where a daemonset has no selector.
pub const NO_SELECTOR: &str = "is required: it says which pods are the daemonset's";

/// A daemonset that is to be created, or to take the place of `old`.
pub(super) fn check(root: &Cursor<'_, '_>, old: Option<&Value>, errors: &mut Errors) {
    meta::object_meta(root, true, text::dns_subdomain, old, errors);
    let spec = root.field("spec");
    let selector = spec.field("selector");
    let mut lenient = Leniency::default();
    if let Some(old) = old {
        update(root, old, errors);
        lenient = Leniency::of_old(&old["spec"]["template"]);
        lenient.selector_values |= labels::has_invalid_values(&old["spec"]["selector"]);
    }
    labels::selector(&selector, lenient.selector_values, errors);
    let template = spec.field("template");
    let metadata = template.field("metadata");
    let template_labels = metadata.field("labels");
    if labels::selects(selector.value, template_labels.value) == Some(false) {
        if selector.is_set() {
            let missing = labels::missing(selector.value, template_labels.value);
            let detail = match missing {
                Some(label) => {
                    format!("the selector asks for `{label}`, which is no label of the template")
                }
                None => "the selector does not select the labels of the template".to_owned(),
            };
            errors.invalid(&template_labels, &detail);
        } else {
            // Kubernetes reports the labels, but it is the selector that has to be written.
            errors.invalid(&template_labels, NO_SELECTOR);
            if let Some(error) = errors.0.last_mut() {
                error.at = selector.path();
                let pairs = template_labels.entries().map(|(key, value)| format!("{key}: {}", value.text()));
                error.allowed = pairs.take(3).collect();
            }
        }
    }
    let chosen = selector.field("matchLabels").len() + selector.field("matchExpressions").len();
    if selector.is_set() && chosen == 0 {
        errors.invalid(&selector, "an empty selector would select all pods");
    }
    template::check(&template, &lenient, errors);
    let pod = template.field("spec");
    let restart = pod.field("restartPolicy");
    if restart.text() != "Always" {
        errors.not_supported(&restart, &["Always"]);
    }
    let deadline = pod.field("activeDeadlineSeconds");
    if deadline.is_set() {
        errors.forbidden(&deadline, "the pods of a daemonset have no deadline");
    }
    errors.non_negative(&spec.field("minReadySeconds"));
    strategy(&spec.field("updateStrategy"), errors);
    errors.non_negative(&spec.field("revisionHistoryLimit"));
}

/// What may not change of a daemonset.
pub(super) fn update(root: &Cursor<'_, '_>, old: &Value, errors: &mut Errors) {
    meta::update(root, old, errors);
    let spec = root.field("spec");
    let selector = spec.field("selector");
    if !same(selector.value, &old["spec"]["selector"]) {
        errors.invalid(&selector, "may not change once it is set");
    }
}

/// Equal as Kubernetes compares: empty and absent are the same.
pub(super) fn same(a: &Value, b: &Value) -> bool {
    let empty = |value: &Value| match value {
        Value::Null => true,
        Value::Object(map) => map.is_empty(),
        Value::Array(list) => list.is_empty(),
        _ => false,
    };
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => {
            let keys = a.keys().chain(b.keys());
            let get = |map: &serde_json::Map<String, Value>, key: &String| {
                map.get(key).cloned().unwrap_or(Value::Null)
            };
            keys.into_iter().all(|key| {
                let (a, b) = (get(a, key), get(b, key));
                (empty(&a) && empty(&b)) || same(&a, &b)
            })
        }
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        _ => a == b,
    }
}

fn strategy(at: &Cursor<'_, '_>, errors: &mut Errors) {
    match at.field("type").text() {
        "OnDelete" => return,
        "RollingUpdate" => {}
        _ => {
            errors.not_supported(at, &["RollingUpdate", "OnDelete"]);
            if let Some(error) = errors.0.last_mut() {
                error.at = at.field("type").path();
                error.value = Some(at.field("type").text().to_owned());
            }
            return;
        }
    }
    let rolling = at.field("rollingUpdate");
    if !rolling.is_set() {
        errors.required(&rolling, "");
        return;
    }
    let (unavailable, surge) = (rolling.field("maxUnavailable"), rolling.field("maxSurge"));
    for at in [&unavailable, &surge] {
        int_or_percent(at, errors);
    }
    for at in [&unavailable, &surge] {
        at_most_all(at, errors);
    }
    match (amount(&unavailable) != 0, amount(&surge) != 0) {
        (true, true) => errors.invalid(&surge, "may not be set while `maxUnavailable` is not 0"),
        (false, false) => errors.required(&unavailable, "cannot be 0 while `maxSurge` is 0"),
        _ => {}
    }
}

/// A number that is not negative, or a percentage.
pub(super) fn int_or_percent(at: &Cursor<'_, '_>, errors: &mut Errors) {
    match at.value {
        Value::String(text) if percent(text).is_none() => {
            errors.invalid(at, "must be a whole number, or a percentage like `10%`");
        }
        Value::Number(_) => errors.non_negative(at),
        _ => {}
    }
}

/// A percentage of something, which is not more than all of it.
pub(super) fn at_most_all(at: &Cursor<'_, '_>, errors: &mut Errors) {
    if percent(at.text()).is_some_and(|value| value > 100) {
        errors.invalid(at, "must not be more than 100%");
    }
}

fn percent(text: &str) -> Option<i64> {
    let digits = text.strip_suffix('%')?;
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Some(digits.parse().unwrap_or(i64::MAX))
}

/// The number, of a percentage too; a text that is neither counts as 0.
fn amount(at: &Cursor<'_, '_>) -> i64 {
    match at.value {
        Value::String(text) => percent(text).or_else(|| text.parse().ok()).unwrap_or(0),
        _ => at.int().unwrap_or(0),
    }
}
