//! One sync of the DaemonSet controller (v1.31), restated object by object.
//!
//! Where the controller's order is that of a Go map, names are taken in order.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::json::{list, name, text, time};
use super::placement::{label_matches, should_run, tolerations};

const HASH: &str = "controller-revision-hash";

/// A cluster at one time, as plain objects.
pub struct Cluster<'a> {
    pub now: i64,
    pub nodes: Vec<&'a Value>,
    pub daemonsets: Vec<&'a Value>,
    pub pods: Vec<&'a Value>,
    pub revisions: Vec<&'a Value>,
    /// By uid of the daemonset and node: how many seconds, and since when.
    pub backoff: BTreeMap<(&'a str, &'a str), (i64, i64)>,
    pub deleted_owners: Vec<&'a str>,
}

/// What one sync does for one daemonset.
#[derive(Default)]
pub struct Outcome {
    pub create: BTreeMap<String, Value>,
    pub delete: BTreeSet<String>,
    pub adopt: BTreeSet<String>,
    pub release: BTreeSet<String>,
    pub relabel: BTreeSet<String>,
    pub failed: BTreeSet<String>,
    pub succeeded: BTreeSet<String>,
    pub selecting_all: bool,
    pub status: Option<Value>,
    pub revision_created: Option<i64>,
    pub revisions_renumbered: BTreeMap<String, i64>,
    pub revisions_deleted: BTreeSet<String>,
    pub revisions_adopted: BTreeSet<String>,
    pub revisions_released: BTreeSet<String>,
}

impl Outcome {
    /// Each part as text, to be compared and shown.
    pub fn parts(&self) -> Vec<(&'static str, String)> {
        let names = |names: &BTreeSet<String>| names.iter().cloned().collect::<Vec<_>>().join(" ");
        vec![
            ("create", self.create.iter().map(|(node, pod)| format!("{node}: {pod}\n")).collect()),
            ("delete", names(&self.delete)),
            ("adopt", names(&self.adopt)),
            ("release", names(&self.release)),
            ("relabel", names(&self.relabel)),
            ("failed", names(&self.failed)),
            ("succeeded", names(&self.succeeded)),
            ("selecting all", self.selecting_all.to_string()),
            ("status", self.status.as_ref().map(Value::to_string).unwrap_or_default()),
            ("revision created", format!("{:?}", self.revision_created)),
            ("revisions renumbered", format!("{:?}", self.revisions_renumbered)),
            ("revisions deleted", names(&self.revisions_deleted)),
            ("revisions adopted", names(&self.revisions_adopted)),
            ("revisions released", names(&self.revisions_released)),
        ]
    }
}

type Pods<'a> = BTreeMap<String, Vec<&'a Value>>;

