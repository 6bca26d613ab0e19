//! core/v1 Events: what a controller or the scheduler records about an object.

use crate::kube::{Kind, Name, ObjectKey};

/// An event that is to be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The kind of what it is about: a DaemonSet or a Pod.
    pub of: Kind,
    /// What it is about.
    pub about: ObjectKey,
    /// The daemonset that the pod it is about belongs to.
    pub owner: Option<Name>,
    /// Who records it, as `daemonset-controller`.
    pub source: &'static str,
    /// `Normal` or `Warning`.
    pub kind: &'static str,
    /// The reason, as `SuccessfulCreate`.
    pub reason: &'static str,
    /// The message, in the words of who records it.
    pub message: String,
    /// When, in seconds of Unix time.
    pub time: i64,
}

impl Event {
    /// One that the DaemonSet controller records about a daemonset.
    #[must_use]
    pub fn of_daemonset(
        about: &ObjectKey,
        kind: &'static str,
        reason: &'static str,
        message: String,
        time: i64,
    ) -> Self {
        let (of, source) = (Kind::DaemonSet, "daemonset-controller");
        Event { of, about: about.clone(), owner: None, source, kind, reason, message, time }
    }
}
