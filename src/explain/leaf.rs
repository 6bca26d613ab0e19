//! Facts as people say them, and the field of the object that each is from.

use super::context::Context;
use super::sentences::says;
use super::step::{Segment, SourceField};
use crate::datalog::explain::Goal;
use crate::kube::path::{Path, Step};
use crate::kube::{Kind, Name, ObjectKey, Rows};
use crate::policy::relations;
use crate::state::World;

/// What only ties things together, or is said by the sentence over it.
pub(super) fn is_trivial(relation: &str) -> bool {
    matches!(
        relation,
        "class"
            | "profile"
            | "in_class"
            | "in_profile"
            | "daemonset"
            | "daemonset_namespace"
            | "daemonset_uid"
            | "node"
            | "taint"
            | "requirement"
            | "requirement_size"
            | "label_set"
            | "pod"
            | "surge_of_one"
            | "class_affinity"
            | "labelled"
            | "tolerant"
            | "has_key"
            | "has_listed"
            | "requirement_value"
            | "requirement_number"
            | "profile_number"
            | "term_expression"
            | "term_field"
            | "toleration"
            | "covers_key"
            | "covers_value"
            | "covers_effect"
            | "usable"
            // Whose a pod is, and that it is there, is in the sentence that names it.
            | "claims"
            | "considered"
            | "counted"
            | "daemon_pod"
            | "live"
            | "occupied"
            | "owned"
            | "pod_target"
            | "selects"
    )
}

/// The values of a goal, where all are known.
pub(super) fn values(goal: &Goal) -> Option<Vec<&str>> {
    goal.values.iter().map(|value| value.as_deref()).collect()
}

/// A fact in words; a relation of a user's own as it would be written.
pub(super) fn phrase(goal: &Goal, told: &Context<'_>) -> String {
    let text = says(goal).unwrap_or_else(|| goal.fact.clone());
    match seconds(goal, told.world) {
        Some(1) => format!("{text} for 1 second, after which the taint drives it out"),
        Some(seconds) => format!("{text} for {seconds} seconds, after which the taint drives it out"),
        None => text,
    }
}

/// `tolerationSeconds` of a toleration, where it has an end.
fn seconds(goal: &Goal, world: &World) -> Option<i64> {
    let [it, toleration] = values(goal)?[..] else { return None };
    if goal.relation != "class_toleration" {
        return None;
    }
    let found = world.daemonsets.get(&key(it))?;
    found.template.tolerations.iter().find(|it| it.to_string() == toleration)?.seconds
}