/// syncDaemonSet. `new_hash` is what a new revision is labelled with.
pub fn sync(cluster: &Cluster<'_>, daemonset: &Value, new_hash: &str) -> Outcome {
    let mut out = Outcome::default();
    if selects_all(daemonset) {
        out.selecting_all = true;
        return out;
    }
    if daemonset["metadata"]["deletionTimestamp"].is_string() {
        return out;
    }
    let claimed_revisions = claim(
        cluster,
        daemonset,
        &cluster.revisions,
        &mut out.revisions_adopted,
        &mut out.revisions_released,
    );
    let mut pods = claim(cluster, daemonset, &cluster.pods, &mut out.adopt, &mut out.release);
    pods.sort_by_key(|pod| name(pod));

    // constructHistory
    let wanted = template(&daemonset["spec"]["template"]);
    let (mut current, mut old): (Vec<&Value>, Vec<&Value>) = claimed_revisions
        .into_iter()
        .partition(|revision| template(&revision["data"]["spec"]["template"]) == wanted);
    let number = |revision: &Value| revision["revision"].as_i64().unwrap_or(0);
    let next = old.iter().map(|it| number(it)).max().unwrap_or(0).max(0) + 1;
    let hash = if current.is_empty() {
        out.revision_created = Some(next);
        new_hash.to_owned()
    } else {
        current.sort_by_key(|it| (number(it), name(it)));
        let keep = current.pop().unwrap();
        for duplicate in current {
            out.revisions_deleted.insert(name(duplicate).to_owned());
            for pod in pods.iter().filter(|pod| hash_label(pod) != revision_hash(keep)) {
                out.relabel.insert(name(pod).to_owned());
            }
        }
        if number(keep) < next {
            out.revisions_renumbered.insert(name(keep).to_owned(), next);
        }
        revision_hash(keep).to_owned()
    };

    // manage
    let places = by_node(&pods, false);
    for node in &cluster.nodes {
        on_node(cluster, daemonset, node, &places, &hash, &mut out);
    }
    for (node, pods) in &places {
        if !cluster.nodes.iter().any(|it| name(it) == node) {
            let unbound = pods.iter().filter(|pod| text(&pod["spec"], "nodeName").is_empty());
            out.delete.extend(unbound.map(|pod| name(pod).to_owned()));
        }
    }

    // rollingUpdate, if there was nothing to do
    let rolls = strategy(daemonset) == "RollingUpdate";
    let mut cleans = true;
    if rolls && out.create.is_empty() && out.delete.is_empty() {
        cleans = roll(cluster, daemonset, &places, &hash, &mut out).is_ok();
    }

    // cleanupHistory
    if cleans {
        let limit = daemonset["spec"]["revisionHistoryLimit"].as_i64().unwrap_or(10);
        let live: BTreeSet<&str> =
            by_node(&pods, true).values().flatten().map(|pod| hash_label(pod)).collect();
        let mut beyond = i64::try_from(old.len()).unwrap() - limit;
        old.sort_by_key(|it| (number(it), name(it)));
        for revision in old {
            if beyond > 0 && !live.contains(revision_hash(revision)) {
                out.revisions_deleted.insert(name(revision).to_owned());
                beyond -= 1;
            }
        }
    }
    let created: Vec<String> = out.create.keys().cloned().collect();
    for node in created {
        let pod = pod_for(daemonset, &node, &hash);
        out.create.insert(node, pod);
    }
    out.status = Some(status(cluster, daemonset, &places, &hash));
    out
}

/// A template without what an API server would not write: an absent field and an empty
/// one are the same.
fn template(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields = fields.iter().filter(|(name, _)| *name != "$patch");
            let fields = fields.map(|(name, value)| (name.clone(), template(value)));
            // The one `false` of these templates, `hostNetwork`, says nothing either.
            let empty = |value: &Value| [json!({}), json!([]), json!(false), Value::Null].contains(value);
            Value::Object(fields.filter(|(_, value)| !empty(value)).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(template).collect()),
        other => other.clone(),
    }
}

fn selects_all(daemonset: &Value) -> bool {
    let selector = &daemonset["spec"]["selector"];
    selector["matchLabels"].as_object().is_none_or(serde_json::Map::is_empty)
        && list(selector, "matchExpressions").next().is_none()
}

fn selects(daemonset: &Value, object: &Value) -> bool {
    let selector = &daemonset["spec"]["selector"];
    let labels = &object["metadata"]["labels"];
    let pairs = selector["matchLabels"].as_object().into_iter().flatten();
    namespace(daemonset) == namespace(object)
        && pairs.into_iter().all(|(key, value)| labels.get(key) == Some(value))
        && list(selector, "matchExpressions").all(|it| label_matches(labels, it))
}

fn namespace(object: &Value) -> &str {
    text(&object["metadata"], "namespace")
}

fn uid(object: &Value) -> &str {
    text(&object["metadata"], "uid")
}

/// The uid of the owner that controls the object.
fn controller(object: &Value) -> Option<&str> {
    list(&object["metadata"], "ownerReferences").find(|it| it["controller"] == true).map(|it| text(it, "uid"))
}

/// ClaimPods, ClaimControllerRevisions: what is its own already, and what it adopts.
fn claim<'a>(
    cluster: &Cluster<'_>,
    daemonset: &Value,
    objects: &[&'a Value],
    adopted: &mut BTreeSet<String>,
    released: &mut BTreeSet<String>,
) -> Vec<&'a Value> {
    let mut claimed = Vec::new();
    for object in objects.iter().filter(|object| namespace(object) == namespace(daemonset)) {
        match controller(object) {
            Some(owner) if owner != uid(daemonset) => {}
            Some(_) if selects(daemonset, object) => claimed.push(*object),
            Some(_) => {
                released.insert(name(object).to_owned());
            }
            None if object["metadata"]["deletionTimestamp"].is_string() => {}
            None if selects(daemonset, object) => {
                // Daemonsets are synced in name order, and the first one takes it.
                let taken = cluster.daemonsets.iter().any(|other| {
                    name(other) < name(daemonset)
                        && other["metadata"]["deletionTimestamp"].is_null()
                        && !selects_all(other)
                        && selects(other, object)
                });
                if !taken {
                    adopted.insert(name(object).to_owned());
                    claimed.push(*object);
                }
            }
            None => {}
        }
    }
    claimed
}

