//! Security contexts, seccomp and AppArmor profiles, kernel settings.

use std::collections::BTreeSet;

use serde_json::Value;

use super::errors::Errors;
use super::path::{Cursor, Step};
use super::windows::KINDS;
use super::{text, windows};

const SECCOMP_POD: &str = "seccomp.security.alpha.kubernetes.io/pod";
const SECCOMP_CONTAINER: &str = "container.seccomp.security.alpha.kubernetes.io/";
const APPARMOR: &str = "container.apparmor.security.beta.kubernetes.io/";
const LARGEST_ID: i64 = i32::MAX as i64;

/// The security context of a pod, `at` being the pod's spec.
pub(super) fn pod(at: &Cursor<'_, '_>, errors: &mut Errors) {
    let context = at.field("securityContext");
    for name in ["fsGroup", "runAsUser", "runAsGroup"] {
        errors.in_range(&context.field(name), 0, LARGEST_ID);
    }
    for group in context.field("supplementalGroups").items() {
        errors.in_range(&group, 0, LARGEST_ID);
    }
    let share = at.field("shareProcessNamespace");
    if share.truth() && at.field("hostPID").truth() {
        let from = errors.count();
        errors.invalid(&share, "cannot be set together with `hostPID`");
        let depth = at.path().0.len();
        errors.report_as(from, |steps| steps.insert(depth, Step::Field("securityContext".to_owned())));
    }
    sysctls(at, &context.field("sysctls"), errors);
    let policy = context.field("fsGroupChangePolicy");
    if policy.is_set() && !matches!(policy.text(), "Always" | "OnRootMismatch") {
        errors.not_supported(&policy, &["Always", "OnRootMismatch"]);
    }
    seccomp(&context.field("seccompProfile"), errors);
    windows::options(&context.field("windowsOptions"), errors);
    app_armor(&context.field("appArmorProfile"), errors);
    let groups = context.field("supplementalGroupsPolicy");
    if groups.is_set() && !matches!(groups.text(), "Merge" | "Strict") {
        errors.not_supported(&groups, &["Merge", "Strict"]);
    }
}

fn sysctls(spec: &Cursor<'_, '_>, at: &Cursor<'_, '_>, errors: &mut Errors) {
    let mut seen = BTreeSet::new();
    for sysctl in at.items() {
        let name = sysctl.field("name");
        if name.text().is_empty() {
            errors.required(&name, "");
        } else if !text::is_sysctl(name.text()) {
            errors.invalid(&name, "is no name of a kernel setting");
        } else if seen.contains(name.text()) {
            errors.duplicate(&name);
        }
        let dotted = name.text().replace('/', ".");
        if spec.field("hostNetwork").truth() && dotted.starts_with("net.") {
            errors.invalid(&name, "may not be set while `hostNetwork` is true");
        } else if spec.field("hostIPC").truth()
            && (dotted == "kernel.sem"
                || ["kernel.shm", "kernel.msg", "fs.mqueue."].iter().any(|prefix| dotted.starts_with(prefix)))
        {
            errors.invalid(&name, "may not be set while `hostIPC` is true");
        }
        seen.insert(name.text());
    }
}

/// The security context of a container.
pub(super) fn container(at: &Cursor<'_, '_>, host_users: bool, errors: &mut Errors) {
    if !at.is_set() {
        return;
    }
    for name in ["runAsUser", "runAsGroup"] {
        errors.in_range(&at.field(name), 0, LARGEST_ID);
    }
    let proc_mount = at.field("procMount");
    if proc_mount.is_set() {
        if !matches!(proc_mount.text(), "Default" | "Unmasked") {
            errors.not_supported(&proc_mount, &["Default", "Unmasked"]);
        }
        if host_users && proc_mount.text() == "Unmasked" {
            errors.invalid(&proc_mount, "needs `hostUsers: false`");
        }
    }
    seccomp(&at.field("seccompProfile"), errors);
    if at.field("allowPrivilegeEscalation").value.as_bool() == Some(false) {
        if at.field("privileged").truth() {
            errors.invalid(
                at,
                "`allowPrivilegeEscalation: false` and `privileged: true` contradict each other",
            );
        }
        for capability in at.field("capabilities").field("add").items() {
            if capability.text() == "CAP_SYS_ADMIN" {
                errors.invalid(at, "`allowPrivilegeEscalation: false` and the capability `CAP_SYS_ADMIN` contradict each other");
            }
        }
    }
    windows::options(&at.field("windowsOptions"), errors);
    app_armor(&at.field("appArmorProfile"), errors);
}

const PROFILES: [&str; 3] = ["Localhost", "RuntimeDefault", "Unconfined"];

fn seccomp(at: &Cursor<'_, '_>, errors: &mut Errors) {
    if !at.is_set() {
        return;
    }
    profile_type(&at.field("type"), errors);
    let local = at.field("localhostProfile");
    if at.field("type").text() == "Localhost" {
        if local.is_set() {
            errors.descending_path(&local);
        } else {
            errors.required(&local, "must be given for the type `Localhost`");
        }
    } else if local.is_set() {
        errors.invalid(&local, "can be given for the type `Localhost` only");
    }
}

