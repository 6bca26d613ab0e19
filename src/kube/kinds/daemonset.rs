//! A DaemonSet: selector, template, strategy, status.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::info::{KindInfo, NameForm};
use crate::hash;
use crate::kube::columns::{self, Column, items, pairs};
use crate::kube::kept::kept_template;
use crate::kube::views::{list, text};
use crate::kube::{Labels, Meta, Name, ObjectKey, Selector, Term, Toleration, labels_of};

pub(super) const KIND: KindInfo = KindInfo {
    name: "DaemonSet",
    api_version: "apps/v1",
    removed: &[("extensions/v1beta1", "1.16"), ("apps/v1beta2", "1.16")],
    resource: "daemonset.apps",
    plural: "daemonsets",
    short: &["ds"],
    namespaced: true,
    names: NameForm::Subdomain,
    counts_changes: true,
    defaults: KindInfo::no_defaults,
    status: KindInfo::no_status,
    columns: &[
        Column::new("DESIRED", |daemonset, _| count(daemonset, "desiredNumberScheduled")),
        Column::new("CURRENT", |daemonset, _| count(daemonset, "currentNumberScheduled")),
        Column::new("READY", |daemonset, _| count(daemonset, "numberReady")),
        Column::new("UP-TO-DATE", |daemonset, _| count(daemonset, "updatedNumberScheduled")),
        Column::new("AVAILABLE", |daemonset, _| count(daemonset, "numberAvailable")),
        Column::new("NODE SELECTOR", |daemonset, _| {
            pairs(&daemonset["spec"]["template"]["spec"]["nodeSelector"])
        }),
        Column::AGE,
        Column::wide("CONTAINERS", |daemonset, _| of_containers(daemonset, "name")),
        Column::wide("IMAGES", |daemonset, _| of_containers(daemonset, "image")),
        Column::wide("SELECTOR", |daemonset, _| columns::selector(&daemonset["spec"]["selector"])),
    ],
    facts: &[],
};

/// What is kept in memory of a DaemonSet.
#[derive(Debug, Clone)]
pub struct DaemonSet {
    /// Metadata.
    pub meta: Meta,
    /// `spec.selector`.
    pub selector: Selector,
    /// What placement and labels need of `spec.template`.
    pub template: Template,
    /// `spec.updateStrategy`.
    pub strategy: Strategy,
    /// `spec.minReadySeconds`.
    pub min_ready_seconds: i64,
    /// `spec.revisionHistoryLimit`, 10 where it is not given.
    pub revision_history_limit: i64,
    /// The status as of the last pass.
    pub status: Status,
    /// The whole object as it was written.
    pub value: Arc<Value>,
}

/// What is read of a pod template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// The labels its pods get.
    pub labels: Labels,
    /// `nodeName`.
    pub node_name: Option<Name>,
    /// `nodeSelector`.
    pub node_selector: Labels,
    /// Required node affinity: `None` where there is none; no terms match nothing.
    pub affinity: Option<Vec<Term>>,
    /// `tolerations`, as written.
    pub tolerations: Vec<Toleration>,
    /// `hostNetwork`.
    pub host_network: bool,
    /// Fingerprint of the whole template, to be compared with a revision's.
    pub fingerprint: Name,
}

/// `spec.updateStrategy`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Strategy {
    /// `RollingUpdate` (also where none is given) or `OnDelete`.
    pub kind: Name,
    /// `rollingUpdate.maxUnavailable`, 1 where it is not given.
    pub max_unavailable: Amount,
    /// `rollingUpdate.maxSurge`, 0 where it is not given.
    pub max_surge: Amount,
}

/// A number or a percentage (intstr.IntOrString).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Amount {
    /// A number.
    Number(i64),
    /// A percentage.
    Percent(i64),
}

/// As it is written: `2` or `20%`.
impl std::fmt::Display for Amount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Amount::Number(number) => write!(f, "{number}"),
            Amount::Percent(percent) => write!(f, "{percent}%"),
        }
    }
}

