//! sync: one reconcile, with everything it does.

use dsrules::datalog::Program;
use dsrules::facts::Grouping;
use dsrules::kube::ObjectKey;
use dsrules::plan::{Pass, Verb};
use dsrules::state::World;
use serde_json::{Value, json};

use super::corpus::{derive, names, put, same, status, time};

pub fn check(program: &Program, case: &Value) -> Result<(), String> {
    let now = time(&case["now"]);
    let mut world = World::default();
    for list in ["nodes", "controllerrevisions", "pods"] {
        for object in case[list].as_array().unwrap() {
            put(&mut world, object, now);
        }
    }
    let key = put(&mut world, &case["daemonset"], now);
    let reasoner = derive(program, &world, Grouping::On, now);
    let pass = dsrules::plan::pass(&reasoner, &world);
    let expect = &case["expect"];
    let mut differences = Vec::new();
    for (field, verb) in [("delete", Verb::Delete), ("adopt", Verb::Adopt), ("release", Verb::Release)] {
        differences.extend(same(field, &expect[field], &objects(&pass, verb)).err());
    }
    if let Some(relabel) = expect.get("relabel") {
        differences.extend(same("relabel", relabel, &objects(&pass, Verb::Relabel)).err());
    }
    differences.extend(same("create", &expect["create"], &created(&pass)).err());
    differences.extend(same("status", &expect["status"], &reported(&world, &pass, &key)).err());
    differences.extend(same("revisions", &expect["revisions"], &revisions(&pass, expect)).err());
    if differences.is_empty() { Ok(()) } else { Err(differences.join("\n")) }
}

fn objects(pass: &Pass, verb: Verb) -> Value {
    names(
        pass.actions.iter().filter(|action| action.verb == verb).map(|action| action.object.name.to_string()),
    )
}

/// The nodes that get a pod.
pub fn created(pass: &Pass) -> Value {
    let creates = pass.actions.iter().filter(|action| action.verb == Verb::Create);
    names(creates.map(|action| action.node.as_deref().unwrap().to_owned()))
}

/// The status after the pass; where it reports none, what was there stays.
pub fn reported(world: &World, pass: &Pass, key: &ObjectKey) -> Value {
    status(pass.statuses.get(key).unwrap_or(&world.daemonsets[key].status))
}

fn revisions(pass: &Pass, expect: &Value) -> Value {
    let of = |verb| pass.actions.iter().filter(move |action| action.verb == verb);
    let mut got = json!({
        "created": of(Verb::CreateRevision)
            .map(|action| json!({ "revision": pass.numbers[&action.object] }))
            .collect::<Vec<_>>(),
        "renumbered": of(Verb::RenumberRevision)
            .map(|action| json!({ "name": &*action.object.name, "revision": pass.numbers[&action.object] }))
            .collect::<Vec<_>>(),
        "deleted": names(of(Verb::DeleteRevision).map(|action| action.object.name.to_string())),
    });
    let adopted = names(of(Verb::AdoptRevision).map(|action| action.object.name.to_string()));
    if expect["revisions"].get("adopted").is_some() || adopted != json!([]) {
        got["adopted"] = adopted;
    }
    got
}
