//! What is said of a rollout in the cluster, as Events on the DaemonSet.

use serde_json::{Value, json};

use crate::kube::{ObjectKey, timestamp};

/// Something to be said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// `RolloutStarted`, `RolloutWaveDone`, `RolloutStopped`, ….
    pub reason: &'static str,
    /// Whether somebody should look.
    pub warns: bool,
    /// In one sentence.
    pub message: String,
}

/// The Event that says so. `nanoseconds` of Unix time make its name its own.
#[must_use]
pub fn event(said: &Said, daemonset: &ObjectKey, uid: &str, reporter: &str, nanoseconds: u128) -> Value {
    let seconds = i64::try_from(nanoseconds / 1_000_000_000).unwrap_or(0);
    let time = timestamp(seconds);
    json!({
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": { "name": format!("{}.{nanoseconds:x}", daemonset.name), "namespace": daemonset.namespace },
        "involvedObject": {
            "apiVersion": "apps/v1", "kind": "DaemonSet", "name": daemonset.name,
            "namespace": daemonset.namespace, "uid": uid,
        },
        "reason": said.reason,
        "message": said.message,
        "type": if said.warns { "Warning" } else { "Normal" },
        "source": { "component": "dsrules" },
        "reportingComponent": "dsrules",
        "reportingInstance": reporter,
        "firstTimestamp": time,
        "lastTimestamp": time,
        "count": 1,
    })
}