fn hash_label(pod: &Value) -> &str {
    text(&pod["metadata"]["labels"], HASH)
}

/// A revision without the label is given its name for one.
fn revision_hash(revision: &Value) -> &str {
    revision["metadata"]["labels"][HASH].as_str().unwrap_or_else(|| name(revision))
}

fn is_deleting(pod: &Value) -> bool {
    pod["metadata"]["deletionTimestamp"].is_string()
}

/// getNodesToDaemonPods.
fn by_node<'a>(pods: &[&'a Value], with_deleted_terminal: bool) -> Pods<'a> {
    let mut places: Pods<'a> = BTreeMap::new();
    for pod in pods {
        let terminal = matches!(text(&pod["status"], "phase"), "Failed" | "Succeeded");
        if terminal && is_deleting(pod) && !with_deleted_terminal {
            continue;
        }
        if let Some(node) = target(pod) {
            places.entry(node.to_owned()).or_default().push(pod);
        }
    }
    places
}

/// GetTargetNodeName.
fn target(pod: &Value) -> Option<&str> {
    let node = text(&pod["spec"], "nodeName");
    if !node.is_empty() {
        return Some(node);
    }
    let required = &pod["spec"]["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"];
    for term in list(required, "nodeSelectorTerms") {
        for field in list(term, "matchFields") {
            if text(field, "key") == "metadata.name" && text(field, "operator") == "In" {
                let values: Vec<&Value> = list(field, "values").collect();
                return if values.len() == 1 { values[0].as_str() } else { None };
            }
        }
    }
    None
}

fn ready_condition(pod: &Value) -> Option<&Value> {
    list(&pod["status"], "conditions").find(|it| text(it, "type") == "Ready")
}

fn is_ready(pod: &Value) -> bool {
    ready_condition(pod).is_some_and(|it| text(it, "status") == "True")
}

fn is_available(pod: &Value, daemonset: &Value, now: i64) -> bool {
    let seconds = daemonset["spec"]["minReadySeconds"].as_i64().unwrap_or(0);
    let since = ready_condition(pod).and_then(|it| time(it, "lastTransitionTime"));
    is_ready(pod) && (seconds == 0 || since.is_some_and(|since| since + seconds < now))
}

fn is_updated(pod: &Value, daemonset: &Value, hash: &str) -> bool {
    let label = pod["metadata"]["labels"]["pod-template-generation"].as_str();
    let generation = generation(daemonset).map(|it| it.to_string());
    !hash.is_empty() && hash_label(pod) == hash || generation.is_some() && label == generation.as_deref()
}

fn generation(daemonset: &Value) -> Option<i64> {
    text(&daemonset["metadata"]["annotations"], "deprecated.daemonset.template.generation").parse().ok()
}

/// podByCreationTimestampAndPhase.
fn in_order<'a>(pods: &[&'a Value]) -> Vec<&'a Value> {
    let mut pods = pods.to_vec();
    pods.sort_by_key(|pod| {
        let unbound = text(&pod["spec"], "nodeName").is_empty();
        (unbound, time(&pod["metadata"], "creationTimestamp").unwrap_or(0), name(pod).to_owned())
    });
    pods
}

fn strategy(daemonset: &Value) -> &str {
    let kind = text(&daemonset["spec"]["updateStrategy"], "type");
    if kind.is_empty() { "RollingUpdate" } else { kind }
}

fn amount(daemonset: &Value, field: &str, default: i64, total: usize) -> usize {
    let total = i64::try_from(total).unwrap();
    let value = match &daemonset["spec"]["updateStrategy"]["rollingUpdate"][field] {
        Value::String(percent) => {
            let percent: i64 = percent.trim_end_matches('%').parse().unwrap();
            (percent * total + 99) / 100
        }
        Value::Number(number) => number.as_i64().unwrap(),
        _ => default,
    };
    usize::try_from(value).unwrap()
}

