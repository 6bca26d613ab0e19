//! What the built-in rules warn of, whatever a plan does: host ports that no node can give, and
//! PriorityClasses that are not there.

use std::collections::BTreeMap;

use crate::datalog::{Handle, Row, Sym};
use crate::diagnostic::{counted, nearest};
use crate::kube::{Kind, ObjectKey, list};
use crate::plan::constraint::{self, Choose};
use crate::plan::{About, Finding, Judged};
use crate::policy::relations;
use crate::reason::Reasoner;
use crate::state::World;

/// What is warned of.
pub(super) const STANDING: [Handle; 8] = [
    relations::surge_clash,
    relations::self_clash,
    relations::host_port_clash,
    relations::node_port_clash,
    relations::same_node_port,
    relations::missing_class,
    relations::assumed_priority,
    relations::two_defaults,
];

/// The PriorityClasses that every cluster has.
const SYSTEM_CLASSES: [&str; 2] = ["system-cluster-critical", "system-node-critical"];

/// What the built-in rules warn of: what an API server takes and no node can run. The rows
/// that `choose` leaves are told.
#[must_use]
pub(super) fn standing(reasoner: &Reasoner, world: &World, choose: &mut Choose<'_>) -> Vec<Judged> {
    let classes = [relations::missing_class, relations::assumed_priority, relations::two_defaults];
    let judge = |relation| {
        let declaration = reasoner.program().declaration(reasoner.program().id(relation));
        let nodes: BTreeMap<Row, usize> = match relation {
            relations::host_port_clash | relations::node_port_clash => pairs(reasoner, relation),
            _ => reasoner.rows(relation).map(|row| (row, 1)).collect(),
        };
        let rows = choose(declaration, nodes.keys().copied().collect(), reasoner.symbols());
        let findings = rows.iter().filter_map(|row| finding(reasoner, world, relation, row, nodes[row]));
        let mut findings: Vec<Finding> = findings.collect();
        findings.sort_by(|a, b| a.sentence.cmp(&b.sentence));
        let code = if classes.contains(&relation) { "priority-class" } else { "host-port" };
        Judged { code, findings, ..Judged::of(declaration, nodes.len()) }
    };
    STANDING.iter().copied().map(judge).collect()
}

/// A row for each pair of objects that clash, of the first of the nodes, and how many there
/// are.
fn pairs(reasoner: &Reasoner, relation: Handle) -> BTreeMap<Row, usize> {
    let mut pairs: BTreeMap<Vec<Sym>, (Row, usize)> = BTreeMap::new();
    for row in reasoner.rows(relation) {
        let (first, count) = pairs.entry(row[..4].to_vec()).or_insert((row, 0));
        *count += 1;
        if reasoner.text(row[4]) < reasoner.text(first[4]) {
            *first = row;
        }
    }
    pairs.into_values().collect()
}

fn finding(
    reasoner: &Reasoner,
    world: &World,
    relation: Handle,
    row: &[Sym],
    nodes: usize,
) -> Option<Finding> {
    let (sentence, rule) = reasoner.told(relation, row)?;
    let declaration = reasoner.program().declaration(reasoner.program().id(relation));
    let mut finding = constraint::bare(reasoner.symbols(), declaration, row, &sentence);
    let number = finding.row.iter().find(|(column, _)| &**column == "port").and_then(|(_, it)| it.as_i64());
    // What is to be changed is a daemonset or a service, not the node.
    finding.objects.retain(|it| matches!(it.kind, Kind::DaemonSet | Kind::Service));
    if relation == relations::missing_class {
        finding.notes.extend(known_classes(world, reasoner.text(row[1])));
    }
    for about in finding.objects.iter_mut().filter(|_| number.is_none()) {
        about.field = "spec.template.spec.priorityClassName".to_owned();
    }
    for about in finding.objects.iter_mut().filter(|_| number.is_some()) {
        let About { kind, key, field, .. } = about;
        let found = number.and_then(|port| match kind {
            Kind::Service => given(world, key, port),
            _ => taken(world, key, port),
        });
        *field = found.unwrap_or_else(|| field.clone());
    }
    if nodes > 1 {
        finding.notes.push(format!("and so on {}", counted(nodes - 1, "more node")));
    }
    Some(Finding { rule, ..finding })
}

/// What to say to a class that is not there: the ones that are, and the nearest of them.
fn known_classes(world: &World, class: &str) -> Vec<String> {
    let given = world.others.keys().filter(|(kind, _)| kind.written() == "PriorityClass");
    let known: Vec<&str> = given.map(|(_, key)| &*key.name).chain(SYSTEM_CLASSES).collect();
    let near = nearest(class, known.iter().copied()).map(|near| format!("did you mean `{near}`?"));
    [format!("there are {}", known.join(", "))].into_iter().chain(near).collect()
}

/// The field by which a daemonset takes a port of the host.
fn taken(world: &World, daemonset: &ObjectKey, port: i64) -> Option<String> {
    let spec = &world.daemonsets.get(daemonset)?.value["spec"]["template"]["spec"];
    list(spec, "containers").enumerate().find_map(|(nth, container)| {
        list(container, "ports").enumerate().find_map(|(at, it)| {
            let field = ["hostPort", "containerPort"].into_iter().find(|field| it[*field] == port)?;
            Some(format!("spec.template.spec.containers[{nth}].ports[{at}].{field}"))
        })
    })
}

/// The field by which a service has a node port.
fn given(world: &World, service: &ObjectKey, port: i64) -> Option<String> {
    let spec = &world.others.get(&(Kind::Service, service.clone()))?.value["spec"];
    let at = list(spec, "ports").position(|it| it["nodePort"] == port)?;
    Some(format!("spec.ports[{at}].nodePort"))
}
