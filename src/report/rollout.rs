//! How rollouts stand, and the templates that daemonsets had, as documents.

use serde::Serialize;
use serde_json::Value;

use super::data::API_VERSION;
use super::key::Key;
use super::waiting::{WaitingLine, waiting_line};
use crate::app::rollout::RolloutStatus;
use crate::kube::{ObjectKey, Status};

/// What is known of several daemonsets.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<T> {
    api_version: &'static str,
    kind: &'static str,
    daemonsets: Vec<T>,
}

/// How far one is.
#[derive(Debug, Serialize)]
struct StatusLine {
    daemonset: Key,
    done: bool,
    message: String,
    status: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    waiting: Option<WaitingLine>,
}

/// The templates that one had.
#[derive(Debug, Serialize)]
struct HistoryLine<'a> {
    daemonset: Key,
    revisions: Vec<RevisionLine<'a>>,
}

/// A template that a daemonset had.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RevisionLine<'a> {
    /// Its number.
    pub revision: i64,
    /// The name of its ControllerRevision.
    pub name: &'a str,
    /// `kubernetes.io/change-cause`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change_cause: Option<&'a str>,
    /// The images of its containers.
    pub images: Vec<String>,
    /// The fields in which it differs from the one before it; of the first there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed: Option<Vec<String>>,
    /// The template, where one revision is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template: Option<&'a Value>,
}

impl RevisionLine<'_> {
    /// As it stands in a list.
    #[must_use]
    pub fn bare(self) -> Self {
        RevisionLine { template: None, ..self }
    }
}

/// How far rollouts are: each with kubectl's sentence, and whether it is done.
pub fn rollout_status_document<'a>(
    found: impl Iterator<Item = (&'a RolloutStatus, &'a str, bool)>,
) -> impl Serialize {
    let line = |(it, message, done): (&RolloutStatus, &str, bool)| StatusLine {
        daemonset: it.daemonset.meta.key.clone().into(),
        done,
        message: message.to_owned(),
        status: it.daemonset.status.clone(),
        waiting: it.waiting.as_ref().filter(|_| !done).map(waiting_line),
    };
    Document { api_version: API_VERSION, kind: "RolloutStatus", daemonsets: found.map(line).collect() }
}

/// The templates that daemonsets had, oldest first.
pub fn rollout_history_document<'a>(
    found: impl Iterator<Item = (&'a ObjectKey, Vec<RevisionLine<'a>>)>,
) -> impl Serialize {
    let line = |(key, revisions): (&ObjectKey, Vec<RevisionLine<'a>>)| HistoryLine {
        daemonset: key.clone().into(),
        revisions,
    };
    Document { api_version: API_VERSION, kind: "RolloutHistory", daemonsets: found.map(line).collect() }
}