/// podsShouldBeOnNode.
fn on_node(
    cluster: &Cluster<'_>,
    daemonset: &Value,
    node: &Value,
    places: &Pods<'_>,
    hash: &str,
    out: &mut Outcome,
) {
    let (starts, stays) = should_run(node, daemonset);
    let Some(pods) = places.get(name(node)) else {
        if starts {
            out.create.insert(name(node).to_owned(), Value::Null);
        }
        return;
    };
    let pods: Vec<&Value> = pods.iter().copied().filter(|pod| !is_deleting(pod)).collect();
    if !stays {
        out.delete.extend(pods.iter().map(|pod| name(pod).to_owned()));
        return;
    }
    let mut running = Vec::new();
    let backoff = cluster.backoff.get(&(uid(daemonset), name(node)));
    let mut waits = backoff.is_some_and(|(seconds, since)| cluster.now - since < *seconds);
    for pod in pods {
        match text(&pod["status"], "phase") {
            "Failed" => {
                if !waits {
                    out.failed.insert(name(pod).to_owned());
                    out.delete.insert(name(pod).to_owned());
                }
                waits = true;
            }
            "Succeeded" => {
                out.succeeded.insert(name(pod).to_owned());
                out.delete.insert(name(pod).to_owned());
            }
            _ => running.push(pod),
        }
    }
    let running = in_order(&running);
    let surges = strategy(daemonset) == "RollingUpdate" && amount(daemonset, "maxSurge", 0, 1) > 0;
    if !surges {
        out.delete.extend(running.iter().skip(1).map(|pod| name(pod).to_owned()));
        return;
    }
    if running.is_empty() && starts {
        out.create.insert(name(node).to_owned(), Value::Null);
    }
    if running.len() < 2 {
        return;
    }
    let (mut oldest_new, mut oldest_old) = (None, None);
    for pod in running {
        let place = if hash_label(pod) == hash { &mut oldest_new } else { &mut oldest_old };
        match place {
            None => *place = Some(pod),
            Some(_) => {
                out.delete.insert(name(pod).to_owned());
            }
        }
    }
    if let (Some(new), Some(old)) = (oldest_new, oldest_old)
        && (!is_ready(old) || is_available(new, daemonset, cluster.now))
    {
        out.delete.insert(name(old).to_owned());
    }
}

/// findUpdatedPodsOnNode: (new, old), or nothing where there are several of one kind.
fn new_and_old<'a>(
    pods: &[&'a Value],
    daemonset: &Value,
    hash: &str,
) -> Option<(Option<&'a Value>, Option<&'a Value>)> {
    let (mut new, mut old) = (None, None);
    for pod in pods.iter().copied().filter(|pod| !is_deleting(pod)) {
        let place = if is_updated(pod, daemonset, hash) { &mut new } else { &mut old };
        if place.is_some() {
            return None;
        }
        *place = Some(pod);
    }
    Some((new, old))
}

/// rollingUpdate; an error when a node that it has to look at is gone.
fn roll(
    cluster: &Cluster<'_>,
    daemonset: &Value,
    places: &Pods<'_>,
    hash: &str,
    out: &mut Outcome,
) -> Result<(), ()> {
    let desired = cluster.nodes.iter().filter(|node| should_run(node, daemonset).0).count();
    let mut max_unavailable = amount(daemonset, "maxUnavailable", 1, desired);
    let max_surge = amount(daemonset, "maxSurge", 0, desired);
    if desired > 0 && max_unavailable == 0 && max_surge == 0 {
        max_unavailable = 1;
    }
    let available = |pod: &Value| is_available(pod, daemonset, cluster.now);
    if max_surge == 0 {
        let mut unavailable = 0;
        let mut candidates = Vec::new();
        for pods in places.values() {
            match new_and_old(pods, daemonset, hash) {
                None | Some((None, None) | (Some(_), Some(_))) => unavailable += 1,
                Some((Some(new), None)) => unavailable += usize::from(!available(new)),
                Some((None, Some(old))) if !available(old) => {
                    out.delete.insert(name(old).to_owned());
                    unavailable += 1;
                }
                Some((None, Some(old))) => candidates.push(name(old).to_owned()),
            }
        }
        out.delete.extend(candidates.into_iter().take(max_unavailable.saturating_sub(unavailable)));
        return Ok(());
    }
    let (mut surging, mut serving) = (0, 0);
    let (mut allowed, mut candidates, mut retiring, mut replaced) = (vec![], vec![], vec![], vec![]);
    for (node, pods) in places {
        let Some((new, old)) = new_and_old(pods, daemonset, hash) else {
            surging += 1;
            continue;
        };
        if old.or(new).is_some_and(&available) {
            serving += 1;
        }
        match (new, old) {
            (_, None) => {}
            (None, Some(old)) => {
                let object = cluster.nodes.iter().find(|it| name(it) == node).ok_or(())?;
                match (should_run(object, daemonset).0, available(old)) {
                    (false, false) => replaced.push(name(old).to_owned()),
                    (false, true) => retiring.push(name(old).to_owned()),
                    (true, false) => allowed.push(node.clone()),
                    (true, true) => candidates.push(node.clone()),
                }
            }
            (Some(new), Some(_)) if !available(new) => surging += 1,
            (Some(_), Some(old)) => replaced.push(name(old).to_owned()),
        }
    }
    out.delete.extend(replaced);
    out.delete.extend(retiring.into_iter().take(usize::saturating_sub(serving, desired)));
    let left = max_surge.saturating_sub(surging);
    let nodes = allowed.into_iter().chain(candidates.into_iter().take(left));
    out.create.extend(nodes.map(|node| (node, Value::Null)));
    Ok(())
}

