//! Volume sources of single vendors, most of them there for old manifests only.

use super::errors::Errors;
use super::path::{Cursor, Step};
use super::text;

/// Texts that must not be empty.
fn needs(at: &Cursor<'_, '_>, names: &[&str], errors: &mut Errors) {
    for name in names {
        let field = at.field(name);
        if field.text().is_empty() {
            errors.required(&field, "");
        }
    }
}

/// A reference to a secret, if there is one, must name it.
fn secret_named(at: &Cursor<'_, '_>, errors: &mut Errors) {
    let secret = at.field("secretRef");
    if secret.is_set() {
        needs(&secret, &["name"], errors);
    }
}

pub(super) fn git_repo(at: &Cursor<'_, '_>, errors: &mut Errors) {
    needs(at, &["repository"], errors);
    errors.descending_path(&at.field("directory"));
}

pub(super) fn gce(at: &Cursor<'_, '_>, errors: &mut Errors) {
    needs(at, &["pdName"], errors);
    errors.in_range(&at.field("partition"), 0, 255);
}

pub(super) fn aws(at: &Cursor<'_, '_>, errors: &mut Errors) {
    needs(at, &["volumeID"], errors);
    errors.in_range(&at.field("partition"), 0, 255);
}

pub(super) fn glusterfs(at: &Cursor<'_, '_>, errors: &mut Errors) {
    needs(at, &["endpoints", "path"], errors);
}

pub(super) fn flocker(at: &Cursor<'_, '_>, errors: &mut Errors) {
    let (name, uuid) = (at.field("datasetName"), at.field("datasetUUID"));
    match (name.text().is_empty(), uuid.text().is_empty()) {
        (true, true) => errors.required(at, "needs one of `datasetName` and `datasetUUID`"),
        (false, false) => errors.invalid(at, "can have only one of `datasetName` and `datasetUUID`"),
        _ => {}
    }
    if name.text().contains('/') {
        errors.invalid(&name, "must not have `/` in it");
    }
}

pub(super) fn rbd(at: &Cursor<'_, '_>, errors: &mut Errors) {
    if at.field("monitors").is_empty() {
        errors.required(&at.field("monitors"), "");
    }
    needs(at, &["image"], errors);
}

pub(super) fn cinder(at: &Cursor<'_, '_>, errors: &mut Errors) {
    needs(at, &["volumeID"], errors);
    secret_named(at, errors);
}

pub(super) fn ceph(at: &Cursor<'_, '_>, errors: &mut Errors) {
    if at.field("monitors").is_empty() {
        errors.required(&at.field("monitors"), "");
    }
}

pub(super) fn quobyte(at: &Cursor<'_, '_>, errors: &mut Errors) {
    let (registry, tenant) = (at.field("registry"), at.field("tenant"));
    if registry.text().is_empty() {
        errors.required(&registry, "must be `host:port`, or several with commas between them");
    } else if tenant.text().len() >= 65 {
        errors.required(&tenant, "must be a UUID of 64 characters at most");
    } else {
        for pair in registry.text().split(',') {
            let host_and_port = pair.rsplit_once(':');
            let plain = |host: &str| !host.contains(':') || (host.starts_with('[') && host.ends_with(']'));
            if !host_and_port.is_some_and(|(host, _)| plain(host)) {
                errors.invalid(&registry, "must be `host:port`, or several with commas between them");
            }
        }
    }
    needs(at, &["volume"], errors);
}

pub(super) fn fibre_channel(at: &Cursor<'_, '_>, errors: &mut Errors) {
    let (targets, ids, lun) = (at.field("targetWWNs"), at.field("wwids"), at.field("lun"));
    match (targets.is_empty(), ids.is_empty()) {
        (true, true) => errors.required(&targets, "needs one of `targetWWNs` and `wwids`"),
        (false, false) => errors.invalid(&targets, "can have only one of `targetWWNs` and `wwids`"),
        _ => {}
    }
    if !targets.is_empty() {
        if lun.is_set() {
            errors.in_range(&lun, 0, 255);
        } else {
            errors.required(&lun, "must be given beside `targetWWNs`");
        }
    }
}

pub(super) fn flex(at: &Cursor<'_, '_>, errors: &mut Errors) {
    needs(at, &["driver"], errors);
    for (key, value) in at.field("options").entries() {
        let domain = key.split_once('/').map_or(key, |(domain, _)| domain);
        let dotted = format!(".{}", domain.to_lowercase());
        if dotted.ends_with(".kubernetes.io") || dotted.ends_with(".k8s.io") {
            errors.invalid(&value, "the domains kubernetes.io and k8s.io are reserved");
        }
    }
}

pub(super) fn azure_file(at: &Cursor<'_, '_>, errors: &mut Errors) {
    needs(at, &["secretName", "shareName"], errors);
}

