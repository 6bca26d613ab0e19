//! Pods that run now and whose successors would wait: what a plan makes pend.
//!
//! Which pods the scheduler leaves pending, and for want of what, the rules say at the end of
//! a plan. Here they are joined with what the plan took away on the same node.

use std::collections::{BTreeMap, BTreeSet};

use super::bound::Before;
use crate::datalog::{Row, Sym};
use crate::diagnostic::{Diagnostic, counted};
use crate::kube::requests::{Side, of_pod};
use crate::kube::{DaemonSet, Name, ObjectKey, short_amount};
use crate::plan::{Plan, Verb};
use crate::policy::relations;
use crate::reason::Reasoner;
use crate::state::World;

/// So many pods are named.
const NAMED: usize = 3;

/// A pod that waits where one ran before.
struct Displaced {
    pod: Sym,
    node: Sym,
    said: String,
}

/// A warning, if pods that run now would wait.
pub(super) fn warning(
    plan: &Plan,
    before: &Before,
    reasoner: &Reasoner,
    world: &World,
) -> Option<Diagnostic> {
    if !relations::schedules(reasoner.program()) {
        return None;
    }
    let found = displaced(plan, before, reasoner, world);
    if found.is_empty() {
        return None;
    }
    let (pods, runs) = (counted(found.len(), "pod"), if found.len() == 1 { "runs" } else { "run" });
    let mut warning =
        Diagnostic::warning("pods-would-wait", format!("{pods} that {runs} now would wait with this plan"));
    warning.notes.extend(found.iter().take(NAMED).map(|it| it.said.clone()));
    if found.len() > NAMED {
        warning.notes.push(format!("and {} more", found.len() - NAMED));
    }
    warning.notes.extend(dearest(&found, reasoner, world));
    Some(warning.help("ask for less, or make room; `dsrules capacity` shows what is free"))
}

/// The pods that wait at the end of the plan, where it took one away that ran.
fn displaced(plan: &Plan, before: &Before, reasoner: &Reasoner, world: &World) -> Vec<Displaced> {
    let actions = || plan.waves.iter().flat_map(|wave| &wave.actions);
    let made: BTreeSet<&ObjectKey> =
        actions().filter(|it| it.verb == Verb::Create).map(|it| &it.object).collect();
    let gone = actions().filter(|it| matches!(it.verb, Verb::Delete | Verb::Preempt));
    let ran = gone.filter(|it| before.ran(&it.object) && !made.contains(&it.object));
    let left: BTreeSet<(ObjectKey, Name)> =
        ran.filter_map(|it| Some((it.daemonset.clone()?, it.node.clone()?))).collect();
    let waits = |row: Row| {
        let key = reasoner.key(row[0]);
        let place = world.place(&key).filter(|place| left.contains(place))?;
        let why = world.refused.get(&key).map_or("", |refusal| refusal.said.as_str());
        let said = format!("{} on {}", place.0, why.strip_prefix("node ").unwrap_or(&place.1));
        Some(Displaced { pod: row[0], node: row[1], said })
    };
    let mut found: Vec<Displaced> = reasoner.rows(relations::refused).filter_map(waits).collect();
    found.sort_by(|a, b| a.said.cmp(&b.said));
    found
}

/// The daemonset that requests most, on these nodes, of what most of the pods lack.
fn dearest<'w>(found: &[Displaced], reasoner: &Reasoner, world: &'w World) -> Option<String> {
    let mut lacking: BTreeMap<&str, usize> = BTreeMap::new();
    for it in found {
        for row in reasoner.rows_of(relations::short_of, &[it.pod, it.node]) {
            *lacking.entry(reasoner.text(row[2])).or_default() += 1;
        }
    }
    let (name, _) = lacking.into_iter().max_by_key(|(_, count)| *count)?;
    let nodes: BTreeSet<Name> = found.iter().map(|it| reasoner.name(it.node)).collect();
    let cost = |it: &'w DaemonSet| {
        let asked = of_pod(&it.value["spec"]["template"], Side::Requests).get(name).value;
        let on = nodes.iter().filter(|node| reasoner.may_start(&it.meta.key, node)).count();
        (i128::from(asked).saturating_mul(i128::try_from(on).unwrap_or(i128::MAX)), on, &it.meta.key)
    };
    let costs = world.daemonsets.values().map(cost);
    let (amount, on, daemonset) =
        costs.max_by_key(|(amount, ..)| *amount).filter(|(amount, ..)| *amount > 0)?;
    let amount = short_amount(name, amount);
    Some(format!("{daemonset} would cost most: {amount} of {name} on {}", counted(on, "node")))
}
