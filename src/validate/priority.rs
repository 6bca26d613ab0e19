//! PriorityClasses and PodDisruptionBudgets: what the scheduler reads of them.

use serde_json::Value;

use super::daemonset::{at_most_all, int_or_percent};
use super::errors::Errors;
use super::labels;
use super::path::Cursor;
use crate::kube::Kind;

const CLASS: &str = "PriorityClass.scheduling.k8s.io";
const BUDGET: &str = "PodDisruptionBudget.policy";
/// The highest value that a class of a user's may have.
const HIGHEST: i64 = 1_000_000_000;
/// Names that are not a user's to give.
const SYSTEM: &str = "system-";
/// Those of them that there are, with their values.
const SYSTEM_CLASSES: [(&str, i64); 2] =
    [("system-cluster-critical", 2_000_000_000), ("system-node-critical", 2_000_001_000)];

/// An object of these kinds, and of any other nothing.
pub(super) fn check(kind: Kind, root: &Cursor<'_, '_>, old: Option<&Value>, errors: &mut Errors) {
    match kind.name() {
        CLASS => class(root, errors),
        BUDGET => budget(&root.field("spec"), errors),
        _ => {}
    }
    old.into_iter().for_each(|old| update(kind, root, old, errors));
}

/// Whether a kind is one of these.
pub(super) fn is_checked(kind: Kind) -> bool {
    [CLASS, BUDGET].contains(&kind.name())
}

/// Whether anything of a kind may not change.
pub(super) fn has_update_rules(kind: Kind) -> bool {
    kind.name() == CLASS
}

fn class(root: &Cursor<'_, '_>, errors: &mut Errors) {
    let meta = root.field("metadata");
    let (name, value) = (meta.field("name"), root.field("value"));
    let default = root.field("globalDefault");
    let number = whole(&value, errors);
    if default.is_set() && !default.value.is_boolean() {
        errors.invalid(&default, "must be `true` or `false`");
    }
    if name.text().starts_with(SYSTEM) {
        let known = SYSTEM_CLASSES.iter().find(|(known, _)| *known == name.text());
        let why = match known {
            None => "is no class of the system's own".to_owned(),
            Some((_, right)) if number != Some(*right) => format!("its value must be {right}"),
            Some(_) if default.truth() => "its globalDefault must be false".to_owned(),
            Some(_) => String::new(),
        };
        if !why.is_empty() {
            errors.forbidden(&name, &format!("names that begin with `{SYSTEM}` are the system's own: {why}"));
        }
    } else if number.is_some_and(|number| number > HIGHEST) {
        errors
            .forbidden(&value, &format!("the maximum allowed value of a user defined priority is {HIGHEST}"));
    }
    let policy = root.field("preemptionPolicy");
    if policy.is_set() {
        errors.one_of(&policy, &["PreemptLowerPriority", "Never"]);
    }
}

/// A whole number of 32 bits; one that is not given is 0.
fn whole(at: &Cursor<'_, '_>, errors: &mut Errors) -> Option<i64> {
    if !at.is_set() {
        return Some(0);
    }
    let number = at.int().filter(|number| i32::try_from(*number).is_ok());
    if number.is_none() {
        errors.invalid(at, "must be a whole number of 32 bits");
    }
    number
}

/// What may not change of a PriorityClass that is there.
pub(super) fn update(kind: Kind, root: &Cursor<'_, '_>, old: &Value, errors: &mut Errors) {
    if kind.name() != CLASS {
        return;
    }
    let value = root.field("value");
    if value.int().unwrap_or(0) != old["value"].as_i64().unwrap_or(0) {
        errors.forbidden(&value, "may not be changed in an update");
    }
    let policy = root.field("preemptionPolicy");
    let said = |value: &Value| value.as_str().unwrap_or("PreemptLowerPriority").to_owned();
    if said(policy.value) != said(&old["preemptionPolicy"]) {
        errors.invalid(&policy, "field is immutable");
    }
}

