//! The yardstick of common sense: for each daemonset each node, comparing strings, and
//! leaving at the first thing that does not fit.

use dsrules::model::{DaemonSet, Node, Requirement, Taint, Term, Toleration, World};

use super::Pair;

pub fn pairs(world: &World) -> Vec<Pair> {
    let mut pairs = Vec::new();
    for (daemonset, at) in world.daemonsets.values().zip(0..) {
        for (node, to) in world.nodes.values().zip(0..) {
            if fits(daemonset, node) {
                pairs.push((at, to));
            }
        }
    }
    pairs
}

fn fits(daemonset: &DaemonSet, node: &Node) -> bool {
    let template = &daemonset.template;
    let labels = &node.meta.labels;
    template.node_name.as_ref().is_none_or(|name| *name == node.meta.key.name)
        && template.node_selector.iter().all(|(key, value)| labels.get(key) == Some(value))
        && template.affinity.as_ref().is_none_or(|terms| terms.iter().any(|term| matches(term, node)))
        && node.taints.iter().all(|taint| {
            &*taint.effect == "PreferNoSchedule"
                || template.tolerations.iter().any(|toleration| tolerates(toleration, taint))
                || is_added(taint)
        })
}

fn matches(term: &Term, node: &Node) -> bool {
    assert!(term.fields.is_empty(), "no workload asks for fields");
    !term.expressions.is_empty() && term.expressions.iter().all(|it| satisfies(it, node))
}

fn satisfies(requirement: &Requirement, node: &Node) -> bool {
    let value = node.meta.labels.get(&requirement.key);
    let listed = || value.is_some_and(|value| requirement.values.contains(value));
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
