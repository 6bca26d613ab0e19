//! Object metadata: name, namespace, labels, annotations, owners, finalizers.

use std::collections::BTreeSet;

use serde_json::Value;

use super::errors::Errors;
use super::labels;
use super::path::Cursor;
use super::path::Part;
use super::text;

/// The namespace of objects that name none, when nobody says otherwise.
pub(super) const DEFAULT_NAMESPACE: &str = "default";

/// How the name of a kind must look.
pub(super) type NameForm = fn(&str) -> Vec<String>;

/// The metadata of an object that is to be created, or to take the place of `old`.
pub(super) fn object_meta(
    root: &Cursor<'_, '_>,
    namespaced: bool,
    form: NameForm,
    old: Option<&Value>,
    errors: &mut Errors,
) {
    let meta = root.field("metadata");
    let prefix = meta.field("generateName");
    if !prefix.text().is_empty() {
        // A name that is still to be completed may end in a dash.
        let shown = prefix.text();
        let masked =
            if shown.len() > 1 { shown.strip_suffix('-').map(|rest| format!("{rest}a")) } else { None };
        errors.invalid_each(&prefix, &form(masked.as_deref().unwrap_or(shown)));
    }
    let name = meta.field("name");
    if name.text().is_empty() {
        errors.required(&name, "an object must have a name");
    } else {
        errors.invalid_each(&name, &form(name.text()));
    }
    let namespace = meta.field("namespace");
    if !namespaced {
        if !namespace.text().is_empty() {
            errors.forbidden(&namespace, "objects of this kind stand in no namespace");
        }
    } else if namespace.text().is_empty() {
        errors.required(&namespace, "");
    } else {
        errors.invalid_each(&namespace, &text::dns_label(namespace.text()));
    }
    errors.non_negative(&meta.field("generation"));
    labels::labels(&meta.field("labels"), errors);
    annotations(&meta.field("annotations"), errors);
    owners(&meta.field("ownerReferences"), errors);
    finalizers(&meta.field("finalizers"), old.is_none(), errors);
    managed_fields(&meta.field("managedFields"), errors);
}

/// What may not change in the metadata of an object that is already there. What a
/// manifest does not say stays as it was, so only what it says is compared.
pub(super) fn update(root: &Cursor<'_, '_>, old: &Value, errors: &mut Errors) {
    let meta = root.field("metadata");
    let before = &old["metadata"];
    for name in ["name", "namespace", "uid"] {
        let at = meta.field(name);
        if at.is_set() && !before[name].is_null() && *at.value != before[name] {
            errors.invalid(&at, "may not change once it is set");
        }
    }
    let generation = meta.field("generation");
    if let (Some(new), Some(old)) = (generation.int(), before["generation"].as_i64())
        && new < old
    {
        errors.invalid(&generation, "may not become smaller");
    }
    if !before["deletionTimestamp"].is_null() {
        let had: BTreeSet<&str> =
            before["finalizers"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let finalizers = meta.field("finalizers");
        if finalizers.items().any(|one| !had.contains(one.text())) {
            errors.forbidden(&finalizers, "no finalizer can be added to an object that is being deleted");
        }
    }
}

/// Annotations: their keys, and how much they are in all.
pub(super) fn annotations(at: &Cursor<'_, '_>, errors: &mut Errors) {
    const MOST: usize = 256 << 10;
    let mut total = 0;
    for (key, value) in at.entries() {
        total += key.len() + value.text().len();
        for why in text::qualified_name(&key.to_lowercase()) {
            errors.invalid_because_of(at, &value, Part::Key, &why);
        }
    }
    if total > MOST {
        errors.too_long(at, MOST);
    }
}

fn owners(at: &Cursor<'_, '_>, errors: &mut Errors) {
    let mut controller = false;
    for owner in at.items() {
        let from = errors.count();
        let version = owner.field("apiVersion");
        let parts: Vec<&str> = version.text().split('/').collect();
        if parts.len() > 2 || parts.last().is_none_or(|last| last.is_empty()) {
            errors.invalid(&version, "must be a version, or a group and a version");
        }
        for name in ["kind", "name", "uid"] {
            let field = owner.field(name);
            if field.text().is_empty() {
                errors.invalid(&field, "must not be empty");
            }
        }
        if version.text() == "v1" && owner.field("kind").text() == "Event" {
            errors.invalid(&owner, "an Event cannot be an owner");
        }
        // Kubernetes reports these without the index of the owner.
        let depth = at.path().0.len();
        errors.report_as(from, |steps| {
            steps.remove(depth);
        });
        if owner.field("controller").truth() {
            if controller {
                errors.invalid(at, "only one owner can have `controller: true`");
            }
            controller = true;
        }
    }
}

/// On an update Kubernetes looks at each finalizer by itself only (ValidateObjectMetaUpdate).
fn finalizers(at: &Cursor<'_, '_>, created: bool, errors: &mut Errors) {
    if created {
        for one in at.items() {
            for why in text::qualified_name(one.text()) {
                errors.invalid_because_of(at, &one, Part::Value, &why);
            }
        }
        let has = |name: &str| at.items().any(|one| one.text() == name);
        if has("orphan") && has("foregroundDeletion") {
            errors.invalid(at, "`orphan` and `foregroundDeletion` cannot both be set");
        }
    }
    for one in at.items() {
        if !one.text().contains('/') && !matches!(one.text(), "kubernetes" | "orphan" | "foregroundDeletion")
        {
            errors.invalid(&one, "must be a name with a domain, like `example.com/name`");
        }
    }
}

fn managed_fields(at: &Cursor<'_, '_>, errors: &mut Errors) {
    for one in at.items() {
        let operation = one.field("operation");
        if !matches!(operation.text(), "Apply" | "Update") {
            errors.invalid(&operation, "must be `Apply` or `Update`");
        }
        let kind = one.field("fieldsType");
        if !matches!(kind.text(), "" | "FieldsV1") {
            errors.invalid(&kind, "must be `FieldsV1`");
        }
        let manager = one.field("manager");
        if manager.text().len() > 128 {
            errors.too_long(&manager, 128);
        }
        if manager.text().chars().any(char::is_control) {
            errors.invalid(&manager, "must be printable characters");
        }
        let subresource = one.field("subresource");
        if subresource.text().len() > 256 {
            errors.too_long(&subresource, 256);
        }
    }
}
