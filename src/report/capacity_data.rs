//! What is taken of nodes, as a document: exact amounts, as Kubernetes writes quantities.

use std::collections::BTreeMap;

use serde::Serialize;

use super::data::API_VERSION;
use super::key::Key;
use crate::app::capacity::{Amounts, By, Capacity, Group, Largest, Part, Spread};
use crate::kube::{Name, amount_text, is_in_bytes};

/// A `kind: Capacity` of our own version: fields may be added, none is renamed or removed
/// while the version stays.
pub fn capacity_document(capacity: &Capacity) -> impl Serialize {
    let label = match &capacity.by {
        By::Label(label) => Some(label.clone()),
        _ => None,
    };
    Document {
        api_version: API_VERSION,
        kind: "Capacity",
        planned: capacity.total.after.is_some(),
        label,
        total: group(&capacity.total, false),
        groups: capacity.groups.iter().map(|it| group(it, true)).collect(),
        nodes: capacity.nodes.iter().map(node).collect(),
        daemonsets: capacity
            .daemonsets
            .iter()
            .map(|(key, cost)| CostLine {
                daemonset: key.clone().into(),
                now: texts(&cost.now),
                after: cost.after.as_ref().map(texts),
            })
            .collect(),
        pods_on_unknown_nodes: capacity.astray,
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    api_version: &'static str,
    kind: &'static str,
    /// Whether there is a plan, so that all has an `after`.
    planned: bool,
    /// The label by whose values nodes are put together.
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<String>,
    total: GroupLine,
    groups: Vec<GroupLine>,
    nodes: Vec<NodeLine>,
    daemonsets: Vec<CostLine>,
    pods_on_unknown_nodes: usize,
}

#[derive(Serialize)]
struct GroupLine {
    /// The value of the label.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<Name>,
    /// The names of its nodes; not of the total.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    names: Vec<Name>,
    now: PartLine,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<PartLine>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PartLine {
    nodes: usize,
    resources: BTreeMap<Name, SumsLine>,
    pods_waiting: usize,
    nodes_that_take_no_pod: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    largest_pod: Option<LargestLine>,
}

#[derive(Serialize)]
struct LargestLine {
    node: Name,
    cpu: String,
    memory: String,
}

#[derive(Serialize)]
struct SumsLine {
    /// Of nodes that do not say what they have nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    allocatable: Option<SpreadLine>,
    daemons: Option<SpreadLine>,
    others: Option<SpreadLine>,
    #[serde(skip_serializing_if = "Option::is_none")]
    free: Option<SpreadLine>,
    overhead: Option<SpreadLine>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fullest: Option<FullestLine>,
}

#[derive(Serialize)]
struct FullestLine {
    node: Name,
    percent: i64,
}

/// Of the node with least, of that with most, of all together.
#[derive(Serialize)]
struct SpreadLine {
    least: String,
    most: String,
    total: String,
}

#[derive(Serialize)]
struct NodeLine {
    name: Name,
    #[serde(skip_serializing_if = "Option::is_none")]
    now: Option<OneLine>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<OneLine>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OneLine {
    resources: BTreeMap<Name, AmountsLine>,
    pods_waiting: usize,
    takes_no_pod: bool,
}

#[derive(Serialize)]
struct AmountsLine {
    #[serde(skip_serializing_if = "Option::is_none")]
    allocatable: Option<String>,
    daemons: Option<String>,
    others: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    free: Option<String>,
    overhead: Option<String>,
}

#[derive(Serialize)]
struct CostLine {
    daemonset: Key,
    now: BTreeMap<Name, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<BTreeMap<Name, String>>,
}

/// An amount as a quantity; a sum beyond 64 bits is the largest there is.
fn text(resource: &str, amount: i128) -> String {
    let most = if amount < 0 { i64::MIN } else { i64::MAX };
    amount_text(resource, i64::try_from(amount).unwrap_or(most), is_in_bytes(resource))
}

fn texts(amounts: &Amounts) -> BTreeMap<Name, String> {
    amounts.iter().map(|(resource, amount)| (resource.clone(), text(resource, *amount))).collect()
}

fn group(group: &Group, named: bool) -> GroupLine {
    GroupLine {
        value: group.value.clone(),
        names: if named { group.nodes.clone() } else { Vec::new() },
        now: part(&group.now),
        after: group.after.as_ref().map(part),
    }
}

fn part(part: &Part) -> PartLine {
    let resources = part.resources.iter().map(|(resource, it)| {
        let spread = |it: Option<Spread>| {
            it.map(|it| SpreadLine {
                least: text(resource, it.least.into()),
                most: text(resource, it.most.into()),
                total: text(resource, it.total),
            })
        };
        let fullest = it.fullest.as_ref().map(|(node, percent)| FullestLine {
            node: node.clone(),
            percent: i64::try_from(*percent).unwrap_or(i64::MAX),
        });
        let line = SumsLine {
            allocatable: spread(it.has),
            daemons: spread(it.daemons),
            others: spread(it.others),
            free: spread(it.free),
            overhead: spread(it.overhead),
            fullest,
        };
        (resource.clone(), line)
    });
    let largest = |it: &Largest| LargestLine {
        node: it.node.clone(),
        cpu: text("cpu", it.cpu.into()),
        memory: text("memory", it.memory.into()),
    };
    PartLine {
        nodes: part.nodes,
        resources: resources.collect(),
        pods_waiting: part.waiting,
        nodes_that_take_no_pod: part.full,
        largest_pod: part.largest.as_ref().map(largest),
    }
}

fn node(node: &Group) -> NodeLine {
    let one = |part: &Part| {
        let resources = part.resources.iter().map(|(resource, it)| {
            let amount = |it: Option<Spread>| it.map(|it| text(resource, it.total));
            let line = AmountsLine {
                allocatable: amount(it.has),
                daemons: amount(it.daemons),
                others: amount(it.others),
                free: amount(it.free),
                overhead: amount(it.overhead),
            };
            (resource.clone(), line)
        });
        OneLine { resources: resources.collect(), pods_waiting: part.waiting, takes_no_pod: part.full > 0 }
    };
    NodeLine {
        name: node.nodes.first().cloned().unwrap_or_default(),
        now: (node.now.nodes > 0).then(|| one(&node.now)),
        after: node.after.as_ref().filter(|after| after.nodes > 0).map(one),
    }
}