impl Amount {
    fn from_value(value: &Value, default: i64) -> Self {
        match value {
            Value::Number(number) => Amount::Number(number.as_i64().unwrap_or(default)),
            Value::String(text) => text
                .strip_suffix('%')
                .and_then(|t| t.parse().ok())
                .map_or(Amount::Number(default), Amount::Percent),
            _ => Amount::Number(default),
        }
    }

    /// How many of `total` it is; a percentage is rounded up
    /// (intstr.GetScaledValueFromIntOrPercent).
    #[must_use]
    pub fn of(self, total: usize) -> usize {
        match self {
            Amount::Number(number) => usize::try_from(number).unwrap_or(0),
            Amount::Percent(percent) => (usize::try_from(percent).unwrap_or(0) * total).div_ceil(100),
        }
    }
}

/// DaemonSetStatus, as the controller computes it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Status {
    /// Nodes that should run a pod and have one.
    pub current_number_scheduled: i64,
    /// Nodes that have a pod and should not.
    pub number_misscheduled: i64,
    /// Nodes that should run a pod.
    pub desired_number_scheduled: i64,
    /// Of those, with a pod that is ready.
    pub number_ready: i64,
    /// The generation this status is about.
    #[serde(skip_serializing_if = "is_zero")]
    pub observed_generation: i64,
    /// Of the desired nodes, with a pod of the current template.
    #[serde(skip_serializing_if = "is_zero")]
    pub updated_number_scheduled: i64,
    /// Of the desired nodes, with a pod ready for minReadySeconds.
    #[serde(skip_serializing_if = "is_zero")]
    pub number_available: i64,
    /// Of the desired nodes, all the others.
    #[serde(skip_serializing_if = "is_zero")]
    pub number_unavailable: i64,
    /// How often the name of a new revision was taken; goes into the next one's hash.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub collision_count: Option<i64>,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde's signature
fn is_zero(number: &i64) -> bool {
    *number == 0
}

impl DaemonSet {
    /// Reads a DaemonSet.
    #[must_use]
    pub fn from_value(key: ObjectKey, value: Arc<Value>) -> Self {
        let spec = &value["spec"];
        DaemonSet {
            meta: Meta::from_value(key, &value),
            selector: Selector::from_value(&spec["selector"]),
            template: Template::from_value(&spec["template"]),
            strategy: Strategy::from_value(&spec["updateStrategy"]),
            min_ready_seconds: spec["minReadySeconds"].as_i64().unwrap_or(0),
            revision_history_limit: spec["revisionHistoryLimit"].as_i64().unwrap_or(10),
            status: Status::deserialize(&value["status"]).unwrap_or_default(),
            value,
        }
    }
}

impl DaemonSet {
    /// The deprecated template generation annotation (util.GetTemplateGeneration).
    #[must_use]
    pub fn template_generation(&self) -> Option<i64> {
        generation_of(&self.value)
    }

    /// Gives what takes this daemonset's place the generation of its template: one more if
    /// it has another one, as an API server counts. A manifest that says more knows more.
    pub(crate) fn hand_on_generation(&self, value: &mut Value) {
        let Some(old) = self.template_generation() else { return };
        let is_another = self.template.fingerprint != fingerprint(&value["spec"]["template"]);
        let next = old.saturating_add(i64::from(is_another)).max(generation_of(value).unwrap_or(old));
        let meta = &mut value["metadata"];
        if !meta["annotations"].is_object() {
            meta["annotations"] = json!({});
        }
        meta["annotations"][GENERATION] = json!(next.to_string());
    }

    /// The hash that a new revision of its template gets.
    #[must_use]
    pub fn new_hash(&self) -> Name {
        self.template.new_hash(self.status.collision_count)
    }
}

/// The annotation in which an API server counts a daemonset's templates
/// (DeprecatedTemplateGeneration).
pub(crate) const GENERATION: &str = "deprecated.daemonset.template.generation";

fn generation_of(daemonset: &Value) -> Option<i64> {
    daemonset["metadata"]["annotations"][GENERATION].as_str()?.parse().ok()
}