/// updateDaemonSetStatus.
fn status(cluster: &Cluster<'_>, daemonset: &Value, places: &Pods<'_>, hash: &str) -> Value {
    let (mut desired, mut current, mut misscheduled) = (0, 0, 0);
    let (mut ready, mut available, mut updated) = (0, 0, 0);
    for node in &cluster.nodes {
        let pods = places.get(name(node));
        match (should_run(node, daemonset).0, pods) {
            (true, None) => desired += 1,
            (true, Some(pods)) => {
                desired += 1;
                current += 1;
                let pod = in_order(pods)[0];
                ready += i64::from(is_ready(pod));
                available += i64::from(is_available(pod, daemonset, cluster.now));
                updated += i64::from(is_updated(pod, daemonset, hash));
            }
            (false, Some(_)) => misscheduled += 1,
            (false, None) => {}
        }
    }
    json!({
        "desired": desired,
        "current": current,
        "misscheduled": misscheduled,
        "ready": ready,
        "available": available,
        "unavailable": desired - available,
        "updated": updated,
        "generation": daemonset["metadata"]["generation"],
    })
}

/// The pod that is created for a node: CreatePodTemplate, GetPodFromTemplate and
/// ReplaceDaemonSetPodNodeNameNodeAffinity.
fn pod_for(daemonset: &Value, node: &str, hash: &str) -> Value {
    let template = &daemonset["spec"]["template"];
    let mut spec = template["spec"].clone();
    spec["tolerations"] = Value::Array(tolerations(&spec));
    spec["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"] = json!({
        "nodeSelectorTerms": [{ "matchFields": [
            { "key": "metadata.name", "operator": "In", "values": [node] }
        ] }]
    });
    let mut labels = template["metadata"]["labels"].clone();
    labels[HASH] = json!(hash);
    if let Some(generation) = generation(daemonset) {
        labels["pod-template-generation"] = json!(generation.to_string());
    }
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "generateName": format!("{}-", name(daemonset)),
            "namespace": namespace(daemonset),
            "labels": labels,
            "ownerReferences": [{
                "apiVersion": "apps/v1", "kind": "DaemonSet", "name": name(daemonset),
                "uid": uid(daemonset), "controller": true, "blockOwnerDeletion": true,
            }],
        },
        "spec": spec,
    })
}

/// What the pod garbage collector and the garbage collector take away.
pub fn collected(cluster: &Cluster<'_>) -> BTreeSet<String> {
    let key = |object: &Value| format!("{}/{}", namespace(object), name(object));
    let orphan =
        |object: &Value| controller(object).is_some_and(|owner| cluster.deleted_owners.contains(&owner));
    let lost = |pod: &Value| {
        let node = text(&pod["spec"], "nodeName");
        !node.is_empty() && !cluster.nodes.iter().any(|it| name(it) == node)
    };
    let pods = cluster.pods.iter().filter(|pod| lost(pod) || orphan(pod));
    let revisions = cluster.revisions.iter().filter(|revision| orphan(revision));
    pods.chain(revisions).map(|object| key(object)).collect()
}
