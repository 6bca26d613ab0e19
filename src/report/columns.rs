//! kubectl's columns for each kind: what `get` shows of an object.
//!
//! The cells are worked out from the whole object, as an API server's printers do, so
//! they are right for a pod of ours and for one that a cluster exported.

use serde_json::Value;

use super::{Table, age, human};
use crate::kube::{Kind, seconds};

/// Which columns a table has, beside the kind's own.
#[derive(Debug, Clone, Copy, Default)]
pub struct Columns {
    /// A first column with the namespace (`-A`).
    pub namespace: bool,
    /// `-o wide`.
    pub wide: bool,
    /// Names behind their kind, as `pod/a`: where several kinds were asked for.
    pub kind: bool,
    /// The time now, for ages, in seconds of Unix time.
    pub now: i64,
}

/// An empty table for objects of `kind`; [`cells`] makes its rows.
#[must_use]
pub fn columns(kind: Kind, columns: Columns) -> Table {
    let namespace = columns.namespace && kind.namespaced();
    let mut heads: Vec<&str> = if namespace { vec!["NAMESPACE", "NAME"] } else { vec!["NAME"] };
    heads.extend(own_heads(kind));
    if columns.wide {
        heads.extend(wide_heads(kind));
    }
    Table::new(heads)
}

/// The row of one object.
#[must_use]
pub fn cells(kind: Kind, object: &Value, columns: Columns) -> Vec<String> {
    let name = text(&object["metadata"]["name"]);
    let mut row = Vec::new();
    if columns.namespace && kind.namespaced() {
        row.push(text(&object["metadata"]["namespace"]).to_owned());
    }
    row.push(if columns.kind { format!("{}/{name}", kind.resource()) } else { name.to_owned() });
    row.extend(own_cells(kind, object, columns.now));
    if columns.wide {
        row.extend(wide_cells(kind, object));
    }
    row
}

fn own_heads(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Namespace => &["STATUS", "AGE"],
        Kind::Node => &["STATUS", "ROLES", "AGE", "VERSION"],
        Kind::DaemonSet => {
            &["DESIRED", "CURRENT", "READY", "UP-TO-DATE", "AVAILABLE", "NODE SELECTOR", "AGE"]
        }
        Kind::ControllerRevision => &["CONTROLLER", "REVISION", "AGE"],
        Kind::Pod => &["READY", "STATUS", "RESTARTS", "AGE"],
    }
}

fn wide_heads(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Namespace | Kind::ControllerRevision => &[],
        Kind::Node => &["INTERNAL-IP", "EXTERNAL-IP", "OS-IMAGE", "KERNEL-VERSION", "CONTAINER-RUNTIME"],
        Kind::DaemonSet => &["CONTAINERS", "IMAGES", "SELECTOR"],
        Kind::Pod => &["IP", "NODE", "NOMINATED NODE", "READINESS GATES"],
    }
}

fn own_cells(kind: Kind, object: &Value, now: i64) -> Vec<String> {
    let made = age(seconds(&object["metadata"]["creationTimestamp"]), now);
    match kind {
        Kind::Namespace => {
            let phase = text(&object["status"]["phase"]);
            vec![if phase.is_empty() { "Active".to_owned() } else { phase.to_owned() }, made]
        }
        Kind::Node => vec![
            node_status(object),
            node_roles(object),
            made,
            or_none(&object["status"]["nodeInfo"]["kubeletVersion"]),
        ],
        Kind::DaemonSet => {
            let count = |name: &str| object["status"][name].as_i64().unwrap_or(0).to_string();
            vec![
                count("desiredNumberScheduled"),
                count("currentNumberScheduled"),
                count("numberReady"),
                count("updatedNumberScheduled"),
                count("numberAvailable"),
                pairs(&object["spec"]["template"]["spec"]["nodeSelector"]),
                made,
            ]
        }
        Kind::ControllerRevision => {
            vec![controller(object), object["revision"].as_i64().unwrap_or(0).to_string(), made]
        }
        Kind::Pod => {
            let (ready, all) = ready_containers(object);
            vec![format!("{ready}/{all}"), pod_status(object), restarts(object, now), made]
        }
    }
}

fn wide_cells(kind: Kind, object: &Value) -> Vec<String> {
    match kind {
        Kind::Namespace | Kind::ControllerRevision => Vec::new(),
        Kind::Node => {
            let info = &object["status"]["nodeInfo"];
            let unknown = |name: &str| match text(&info[name]) {
                "" => "<unknown>".to_owned(),
                known => known.to_owned(),
            };
            vec![
                address(object, "InternalIP"),
                address(object, "ExternalIP"),
                unknown("osImage"),
                unknown("kernelVersion"),
                unknown("containerRuntimeVersion"),
            ]
        }
        Kind::DaemonSet => {
            let containers = || items(&object["spec"]["template"]["spec"]["containers"]);
            let joined = |name: &str| {
                containers().map(|container| text(&container[name])).collect::<Vec<_>>().join(",")
            };
            vec![joined("name"), joined("image"), selector(&object["spec"]["selector"])]
        }
        Kind::Pod => vec![
            or_none(&object["status"]["podIP"]),
            or_none(&object["spec"]["nodeName"]),
            or_none(&object["status"]["nominatedNodeName"]),
            readiness_gates(object),
        ],
    }
}

