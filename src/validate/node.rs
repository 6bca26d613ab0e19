//! Nodes: taints, address ranges, capacity.

use std::collections::BTreeSet;

use serde_json::Value;

use super::errors::Errors;
use super::network::Family;
use super::path::{Cursor, Step};
use super::{meta, resources, scheduling, template, text};

const TAINTS: &str = "scheduler.alpha.kubernetes.io/taints";
const AVOID: &str = "scheduler.alpha.kubernetes.io/preferAvoidPods";

/// A node that is to be created, or to take the place of `old`.
pub(super) fn check(root: &Cursor<'_, '_>, old: Option<&Value>, errors: &mut Errors) {
    meta::object_meta(root, false, text::dns_subdomain, old, errors);
    annotations(&root.field("metadata").field("annotations"), errors);
    let spec = root.field("spec");
    let from = errors.count();
    scheduling::taints(&spec.field("taints"), errors);
    // Kubernetes reports the taints under the metadata.
    errors.report_as(from, |steps| {
        if let Some(step) = steps.first_mut() {
            *step = Step::Field("metadata".to_owned());
        }
    });
    amounts(root, errors);
    ranges(&spec, errors);
    if let Some(old) = old {
        update(root, old, errors);
    }
}

fn annotations(at: &Cursor<'_, '_>, errors: &mut Errors) {
    let taints = at.key(TAINTS);
    if !taints.text().is_empty() {
        match serde_json::from_str::<Value>(taints.text()) {
            Ok(value @ Value::Array(_)) => template::within(&taints, &value, errors, |inner, errors| {
                scheduling::taints(inner, errors);
            }),
            _ => in_place_of_map(&taints, None, "is no list of taints in JSON", errors),
        }
    }
    let avoid = at.key(AVOID);
    if !avoid.text().is_empty()
        && !serde_json::from_str::<Value>(avoid.text()).is_ok_and(|value| value.is_object())
    {
        in_place_of_map(&avoid, Some("AvoidPods"), "is no JSON object", errors);
    }
}

fn in_place_of_map(at: &Cursor<'_, '_>, name: Option<&str>, detail: &str, errors: &mut Errors) {
    let from = errors.count();
    errors.invalid(at, detail);
    errors.report_as(from, |steps| {
        steps.pop();
        steps.extend(name.map(|name| Step::Field(name.to_owned())));
    });
}

/// Capacity, and what of it pods may have; what is not said of the second is the first.
fn amounts(root: &Cursor<'_, '_>, errors: &mut Errors) {
    let status = root.field("status");
    let (capacity, allocatable) = (status.field("capacity"), status.field("allocatable"));
    for (name, amount) in capacity.entries() {
        let from = errors.count();
        resources::quantity(name, &amount, errors);
        errors.report_as(from, |steps| key_as_field(steps));
    }
    let (shown, implied) = if allocatable.is_set() { (&allocatable, false) } else { (&capacity, true) };
    for (name, amount) in shown.entries() {
        let from = errors.count();
        resources::quantity(name, &amount, errors);
        errors.report_as(from, |steps| {
            key_as_field(steps);
            if implied && let Some(step) = steps.get_mut(1) {
                *step = Step::Field("allocatable".to_owned());
            }
        });
    }
}

/// `capacity[cpu]` is reported as `capacity.cpu`.
fn key_as_field(steps: &mut [Step]) {
    if let Some(last) = steps.last_mut()
        && let Step::Key(key) = last
    {
        *last = Step::Field(std::mem::take(key));
    }
}

fn ranges(spec: &Cursor<'_, '_>, errors: &mut Errors) {
    let (one, many) = (spec.field("podCIDR"), spec.field("podCIDRs"));
    let first = many.index(0).text();
    if !one.text().is_empty() && one.text() != first {
        // `podCIDR` wins over a list that starts with another range.
        let from = errors.count();
        range(&one, errors);
        errors.report_as(from, |steps| {
            steps.pop();
            steps.extend([Step::Field("podCIDRs".to_owned()), Step::Index(0)]);
        });
        return;
    }
    for value in many.items() {
        range(&value, errors);
    }
    if many.len() < 2 {
        return;
    }
    let families: Vec<Option<Family>> = many.items().map(|value| Family::of_range(value.text())).collect();
    let both = families.contains(&Some(Family::Four)) && families.contains(&Some(Family::Six));
    if families.iter().all(Option::is_some) && (!both || many.len() > 2) || families.contains(&None) {
        errors.invalid(&many, "can have one range of each IP family");
    }
    let mut seen = BTreeSet::new();
    for value in many.items() {
        if !seen.insert(value.text()) {
            errors.duplicate(&value);
        }
    }
}

fn range(at: &Cursor<'_, '_>, errors: &mut Errors) {
    if Family::of_range(at.text()).is_none() {
        errors.invalid(at, "must be a range of addresses, like `10.9.8.0/24` or `2001:db8::/64`");
    }
}

/// What may not change of a node.
pub(super) fn update(root: &Cursor<'_, '_>, old: &Value, errors: &mut Errors) {
    meta::update(root, old, errors);
    let spec = root.field("spec");
    let ranges = spec.field("podCIDRs");
    let before = old["spec"]["podCIDRs"].as_array().map_or(&[][..], Vec::as_slice);
    if ranges.is_set() && !before.is_empty() {
        let now: Vec<&str> = ranges.items().map(|value| value.text()).collect();
        let then: Vec<&str> = before.iter().map(|value| value.as_str().unwrap_or("")).collect();
        if now != then {
            errors.forbidden(&ranges, "may not change once it is set");
        }
    }
    let provider = spec.field("providerID");
    let before = old["spec"]["providerID"].as_str().unwrap_or("");
    if provider.is_set() && !before.is_empty() && provider.text() != before {
        errors.forbidden(&provider, "may not change once it is set");
    }
    let mut seen = BTreeSet::new();
    for address in root.field("status").field("addresses").items() {
        if !seen.insert((address.field("type").text(), address.field("address").text())) {
            errors.duplicate(&address);
        }
    }
}
