//! scheduling: pods that wait for a node, and what the default scheduler does with them.

use dsrules::datalog::Program;
use dsrules::facts::Grouping;
use dsrules::plan::{Known, schedule};
use dsrules::policy::relations;
use dsrules::reason::Reasoner;
use dsrules::state::World;
use serde_json::{Value, json};

use super::corpus::{put, same};

/// A time after all that the cases have.
const NOW: i64 = 1_800_000_000;

pub fn check(program: &Program, case: &Value) -> Result<(), String> {
    let mut world = World { detailed: true, ..World::default() };
    for list in ["nodes", "pods", "pdbs"] {
        for object in case[list].as_array().into_iter().flatten() {
            put(&mut world, object, NOW);
        }
    }
    let mut reasoner = Reasoner::new(&relations::scheduling(program), Grouping::On);
    let (mut bound, mut victims) = (Vec::new(), Vec::new());
    loop {
        let changed = std::mem::take(&mut world.changed);
        reasoner.derive(&world, &changed, NOW).map_err(|e| e.to_string())?;
        let step = schedule(&mut world, &reasoner, &mut Known::nothing());
        if step.is_idle() {
            break;
        }
        bound.extend(step.bound.iter().map(|(pod, node)| json!({ "pod": pod.to_string(), "node": &**node })));
        victims.extend(
            step.preempted.iter().map(|(pod, by)| json!({ "pod": pod.to_string(), "by": by.to_string() })),
        );
    }
    let pending: Vec<Value> = world
        .refused
        .iter()
        .map(|(pod, refusal)| {
            json!({ "pod": pod.to_string(), "node": &*refusal.node, "plugin": &*refusal.filter,
                "reasons": refusal.reasons, "preemption": &*refusal.preemption })
        })
        .collect();
    let got = json!({ "bound": sorted(bound), "pending": sorted(pending), "victims": sorted(victims) });
    let differences: Vec<String> = ["bound", "pending", "victims"]
        .into_iter()
        .filter_map(|field| same(field, &case["expect"][field], &got[field]).err())
        .collect();
    if differences.is_empty() { Ok(()) } else { Err(differences.join("\n")) }
}

/// By the name of the pod, as the corpus has it.
fn sorted(mut list: Vec<Value>) -> Value {
    list.sort_by_key(|it| it["pod"].as_str().unwrap_or_default().to_owned());
    list.into()
}
