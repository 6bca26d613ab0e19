//! A pod: what ownership, the pod diff and the rollout ask about it.
//!
//! Two million of them must fit into memory, so names are shared and the whole object
//! is kept only where it is not what its daemonset's template says anyway.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::controllerrevision::HASH_LABEL;
use super::info::{KindInfo, NameForm};
use crate::kube::columns::{self, Column, items, or_none};
use crate::kube::defaults::{absent, each, made, present};
use crate::kube::views::{list, seconds, text};
use crate::kube::{Meta, Name, ObjectKey, human, timestamp};

pub(super) const KIND: KindInfo = KindInfo {
    name: "Pod",
    api_version: "v1",
    removed: &[],
    resource: "pod",
    plural: "pods",
    short: &["po"],
    namespaced: true,
    names: NameForm::Subdomain,
    counts_changes: true,
    defaults,
    status: KindInfo::no_status,
    columns: &[
        Column::new("READY", |pod, _| {
            let (ready, all) = ready_containers(pod);
            format!("{ready}/{all}")
        }),
        Column::new("STATUS", |pod, _| pod_status(pod)),
        Column::new("RESTARTS", restarts),
        Column::AGE,
        Column::wide("IP", |pod, _| or_none(&pod["status"]["podIP"])),
        Column::wide("NODE", |pod, _| or_none(&pod["spec"]["nodeName"])),
        Column::wide("NOMINATED NODE", |pod, _| or_none(&pod["status"]["nominatedNodeName"])),
        Column::wide("READINESS GATES", |pod, _| readiness_gates(pod)),
        Column::wide("WAITS FOR", |pod, _| waits_for(pod).unwrap_or_else(|| "<none>".to_owned())),
    ],
    facts: &[],
};

/// What is kept in memory of a Pod.
#[derive(Debug, Clone, PartialEq)]
pub struct Pod {
    /// Metadata.
    pub meta: Meta,
    /// `spec.nodeName`: the node it is bound to.
    pub node: Option<Name>,
    /// The node that its affinity pins it to while it is not bound (the controller's
    /// GetTargetNodeName).
    pub pinned: Option<Name>,
    /// How it stands, which it has in common with others.
    pub stand: Arc<Stand>,
}

/// How a pod stands, and what it is made from. All pods of one revision of a daemonset may be
/// alike in it. It is read as if it stood in [`Pod`] itself, and becomes the pod's own where it
/// is changed.
#[derive(Debug, Clone, PartialEq)]
pub struct Stand {
    /// `status.phase`: `Pending`, `Running`, `Succeeded`, `Failed`, `Unknown`.
    pub phase: Name,
    /// Whether the `Ready` condition is `True`.
    pub ready: bool,
    /// `lastTransitionTime` of the `Ready` condition, in seconds of Unix time.
    pub ready_since: Option<i64>,
    /// Where the whole object is.
    pub body: Body,
}

/// Where a pod's whole object is.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// As it was written in a manifest.
    Written(Arc<Value>),
    /// In the store, not loaded.
    Stored,
    /// In the store, and here as the store has it, as some rule asks for it.
    Read(Arc<Value>),
    /// Made by dsrules: the view above and this base say everything.
    Made(Arc<Base>),
}

/// What all pods of one template have in common: a Pod object with the template's
/// metadata and spec, the added tolerations and the owner reference, but without what
/// [`Pod::object`] fills in for the single pod.
#[derive(Debug, PartialEq)]
pub struct Base {
    /// A fingerprint of `value`: the same base is kept once.
    pub id: Name,
    /// The common object.
    pub value: Value,
}

/// The port of the node that a port of a container takes: its `hostPort`, or with the host
/// network (`on_host`) the port itself.
#[must_use]
pub fn host_port(port: &Value, on_host: bool) -> Option<i64> {
    let asked = port["hostPort"].as_i64().filter(|port| *port != 0);
    asked.or_else(|| port["containerPort"].as_i64().filter(|_| on_host))
}

/// Whether a pod in this phase runs no more (podutil.IsPodTerminal).
#[must_use]
pub fn has_ended(phase: &str) -> bool {
    matches!(phase, "Failed" | "Succeeded")
}