/// `Ready`, `NotReady,SchedulingDisabled`, `Unknown` (printNode).
pub(super) fn node_status(node: &Value) -> String {
    let mut status = items(&node["status"]["conditions"])
        .filter(|condition| condition["type"] == "Ready")
        .map(|condition| if condition["status"] == "True" { "Ready" } else { "NotReady" })
        .next()
        .unwrap_or("Unknown")
        .to_owned();
    if node["spec"]["unschedulable"] == true {
        status.push_str(",SchedulingDisabled");
    }
    status
}

/// The roles that labels give it (findNodeRoles).
pub(super) fn node_roles(node: &Value) -> String {
    let mut roles: Vec<&str> = Vec::new();
    for (key, value) in node["metadata"]["labels"].as_object().into_iter().flatten() {
        let role = match key.strip_prefix("node-role.kubernetes.io/") {
            Some(role) => role,
            None if key == "kubernetes.io/role" => text(value),
            None => continue,
        };
        if !role.is_empty() {
            roles.push(role);
        }
    }
    roles.sort_unstable();
    roles.dedup();
    if roles.is_empty() { "<none>".to_owned() } else { roles.join(",") }
}

fn address(node: &Value, kind: &str) -> String {
    items(&node["status"]["addresses"])
        .find(|address| address["type"] == kind)
        .map_or_else(|| "<none>".to_owned(), |address| or_none(&address["address"]))
}

/// How many containers are ready, of how many. A pod without container statuses (nobody
/// here runs containers) is as ready as its Ready condition.
pub(super) fn ready_containers(pod: &Value) -> (usize, usize) {
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
pub(super) fn pod_status(pod: &Value) -> String {
    let status = &pod["status"];
    let mut reason = match (text(&status["reason"]), text(&status["phase"])) {
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
        let waits = text(&state["waiting"]["reason"]);
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
            if !text(&state["waiting"]["reason"]).is_empty() {
                text(&state["waiting"]["reason"]).clone_into(&mut reason);
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
    match (text(&terminated["reason"]), terminated["signal"].as_i64().unwrap_or(0)) {
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

/// The owner that controls it, as `daemonset.apps/fluentd`.
pub(super) fn controller(object: &Value) -> String {
    items(&object["metadata"]["ownerReferences"]).find(|owner| owner["controller"] == true).map_or_else(
        || "<none>".to_owned(),
        |owner| {
            let group = text(&owner["apiVersion"]).split_once('/').map_or("", |(group, _)| group);
            let dot = if group.is_empty() { "" } else { "." };
            format!("{}{dot}{group}/{}", text(&owner["kind"]).to_lowercase(), text(&owner["name"]))
        },
    )
}

/// A map as `a=b,c=d`, or `<none>` (labels.FormatLabels).
pub(super) fn pairs(map: &Value) -> String {
    let pairs: Vec<String> =
        map.as_object().into_iter().flatten().map(|(key, value)| format!("{key}={}", text(value))).collect();
    if pairs.is_empty() { "<none>".to_owned() } else { pairs.join(",") }
}

/// A label selector, or a node selector term, in the words of `-l`
/// (metav1.FormatLabelSelector).
pub(super) fn selector(selector: &Value) -> String {
    let mut parts: Vec<String> = selector["matchLabels"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(key, value)| format!("{key}={}", text(value)))
        .collect();
    parts.extend(items(&selector["matchExpressions"]).map(requirement));
    parts.extend(items(&selector["matchFields"]).map(requirement));
    if parts.is_empty() { "<none>".to_owned() } else { parts.join(",") }
}

fn requirement(expression: &Value) -> String {
    let key = text(&expression["key"]);
    let values = items(&expression["values"]).map(text).collect::<Vec<_>>().join(",");
    match text(&expression["operator"]) {
        "In" => format!("{key} in ({values})"),
        "NotIn" => format!("{key} notin ({values})"),
        "DoesNotExist" => format!("!{key}"),
        "Gt" => format!("{key}>{values}"),
        "Lt" => format!("{key}<{values}"),
        _ => key.to_owned(),
    }
}

pub(super) fn or_none(value: &Value) -> String {
    match text(value) {
        "" => "<none>".to_owned(),
        text => text.to_owned(),
    }
}

pub(super) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("")
}

pub(super) fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_nodes_status_and_roles_read_as_kubectls() {
        let node = json!({
            "metadata": { "labels": { "node-role.kubernetes.io/worker": "", "kubernetes.io/role": "db",
                                      "node-role.kubernetes.io/": "" } },
            "spec": { "unschedulable": true },
            "status": { "conditions": [{ "type": "Ready", "status": "Unknown" }] }
        });
        assert_eq!(node_status(&node), "NotReady,SchedulingDisabled");
        assert_eq!(node_roles(&node), "db,worker");
        assert_eq!(node_status(&json!({})), "Unknown");
    }

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

    #[test]
    fn selectors_read_as_on_a_command_line() {
        let all = json!({ "matchLabels": { "a": "b" }, "matchExpressions": [
            { "key": "c", "operator": "In", "values": ["d", "e"] },
            { "key": "f", "operator": "DoesNotExist" }, { "key": "g", "operator": "Exists" }] });
        assert_eq!(selector(&all), "a=b,c in (d,e),!f,g");
        assert_eq!(selector(&json!({})), "<none>");
    }
}
