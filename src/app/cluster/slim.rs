//! Pods of a cluster with what the built-in rules ask about them, and no more: of one daemonset
//! they say the same but for their names and nodes, which is then kept once.
//!
//! Nothing is made of a pod on the way but what is kept of it: there may be very many.

use std::borrow::Cow;
use std::sync::Arc;

use rustc_hash::FxHashMap;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::hash::sha256;
use crate::kube::{
    Base, Body, Common, Labels, Meta, Name, ObjectKey, Owner, Pod, Stand, Written, labels_of, time,
};

#[derive(Deserialize)]
struct Read<'p> {
    #[serde(borrow)]
    metadata: Metadata<'p>,
    #[serde(borrow, default)]
    spec: Spec<'p>,
    #[serde(borrow, default)]
    status: Status<'p>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata<'p> {
    #[serde(borrow)]
    name: Cow<'p, str>,
    #[serde(borrow)]
    namespace: Cow<'p, str>,
    #[serde(borrow, default)]
    uid: Cow<'p, str>,
    #[serde(default)]
    generation: i64,
    #[serde(borrow, default)]
    creation_timestamp: Option<Cow<'p, str>>,
    #[serde(borrow, default)]
    deletion_timestamp: Option<Cow<'p, str>>,
    #[serde(borrow, default)]
    labels: Option<&'p RawValue>,
    #[serde(borrow, default)]
    owner_references: Option<&'p RawValue>,
}