fn profile_type(at: &Cursor<'_, '_>, errors: &mut Errors) {
    if at.text().is_empty() {
        errors.required(at, "");
    } else if !PROFILES.contains(&at.text()) {
        errors.not_supported(at, &PROFILES);
    }
}

fn app_armor(at: &Cursor<'_, '_>, errors: &mut Errors) {
    const LONGEST: usize = 4095;
    if !at.is_set() {
        return;
    }
    let local = at.field("localhostProfile");
    match at.field("type").text() {
        "Localhost" => {
            if !local.is_set() {
                errors.required(&local, "must be given for the type `Localhost`");
                return;
            }
            if local.text().trim() != local.text() {
                errors.invalid(&local, "must not start or end with blanks");
            } else if local.text().is_empty() {
                errors.required(&local, "must be given for the type `Localhost`");
            }
            if local.text().len() > LONGEST {
                errors.too_long(&local, LONGEST);
            }
        }
        "RuntimeDefault" | "Unconfined" => {
            if local.is_set() {
                errors.invalid(&local, "can be given for the type `Localhost` only");
            }
        }
        _ => profile_type(&at.field("type"), errors),
    }
}

/// Annotations that were profiles before there were fields for them.
pub(super) fn annotations(at: &Cursor<'_, '_>, spec: &Cursor<'_, '_>, errors: &mut Errors) {
    let names: BTreeSet<&str> =
        all_containers(spec).into_iter().filter_map(|container| container["name"].as_str()).collect();
    for (key, value) in at.entries() {
        let from = errors.count();
        if key == SECCOMP_POD || key.starts_with(SECCOMP_CONTAINER) {
            seccomp_annotation(&value, errors);
            errors.report_as(from, |steps| {
                steps.pop();
                steps.push(Step::Field(key.to_owned()));
            });
        } else if let Some(name) = key.strip_prefix(APPARMOR) {
            if !names.contains(name) {
                errors.invalid(&value, "the pod has no container of this name");
            }
            let known = matches!(value.text(), "" | "runtime/default" | "unconfined");
            if !known && !value.text().starts_with("localhost/") {
                errors.invalid(&value, "must be `runtime/default`, `unconfined` or `localhost/…`");
            }
        }
    }
}

fn seccomp_annotation(at: &Cursor<'_, '_>, errors: &mut Errors) {
    match at.text() {
        "runtime/default" | "docker/default" | "unconfined" => {}
        profile => match profile.strip_prefix("localhost/") {
            Some(path) => {
                if path.starts_with('/') {
                    errors.invalid(at, "must be a relative path");
                }
                if text::has_backsteps(path) {
                    errors.invalid(at, "must not have `..` in it");
                }
            }
            None => errors.invalid(at, "must be `runtime/default`, `unconfined` or `localhost/…`"),
        },
    }
}

/// Where both an annotation and a field name a profile, they must name the same.
pub(super) fn annotations_agree(annotations: &Cursor<'_, '_>, spec: &Cursor<'_, '_>, errors: &mut Errors) {
    let context = spec.field("securityContext");
    let profile = context.field("seccompProfile");
    let annotation = annotations.key(SECCOMP_POD);
    if profile.is_set() && annotation.is_set() {
        agree(&profile, profile.value, annotation.text(), &["runtime/default", "docker/default"], errors);
    }
    for list in KINDS {
        for container in spec.field(list).items() {
            let own = container.field("securityContext");
            let profile = own.field("seccompProfile");
            let key = format!("{SECCOMP_CONTAINER}{}", container.field("name").text());
            let annotation = annotations.key(&key);
            if profile.is_set() && annotation.is_set() {
                agree(
                    &profile,
                    profile.value,
                    annotation.text(),
                    &["runtime/default", "docker/default"],
                    errors,
                );
            }
        }
    }
    if spec.field("os").field("name").text() == "windows" {
        return;
    }
    let of_pod = context.field("appArmorProfile");
    for list in KINDS {
        for container in spec.field(list).items() {
            let own = container.field("securityContext");
            let own = own.field("appArmorProfile");
            let profile = if own.is_set() { own.value } else { of_pod.value };
            let key = format!("{APPARMOR}{}", container.field("name").text());
            let annotation = annotations.key(&key);
            if !profile.is_null() && annotation.is_set() {
                agree(&own, profile, annotation.text(), &["runtime/default"], errors);
            }
        }
    }
}

fn agree(at: &Cursor<'_, '_>, profile: &Value, annotation: &str, default: &[&str], errors: &mut Errors) {
    const DETAIL: &str = "the annotation for it says something else";
    let kind = at.field("type");
    match profile["type"].as_str().unwrap_or("") {
        "Unconfined" if annotation != "unconfined" => errors.forbidden(&kind, DETAIL),
        "RuntimeDefault" if !default.contains(&annotation) => errors.forbidden(&kind, DETAIL),
        "Localhost" => match annotation.strip_prefix("localhost/") {
            None => errors.forbidden(&kind, DETAIL),
            Some(path) if profile["localhostProfile"].as_str() != Some(path) => {
                errors.forbidden(&at.field("localhostProfile"), DETAIL);
            }
            Some(_) => {}
        },
        _ => {}
    }
}

fn all_containers<'v>(spec: &Cursor<'v, '_>) -> Vec<&'v Value> {
    KINDS.iter().filter_map(|list| spec.value.get(*list)?.as_array()).flatten().collect()
}
