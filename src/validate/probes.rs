//! Probes, and what is called when a container starts and stops.

use serde_json::Value;

use super::errors::Errors;
use super::path::Cursor;
use super::text;

/// The three probes of a container.
pub(super) fn all(container: &Cursor<'_, '_>, grace: i64, errors: &mut Errors) {
    for name in ["livenessProbe", "readinessProbe", "startupProbe"] {
        let at = container.field(name);
        if !at.is_set() {
            continue;
        }
        probe(&at, grace, errors);
        if name == "readinessProbe" {
            let own_grace = at.field("terminationGracePeriodSeconds");
            if own_grace.is_set() {
                errors.invalid(&own_grace, "a readiness probe cannot have it");
            }
        } else {
            let threshold = at.field("successThreshold");
            if threshold.int() != Some(1) {
                errors.invalid(&threshold, "must be 1");
            }
        }
    }
}

fn probe(at: &Cursor<'_, '_>, grace: i64, errors: &mut Errors) {
    handler(at, &["exec", "httpGet", "tcpSocket", "grpc"], grace, errors);
    for name in
        ["initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"]
    {
        errors.non_negative(&at.field(name));
    }
    let own_grace = at.field("terminationGracePeriodSeconds");
    if own_grace.int().is_some_and(|seconds| seconds <= 0) {
        errors.invalid(&own_grace, "must be greater than 0");
    }
}

/// What is called after the start and before the stop.
pub(super) fn lifecycle(at: &Cursor<'_, '_>, grace: i64, errors: &mut Errors) {
    for name in ["postStart", "preStop"] {
        let hook = at.field(name);
        if hook.is_set() {
            handler(&hook, &["exec", "httpGet", "tcpSocket", "sleep"], grace, errors);
        }
    }
}

fn handler(at: &Cursor<'_, '_>, kinds: &[&str], grace: i64, errors: &mut Errors) {
    let mut has_one = false;
    for name in kinds {
        let action = at.field(name);
        if !action.is_set() {
            continue;
        }
        if has_one {
            errors
                .forbidden(&action, "there can be only one of `exec`, `httpGet`, `tcpSocket` and the others");
            continue;
        }
        has_one = true;
        match *name {
            "exec" => {
                let command = action.field("command");
                if command.is_empty() {
                    errors.required(&command, "");
                }
            }
            "httpGet" => http_get(&action, errors),
            "tcpSocket" => port(&action.field("port"), errors),
            "grpc" => {
                let number = action.field("port");
                if !(1..=65_535).contains(&number.int().unwrap_or(0)) {
                    errors.invalid(&number, "must be between 1 and 65535, inclusive");
                }
            }
            _ => {
                let seconds = action.field("seconds").int().unwrap_or(0);
                if seconds <= 0 || seconds > grace {
                    let detail = format!(
                        "must be more than 0 and not more than the {grace} seconds a pod has to stop"
                    );
                    errors.invalid(&action, &detail);
                }
            }
        }
    }
    if !has_one {
        errors.required(
            at,
            &format!(
                "needs one of {}",
                kinds.iter().map(|kind| format!("`{kind}`")).collect::<Vec<_>>().join(", ")
            ),
        );
    }
}

fn http_get(at: &Cursor<'_, '_>, errors: &mut Errors) {
    let path = at.field("path");
    if path.text().is_empty() {
        errors.required(&path, "");
    }
    port(&at.field("port"), errors);
    let scheme = at.field("scheme");
    if !matches!(scheme.text(), "HTTP" | "HTTPS") {
        errors.not_supported(&scheme, &["HTTP", "HTTPS"]);
    }
    let headers = at.field("httpHeaders");
    for header in headers.items() {
        let name = header.field("name");
        for why in text::header_name(name.text()) {
            errors.invalid_because_of(&headers, &name, super::path::Part::Value, &why);
        }
    }
}

/// A port by its number or by the name that the container gave it.
fn port(at: &Cursor<'_, '_>, errors: &mut Errors) {
    match at.value {
        Value::String(name) => errors.invalid_each(at, &text::port_name(name)),
        _ => {
            if !(1..=65_535).contains(&at.int().unwrap_or(0)) {
                errors.invalid(at, "must be between 1 and 65535, inclusive, or the name of a port");
            }
        }
    }
}
