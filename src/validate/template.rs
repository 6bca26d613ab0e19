//! Pod templates: labels, annotations that mean something, and the pod itself.

use serde_json::Value;

use super::errors::Errors;
use super::leniency::{DELETION_COST, Leniency};
use super::path::{Cursor, Step};
use super::{labels, meta, pod, scheduling, security};

const TOLERATIONS: &str = "scheduler.alpha.kubernetes.io/tolerations";
const MIRROR: &str = "kubernetes.io/config.mirror";

/// A template at `at`.
pub(super) fn check(at: &Cursor<'_, '_>, lenient: &Leniency, errors: &mut Errors) {
    let metadata = at.field("metadata");
    let spec = at.field("spec");
    let from = errors.count();
    labels::labels(&metadata.field("labels"), errors);
    meta::annotations(&metadata.field("annotations"), errors);
    specific_annotations(&metadata.field("annotations"), &spec, lenient, errors);
    // Kubernetes reports these without the `metadata` that they stand in.
    let depth = at.path().0.len();
    errors.report_as(from, |steps| {
        steps.remove(depth);
    });
    pod::spec(&spec, lenient, errors);
    security::annotations_agree(&metadata.field("annotations"), &spec, errors);
    let ephemeral = spec.field("ephemeralContainers");
    if !ephemeral.is_empty() {
        errors.forbidden(&ephemeral, "a template can have no ephemeral containers");
    }
}

/// Annotations that Kubernetes reads.
fn specific_annotations(at: &Cursor<'_, '_>, spec: &Cursor<'_, '_>, lenient: &Leniency, errors: &mut Errors) {
    let mirror = at.key(MIRROR);
    if mirror.is_set() && spec.field("nodeName").text().is_empty() {
        errors.invalid(&mirror, "needs `spec.nodeName`");
    }
    let tolerations = at.key(TOLERATIONS);
    if !tolerations.text().is_empty() {
        match serde_json::from_str::<Value>(tolerations.text()) {
            Ok(value @ Value::Array(_)) => within(&tolerations, &value, errors, |inner, errors| {
                scheduling::tolerations(inner, errors);
            }),
            _ => {
                let from = errors.count();
                errors.invalid(&tolerations, "is no list of tolerations in JSON");
                let depth = at.path().0.len();
                errors.report_as(from, |steps| steps.truncate(depth));
            }
        }
    }
    let cost = at.key(DELETION_COST);
    if !lenient.deletion_cost && cost.is_set() && !is_small_integer(cost.text()) {
        errors.invalid(&cost, "must be a whole number of 32 bits");
    }
    security::annotations(at, spec, errors);
}

/// Checks what is written as JSON in an annotation; errors are placed at the annotation
/// and reported as if its key were a field.
pub(super) fn within(
    annotation: &Cursor<'_, '_>,
    value: &Value,
    errors: &mut Errors,
    check: impl FnOnce(&Cursor<'_, '_>, &mut Errors),
) {
    let from = errors.count();
    check(&Cursor::root(value), errors);
    let place = annotation.path();
    let mut prefix = place.0.clone();
    if let Some(Step::Key(key)) = prefix.pop() {
        prefix.push(Step::Field(key));
    }
    for error in errors.0.iter_mut().skip(from) {
        error.at = place.clone();
    }
    errors.report_as(from, |steps| {
        steps.splice(0..0, prefix.iter().cloned());
    });
}

/// A number of 32 bits without `+` or leading zeros.
fn is_small_integer(text: &str) -> bool {
    let first = text.bytes().next();
    let starts = text == "0" || matches!(first, Some(b'-' | b'1'..=b'9'));
    text.is_empty() || (starts && text.parse::<i32>().is_ok())
}
