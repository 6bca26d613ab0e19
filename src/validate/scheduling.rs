//! Where a pod may stand: affinity, tolerations, taints, spread.

use std::collections::{BTreeMap, BTreeSet};

use super::errors::Errors;
use super::leniency::Leniency;
use super::path::{Cursor, Step};
use super::{labels, text};
use crate::kube::Taint;

const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";

/// The affinity of a pod.
pub(super) fn affinity(at: &Cursor<'_, '_>, lenient: &Leniency, errors: &mut Errors) {
    let node = at.field("nodeAffinity");
    let required = node.field(REQUIRED);
    if required.is_set() {
        let terms = required.field("nodeSelectorTerms");
        if terms.is_empty() {
            errors.required(&terms, "needs at least one term");
        }
        for term in terms.items() {
            node_term(&term, errors);
        }
    }
    for term in node.field(PREFERRED).items() {
        weight(&term.field("weight"), errors);
        node_term(&term.field("preference"), errors);
    }
    for kind in ["podAffinity", "podAntiAffinity"] {
        let pods = at.field(kind);
        for term in pods.field(REQUIRED).items() {
            pod_term(&term, lenient, errors);
        }
        for term in pods.field(PREFERRED).items() {
            weight(&term.field("weight"), errors);
            pod_term(&term.field("podAffinityTerm"), lenient, errors);
        }
    }
}

fn weight(at: &Cursor<'_, '_>, errors: &mut Errors) {
    if !(1..=100).contains(&at.int().unwrap_or(0)) {
        errors.invalid(at, "must be between 1 and 100");
    }
}

fn node_term(at: &Cursor<'_, '_>, errors: &mut Errors) {
    for requirement in at.field("matchExpressions").items() {
        let (operator, values) = (requirement.field("operator"), requirement.field("values"));
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
            "Gt" | "Lt" => {
                if values.len() != 1 {
                    errors.required(&values, "must be one number for the operators `Gt` and `Lt`");
                }
            }
            _ => labels::bad_operator(
                &operator,
                &["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"],
                errors,
            ),
        }
        labels::label_name(&requirement.field("key"), errors);
    }
    for requirement in at.field("matchFields").items() {
        let (operator, values) = (requirement.field("operator"), requirement.field("values"));
        match operator.text() {
            "In" | "NotIn" => {
                if values.len() != 1 {
                    errors.required(&values, "must be exactly one name");
                }
            }
            _ => labels::bad_operator(&operator, &["In", "NotIn"], errors),
        }
        let key = requirement.field("key");
        if key.text() == "metadata.name" {
            for value in values.items() {
                errors.invalid_each(&value, &text::dns_subdomain(value.text()));
            }
        } else {
            errors.invalid(&key, "is no field that nodes can be selected by");
            if let Some(error) = errors.0.last_mut() {
                error.allowed = vec!["metadata.name".to_owned()];
            }
        }
    }
}

fn pod_term(at: &Cursor<'_, '_>, lenient: &Leniency, errors: &mut Errors) {
    let selector = at.field("labelSelector");
    labels::selector(&selector, lenient.selector_values, errors);
    labels::selector(&at.field("namespaceSelector"), lenient.selector_values, errors);
    for namespace in at.field("namespaces").items() {
        let from = errors.count();
        errors.invalid_each(&namespace, &text::dns_label(namespace.text()));
        // Kubernetes reports these under a name that the field does not have.
        errors.report_as(from, |steps| {
            steps.truncate(steps.len() - 2);
            steps.push(Step::Field("namespace".to_owned()));
        });
    }
    match_label_keys(at, &selector, errors);
    let topology = at.field("topologyKey");
    if topology.text().is_empty() {
        errors.required(&topology, "");
    }
    labels::label_name(&topology, errors);
}

fn match_label_keys(at: &Cursor<'_, '_>, selector: &Cursor<'_, '_>, errors: &mut Errors) {
    let (same, different) = (at.field("matchLabelKeys"), at.field("mismatchLabelKeys"));
    for keys in [&same, &different] {
        if keys.is_empty() {
            continue;
        }
        if !selector.is_set() {
            errors.forbidden(keys, "needs a `labelSelector`");
            continue;
        }
        for key in keys.items() {
            labels::label_name(&key, errors);
        }
    }
    if selector.is_set() {
        let mut seen: BTreeSet<&str> = selector.field("matchLabels").entries().map(|(key, _)| key).collect();
        let mut first: BTreeMap<&str, usize> = BTreeMap::new();
        for (index, key) in same.items().enumerate() {
            first.entry(key.text()).or_insert(index);
        }
        for expression in selector.field("matchExpressions").items() {
            let key = expression.field("key").text();
            if let Some(&index) = first.get(key)
                && seen.contains(key)
            {
                let from = errors.count();
                errors.invalid(&same.index(index), "stands in `labelSelector` too");
                errors.report_as(from, |steps| {
                    let last = steps.len() - 2;
                    steps.remove(last);
                });
            }
            seen.insert(key);
        }
    }
    let others: BTreeSet<&str> = different.items().map(|other| other.text()).collect();
    for key in same.items() {
        if others.contains(key.text()) {
            errors.invalid(&key, "stands in `mismatchLabelKeys` too");
        }
    }
}

