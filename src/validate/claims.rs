//! Claims of storage that are made for a pod and go with it.

use super::errors::Errors;
use super::path::{Cursor, Step};
use super::{labels, meta, text};
use crate::kube::Quantity;

/// A volume that brings its own claim.
pub(super) fn ephemeral(at: &Cursor<'_, '_>, errors: &mut Errors) {
    let template = at.field("volumeClaimTemplate");
    if !template.is_set() {
        errors.required(&template, "");
        return;
    }
    let metadata = template.field("metadata");
    meta::annotations(&metadata.field("annotations"), errors);
    labels::labels(&metadata.field("labels"), errors);
    for (name, _) in metadata.entries() {
        if !matches!(name, "annotations" | "labels") {
            let field = metadata.field(name);
            if field.is_set() {
                errors.forbidden(&field, "a claim's template can have labels and annotations only");
            }
        }
    }
    claim(&template.field("spec"), errors);
}

const MODES: [&str; 4] = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];

fn claim(at: &Cursor<'_, '_>, errors: &mut Errors) {
    let modes = at.field("accessModes");
    if modes.is_empty() {
        errors.required(&modes, "needs at least one mode");
    }
    labels::selector(&at.field("selector"), false, errors);
    let (mut alone, mut others) = (false, false);
    for mode in modes.items() {
        match mode.text() {
            "ReadWriteOncePod" => alone = true,
            known if MODES.contains(&known) => others = true,
            _ => {
                let from = errors.count();
                errors.not_supported(&mode, &MODES);
                errors.report_as(from, |steps| {
                    steps.pop();
                });
            }
        }
    }
    if alone && others {
        errors.forbidden(&modes, "`ReadWriteOncePod` cannot stand beside other modes");
    }
    let resources = at.field("resources");
    let requests = resources.field("requests");
    let storage = requests.key("storage");
    let from = errors.count();
    match Quantity::of(storage.value) {
        None => errors.required(&storage, ""),
        Some(amount) if amount.is_negative() || amount.is_zero() => {
            errors.invalid(&storage, "must be greater than 0")
        }
        Some(_) => {}
    }
    let depth = at.path().0.len() + 1;
    errors.report_as(from, |steps| {
        steps.truncate(depth);
        steps.push(Step::Key("storage".to_owned()));
    });
    for name in ["storageClassName", "volumeAttributesClassName"] {
        let class = at.field(name);
        if !class.text().is_empty() {
            errors.invalid_each(&class, &text::dns_subdomain(class.text()));
        }
    }
    let mode = at.field("volumeMode");
    if mode.is_set() && !matches!(mode.text(), "Block" | "Filesystem") {
        errors.not_supported(&mode, &["Block", "Filesystem"]);
    }
    for name in ["dataSource", "dataSourceRef"] {
        let source = at.field(name);
        if !source.is_set() {
            continue;
        }
        for part in ["name", "kind"] {
            let field = source.field(part);
            if field.text().is_empty() {
                errors.required(&field, "");
            }
        }
    }
}
