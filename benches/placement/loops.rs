//! The yardstick of common sense: for each daemonset each node, comparing strings, and
//! leaving at the first thing that does not fit.

use dsrules::kube::{DaemonSet, Node, Requirement, Taint, Term, Toleration};
use dsrules::state::World;

use super::Pair;

/// A node as a loop likes it: labels side by side.
struct Row<'a> {
    name: &'a str,
    labels: Vec<(&'a str, &'a str)>,
    taints: &'a [Taint],
}

pub fn pairs(world: &World) -> Vec<Pair> {
    let row = |node: &'_ Node| -> Vec<(String, String)> {
        node.meta.labels.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect()
    };
    let labels: Vec<Vec<(String, String)>> = world.nodes.values().map(row).collect();
    let nodes: Vec<Row<'_>> = world
        .nodes
        .values()
        .zip(&labels)
        .map(|(node, labels)| Row {
            name: &node.meta.key.name,
            labels: labels.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect(),
            taints: &node.taints,
        })
        .collect();
    let mut pairs = Vec::new();
    for (daemonset, at) in world.daemonsets.values().zip(0..) {
        pairs.extend(nodes.iter().zip(0..).filter(|(node, _)| fits(daemonset, node)).map(|(_, to)| (at, to)));
    }
    pairs
}

fn fits(daemonset: &DaemonSet, node: &Row<'_>) -> bool {
    let template = &daemonset.template;
    template.node_name.as_ref().is_none_or(|name| **name == *node.name)
        && template.node_selector.iter().all(|(key, value)| label(node, key) == Some(&**value))
        && template.affinity.as_ref().is_none_or(|terms| terms.iter().any(|term| matches(term, node)))
        && node.taints.iter().all(|taint| {
            &*taint.effect == "PreferNoSchedule"
                || template.tolerations.iter().any(|toleration| tolerates(toleration, taint))
                || is_added(taint)
        })
}

fn label<'a>(node: &Row<'a>, key: &str) -> Option<&'a str> {
    node.labels.iter().find(|(it, _)| *it == key).map(|(_, value)| *value)
}

fn matches(term: &Term, node: &Row<'_>) -> bool {
    assert!(term.fields.is_empty(), "no workload asks for fields");
    !term.expressions.is_empty() && term.expressions.iter().all(|it| satisfies(it, node))
}

fn satisfies(requirement: &Requirement, node: &Row<'_>) -> bool {
    let value = label(node, &requirement.key);
    let listed = || value.is_some_and(|value| requirement.values.iter().any(|it| **it == *value));
    match &*requirement.operator {
        "In" => listed(),
        "NotIn" => !listed(),
        "Exists" => value.is_some(),
        "DoesNotExist" => value.is_none(),
        other => panic!("no workload uses {other}"),
    }
}

pub fn tolerates(toleration: &Toleration, taint: &Taint) -> bool {
    (toleration.effect.is_empty() || toleration.effect == taint.effect)
        && (toleration.key.is_empty() || toleration.key == taint.key)
        && (&*toleration.operator == "Exists" || toleration.value == taint.value)
}

/// What every daemon pod tolerates.
pub fn is_added(taint: &Taint) -> bool {
    matches!(
        (&*taint.key, &*taint.effect),
        ("node.kubernetes.io/not-ready" | "node.kubernetes.io/unreachable", "NoExecute")
            | (
                "node.kubernetes.io/disk-pressure"
                    | "node.kubernetes.io/memory-pressure"
                    | "node.kubernetes.io/pid-pressure"
                    | "node.kubernetes.io/unschedulable",
                "NoSchedule"
            )
    )
}