impl Deref for Pod {
    type Target = Stand;

    fn deref(&self) -> &Stand {
        &self.stand
    }
}

impl DerefMut for Pod {
    fn deref_mut(&mut self) -> &mut Stand {
        Arc::make_mut(&mut self.stand)
    }
}

impl Pod {
    /// Reads a Pod.
    #[must_use]
    pub fn from_value(key: ObjectKey, value: Arc<Value>) -> Self {
        let (phase, ready, ready_since) = Pod::read_status(&value);
        Pod {
            meta: Meta::from_value(key, &value),
            node: Some(text(&value["spec"], "nodeName")).filter(|name| !name.is_empty()),
            pinned: pinned_node(&value["spec"]),
            stand: Arc::new(Stand { phase, ready, ready_since, body: Body::Written(value) }),
        }
    }

    /// Phase, readiness and since when it is so, as a whole object says them.
    #[must_use]
    pub fn read_status(value: &Value) -> (Name, bool, Option<i64>) {
        let status = &value["status"];
        let ready = list(status, "conditions").find(|condition| condition["type"] == "Ready");
        let phase = text(status, "phase");
        (
            if phase.is_empty() { "Pending".into() } else { phase },
            ready.is_some_and(|condition| condition["status"] == "True"),
            ready.and_then(|condition| seconds(&condition["lastTransitionTime"])),
        )
    }

    /// The node that a pod with this spec is on or meant for.
    #[must_use]
    pub fn target_of(spec: &Value) -> Option<Name> {
        Some(text(spec, "nodeName")).filter(|name| !name.is_empty()).or_else(|| pinned_node(spec))
    }

    /// The node it is on or meant for: bound first, else pinned.
    #[must_use]
    pub fn target(&self) -> Option<&Name> {
        self.node.as_ref().or(self.pinned.as_ref())
    }

    /// The whole object of a pod that was made from `base`: name, uid, times, node and
    /// the pin to it (util.ReplaceDaemonSetPodNodeNameNodeAffinity), labels, status.
    #[must_use]
    pub fn object(&self, base: &Base) -> Value {
        let mut pod = base.value.clone();
        let meta = &mut pod["metadata"];
        meta["name"] = json!(&*self.meta.key.name);
        meta["namespace"] = json!(&*self.meta.key.namespace);
        meta["uid"] = json!(&*self.meta.uid.text());
        meta["resourceVersion"] = json!(self.meta.resource_version.to_string());
        meta["creationTimestamp"] = json!(timestamp(self.meta.created));
        meta["labels"] =
            self.meta.labels.iter().map(|(key, value)| (key.to_string(), json!(&**value))).collect();
        if self.meta.controller.is_none() {
            meta.as_object_mut().map(|meta| meta.remove("ownerReferences"));
        }
        if let Some(time) = self.meta.deleting {
            meta["deletionTimestamp"] = json!(timestamp(time));
        }
        if let Some(node) = self.target() {
            pin(&mut pod["spec"], node);
        }
        if let Some(node) = &self.node {
            pod["spec"]["nodeName"] = json!(&**node);
        }
        pod["status"] = json!({ "phase": &*self.phase });
        if let Some(since) = self.ready_since {
            let status = if self.ready { "True" } else { "False" };
            pod["status"]["conditions"] =
                json!([{ "type": "Ready", "status": status, "lastTransitionTime": timestamp(since) }]);
        }
        pod
    }

    /// The value of its hash label, empty where there is none.
    #[must_use]
    pub fn hash(&self) -> &str {
        self.meta.labels.get(HASH_LABEL).map_or("", |hash| hash)
    }
}

/// Pins a pod spec to a node by `matchFields`, in place of the required node affinity
/// it has; preferred affinity stays.
pub fn pin(spec: &mut Value, node: &str) {
    let required = &mut spec["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"];
    *required = json!({ "nodeSelectorTerms": [
        { "matchFields": [{ "key": "metadata.name", "operator": "In", "values": [node] }] }
    ] });
}