pub(super) fn azure_disk(at: &Cursor<'_, '_>, errors: &mut Errors) {
    needs(at, &["diskName", "diskURI"], errors);
    let (caching, kind, uri) = (at.field("cachingMode"), at.field("kind"), at.field("diskURI"));
    if caching.is_set() && !matches!(caching.text(), "None" | "ReadOnly" | "ReadWrite") {
        errors.not_supported(&caching, &["None", "ReadOnly", "ReadWrite"]);
    }
    if kind.is_set() && !matches!(kind.text(), "Dedicated" | "Managed" | "Shared") {
        errors.not_supported(&kind, &["Dedicated", "Managed", "Shared"]);
    }
    let managed = kind.text() == "Managed";
    if kind.is_set() && managed && !uri.text().starts_with("/subscriptions/") {
        errors.not_supported(&uri, &["/subscriptions/…/providers/microsoft.compute/disks/…"]);
    }
    if kind.is_set() && !managed && !uri.text().starts_with("https://") {
        errors.not_supported(&uri, &["https://….blob.core.windows.net/…/….vhd"]);
    }
}

pub(super) fn vsphere(at: &Cursor<'_, '_>, errors: &mut Errors) {
    needs(at, &["volumePath"], errors);
}

pub(super) fn photon(at: &Cursor<'_, '_>, errors: &mut Errors) {
    needs(at, &["pdID"], errors);
}

pub(super) fn portworx(at: &Cursor<'_, '_>, errors: &mut Errors) {
    needs(at, &["volumeID"], errors);
}

pub(super) fn scale_io(at: &Cursor<'_, '_>, errors: &mut Errors) {
    needs(at, &["gateway", "system", "volumeName"], errors);
}

pub(super) fn storage_os(at: &Cursor<'_, '_>, errors: &mut Errors) {
    let (name, namespace) = (at.field("volumeName"), at.field("volumeNamespace"));
    if name.text().is_empty() {
        errors.required(&name, "");
    } else {
        errors.invalid_each(&name, &text::dns_label(name.text()));
    }
    if !namespace.text().is_empty() {
        errors.invalid_each(&namespace, &text::dns_label(namespace.text()));
    }
    secret_named(at, errors);
}

pub(super) fn csi(at: &Cursor<'_, '_>, errors: &mut Errors) {
    let driver = at.field("driver");
    if driver.text().is_empty() {
        errors.required(&driver, "");
    } else {
        if driver.text().len() > 63 {
            errors.too_long(&driver, 63);
        }
        errors.invalid_each(&driver, &text::dns_subdomain(&driver.text().to_lowercase()));
    }
    let secret = at.field("nodePublishSecretRef");
    if !secret.is_set() {
        return;
    }
    let name = secret.field("name");
    let from = errors.count();
    let depth = at.path().0.len();
    if name.text().is_empty() {
        errors.required(&name, "");
        // The name that Kubernetes reports ends in a blank.
        errors.report_as(from, |steps| {
            if let Some(step) = steps.get_mut(depth) {
                *step = Step::Field("nodePublishSecretRef ".to_owned());
            }
        });
    } else {
        errors.invalid_each(&name, &text::dns_subdomain(name.text()));
        errors.report_as(from, |steps| {
            steps.remove(depth);
        });
    }
}

pub(super) fn iscsi(at: &Cursor<'_, '_>, errors: &mut Errors) {
    needs(at, &["targetPortal", "iqn"], errors);
    let iqn = at.field("iqn");
    if !iqn.text().is_empty() && !is_initiator(iqn.text()) {
        errors.invalid(&iqn, "must be a name that starts with `iqn`, `eui` or `naa`");
    }
    let lun = at.field("lun");
    errors.in_range(&lun, 0, 255);
    if (at.field("chapAuthDiscovery").truth() || at.field("chapAuthSession").truth())
        && !at.field("secretRef").is_set()
    {
        errors.required(&at.field("secretRef"), "");
    }
    let initiator = at.field("initiatorName");
    if initiator.is_set() {
        let from = errors.count();
        if !is_initiator(initiator.text()) {
            errors.invalid(&initiator, "must be a name that starts with `iqn`, `eui` or `naa`");
        }
        errors.report_as(from, |steps| {
            if let Some(step) = steps.last_mut() {
                *step = Step::Field("initiatorname".to_owned());
            }
        });
    }
}

/// `iqn.2001-04.com.example:disk`, `eui.` and 16, or `naa.` and 32 letters and digits.
fn is_initiator(text: &str) -> bool {
    let of_length =
        |rest: &str, length: usize| rest.len() == length && rest.bytes().all(|b| b.is_ascii_alphanumeric());
    if let Some(rest) = text.strip_prefix("eui") {
        return rest.get(1..).is_some_and(|rest| of_length(rest, 16));
    }
    if let Some(rest) = text.strip_prefix("naa") {
        return rest.get(1..).is_some_and(|rest| of_length(rest, 32));
    }
    let Some((date, rest)) =
        text.strip_prefix("iqn.").and_then(|rest| Some((rest.get(..8)?, rest.get(8..)?)))
    else {
        return false;
    };
    let dated = date.bytes().enumerate().all(|(at, b)| match at {
        4 => b == b'-',
        7 => b == b'.',
        _ => b.is_ascii_digit(),
    });
    let named = rest.split_once(':').is_some_and(|(authority, name)| {
        !authority.is_empty()
            && authority.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.'))
            && !name.is_empty()
            && !name.contains([',', ';', '*', '&', '$', '|', ' ', '\t', '\n'])
    });
    dated && named
}
