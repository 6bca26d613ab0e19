//! Environment variables, and the fields of a pod that they may show.

use super::errors::Errors;
use super::path::Cursor;
use super::text;
use crate::kube::Quantity;

/// The variables of a container.
pub(super) fn env(at: &Cursor<'_, '_>, errors: &mut Errors) {
    for variable in at.items() {
        let name = variable.field("name");
        if name.text().is_empty() {
            errors.required(&name, "");
        } else {
            errors.invalid_each(&name, &text::env_name(name.text()));
        }
        let from = variable.field("valueFrom");
        if from.is_set() {
            value_from(&from, variable.field("value").text(), errors);
        }
    }
}

const SOURCES: [&str; 4] = ["fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef"];

fn value_from(at: &Cursor<'_, '_>, value: &str, errors: &mut Errors) {
    const FIELDS: [&str; 9] = [
        "metadata.name",
        "metadata.namespace",
        "metadata.uid",
        "spec.nodeName",
        "spec.serviceAccountName",
        "status.hostIP",
        "status.hostIPs",
        "status.podIP",
        "status.podIPs",
    ];
    let field = at.field("fieldRef");
    if field.is_set() {
        object_field(&field, &FIELDS, errors);
    }
    let resource = at.field("resourceFieldRef");
    if resource.is_set() {
        resource_field(&resource, false, errors);
    }
    for name in ["configMapKeyRef", "secretKeyRef"] {
        let reference = at.field(name);
        if reference.is_set() {
            errors
                .invalid_each(&reference.field("name"), &text::dns_subdomain(reference.field("name").text()));
            let key = reference.field("key");
            if key.text().is_empty() {
                errors.required(&key, "");
            } else {
                errors.invalid_each(&key, &text::config_key(key.text()));
            }
        }
    }
    let sources = SOURCES.iter().filter(|name| at.field(name).is_set()).count();
    if sources == 0 {
        errors
            .invalid(at, "needs one of `fieldRef`, `resourceFieldRef`, `configMapKeyRef` and `secretKeyRef`");
    } else if !value.is_empty() {
        errors.invalid(at, "cannot stand beside `value`");
    } else if sources > 1 {
        errors.invalid(
            at,
            "can have only one of `fieldRef`, `resourceFieldRef`, `configMapKeyRef` and `secretKeyRef`",
        );
    }
}

/// All variables of a ConfigMap or Secret at once.
pub(super) fn env_from(at: &Cursor<'_, '_>, errors: &mut Errors) {
    for source in at.items() {
        let prefix = source.field("prefix");
        if !prefix.text().is_empty() {
            errors.invalid_each(&prefix, &text::env_name(prefix.text()));
        }
        let mut sources = 0;
        for name in ["configMapRef", "secretRef"] {
            let reference = source.field(name);
            if !reference.is_set() {
                continue;
            }
            sources += 1;
            let name = reference.field("name");
            if name.text().is_empty() {
                errors.required(&name, "");
            } else {
                let masked = name
                    .text()
                    .strip_suffix('-')
                    .filter(|rest| !rest.is_empty())
                    .map(|rest| format!("{rest}a"));
                errors.invalid_each(&name, &text::dns_subdomain(masked.as_deref().unwrap_or(name.text())));
            }
        }
        let detail = match sources {
            0 => "needs one of `configMapRef` and `secretRef`",
            1 => continue,
            _ => "can have only one of `configMapRef` and `secretRef`",
        };
        let from = errors.count();
        errors.invalid(&source, detail);
        errors.report_as(from, |steps| {
            steps.pop();
        });
    }
}

/// A field of the pod that is shown to its containers.
pub(super) fn object_field(at: &Cursor<'_, '_>, allowed: &[&str], errors: &mut Errors) {
    const KNOWN: [&str; 14] = [
        "metadata.annotations",
        "metadata.labels",
        "metadata.name",
        "metadata.namespace",
        "metadata.uid",
        "spec.nodeName",
        "spec.restartPolicy",
        "spec.serviceAccountName",
        "spec.schedulerName",
        "status.phase",
        "status.hostIP",
        "status.hostIPs",
        "status.podIP",
        "status.podIPs",
    ];
    let version = at.field("apiVersion");
    if version.text().is_empty() {
        errors.required(&version, "");
        return;
    }
    let path = at.field("fieldPath");
    if path.text().is_empty() {
        errors.required(&path, "");
        return;
    }
    let subscript = subscripted(path.text());
    let known = match subscript {
        Some((map, _)) => matches!(map, "metadata.annotations" | "metadata.labels"),
        None => path.text() == "spec.host" || KNOWN.contains(&path.text()),
    };
    if version.text() != "v1" || !known {
        errors.invalid(&path, "is no field of a pod that can be shown to its containers");
        if let Some(error) = errors.0.last_mut() {
            error.allowed = allowed.iter().map(|&one| one.to_owned()).collect();
        }
        return;
    }
    if let Some((map, key)) = subscript {
        let key = if map == "metadata.annotations" { key.to_lowercase() } else { key.to_owned() };
        let from = errors.count();
        errors.invalid_each(&path, &text::qualified_name(&key));
        errors.report_as(from, |steps| {
            steps.pop();
        });
        return;
    }
    let path_is = if path.text() == "spec.host" { "spec.nodeName" } else { path.text() };
    if !allowed.contains(&path_is) {
        errors.not_supported(&path, allowed);
    }
}

/// `metadata.labels['app']` -> the map and the key.
fn subscripted(path: &str) -> Option<(&str, &str)> {
    let (map, key) = path.strip_suffix("']")?.split_once("['")?;
    (!map.is_empty()).then_some((map, key))
}

/// A request or limit that is shown to a container.
pub(super) fn resource_field(at: &Cursor<'_, '_>, in_volume: bool, errors: &mut Errors) {
    const RESOURCES: [&str; 6] = [
        "limits.cpu",
        "limits.ephemeral-storage",
        "limits.memory",
        "requests.cpu",
        "requests.ephemeral-storage",
        "requests.memory",
    ];
    let (container, resource) = (at.field("containerName"), at.field("resource"));
    let huge = |name: &str| name.starts_with("requests.hugepages-") || name.starts_with("limits.hugepages-");
    if in_volume && container.text().is_empty() {
        errors.required(&container, "");
    } else if resource.text().is_empty() {
        errors.required(&resource, "");
    } else if !RESOURCES.contains(&resource.text()) && !huge(resource.text()) {
        errors.not_supported(&resource, &RESOURCES);
    }
    let divisor = at.field("divisor");
    let Some(quantity) = Quantity::of(divisor.value).filter(|quantity| !quantity.is_zero()) else { return };
    let written = divisor.value.as_str().map_or_else(|| divisor.value.to_string(), str::to_owned);
    if matches!(resource.text(), "limits.cpu" | "requests.cpu") {
        let milli = Quantity::parse("1m") == Some(quantity) || Quantity::parse("1") == Some(quantity);
        if !milli {
            errors.invalid(&divisor, "can be `1` or `1m` only");
        }
    } else if (RESOURCES.contains(&resource.text()) || huge(resource.text()))
        && !Quantity::is_one_unit(&written)
    {
        errors.invalid(&divisor, "can be 1 of a unit only, like `1`, `1k` or `1Mi`");
    }
}