/// The parts of a spec that somebody asks about, each as it came.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Spec<'p> {
    #[serde(borrow)]
    node_name: Cow<'p, str>,
    #[serde(borrow)]
    affinity: Option<&'p RawValue>,
    #[serde(borrow)]
    containers: Vec<Container<'p>>,
    #[serde(borrow)]
    init_containers: Vec<Container<'p>>,
    #[serde(borrow)]
    host_network: Option<&'p RawValue>,
    #[serde(borrow)]
    node_selector: Option<&'p RawValue>,
    #[serde(borrow)]
    overhead: Option<&'p RawValue>,
    #[serde(borrow)]
    preemption_policy: Option<&'p RawValue>,
    #[serde(borrow)]
    priority: Option<&'p RawValue>,
    #[serde(borrow)]
    priority_class_name: Option<&'p RawValue>,
    #[serde(borrow)]
    resources: Option<&'p RawValue>,
    #[serde(borrow)]
    scheduler_name: Option<&'p RawValue>,
    #[serde(borrow)]
    scheduling_gates: Option<&'p RawValue>,
    #[serde(borrow)]
    termination_grace_period_seconds: Option<&'p RawValue>,
    #[serde(borrow)]
    tolerations: Option<&'p RawValue>,
    #[serde(borrow)]
    topology_spread_constraints: Option<&'p RawValue>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Container<'p> {
    #[serde(borrow)]
    name: Option<&'p RawValue>,
    #[serde(borrow)]
    image: Option<&'p RawValue>,
    #[serde(borrow)]
    ports: Option<&'p RawValue>,
    #[serde(borrow)]
    resources: Option<&'p RawValue>,
    #[serde(borrow)]
    restart_policy: Option<&'p RawValue>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Status<'p> {
    #[serde(borrow)]
    phase: Cow<'p, str>,
    #[serde(borrow)]
    conditions: Vec<Condition<'p>>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Condition<'p> {
    #[serde(borrow)]
    r#type: Cow<'p, str>,
    #[serde(borrow)]
    status: Cow<'p, str>,
    #[serde(borrow)]
    last_transition_time: Option<Cow<'p, str>>,
}

/// So many different pods are remembered; one who looks for weeks would remember all there ever were.
const REMEMBERED: usize = 20_000;

/// What pods have in common, by how it came.
#[derive(Default)]
pub(super) struct Slim {
    bases: FxHashMap<String, (Arc<Base>, bool)>,
    labels: FxHashMap<String, Labels>,
    owners: FxHashMap<String, Option<Arc<Owner>>>,
    names: FxHashMap<String, Name>,
    /// The text of a pod without what is its own.
    text: String,
}

impl Slim {
    /// A pod as it came; none where it is not one, or one that says something in another way.
    pub(super) fn pod(&mut self, item: &str, now: i64) -> Option<Pod> {
        let read: Read<'_> = serde_json::from_str(item).ok()?;
        if self.bases.len().max(self.labels.len()).max(self.owners.len()) > REMEMBERED {
            *self = Slim::default();
        }
        let (meta, spec, status) = (&read.metadata, &read.spec, &read.status);
        if meta.name.is_empty() || meta.namespace.is_empty() {
            return None;
        }
        let node = Some(&*spec.node_name).filter(|node| !node.is_empty());
        self.describe(meta, spec);
        let (base, pinned) = self.base(node)?;
        let pinned = match (pinned, node) {
            (true, Some(node)) => Some(self.name(node)),
            (true, None) | (false, _) => None,
        };
        let ready = status.conditions.iter().find(|condition| condition.r#type == "Ready");
        let seconds = |text: &Option<Cow<'_, str>>| text.as_deref().and_then(time);
        let common = Common {
            generation: meta.generation,
            created: seconds(&meta.creation_timestamp).unwrap_or(now),
            deleting: seconds(&meta.deletion_timestamp),
            labels: self.labels_of(meta.labels.map_or("{}", RawValue::get)),
            controller: self.owner(meta.owner_references.map_or("[]", RawValue::get)),
            written: Written::default(),
        };
        let stand = Stand {
            phase: self.name(if status.phase.is_empty() { "Pending" } else { &status.phase }),
            ready: ready.is_some_and(|ready| ready.status == "True"),
            ready_since: ready.and_then(|ready| seconds(&ready.last_transition_time)),
            body: Body::Made(base),
        };
        Some(Pod {
            meta: Meta {
                key: ObjectKey { namespace: self.name(&meta.namespace), name: Name::from(&*meta.name) },
                uid: (*meta.uid).into(),
                resource_version: 0,
                stored: 0,
                common: Arc::new(common),
            },
            node: node.map(|node| self.name(node)),
            pinned,
            stand: Arc::new(stand),
        })
    }

    fn name(&mut self, text: &str) -> Name {
        match self.names.get(text) {
            Some(name) => name.clone(),
            None => self.names.entry(text.to_owned()).or_insert_with(|| Name::from(text)).clone(),
        }
    }

    fn labels_of(&mut self, text: &str) -> Labels {
        let read = || Arc::new(labels_of(&serde_json::from_str(text).unwrap_or_default()));
        match self.labels.get(text) {
            Some(labels) => labels.clone(),
            None => self.labels.entry(text.to_owned()).or_insert_with(read).clone(),
        }
    }

    fn owner(&mut self, text: &str) -> Option<Arc<Owner>> {
        if let Some(owner) = self.owners.get(text) {
            return owner.clone();
        }
        let owners: Value = serde_json::from_str(text).unwrap_or_default();
        let object = json!({ "metadata": { "ownerReferences": owners } });
        let owner = Meta::from_value(ObjectKey::default(), &object).controller.clone();
        self.owners.insert(text.to_owned(), owner.clone());
        owner
    }

    /// Writes the text of what is kept of a pod and not its own.
    fn describe(&mut self, meta: &Metadata<'_>, spec: &Spec<'_>) {
        let text = &mut self.text;
        text.clear();
        text.push_str("{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"ownerReferences\":");
        text.push_str(meta.owner_references.map_or("[]", RawValue::get));
        text.push_str("},\"spec\":{\"affinity\":");
        text.push_str(spec.affinity.map_or("null", RawValue::get));
        for (name, list) in [("containers", &spec.containers), ("initContainers", &spec.init_containers)] {
            text.push_str(&format!(",\"{name}\":["));
            for (nth, it) in list.iter().enumerate() {
                text.push_str(if nth == 0 { "{" } else { ",{" });
                let fields = [
                    ("name", it.name),
                    ("image", it.image),
                    ("ports", it.ports),
                    ("resources", it.resources),
                    ("restartPolicy", it.restart_policy),
                ];
                append(text, true, &fields);
                text.push('}');
            }
            text.push(']');
        }
        let fields = [
            ("hostNetwork", spec.host_network),
            ("nodeSelector", spec.node_selector),
            ("overhead", spec.overhead),
            ("preemptionPolicy", spec.preemption_policy),
            ("priority", spec.priority),
            ("priorityClassName", spec.priority_class_name),
            ("resources", spec.resources),
            ("schedulerName", spec.scheduler_name),
            ("schedulingGates", spec.scheduling_gates),
            ("terminationGracePeriodSeconds", spec.termination_grace_period_seconds),
            ("tolerations", spec.tolerations),
            ("topologySpreadConstraints", spec.topology_spread_constraints),
        ];
        append(text, false, &fields);
        text.push_str("}}");
    }

    /// What the pods of that text have in common, and whether their affinity pins each to its
    /// node. One that is pinned and not bound is not taken: it is told by where it is meant for.
    fn base(&mut self, node: Option<&str>) -> Option<(Arc<Base>, bool)> {
        // A node stands in the affinity of the pod that is pinned to it.
        let pin = node.map(|node| format!("\"values\":[\"{node}\"]"));
        if let Some(pin) = pin.filter(|pin| self.text.contains(&**pin)) {
            self.text = self.text.replacen(&pin, PINNED, 1);
        }
        if let Some(known) = self.bases.get(&self.text) {
            return Some(known.clone());
        }
        let mut value: Value = serde_json::from_str(&self.text).ok()?;
        let target = Pod::target_of(&value["spec"]);
        let is_pinned = target.as_deref() == Some(PLACEHOLDER);
        if target.is_some() && !is_pinned {
            return None;
        }
        let spec = value.get_mut("spec")?.as_object_mut()?;
        spec.retain(|_, value| !is_nothing(value));
        let id: Name = sha256(self.text.as_bytes()).as_str().into();
        let known = (Arc::new(Base { id, value }), is_pinned);
        self.bases.insert(self.text.clone(), known.clone());
        Some(known)
    }
}

/// What stands for the node that a pod is pinned to.
const PLACEHOLDER: &str = "?";
const PINNED: &str = "\"values\":[\"?\"]";

fn is_nothing(value: &Value) -> bool {
    value.is_null() || *value == json!([]) || *value == Value::Object(Map::new())
}

/// Writes fields as they came.
fn append(text: &mut String, mut first: bool, fields: &[(&str, Option<&RawValue>)]) {
    for (name, value) in fields {
        let Some(value) = value else { continue };
        if !std::mem::take(&mut first) {
            text.push(',');
        }
        text.push('"');
        text.push_str(name);
        text.push_str("\":");
        text.push_str(value.get());
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn pod(name: &str, node: &str) -> Value {
        json!({ "metadata": { "name": name, "namespace": "logging", "uid": format!("u-{name}"), "generation": 1,
                "creationTimestamp": "2026-01-01T00:00:00Z", "labels": { "app": "a" }, "managedFields": [{}],
                "ownerReferences": [{ "apiVersion": "apps/v1", "kind": "DaemonSet", "name": "a", "uid": "u", "controller": true }] },
            "spec": { "nodeName": node, "volumes": [{ "name": format!("token-{name}") }],
                "affinity": { "nodeAffinity": { "requiredDuringSchedulingIgnoredDuringExecution": { "nodeSelectorTerms": [
                    { "matchFields": [{ "key": "metadata.name", "operator": "In", "values": [node] }] }] } } },
                "containers": [{ "name": "c", "image": "c:1", "env": [], "resources": { "requests": { "cpu": "1" } },
                    "ports": [{ "containerPort": 80, "hostPort": 8080 }] }],
                "tolerations": [{ "operator": "Exists" }] },
            "status": { "phase": "Running", "podIP": "10.0.0.1", "conditions": [
                { "type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:01:00Z" }] } })
    }

    #[test]
    fn pods_that_are_alike_are_kept_once_and_say_what_they_said() {
        let mut slim = Slim::default();
        let mut bases = Vec::new();
        for node in ["n1", "n2"] {
            let value = pod(&format!("a-{node}"), node);
            let read = slim.pod(&value.to_string(), 0).unwrap();
            let key = ObjectKey::new("logging", format!("a-{node}"));
            let whole = Pod::from_value(key, Arc::new(value.clone()));
            let Body::Made(base) = read.body.clone() else { panic!("it is no pod like others") };
            let object = read.object(&base);
            for part in ["affinity", "tolerations", "nodeName"] {
                assert_eq!(object["spec"][part], value["spec"][part]);
            }
            assert_eq!(object["spec"]["containers"][0]["ports"], value["spec"]["containers"][0]["ports"]);
            bases.push(base);
            let stand = Stand { body: whole.body.clone(), ..Stand::clone(&read.stand) };
            assert_eq!(Pod { stand: Arc::new(stand), ..read }, whole);
        }
        assert!(Arc::ptr_eq(&bases[0], &bases[1]));
    }

    #[test]
    fn what_is_said_otherwise_is_left_to_the_other_reader() {
        let mut slim = Slim::default();
        let mut unbound = pod("a", "n1");
        unbound["spec"]["nodeName"] = Value::Null;
        for other in [unbound, json!({ "metadata": {} }), json!("x"), json!({ "metadata": { "name": 1 } })] {
            assert!(slim.pod(&other.to_string(), 0).is_none(), "{other}");
        }
        let mut plain = pod("a", "n1");
        plain["spec"]["affinity"] = Value::Null;
        assert_eq!(slim.pod(&plain.to_string(), 0).unwrap().pinned, None);
    }
}
