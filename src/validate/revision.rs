//! ControllerRevisions: the template that a daemonset had.
//!
//! An API server takes any data. Here a revision that is a daemonset's, or might become
//! one's, must hold what the controller writes, as a rollout may go back to it; what
//! others (StatefulSets, operators) keep in theirs is not looked at.

use serde_json::{Value, json};

use super::daemonset::same;
use super::errors::Errors;
use super::meta::{self, DEFAULT_NAMESPACE};
use super::path::Cursor;
use crate::kube::{Kind, controlling, defaults};

/// A revision that is to be created, or to take the place of `old`.
pub(super) fn check(root: &Cursor<'_, '_>, old: Option<&Value>, errors: &mut Errors) {
    let data = root.field("data");
    if !data.is_set() {
        errors.required(&data, "a revision must have the template that it remembers");
    } else if is_of_a_daemonset(root.value) {
        patch(&data, errors);
    }
    errors.non_negative(&root.field("revision"));
    old.into_iter().for_each(|old| update(root, old, errors));
}

/// What may not change of a revision.
pub(super) fn update(root: &Cursor<'_, '_>, old: &Value, errors: &mut Errors) {
    meta::update(root, old, errors);
    let data = root.field("data");
    if !same(&full(data.value), &full(&old["data"])) {
        errors.invalid(&data, "may not change: a revision is written once");
    }
}

/// Data must be a patch of a daemonset's template.
fn patch(data: &Cursor<'_, '_>, errors: &mut Errors) {
    let (spec, of) = (data.field("spec"), "with the template that it remembers");
    let template = spec.field("template");
    let wrong = [data, &spec, &template].into_iter().find(|it| !it.value.is_object());
    match wrong {
        Some(missing) if missing.value.is_null() => {
            errors.required(missing, &format!("must be an object {of}"));
        }
        Some(wrong) => errors.invalid(wrong, &format!("must be an object {of}")),
        None => {}
    }
}

/// Whether it is a daemonset's, or nobody's yet.
fn is_of_a_daemonset(revision: &Value) -> bool {
    controlling(revision).is_none_or(|owner| {
        let group = owner["apiVersion"].as_str().unwrap_or("");
        owner["kind"] == Kind::DaemonSet.name() && group.starts_with("apps/")
    })
}

/// A template with its defaults, so that one which an API server wrote and one that was
/// written here are compared by what they mean.
fn full(data: &Value) -> Value {
    let mut whole = json!({ "spec": { "template": data["spec"]["template"] } });
    if !whole["spec"]["template"].is_object() {
        return data.clone();
    }
    defaults(Kind::DaemonSet, &mut whole, DEFAULT_NAMESPACE);
    let mut template = whole["spec"]["template"].take();
    template.as_object_mut().map(|template| template.remove("$patch"));
    let mut data = data.clone();
    data["spec"]["template"] = template;
    data
}