/// The field that a fact is from.
pub(super) fn source(goal: &Goal, world: &World) -> Option<SourceField> {
    let values = values(goal)?;
    let at = |kind, key, path: &[&str]| SourceField {
        kind,
        key,
        path: path.iter().map(|field| Segment::Field((*field).to_owned())).collect(),
    };
    let node = |path: &[&str]| at(Kind::Node, ObjectKey::new("", values[0]), path);
    let daemonset = |path: &[&str]| at(Kind::DaemonSet, key(values[0]), path);
    let spec = ["spec", "template", "spec"];
    let of_spec = |path: &[&str]| daemonset(&[&spec[..], path].concat());
    Some(match (goal.relation.as_str(), values.as_slice()) {
        ("profile_label" | "node_label" | "node_number" | "node_label_version", [_, label, ..]) => {
            node(&["metadata", "labels", label])
        }
        ("node_annotation", [_, name, _]) => node(&["metadata", "annotations", name]),
        ("profile_taint", [name, taint]) => {
            let found = world.nodes.get(&ObjectKey::new("", *name))?;
            let at = found.taints.iter().position(|it| it.to_string() == *taint)?;
            indexed(node(&["spec", "taints"]), at)
        }
        ("node_taint", [..]) => node(&["spec", "taints"]),
        ("node_unschedulable", [_]) => node(&["spec", "unschedulable"]),
        ("node_condition" | "node_condition_since", [..]) => node(&["status", "conditions"]),
        ("node_capacity", [_, resource, _]) => node(&["status", "capacity", resource]),
        ("node_allocatable", [_, resource, _]) => node(&["status", "allocatable", resource]),
        ("node_info" | "node_info_version", [_, field, ..]) => node(&["status", "nodeInfo", field]),
        ("class_node_name", [..]) => of_spec(&["nodeName"]),
        ("class_node_selector", [_, label, _]) => of_spec(&["nodeSelector", label]),
        ("class_host_network", [..]) => of_spec(&["hostNetwork"]),
        ("class_toleration", [name, toleration]) => {
            let found = world.daemonsets.get(&key(name))?;
            let at = found.template.tolerations.iter().position(|it| it.to_string() == *toleration)?;
            indexed(of_spec(&["tolerations"]), at)
        }
        ("class_term", [name, term]) => {
            let found = world.daemonsets.get(&key(name))?;
            let at = found.template.affinity.iter().flatten().position(|it| it.to_string() == *term)?;
            let required = "requiredDuringSchedulingIgnoredDuringExecution";
            indexed(of_spec(&["affinity", "nodeAffinity", required, "nodeSelectorTerms"]), at)
        }
        ("daemonset_label", [_, label, _]) => daemonset(&["metadata", "labels", label]),
        ("daemonset_annotation", [_, name, _]) => daemonset(&["metadata", "annotations", name]),
        ("template_label", [_, label, _]) => daemonset(&["spec", "template", "metadata", "labels", label]),
        ("template_annotation", [_, name, _]) => {
            daemonset(&["spec", "template", "metadata", "annotations", name])
        }
        ("template_toleration", [..]) => of_spec(&["tolerations"]),
        ("max_unavailable_written", [..]) => {
            daemonset(&["spec", "updateStrategy", "rollingUpdate", "maxUnavailable"])
        }
        ("max_surge_written", [..]) => daemonset(&["spec", "updateStrategy", "rollingUpdate", "maxSurge"]),
        ("template_container" | "template_image" | "template_request" | "template_limit", [..]) => {
            of_spec(&["containers"])
        }
        ("pod_target", [..]) => at(Kind::Pod, key(values[0]), &["spec", "nodeName"]),
        ("pod_label", [_, label, _]) => at(Kind::Pod, key(values[0]), &["metadata", "labels", label]),
        ("pod_phase" | "pod_not_running", [..]) => at(Kind::Pod, key(values[0]), &["status", "phase"]),
        ("template_priority_class", [..]) => of_spec(&["priorityClassName"]),
        ("template_service_account", [..]) => of_spec(&["serviceAccountName"]),
        (relation, [name, path, _]) if of_fields(relation).is_some() => {
            let kind = of_fields(relation)?;
            let steps = Path::parse(path).ok()?;
            SourceField { kind, key: key(name), path: steps.steps().iter().map_while(segment).collect() }
        }
        (relation, values) => {
            let (kind, fact) = Kind::of_relation(relation)?;
            match (&fact.rows, values) {
                (Rows::Field(path) | Rows::Items(path), [name, _]) => at(kind, key(name), path),
                (Rows::Entries(path), [name, entry, _]) => {
                    at(kind, key(name), &[path, &[*entry][..]].concat())
                }
                _ => return None,
            }
        }
    })
}

/// The kind whose fields a relation has.
fn of_fields(relation: &str) -> Option<Kind> {
    Kind::ALL.into_iter().find(|kind| {
        let of = relations::type_of(*kind).to_ascii_lowercase();
        relation.strip_suffix("_field") == Some(&*of)
    })
}

/// A step as a part of a place; each of a list has none.
fn segment(step: &Step) -> Option<Segment> {
    match step {
        Step::Field(name) => Some(Segment::Field(name.clone())),
        Step::Index(at) => Some(Segment::Index(*at)),
        Step::Each => None,
    }
}

fn indexed(mut source: SourceField, at: usize) -> SourceField {
    source.path.push(Segment::Index(at));
    source
}

/// The key that a symbol `namespace/name` stands for.
pub(super) fn key(symbol: &str) -> ObjectKey {
    match symbol.split_once('/') {
        Some((namespace, name)) => ObjectKey::new(namespace, name),
        None => ObjectKey::new("", symbol),
    }
}

/// What a node has under a label's key, for a requirement that it does not satisfy.
pub(super) fn label_of(world: &World, node: &str, label: &str) -> String {
    let found = world.nodes.get(&ObjectKey::new("", node));
    match found.and_then(|node| node.meta.labels.get(label)) {
        Some(value) => format!("{node} has {label}={value}"),
        None => format!("{node} has no label {label}"),
    }
}

/// The key that a requirement is about.
pub(super) fn key_of_requirement(requirement: &str) -> Name {
    requirement.split(' ').next().unwrap_or("").into()
}