/// The one value of the first `metadata.name In` field requirement; a first one with
/// several values pins to nothing.
fn pinned_node(spec: &Value) -> Option<Name> {
    let required = &spec["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"];
    let mut fields = list(required, "nodeSelectorTerms").flat_map(|term| list(term, "matchFields"));
    let field = fields.find(|field| field["key"] == "metadata.name" && field["operator"] == "In")?;
    match field["values"].as_array()?.as_slice() {
        [name] => name.as_str().map(Name::from),
        _ => None,
    }
}

/// What a pod that is not bound waits for: the node that it is pinned to, and what the
/// scheduler says of it there.
#[must_use]
pub fn waits_for(pod: &Value) -> Option<String> {
    let (spec, status) = (&pod["spec"], &pod["status"]);
    let ended = status["phase"].as_str().is_some_and(has_ended);
    let node = pinned_node(spec).filter(|_| text(spec, "nodeName").is_empty() && !ended)?;
    let unscheduled = list(status, "conditions")
        .find(|condition| condition["type"] == "PodScheduled" && condition["status"] == "False");
    let message = unscheduled.map_or("", |condition| columns::text(&condition["message"]));
    let here = format!("node {node}");
    // What we say of the node stands behind the scheduler's own words.
    Some(match message.split_once(&format!("{here}: ")) {
        Some((_, why)) => format!("{here}: {why}"),
        None if message.is_empty() => here,
        None => format!("{here}: {message}"),
    })
}

/// The node that a pod is on, or else the one that it is pinned to.
#[must_use]
pub fn node_of(pod: &Value) -> Option<Name> {
    let spec = &pod["spec"];
    Some(text(spec, "nodeName")).filter(|name| !name.is_empty()).or_else(|| pinned_node(spec))
}

/// The defaults of a pod that its template does not have (SetDefaults_Pod).
fn defaults(pod: &mut Map<String, Value>) {
    let Some(spec) = present(pod, "spec") else { return };
    absent(spec, "enableServiceLinks", || json!(true));
    let on_host = spec.get("hostNetwork") == Some(&json!(true));
    for list in ["containers", "initContainers"] {
        each(spec, list, |container| {
            if let Some(resources) = present(container, "resources")
                && let Some(limits) = resources.get("limits").and_then(Value::as_object).cloned()
                && let Some(requests) = made(resources, "requests")
            {
                for (name, limit) in limits {
                    absent(requests, &name, || limit);
                }
            }
            if on_host {
                each(container, "ports", |port| {
                    let inside = port.get("containerPort").cloned().unwrap_or_default();
                    if port.get("hostPort").is_none_or(|it| it.is_null() || *it == json!(0)) {
                        port.insert("hostPort".to_owned(), inside);
                    }
                });
            }
        });
    }
}

/// How many containers are ready, of how many. A pod without container statuses (nobody
/// here runs containers) is as ready as its Ready condition.
#[must_use]
pub fn ready_containers(pod: &Value) -> (usize, usize) {
    let all = items(&pod["spec"]["containers"]).count();
    let mut statuses = items(&pod["status"]["containerStatuses"]).peekable();
    if statuses.peek().is_none() {
        let is_ready = items(&pod["status"]["conditions"])
            .any(|condition| condition["type"] == "Ready" && condition["status"] == "True");
        return (if is_ready { all } else { 0 }, all);
    }
    (statuses.filter(|status| status["ready"] == true && status["state"]["running"].is_object()).count(), all)
}

