//! Kinds that dsrules does not manage: Secrets, PodDisruptionBudgets, custom resources.
//! Their objects are kept as they were written, for rules to ask about, and that is all.
//!
//! Such a kind is known by its name and its group. What else there is to know is guessed
//! from that, once for each kind that is met; what is guessed stays for as long as the
//! program runs, so that a [`Kind`](super::Kind) stays as cheap as it is.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use serde_json::Value;

use super::endpointslice::{self, ENDPOINT_SLICE};
use super::info::{KindInfo, NameForm};
use crate::kube::columns::Column;

/// A kind that is not managed. Two of them are the same where they have one name and group.
#[derive(Clone, Copy)]
pub struct Other(&'static KindInfo);

/// All that were met, by name.
static MET: Mutex<BTreeMap<&'static str, Other>> = Mutex::new(BTreeMap::new());

/// Kinds of Kubernetes' own that stand in no namespace.
const CLUSTER_WIDE: &[&str] = &[
    "APIService",
    "CSIDriver",
    "CSINode",
    "CertificateSigningRequest",
    "ComponentStatus",
    "CustomResourceDefinition",
    "DeviceClass",
    "FlowSchema",
    "GatewayClass",
    "IPAddress",
    "IngressClass",
    "MutatingAdmissionPolicy",
    "MutatingAdmissionPolicyBinding",
    "MutatingWebhookConfiguration",
    "PersistentVolume",
    "PriorityClass",
    "PriorityLevelConfiguration",
    "ResourceSlice",
    "RuntimeClass",
    "ServiceCIDR",
    "StorageClass",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "ValidatingWebhookConfiguration",
    "VolumeAttachment",
    "VolumeSnapshotClass",
];

/// kubectl's short names.
const SHORT: &[(&str, &[&str])] = &[
    ("ConfigMap", &["cm"]),
    ("CronJob.batch", &["cj"]),
    ("CustomResourceDefinition.apiextensions.k8s.io", &["crd", "crds"]),
    ("Deployment.apps", &["deploy"]),
    ("Endpoints", &["ep"]),
    ("HorizontalPodAutoscaler.autoscaling", &["hpa"]),
    ("Ingress.networking.k8s.io", &["ing"]),
    ("LimitRange", &["limits"]),
    ("NetworkPolicy.networking.k8s.io", &["netpol"]),
    ("PersistentVolume", &["pv"]),
    ("PersistentVolumeClaim", &["pvc"]),
    ("PodDisruptionBudget.policy", &["pdb"]),
    ("PriorityClass.scheduling.k8s.io", &["pc"]),
    ("ReplicaSet.apps", &["rs"]),
    ("ReplicationController", &["rc"]),
    ("ResourceQuota", &["quota"]),
    ("ServiceAccount", &["sa"]),
    ("StatefulSet.apps", &["sts"]),
    ("StorageClass.storage.k8s.io", &["sc"]),
];

impl Other {
    /// The kind of this name, `Secret` or `PodDisruptionBudget.policy`; `None` where no kind
    /// can be named so.
    pub(super) fn named(name: &str) -> Option<Other> {
        let mut met = MET.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = met.get(name) {
            return Some(*known);
        }
        let (kind, group) = name.split_once('.').unwrap_or((name, ""));
        let is_kind = kind.starts_with(|c: char| c.is_ascii_uppercase())
            && kind.len() <= 63
            && kind.chars().all(|c| c.is_ascii_alphanumeric());
        let is_group = group.len() <= 253
            && group.chars().all(|c| matches!(c, 'a'..='z' | '0'..='9' | '-' | '.'))
            && (!name.contains('.') || group.split('.').all(|label| !label.is_empty()));
        if !is_kind || !is_group {
            return None;
        }
        let other = Other(Box::leak(Box::new(guessed(name, kind, group))));
        met.insert(other.0.name, other);
        Some(other)
    }

    /// The kinds that were met, by name.
    pub(super) fn met() -> Vec<Other> {
        MET.lock().unwrap_or_else(PoisonError::into_inner).values().copied().collect()
    }

    /// What is known of it.
    pub(super) fn info(self) -> &'static KindInfo {
        self.0
    }
}

/// What can be known of a kind by its name and group.
fn guessed(name: &str, kind: &str, group: &str) -> KindInfo {
    let keep = |text: String| -> &'static str { Box::leak(text.into_boxed_str()) };
    let singular = kind.to_ascii_lowercase();
    let dot = if group.is_empty() { "" } else { "." };
    let short = SHORT.iter().find(|(of, _)| *of == name).map_or(&[][..], |(_, short)| short);
    // Custom resources do not say whether they have a namespace: only their name may.
    let is_cluster_wide = CLUSTER_WIDE.contains(&kind) || kind.len() > 7 && kind.starts_with("Cluster");
    KindInfo {
        name: keep(name.to_owned()),
        api_version: "",
        removed: &[],
        resource: keep(format!("{singular}{dot}{group}")),
        plural: keep(plural(&singular)),
        short,
        namespaced: !is_cluster_wide,
        names: NameForm::Subdomain,
        counts_changes: false,
        defaults: KindInfo::no_defaults,
        status: || Value::Null,
        columns: if name == ENDPOINT_SLICE { endpointslice::COLUMNS } else { &[Column::AGE] },
        facts: &[],
    }
}

/// meta.UnsafeGuessKindToResource.
fn plural(singular: &str) -> String {
    match singular {
        "endpoints" => singular.to_owned(),
        _ if singular.ends_with('s') => format!("{singular}es"),
        _ => match singular.strip_suffix('y') {
            Some(stem) => format!("{stem}ies"),
            None => format!("{singular}s"),
        },
    }
}

impl PartialEq for Other {
    fn eq(&self, other: &Self) -> bool {
        self.0.name == other.0.name
    }
}

impl Eq for Other {}

impl PartialOrd for Other {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Other {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.name.cmp(other.0.name)
    }
}

impl std::hash::Hash for Other {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.name.hash(state);
    }
}

impl fmt::Debug for Other {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_can_be_known_is_guessed_from_the_name() {
        for (name, resource, plural, namespaced) in [
            ("Secret", "secret", "secrets", true),
            ("Endpoints", "endpoints", "endpoints", true),
            ("NetworkPolicy.networking.k8s.io", "networkpolicy.networking.k8s.io", "networkpolicies", true),
            ("Ingress.networking.k8s.io", "ingress.networking.k8s.io", "ingresses", true),
            ("StorageClass.storage.k8s.io", "storageclass.storage.k8s.io", "storageclasses", false),
            ("ClusterPolicy.kyverno.io", "clusterpolicy.kyverno.io", "clusterpolicies", false),
            ("Cluster.cluster.x-k8s.io", "cluster.cluster.x-k8s.io", "clusters", true),
        ] {
            let info = Other::named(name).unwrap().info();
            assert_eq!((info.resource, info.plural, info.namespaced), (resource, plural, namespaced));
        }
        for none in ["", "secret", "Secret.", "Sec ret", "X.Y", "X..y", "X/y", &"X".repeat(64)] {
            assert!(Other::named(none).is_none(), "{none}");
        }
        assert_eq!(Other::named("Secret"), Other::named("Secret"));
    }
}
