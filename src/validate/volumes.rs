//! The volumes of a pod: one source each, and the sources people use.
//!
//! Sources of single storage vendors are in `vendors`.

use std::collections::{BTreeMap, BTreeSet};

use super::errors::Errors;
use super::path::{Cursor, Step};
use super::{claims, env, labels, text, vendors};
use crate::kube::Quantity;

/// Checks all volumes. The sound ones come back, each with whether it is a claim.
pub(super) fn check(at: &Cursor<'_, '_>, errors: &mut Errors) -> BTreeMap<String, bool> {
    let mut sound = BTreeMap::new();
    for volume in at.items() {
        let from = errors.count();
        source(&volume, errors);
        let name = volume.field("name");
        if name.text().is_empty() {
            errors.required(&name, "a volume must have a name");
        } else {
            errors.invalid_each(&name, &text::dns_label(name.text()));
        }
        if sound.contains_key(name.text()) {
            errors.duplicate(&name);
        }
        if errors.count() == from {
            let claim = volume.field("persistentVolumeClaim").is_set() || volume.field("ephemeral").is_set();
            sound.insert(name.text().to_owned(), claim);
        }
    }
    sound
}

/// A source of a volume: its field, what Kubernetes calls it when there is a second
/// one, what it calls the source itself, and its check.
type Source = (&'static str, &'static str, &'static str, fn(&Cursor<'_, '_>, &mut Errors));

/// In the order in which Kubernetes looks for them.
const SOURCES: [Source; 30] = [
    ("emptyDir", "emptyDir", "emptyDir", empty_dir),
    ("hostPath", "hostPath", "hostPath", host_path),
    ("gitRepo", "gitRepo", "gitRepo", vendors::git_repo),
    ("gcePersistentDisk", "gcePersistentDisk", "persistentDisk", vendors::gce),
    ("awsElasticBlockStore", "awsElasticBlockStore", "awsElasticBlockStore", vendors::aws),
    ("secret", "secret", "secret", secret),
    ("nfs", "nfs", "nfs", nfs),
    ("iscsi", "iscsi", "iscsi", vendors::iscsi),
    ("glusterfs", "glusterfs", "glusterfs", vendors::glusterfs),
    ("flocker", "flocker", "flocker", vendors::flocker),
    ("persistentVolumeClaim", "persistentVolumeClaim", "persistentVolumeClaim", claim),
    ("rbd", "rbd", "rbd", vendors::rbd),
    ("cinder", "cinder", "cinder", vendors::cinder),
    ("cephfs", "cephFS", "cephfs", vendors::ceph),
    ("quobyte", "quobyte", "quobyte", vendors::quobyte),
    ("downwardAPI", "downwarAPI", "downwardAPI", downward_api),
    ("fc", "fc", "fc", vendors::fibre_channel),
    ("flexVolume", "flexVolume", "flexVolume", vendors::flex),
    ("configMap", "configMap", "configMap", config_map),
    ("azureFile", "azureFile", "azureFile", vendors::azure_file),
    ("vsphereVolume", "vsphereVolume", "vsphereVolume", vendors::vsphere),
    ("photonPersistentDisk", "photonPersistentDisk", "photonPersistentDisk", vendors::photon),
    ("portworxVolume", "portworxVolume", "portworxVolume", vendors::portworx),
    ("azureDisk", "azureDisk", "azureDisk", vendors::azure_disk),
    ("storageos", "storageos", "storageos", vendors::storage_os),
    ("projected", "projected", "projected", projected),
    ("scaleIO", "scaleIO", "scaleIO", vendors::scale_io),
    ("csi", "csi", "csi", vendors::csi),
    ("ephemeral", "ephemeral", "ephemeral", claims::ephemeral),
    ("image", "image", "image", image),
];

fn source(volume: &Cursor<'_, '_>, errors: &mut Errors) {
    let mut has_one = false;
    for (name, as_second, as_itself, check) in SOURCES {
        let at = volume.field(name);
        if !at.is_set() {
            continue;
        }
        let from = errors.count();
        let depth = at.path().0.len() - 1;
        let reported = if has_one {
            errors.forbidden(&at, "a volume can have one source only");
            as_second
        } else {
            check(&at, errors);
            as_itself
        };
        has_one = true;
        errors.report_as(from, |steps| {
            if let Some(step @ Step::Field(_)) = steps.get_mut(depth) {
                *step = Step::Field(reported.to_owned());
            }
        });
    }
    if !has_one {
        errors.required(volume, "needs a source, like `hostPath` or `configMap`");
    }
}

fn empty_dir(at: &Cursor<'_, '_>, errors: &mut Errors) {
    let limit = at.field("sizeLimit");
    if Quantity::of(limit.value).is_some_and(Quantity::is_negative) {
        errors.forbidden(&limit, "must not be negative");
    }
}

fn host_path(at: &Cursor<'_, '_>, errors: &mut Errors) {
    const TYPES: [&str; 8] =
        ["", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"];
    let path = at.field("path");
    if path.text().is_empty() {
        errors.required(&path, "");
        return;
    }
    if text::has_backsteps(path.text()) {
        errors.invalid(&path, "must not have `..` in it");
    }
    let kind = at.field("type");
    if kind.is_set() && !TYPES.contains(&kind.text()) {
        errors.not_supported(&kind, &TYPES[1..]);
    }
}

/// A file mode; YAML's `0644` has been read as octal.
fn mode(at: &Cursor<'_, '_>, errors: &mut Errors) {
    if at.int().is_some_and(|mode| !(0..=0o777).contains(&mode)) {
        errors.invalid(at, "must be between 0 and 0777 (octal), which is 511");
    }
}

fn secret(at: &Cursor<'_, '_>, errors: &mut Errors) {
    named_files(at, "secretName", errors);
}

fn config_map(at: &Cursor<'_, '_>, errors: &mut Errors) {
    named_files(at, "name", errors);
}

fn named_files(at: &Cursor<'_, '_>, name: &str, errors: &mut Errors) {
    let name = at.field(name);
    if name.text().is_empty() {
        errors.required(&name, "");
    }
    mode(&at.field("defaultMode"), errors);
    for item in at.field("items").items() {
        key_to_path(&item, errors);
    }
}

fn key_to_path(at: &Cursor<'_, '_>, errors: &mut Errors) {
    for name in ["key", "path"] {
        let field = at.field(name);
        if field.text().is_empty() {
            errors.required(&field, "");
        }
    }
    local_path(&at.field("path"), errors);
    mode(&at.field("mode"), errors);
}

/// A relative path that does not leave its folder and whose name is not reserved.
fn local_path(at: &Cursor<'_, '_>, errors: &mut Errors) {
    errors.descending_path(at);
    if at.text().starts_with("..") && !at.text().starts_with("../") {
        errors.invalid(at, "must not start with `..`");
    }
}

fn nfs(at: &Cursor<'_, '_>, errors: &mut Errors) {
    for name in ["server", "path"] {
        let field = at.field(name);
        if field.text().is_empty() {
            errors.required(&field, "");
        }
    }
    let path = at.field("path");
    if !path.text().starts_with('/') {
        errors.invalid(&path, "must be an absolute path");
    }
}

fn claim(at: &Cursor<'_, '_>, errors: &mut Errors) {
    let name = at.field("claimName");
    if name.text().is_empty() {
        errors.required(&name, "");
    }
}

fn image(at: &Cursor<'_, '_>, errors: &mut Errors) {
    errors.one_of(&at.field("pullPolicy"), &["Always", "IfNotPresent", "Never"]);
}

fn downward_api(at: &Cursor<'_, '_>, errors: &mut Errors) {
    mode(&at.field("defaultMode"), errors);
    let depth = at.path().0.len();
    for file in at.field("items").items() {
        let from = errors.count();
        downward_file(&file, errors);
        // Kubernetes reports these without `items` and the index.
        errors.report_as(from, |steps| {
            steps.drain(depth..depth + 2);
        });
    }
}

fn downward_file(at: &Cursor<'_, '_>, errors: &mut Errors) {
    const FIELDS: [&str; 5] =
        ["metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid"];
    let path = at.field("path");
    if path.text().is_empty() {
        errors.required(&path, "");
    }
    local_path(&path, errors);
    let (field, resource) = (at.field("fieldRef"), at.field("resourceFieldRef"));
    if field.is_set() {
        env::object_field(&field, &FIELDS, errors);
        if resource.is_set() {
            errors.invalid(at, "can have only one of `fieldRef` and `resourceFieldRef`");
        }
    } else if resource.is_set() {
        env::resource_field(&resource, true, errors);
    } else {
        errors.required(at, "needs one of `fieldRef` and `resourceFieldRef`");
    }
    mode(&at.field("mode"), errors);
}

fn projected(at: &Cursor<'_, '_>, errors: &mut Errors) {
    mode(&at.field("defaultMode"), errors);
    let mut paths = BTreeSet::new();
    let depth = at.path().0.len();
    for source in at.field("sources").items() {
        let mut sources = 0;
        for name in ["secret", "configMap"] {
            let from_object = source.field(name);
            if !from_object.is_set() {
                continue;
            }
            sources += 1;
            if from_object.field("name").text().is_empty() {
                errors.required(&from_object.field("name"), "");
            }
            for item in from_object.field("items").items() {
                key_to_path(&item, errors);
                once(&item.field("path"), depth, &mut paths, errors);
            }
        }
        let downward = source.field("downwardAPI");
        if downward.is_set() {
            sources += 1;
            for file in downward.field("items").items() {
                let from = errors.count();
                downward_file(&file, errors);
                let inner = downward.path().0.len();
                errors.report_as(from, |steps| {
                    steps.drain(inner..inner + 2);
                });
                once(&file.field("path"), depth, &mut paths, errors);
            }
        }
        let token = source.field("serviceAccountToken");
        if token.is_set() {
            sources += 1;
            service_account_token(&token, depth, errors);
        }
        let bundle = source.field("clusterTrustBundle");
        if bundle.is_set() {
            sources += 1;
            trust_bundle(&bundle, depth, &mut paths, errors);
        }
        if sources > 1 {
            errors.forbidden(&source, "a source can be one thing only");
        }
    }
}

/// No two files of a projected volume can have the same path.
fn once(at: &Cursor<'_, '_>, depth: usize, paths: &mut BTreeSet<String>, errors: &mut Errors) {
    if !at.text().is_empty() && !paths.insert(at.text().to_owned()) {
        let from = errors.count();
        errors.invalid(at, "another file of this volume has this path");
        errors.report_as(from, |steps| steps.truncate(depth));
    }
}

fn service_account_token(at: &Cursor<'_, '_>, depth: usize, errors: &mut Errors) {
    let seconds = at.field("expirationSeconds");
    let value = seconds.int().unwrap_or(0);
    if value < 600 {
        errors.invalid(&seconds, "must be at least 600 seconds");
    }
    if value > 1 << 32 {
        errors.invalid(&seconds, "must be at most 2^32 seconds");
    }
    let from = errors.count();
    let path = at.field("path");
    if path.text().is_empty() {
        errors.required(&path, "");
    } else {
        local_path(&path, errors);
    }
    // Kubernetes reports the path as one of the whole volume.
    errors.report_as(from, |steps| {
        steps.truncate(depth);
        steps.push(Step::Field("path".to_owned()));
    });
}

fn trust_bundle(at: &Cursor<'_, '_>, depth: usize, paths: &mut BTreeSet<String>, errors: &mut Errors) {
    let from = errors.count();
    let (name, signer, selector) = (at.field("name"), at.field("signerName"), at.field("labelSelector"));
    match (name.is_set(), signer.is_set()) {
        (true, true) => errors.invalid(at, "can have only one of `name` and `signerName`"),
        (true, false) => {
            if name.text().is_empty() {
                errors.required(&name, "");
            }
            errors.invalid_each(&name, &text::dns_subdomain(name.text().rsplit(':').next().unwrap_or("")));
            if selector.is_set() {
                errors.invalid(&selector, "cannot stand beside `name`");
            }
        }
        (false, true) => {
            if signer.text().is_empty() {
                errors.required(&signer, "");
            }
            match signer.text().split_once('/') {
                Some((domain, path)) if text::dns_subdomain(domain).is_empty() && !path.is_empty() => {}
                _ => errors.invalid(&signer, "must be a domain and a path, like `example.com/signer`"),
            }
            labels::selector(&selector, false, errors);
        }
        (false, false) => errors.required(at, "needs one of `name` and `signerName`"),
    }
    let path = at.field("path");
    if path.text().is_empty() {
        errors.required(&path, "");
    }
    local_path(&path, errors);
    let bundle = at.path().0.len() - 1;
    errors.report_as(from, |steps| {
        if let Some(step) = steps.get_mut(bundle) {
            *step = Step::Field("clusterTrustBundlePEM".to_owned());
        }
    });
    once(&path, depth, paths, errors);
}
