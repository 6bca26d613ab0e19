//! What the scheduler asks: what pods need of their node, and which budgets they have.
//!
//! Most pods are made from a few templates, so what they need is given once for all that
//! need the same: their shape. Its symbol says all that it is, so a pod that changes has
//! another one.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::Value;

use super::encoder::Encoder;
use crate::datalog::Sym;
use crate::kube::requests::{self, Side};
use crate::kube::{
    Body, Kind, Labels, Name, Node, ObjectKey, Plain, Pod, Selector, Term, Toleration, host_port, labels_of,
    list, seconds,
};
use crate::policy::relations;

/// The kind of the objects that say how many pods may go.
const BUDGET: &str = "PodDisruptionBudget";

/// Kinds that the disruption controller asks how many pods they want.
const SCALED: [&str; 4] = ["ReplicaSet", "Deployment", "StatefulSet", "ReplicationController"];

/// What a pod says that matters to the scheduler.
struct Shape {
    requests: Vec<(String, i64)>,
    /// Port, protocol and address.
    ports: BTreeSet<(i64, String, String)>,
    tolerations: Vec<Toleration>,
    selector: Labels,
    /// Terms of required node affinity, where one asks for more than the pin.
    terms: Vec<Term>,
    priority: Option<i64>,
    class: Option<Name>,
    preemption: Option<Name>,
}

impl Shape {
    fn of(pod: &Value) -> Self {
        let spec = &pod["spec"];
        let named = |field: &str| spec[field].as_str().filter(|name| !name.is_empty()).map(Name::from);
        let asked = requests::of_pod(pod, Side::Requests);
        Shape {
            requests: asked.iter().map(|(name, amount)| (name.to_owned(), amount.value)).collect(),
            ports: host_ports(spec),
            tolerations: list(spec, "tolerations").map(Toleration::from_value).collect(),
            selector: labels_of(&spec["nodeSelector"]).into(),
            terms: terms(spec),
            priority: spec["priority"].as_i64(),
            class: named("priorityClassName"),
            preemption: named("preemptionPolicy"),
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("pods that ask for")?;
        self.requests.iter().try_for_each(|(name, amount)| write!(f, " {amount} {name}"))?;
        self.ports.iter().try_for_each(|(port, protocol, ip)| write!(f, " port {ip}:{port}/{protocol}"))?;
        self.selector.iter().try_for_each(|(key, value)| write!(f, " {key}={value}"))?;
        self.terms.iter().try_for_each(|term| write!(f, " on {term}"))?;
        self.tolerations.iter().try_for_each(|it| write!(f, " tolerating {it}"))?;
        self.priority.iter().try_for_each(|it| write!(f, " with priority {it}"))?;
        self.class.iter().try_for_each(|it| write!(f, " of class {it}"))?;
        self.preemption.iter().try_for_each(|it| write!(f, " preempting {it}"))
    }
}

/// The terms of required node affinity, where some ask for more than one node by its name,
/// which is all that the controller asks for.
fn terms(spec: &Value) -> Vec<Term> {
    let required = &spec["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"];
    let terms: Vec<Term> = list(required, "nodeSelectorTerms").map(Term::from_value).collect();
    let is_pin = |term: &Term| term.expressions.is_empty() && term.fields.len() == 1;
    if terms.iter().all(is_pin) { Vec::new() } else { terms }
}

/// The ports of the node that the containers take.
fn host_ports(spec: &Value) -> BTreeSet<(i64, String, String)> {
    let on_host = spec["hostNetwork"] == true;
    let ports = list(spec, "containers").flat_map(|container| list(container, "ports"));
    let taken = ports.filter_map(|port| {
        let number = host_port(port, on_host);
        let or = |field: &str, other: &str| match port[field].as_str() {
            None | Some("") => other.to_owned(),
            Some(text) => text.to_owned(),
        };
        Some((number.filter(|number| *number > 0)?, or("protocol", "TCP"), or("hostIP", "0.0.0.0")))
    });
    taken.collect()
}

/// When the kubelet took a pod up. One that was made here is taken up when it is bound, which
/// may be long after it was created: then it is taken as ready since the second before, and
/// since as many more as it has to be ready for.
fn started(pod: &Pod) -> Option<i64> {
    match &pod.body {
        Body::Written(value) | Body::Read(value) => seconds(&value["status"]["startTime"]),
        Body::Made(_) => {
            Some(pod.ready_since.map_or(pod.meta.created, |since| pod.meta.created.max(since + 1)))
        }
        Body::Stored => None,
    }
}

impl Encoder {
    /// What the scheduler asks of a pod.
    pub(super) fn scheduled_pod(&mut self, pod: &Pod, it: Sym) {
        if !self.uses(relations::pod_shape) {
            if let Some(started) = started(pod) {
                self.number_row(relations::pod_started, it, &[], &[started]);
            }
            return;
        }
        let shape = match &pod.body {
            Body::Made(base) => match self.shapes.get(&base.id) {
                Some(shape) => *shape,
                None => {
                    let shape = self.shape(&Shape::of(&base.value));
                    self.shapes.insert(base.id.clone(), shape);
                    shape
                }
            },
            Body::Written(value) | Body::Read(value) => self.shape(&Shape::of(value)),
            Body::Stored => return,
        };
        self.row(relations::pod_shape, &[it, shape]);
        if let Some(started) = started(pod) {
            self.number_row(relations::pod_started, it, &[], &[started]);
        }
    }