fn budget(spec: &Cursor<'_, '_>, errors: &mut Errors) {
    let (least, most) = (spec.field("minAvailable"), spec.field("maxUnavailable"));
    if least.is_set() && most.is_set() {
        errors.invalid(spec, "minAvailable and maxUnavailable cannot be both set");
    }
    for at in [&least, &most] {
        if !matches!(at.value, Value::Null | Value::String(_)) && at.int().is_none() {
            errors.invalid(at, "must be a whole number, or a percentage like `10%`");
        } else {
            int_or_percent(at, errors);
            at_most_all(at, errors);
        }
    }
    labels::selector(&spec.field("selector"), false, errors);
    let policy = spec.field("unhealthyPodEvictionPolicy");
    if policy.is_set() {
        errors.one_of(&policy, &["AlwaysAllow", "IfHealthyBudget"]);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(kind: &str, value: &Value, old: Option<&Value>) -> Vec<String> {
        let kind = Kind::known_as(kind).unwrap_or(Kind::Node);
        let mut errors = Errors::default();
        check(kind, &Cursor::root(value), old, &mut errors);
        errors.0.iter().map(|error| format!("{} {}", error.field, error.kind)).collect()
    }

    #[test]
    fn a_class_has_a_value_of_its_own_range() {
        let class = |name: &str, more: Value| {
            let mut value = more;
            value["metadata"] = json!({ "name": name });
            told("PriorityClass.scheduling.k8s.io", &value, None)
        };
        assert!(class("a", json!({ "value": 1_000_000_000, "preemptionPolicy": "Never" })).is_empty());
        assert!(class("a", json!({ "value": -2_147_483_648_i64 })).is_empty());
        assert_eq!(class("a", json!({ "value": 1_000_000_001 })), ["value Forbidden"]);
        assert_eq!(class("a", json!({ "value": 4_000_000_000_i64 })), ["value Invalid value"]);
        assert_eq!(class("a", json!({ "value": "5" })), ["value Invalid value"]);
        assert_eq!(
            class("a", json!({ "value": 5, "preemptionPolicy": "Sometimes" })),
            ["preemptionPolicy Unsupported value"]
        );
        assert_eq!(class("system-mine", json!({ "value": 5 })), ["metadata.name Forbidden"]);
        assert_eq!(class("system-node-critical", json!({ "value": 5 })), ["metadata.name Forbidden"]);
        assert!(class("system-node-critical", json!({ "value": 2_000_001_000 })).is_empty());
    }

    #[test]
    fn a_class_keeps_its_value() {
        let kind = "PriorityClass.scheduling.k8s.io";
        let class = |value: i64, policy: &str| json!({ "metadata": { "name": "a" }, "value": value, "preemptionPolicy": policy });
        let old = class(5, "PreemptLowerPriority");
        assert!(told(kind, &class(5, "PreemptLowerPriority"), Some(&old)).is_empty());
        assert_eq!(
            told(kind, &class(6, "Never"), Some(&old)),
            ["value Forbidden", "preemptionPolicy Invalid value"]
        );
    }

    #[test]
    fn a_budget_says_one_of_two_numbers() {
        let budget = |spec: Value| told("PodDisruptionBudget.policy", &json!({ "spec": spec }), None);
        assert!(
            budget(json!({ "minAvailable": "50%", "selector": { "matchLabels": { "a": "b" } } })).is_empty()
        );
        assert_eq!(budget(json!({ "minAvailable": 1, "maxUnavailable": 1 })), ["spec Invalid value"]);
        for (wrong, times) in [(json!(-1), 1), (json!("half"), 1), (json!("101%"), 1), (json!(1.5), 1)] {
            assert_eq!(
                budget(json!({ "maxUnavailable": wrong })),
                vec!["spec.maxUnavailable Invalid value"; times]
            );
        }
        assert_eq!(
            budget(json!({ "unhealthyPodEvictionPolicy": "No" })),
            ["spec.unhealthyPodEvictionPolicy Unsupported value"]
        );
    }
}
