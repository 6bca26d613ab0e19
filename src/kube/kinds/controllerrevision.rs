//! A ControllerRevision: one template that a daemonset had.

use std::sync::Arc;

use serde_json::Value;

use super::daemonset::fingerprint;
use super::info::{KindInfo, NameForm};
use crate::kube::columns::{Column, controller};
use crate::kube::{Meta, Name, ObjectKey};

pub(super) const KIND: KindInfo = KindInfo {
    name: "ControllerRevision",
    api_version: "apps/v1",
    removed: &[("apps/v1beta1", "1.16"), ("apps/v1beta2", "1.16")],
    resource: "controllerrevision.apps",
    plural: "controllerrevisions",
    short: &[],
    namespaced: true,
    names: NameForm::Subdomain,
    counts_changes: false,
    defaults: KindInfo::no_defaults,
    status: KindInfo::no_status,
    columns: &[
        Column::new("CONTROLLER", |revision, _| controller(revision)),
        Column::new("REVISION", |revision, _| revision["revision"].as_i64().unwrap_or(0).to_string()),
        Column::AGE,
    ],
    facts: &[],
};

/// The label that ties a pod or a revision to a template (apps/v1
/// ControllerRevisionHashLabelKey).
pub const HASH_LABEL: &str = "controller-revision-hash";

/// The label in which a pod carries the generation of its template, where its daemonset
/// counts them (extensions DaemonSetTemplateGenerationKey).
pub const GENERATION_LABEL: &str = "pod-template-generation";

/// What is kept in memory of a ControllerRevision.
#[derive(Debug, Clone)]
pub struct Revision {
    /// Metadata.
    pub meta: Meta,
    /// `revision`.
    pub revision: i64,
    /// Fingerprint of `data.spec.template`, to be compared with a daemonset's.
    pub template: Name,
    /// The whole object.
    pub value: Arc<Value>,
}

impl Revision {
    /// Reads a ControllerRevision.
    #[must_use]
    pub fn from_value(key: ObjectKey, value: Arc<Value>) -> Self {
        Revision {
            meta: Meta::from_value(key, &value),
            revision: value["revision"].as_i64().unwrap_or(0),
            template: fingerprint(&value["data"]["spec"]["template"]),
            value,
        }
    }

    /// Its hash label; one without gets its name for a hash, as the controller does.
    #[must_use]
    pub fn hash(&self) -> Name {
        self.meta.labels.get(HASH_LABEL).unwrap_or(&self.meta.key.name).clone()
    }
}