    /// A shape; its rows are given with its first pod.
    fn shape(&mut self, shape: &Shape) -> Sym {
        let it = self.text(&shape.to_string());
        if !self.first("shape", it) {
            return it;
        }
        self.row(relations::shape, &[it]);
        for (resource, amount) in &shape.requests {
            self.number_row(relations::shape_request, it, &[resource], &[*amount]);
        }
        for (port, protocol, address) in &shape.ports {
            let row = [it, self.symbols.number(*port), self.text(protocol), self.text(address)];
            self.row(relations::shape_host_port, &row);
        }
        for toleration in &shape.tolerations {
            let toleration = self.toleration(toleration);
            self.row(relations::shape_toleration, &[it, toleration]);
        }
        for (key, value) in shape.selector.iter() {
            self.text_row(relations::shape_node_selector, it, &[key, value]);
        }
        for term in &shape.terms {
            let term = self.term(term);
            self.row(relations::shape_term, &[it, term]);
        }
        if let Some(priority) = shape.priority {
            self.number_row(relations::shape_priority, it, &[], &[priority]);
        }
        for (relation, name) in [
            (relations::shape_priority_class, &shape.class),
            (relations::shape_preemption, &shape.preemption),
        ] {
            name.iter().for_each(|name| self.text_row(relation, it, &[name]));
        }
        it
    }

    /// What the scheduler asks of a node.
    pub(super) fn scheduled_node(&mut self, node: &Node, it: Sym) {
        if !self.uses(relations::node_taint_order) {
            return;
        }
        for (taint, order) in node.taints.iter().zip(0..) {
            let row = [it, self.taint(taint), self.symbols.number(order)];
            self.row(relations::node_taint_order, &row);
        }
    }

    /// By which uid pods know an object that runs so many of them, and what controls it.
    pub(super) fn scaled(&mut self, kind: Kind, object: &Plain) {
        if !SCALED.contains(&kind.written()) || !self.uses(relations::scaled_uid) {
            return;
        }
        let it = self.as_object(kind, &object.meta.key);
        let uid = self.text(&object.meta.uid.text());
        self.row(relations::scaled_uid, &[it, uid]);
        if let Some(owner) = &object.meta.controller {
            let by = self.text(&owner.uid);
            self.row(relations::scaled_by, &[it, by]);
        }
    }

    /// Which pods a budget is for.
    pub(super) fn budget(&mut self, kind: Kind, object: &Plain) {
        if kind.written() != BUDGET || !self.uses(relations::budget_selector) {
            return;
        }
        let key = &object.meta.key;
        let it = self.as_object(kind, key);
        for requirement in &Selector::from_value(&object.value["spec"]["selector"]).requirements {
            let requirement = self.requirement(requirement);
            self.row(relations::budget_selector, &[it, requirement]);
        }
        for (pod, _) in object.value["status"]["disruptedPods"].as_object().into_iter().flatten() {
            let pod = self.subject(Kind::Pod, &ObjectKey::new(key.namespace.clone(), pod.clone()));
            self.row(relations::budget_disrupted, &[it, pod]);
        }
    }
}