impl Template {
    /// The hash that a new revision of this template gets: the first ten characters of
    /// its fingerprint in the alphabet of Kubernetes' own hashes, which has no vowels
    /// (rand.SafeEncodeString). The count of collisions goes into it, as in ComputeHash.
    fn new_hash(&self, collisions: Option<i64>) -> Name {
        const ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
        let mut hasher = Sha256::new_with_prefix(self.fingerprint.as_bytes());
        if let Some(collisions) = collisions {
            hasher.update(format!("/{collisions}"));
        }
        hasher
            .finalize()
            .iter()
            .take(10)
            .map(|byte| char::from(ALPHABET[usize::from(*byte) % ALPHABET.len()]))
            .collect::<String>()
            .into()
    }

    fn from_value(template: &Value) -> Self {
        let spec = &template["spec"];
        let required = &spec["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"];
        Template {
            labels: Arc::new(labels_of(&template["metadata"]["labels"])),
            node_name: Some(text(spec, "nodeName")).filter(|name| !name.is_empty()),
            node_selector: Arc::new(labels_of(&spec["nodeSelector"])),
            affinity: required
                .is_object()
                .then(|| list(required, "nodeSelectorTerms").map(Term::from_value).collect()),
            tolerations: list(spec, "tolerations").map(Toleration::from_value).collect(),
            host_network: spec["hostNetwork"] == true,
            fingerprint: fingerprint(template),
        }
    }
}

impl Strategy {
    /// Whether pods of a former template are replaced without being asked.
    #[must_use]
    pub fn rolls(&self) -> bool {
        &*self.kind == "RollingUpdate"
    }

    /// Reads one; what is left out is as an API server fills it in.
    #[must_use]
    pub fn from_value(strategy: &Value) -> Self {
        let kind = text(strategy, "type");
        let rolling = &strategy["rollingUpdate"];
        Strategy {
            kind: if kind.is_empty() { "RollingUpdate".into() } else { kind },
            max_unavailable: Amount::from_value(&rolling["maxUnavailable"], 1),
            max_surge: Amount::from_value(&rolling["maxSurge"], 0),
        }
    }
}

/// A template's fingerprint: SHA-256 of its JSON with sorted keys, as an API server
/// would keep it.
pub(super) fn fingerprint(template: &Value) -> Name {
    let digest = Sha256::digest(kept_template(template).to_string().as_bytes());
    hash::hex(&digest[..16]).into()
}

fn count(daemonset: &Value, name: &str) -> String {
    daemonset["status"][name].as_i64().unwrap_or(0).to_string()
}

fn of_containers(daemonset: &Value, name: &str) -> String {
    let containers = items(&daemonset["spec"]["template"]["spec"]["containers"]);
    containers.map(|container| columns::text(&container[name])).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_template_by_hand_and_the_same_from_a_cluster_are_one() {
        let by_hand = json!({ "metadata": { "labels": { "app": "a" } }, "spec": {
            "containers": [{ "name": "c", "image": "x:1", "ports": [{ "containerPort": 80 }] }],
            "volumes": [{ "name": "v", "configMap": { "name": "m" } }] } });
        let read_back = json!({ "$patch": "replace",
            "metadata": { "labels": { "app": "a" }, "creationTimestamp": null }, "spec": {
            "containers": [{ "name": "c", "image": "x:1", "imagePullPolicy": "IfNotPresent", "resources": {},
                "ports": [{ "containerPort": 80, "protocol": "TCP" }],
                "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File" }],
            "dnsPolicy": "ClusterFirst", "restartPolicy": "Always", "schedulerName": "default-scheduler",
            "securityContext": {}, "terminationGracePeriodSeconds": 30,
            "volumes": [{ "name": "v", "configMap": { "name": "m", "defaultMode": 420 } }] } });
        assert_eq!(fingerprint(&by_hand), fingerprint(&read_back));
        let mut other = read_back;
        other["spec"]["containers"][0]["image"] = json!("x:2");
        assert_ne!(fingerprint(&by_hand), fingerprint(&other));
    }
}
