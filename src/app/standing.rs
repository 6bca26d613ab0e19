//! What the built-in rules warn of, whatever a plan does: host ports that no node can give.

use std::collections::BTreeMap;

use crate::datalog::{Handle, Row, Sym};
use crate::diagnostic::counted;
use crate::kube::{Kind, ObjectKey, list};
use crate::plan::constraint::{self, Choose};
use crate::plan::{About, Finding, Judged};
use crate::policy::relations;
use crate::reason::Reasoner;
use crate::state::World;

/// What the built-in rules warn of: what an API server takes and no node can run. The rows
/// that `choose` leaves are told.
#[must_use]
pub(super) fn standing(reasoner: &Reasoner, world: &World, choose: &mut Choose<'_>) -> Vec<Judged> {
    let all = [relations::surge_clash, relations::self_clash, relations::host_port_clash];
    let judge = |relation| {
        let declaration = reasoner.program().declaration(reasoner.program().id(relation));
        let nodes: BTreeMap<Row, usize> = match relation {
            relations::host_port_clash => pairs(reasoner),
            _ => reasoner.rows(relation).map(|row| (row, 1)).collect(),
        };
        let rows = choose(declaration, nodes.keys().copied().collect(), reasoner.symbols());
        let findings = rows.iter().filter_map(|row| finding(reasoner, world, relation, row, nodes[row]));
        let mut findings: Vec<Finding> = findings.collect();
        findings.sort_by(|a, b| a.sentence.cmp(&b.sentence));
        Judged { code: "host-port", findings, ..Judged::of(declaration, nodes.len()) }
    };
    all.into_iter().map(judge).collect()
}

/// A row for each pair of daemonsets that clash, of the first of the nodes, and how many
/// there are.
fn pairs(reasoner: &Reasoner) -> BTreeMap<Row, usize> {
    let mut pairs: BTreeMap<Vec<Sym>, (Row, usize)> = BTreeMap::new();
    for row in reasoner.rows(relations::host_port_clash) {
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
    // What is to be changed is a daemonset, not the node.
    finding.objects.retain(|it| it.kind == Kind::DaemonSet);
    for about in &mut finding.objects {
        let About { key, field, .. } = about;
        *field = number.and_then(|port| taken(world, key, port)).unwrap_or_else(|| field.clone());
    }
    if nodes > 1 {
        finding.notes.push(format!("and so on {}", counted(nodes - 1, "more node")));
    }
    Some(Finding { rule, ..finding })
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