/// The tolerations of a pod.
pub(super) fn tolerations(at: &Cursor<'_, '_>, errors: &mut Errors) {
    for toleration in at.items() {
        let key = toleration.field("key");
        let operator = toleration.field("operator");
        let effect = toleration.field("effect");
        let value = toleration.field("value");
        if !key.text().is_empty() {
            labels::label_name(&key, errors);
        } else if operator.text() != "Exists" {
            errors.invalid(&operator, "must be `Exists` where `key` is empty, which means any taint");
        }
        if toleration.field("tolerationSeconds").is_set() && effect.text() != "NoExecute" {
            errors.invalid(&effect, "must be `NoExecute` where `tolerationSeconds` is set");
        }
        match operator.text() {
            "Equal" | "" => {
                let wrong = text::label_value(value.text());
                if !wrong.is_empty() {
                    errors.invalid_because_of(&operator, &value, super::path::Part::Value, &wrong.join("; "));
                }
            }
            "Exists" => {
                if !value.text().is_empty() {
                    let detail = "there may be no `value` where the operator is `Exists`";
                    errors.invalid_because_of(&operator, &value, super::path::Part::Value, detail);
                }
            }
            _ => errors.not_supported(&operator, &["Equal", "Exists"]),
        }
        if !effect.text().is_empty() && !Taint::EFFECTS.contains(&effect.text()) {
            errors.not_supported(&effect, &Taint::EFFECTS);
        }
    }
}

/// The taints of a node.
pub(super) fn taints(at: &Cursor<'_, '_>, errors: &mut Errors) {
    let mut seen = BTreeSet::new();
    for taint in at.items() {
        let (key, value, effect) = (taint.field("key"), taint.field("value"), taint.field("effect"));
        labels::label_name(&key, errors);
        let wrong = text::label_value(value.text());
        if !wrong.is_empty() {
            errors.invalid(&value, &wrong.join("; "));
        }
        if effect.text().is_empty() {
            errors.required(&effect, "");
            if let Some(error) = errors.0.last_mut() {
                error.allowed = Taint::EFFECTS.map(str::to_owned).to_vec();
            }
        } else if !Taint::EFFECTS.contains(&effect.text()) {
            errors.not_supported(&effect, &Taint::EFFECTS);
        }
        if !seen.insert((effect.text(), key.text())) {
            errors.duplicate(&taint);
            if let Some(error) = errors.0.last_mut() {
                error.value = Some(format!("{}:{}", key.text(), effect.text()));
                "a node can have one taint of a key and an effect".clone_into(&mut error.detail);
            }
        }
    }
}

/// What has to happen before a pod is given a node.
pub(super) fn gates(at: &Cursor<'_, '_>, errors: &mut Errors) {
    let mut seen = BTreeSet::new();
    for gate in at.items() {
        let name = gate.field("name");
        let from = errors.count();
        labels::label_name(&name, errors);
        if !seen.insert(name.text()) {
            errors.duplicate(&name);
        }
        errors.report_as(from, |steps| {
            steps.pop();
        });
    }
}

/// How pods are spread over a topology.
pub(super) fn spread(at: &Cursor<'_, '_>, lenient: &Leniency, errors: &mut Errors) {
    let pair = |one: &Cursor<'_, '_>| {
        (one.field("topologyKey").text().to_owned(), one.field("whenUnsatisfiable").text().to_owned())
    };
    let mut later: BTreeMap<(String, String), usize> = BTreeMap::new();
    for one in at.items() {
        *later.entry(pair(&one)).or_default() += 1;
    }
    for one in at.items() {
        let (skew, topology, action) =
            (one.field("maxSkew"), one.field("topologyKey"), one.field("whenUnsatisfiable"));
        if skew.int().unwrap_or(0) <= 0 {
            errors.invalid(&skew, "must be greater than 0");
        }
        if topology.text().is_empty() {
            errors.required(&topology, "");
        }
        if !matches!(action.text(), "DoNotSchedule" | "ScheduleAnyway") {
            errors.not_supported(&action, &["DoNotSchedule", "ScheduleAnyway"]);
        }
        let count = later.entry(pair(&one)).or_default();
        *count = count.saturating_sub(1);
        if *count > 0 {
            let pair = one.field("{topologyKey, whenUnsatisfiable}");
            errors.duplicate(&pair);
        }
        let domains = one.field("minDomains");
        if let Some(count) = domains.int() {
            if count <= 0 {
                errors.invalid(&domains, "must be greater than 0");
            }
            if action.text() != "DoNotSchedule" {
                errors.invalid(&domains, "needs `whenUnsatisfiable: DoNotSchedule`");
            }
        }
        for name in ["nodeAffinityPolicy", "nodeTaintsPolicy"] {
            let policy = one.field(name);
            if policy.is_set() && !matches!(policy.text(), "Honor" | "Ignore") {
                errors.not_supported(&policy, &["Honor", "Ignore"]);
            }
        }
        let selector = one.field("labelSelector");
        spread_keys(&one.field("matchLabelKeys"), &selector, errors);
        labels::selector(&selector, lenient.selector_values, errors);
    }
}

fn spread_keys(at: &Cursor<'_, '_>, selector: &Cursor<'_, '_>, errors: &mut Errors) {
    if at.is_empty() {
        return;
    }
    if !selector.is_set() {
        errors.forbidden(at, "needs a `labelSelector`");
    }
    let by_labels = selector.field("matchLabels");
    let expressions = selector.field("matchExpressions");
    let selected: BTreeSet<&str> = by_labels
        .entries()
        .map(|(key, _)| key)
        .chain(expressions.items().map(|one| one.field("key").text()))
        .collect();
    for key in at.items() {
        labels::label_name(&key, errors);
        if selected.contains(key.text()) {
            errors.invalid(&key, "stands in `labelSelector` too");
        }
    }
}
