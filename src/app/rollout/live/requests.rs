//! The requests of a rollout, and what their answers mean.

use std::time::Duration;

use serde_json::{Value, json};

use super::decision::Replace;
use super::runner::{Answer, How};
use crate::cluster::{Cluster, Refusal, create, delete};
use crate::kube::ObjectKey;

/// What is asked for, as examples/in-cluster allows it: group, resource, verb.
pub const ASKED: [(&str, &str, &str); 6] = [
    ("", "pods/eviction", "create"),
    ("", "pods", "delete"),
    ("", "events", "create"),
    ("coordination.k8s.io", "leases", "get"),
    ("coordination.k8s.io", "leases", "create"),
    ("coordination.k8s.io", "leases", "update"),
];

/// Asks for a pod to go, if it is still the one that was decided on.
pub(super) async fn replace(cluster: &Cluster, pod: &Replace, how: How, within: Duration) -> Answer {
    let (namespace, name) = (&pod.pod.namespace, &pod.pod.name);
    let path = format!("/api/v1/namespaces/{namespace}/pods/{name}");
    let preconditions = json!({ "uid": &*pod.uid, "resourceVersion": &*pod.version });
    let options = |kind: &str| json!({ "kind": kind, "apiVersion": "v1", "preconditions": preconditions });
    let answered = match how {
        How::Delete => delete(cluster, &path, &options("DeleteOptions"), within).await,
        How::Evict => {
            let eviction = json!({
                "apiVersion": "policy/v1",
                "kind": "Eviction",
                "metadata": { "name": &**name, "namespace": &**namespace },
                "deleteOptions": options("DeleteOptions"),
            });
            create(cluster, &format!("{path}/eviction"), &eviction, within).await
        }
    };
    answered.map_or_else(|refusal| answer(refusal, how), |_| Answer::Granted)
}

/// What a refusal means.
fn answer(refusal: Refusal, how: How) -> Answer {
    let Refusal { status, message } = refusal;
    match status {
        // It is gone, or it is another one, or it has changed.
        404 | 409 => Answer::Moved,
        429 | 503 => Answer::Refused(message),
        // So an API server answers where several budgets are for one pod.
        500 if how == How::Evict => Answer::Refused(message),
        0 | 500..=599 => Answer::Unknown(message),
        _ => Answer::Failed(message),
    }
}

/// Says something on the daemonset; gives why that was not possible.
pub(super) async fn say(
    cluster: &Cluster,
    daemonset: &ObjectKey,
    event: &Value,
    within: Duration,
) -> Result<(), String> {
    let path = format!("/api/v1/namespaces/{}/events", daemonset.namespace);
    create(cluster, &path, event, within).await.map(drop).map_err(|refusal| refusal.message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_moved_is_not_what_is_forbidden() {
        let answered = |status, how| answer(Refusal { status, message: "why".into() }, how);
        let why = || "why".to_owned();
        assert_eq!(answered(409, How::Evict), Answer::Moved);
        assert_eq!(answered(429, How::Evict), Answer::Refused(why()));
        assert_eq!(answered(500, How::Evict), Answer::Refused(why()));
        assert_eq!(answered(500, How::Delete), Answer::Unknown(why()));
        assert_eq!(answered(0, How::Delete), Answer::Unknown(why()));
        assert_eq!(answered(403, How::Delete), Answer::Failed(why()));
    }
}