/// The STATUS column (printPod): the phase, or what a container waits for or ended with.
#[must_use]
pub fn pod_status(pod: &Value) -> String {
    let status = &pod["status"];
    let mut reason = match (columns::text(&status["reason"]), columns::text(&status["phase"])) {
        ("", "") => "Pending".to_owned(),
        ("", phase) => phase.to_owned(),
        (reason, _) => reason.to_owned(),
    };
    let initializing = items(&status["initContainerStatuses"]).zip(0..).find_map(|(container, at)| {
        let state = &container["state"];
        let ended = &state["terminated"];
        if ended.is_object() && ended["exitCode"] == 0 || container["started"] == true {
            return None;
        }
        let waits = columns::text(&state["waiting"]["reason"]);
        Some(if ended.is_object() {
            format!("Init:{}", ending(ended))
        } else if !waits.is_empty() && waits != "PodInitializing" {
            format!("Init:{waits}")
        } else {
            format!("Init:{at}/{}", items(&pod["spec"]["initContainers"]).count())
        })
    });
    if let Some(initializing) = initializing {
        reason = initializing;
    } else {
        let mut running = false;
        let containers: Vec<&Value> = items(&status["containerStatuses"]).collect();
        for container in containers.into_iter().rev() {
            let state = &container["state"];
            if !columns::text(&state["waiting"]["reason"]).is_empty() {
                columns::text(&state["waiting"]["reason"]).clone_into(&mut reason);
            } else if state["terminated"].is_object() {
                reason = ending(&state["terminated"]);
            } else if container["ready"] == true && state["running"].is_object() {
                running = true;
            }
        }
        if reason == "Completed" && running {
            "Running".clone_into(&mut reason);
        }
    }
    if pod["metadata"]["deletionTimestamp"].is_string() {
        let lost = status["reason"] == "NodeLost";
        return if lost { "Unknown".to_owned() } else { "Terminating".to_owned() };
    }
    reason
}

fn ending(terminated: &Value) -> String {
    match (columns::text(&terminated["reason"]), terminated["signal"].as_i64().unwrap_or(0)) {
        ("", 0) => format!("ExitCode:{}", terminated["exitCode"].as_i64().unwrap_or(0)),
        ("", signal) => format!("Signal:{signal}"),
        (reason, _) => reason.to_owned(),
    }
}

fn restarts(pod: &Value, now: i64) -> String {
    let statuses = || items(&pod["status"]["containerStatuses"]);
    let count: i64 = statuses().filter_map(|status| status["restartCount"].as_i64()).sum();
    let last = statuses().filter_map(|s| seconds(&s["lastState"]["terminated"]["finishedAt"])).max();
    match last {
        Some(last) if count > 0 => format!("{count} ({} ago)", human(now - last)),
        _ => count.to_string(),
    }
}

fn readiness_gates(pod: &Value) -> String {
    let gates: Vec<&Value> = items(&pod["spec"]["readinessGates"]).collect();
    if gates.is_empty() {
        return "<none>".to_owned();
    }
    let open = gates.iter().filter(|gate| {
        items(&pod["status"]["conditions"])
            .any(|condition| condition["type"] == gate["conditionType"] && condition["status"] == "True")
    });
    format!("{}/{}", open.count(), gates.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pods_status_is_what_its_containers_say() {
        let two = json!([{ "name": "a" }, { "name": "b" }]);
        let made = json!({ "spec": { "containers": two },
            "status": { "phase": "Running", "conditions": [{ "type": "Ready", "status": "True" }] } });
        assert_eq!((ready_containers(&made), pod_status(&made)), ((2, 2), "Running".to_owned()));

        let crashing = json!({ "spec": { "containers": two }, "status": { "phase": "Running",
            "containerStatuses": [
                { "ready": true, "restartCount": 0, "state": { "running": {} } },
                { "ready": false, "restartCount": 3, "state": { "waiting": { "reason": "CrashLoopBackOff" } },
                  "lastState": { "terminated": { "finishedAt": "1970-01-01T00:01:00Z" } } }] } });
        assert_eq!(
            (ready_containers(&crashing), pod_status(&crashing)),
            ((1, 2), "CrashLoopBackOff".to_owned())
        );
        assert_eq!(restarts(&crashing, 65), "3 (5s ago)");

        let starting = json!({ "spec": { "initContainers": two }, "status": { "phase": "Pending",
            "initContainerStatuses": [{ "state": { "terminated": { "exitCode": 0 } } },
                                      { "state": { "waiting": { "reason": "PodInitializing" } } }] } });
        assert_eq!(pod_status(&starting), "Init:1/2");
        let going = json!({ "metadata": { "deletionTimestamp": "2026-01-01T00:00:00Z" } });
        assert_eq!(pod_status(&going), "Terminating");
    }
}
