//! The same case through the rules and the plan, and through the naive controller.

use std::collections::BTreeMap;

use dsrules::datalog::{Handle, Literal, Program, RelationId};
use dsrules::facts::Grouping;
use dsrules::kube::{Kind, Object, ObjectKey, Origin, Status, pin};
use dsrules::plan::{Pass, Verb, pass, template};
use dsrules::policy::relations::{self, outputs};
use dsrules::reason::Reasoner;
use dsrules::state::{Backoff, Cascade, World};
use serde_json::{Value, json};

use super::controller::{Cluster, Outcome, collected, sync};
use super::json::{list, name};
use super::placement::should_run;

/// What the rules and the naive answer disagree about: may start, may stay, for each pair.
pub fn placement(program: &Program, case: &Value, grouping: Grouping) -> Option<String> {
    let (_, reasoner) = derive(program, case, grouping);
    for daemonset in list(case, "daemonsets") {
        let key = format!("x/{}", name(daemonset));
        for node in list(case, "nodes") {
            let related = |relation| related(&reasoner, relation, &key, name(node));
            let got = (related(relations::may_start), related(relations::may_stay));
            let expected = should_run(node, daemonset);
            if got != expected {
                return Some(format!("{key} on {}: expected {expected:?}, got {got:?}", name(node)));
            }
        }
    }
    None
}

/// Whether a relation over classes and profiles holds for a daemonset and a node.
fn related(reasoner: &Reasoner, relation: Handle, daemonset: &str, node: &str) -> bool {
    let group = |of: Handle, it: &str| {
        let it = reasoner.symbols().find_text(it)?;
        reasoner.rows_of(of, &[it]).map(|row| row[1]).next()
    };
    let row = group(relations::in_class, daemonset).zip(group(relations::in_profile, node));
    row.is_some_and(|(class, profile)| reasoner.rows_of(relation, &[class, profile]).next().is_some())
}

/// What the rules and the naive controller disagree about, if anything.
pub fn whole_sync(program: &Program, case: &Value, grouping: Grouping) -> Option<String> {
    let (world, reasoner) = derive(program, case, grouping);
    let pass = pass(&reasoner, &world);
    let replaced = with_hashes(case, &world);
    let cluster = Cluster {
        now: case["now"].as_i64().unwrap(),
        nodes: list(&replaced, "nodes").collect(),
        daemonsets: list(&replaced, "daemonsets").collect(),
        pods: list(&replaced, "pods").collect(),
        revisions: list(&replaced, "revisions").collect(),
        backoff: list(&replaced, "backoff")
            .map(|it| {
                let text = |at: usize| it[at].as_str().unwrap();
                ((text(0), text(1)), (it[2].as_i64().unwrap(), it[3].as_i64().unwrap()))
            })
            .collect(),
        deleted_owners: list(&replaced, "deletedOwners").filter_map(Value::as_str).collect(),
    };
    for daemonset in &cluster.daemonsets {
        let key = key_of(daemonset);
        let new_hash = world.daemonsets[&key].new_hash();
        let expected = sync(&cluster, daemonset, &new_hash);
        let got = outcome(&world, &reasoner, &pass, &key);
        for ((part, expected), (_, got)) in expected.parts().into_iter().zip(got.parts()) {
            if expected != got {
                return Some(format!("{key} {part}\n  expected {expected}\n  got      {got}"));
            }
        }
    }
    let expected = collected(&cluster);
    // Evictions are another controller's: tests/eviction.rs has them.
    let others = pass.collected.iter().filter(|action| action.verb != Verb::Evict);
    let got = others.map(|action| action.object.to_string()).collect();
    (expected != got).then(|| format!("collected: expected {expected:?}, got {got:?}"))
}

fn key_of(object: &Value) -> ObjectKey {
    ObjectKey::new(object["metadata"]["namespace"].as_str().unwrap_or(""), name(object))
}

fn derive(program: &Program, case: &Value, grouping: Grouping) -> (World, Reasoner) {
    let now = case["now"].as_i64().unwrap();
    let mut world = World::default();
    put(&mut world, list(case, "nodes"), now);
    put(&mut world, list(case, "daemonsets"), now);
    let replaced = with_hashes(case, &world);
    put(&mut world, list(&replaced, "revisions"), now);
    put(&mut world, list(&replaced, "pods"), now);
    for entry in list(case, "backoff") {
        let text = |at: usize| entry[at].as_str().unwrap().into();
        let (seconds, since) = (entry[2].as_i64().unwrap(), entry[3].as_i64().unwrap());
        world.backoff.insert((text(0), text(1)), Backoff { seconds, since });
    }
    let deleted = list(case, "deletedOwners").map(|uid| uid.as_str().unwrap().into());
    world.deleted_owners = deleted.map(|uid| (uid, Cascade::Background)).collect();
    let mut reasoner = Reasoner::new(program, grouping);
    reasoner.derive(&world, &world.changed, now).unwrap();
    (world, reasoner)
}

fn put<'a>(world: &mut World, objects: impl Iterator<Item = &'a Value>, now: i64) {
    for value in objects {
        let kind = Kind::from_name(value["kind"].as_str().unwrap()).unwrap();
        let origin = Origin { file: "case".into(), document: 0, path: String::new() };
        world.put(Object { kind, key: key_of(value), value: value.clone(), origin }, now);
    }
}

/// The hash of a template is made in our own way, so a case says `(new of NAME)` for the
/// one that a new revision of that daemonset's template would get.
fn with_hashes(case: &Value, world: &World) -> Value {
    let mut text = case.to_string();
    for daemonset in world.daemonsets.values() {
        let name = format!("\"(new of {})\"", daemonset.meta.key.name);
        text = text.replace(&name, &format!("\"{}\"", daemonset.new_hash()));
    }
    serde_json::from_str(&text).unwrap()
}

/// What a pass does about one daemonset, in the naive controller's words.
fn outcome(world: &World, reasoner: &Reasoner, pass: &Pass, key: &ObjectKey) -> Outcome {
    let of = |verb| {
        let actions =
            pass.actions.iter().filter(move |it| it.daemonset.as_ref() == Some(key) && it.verb == verb);
        actions.map(|action| action.object.name.to_string())
    };
    let mut out = Outcome {
        delete: of(Verb::Delete).collect(),
        adopt: of(Verb::Adopt).collect(),
        release: of(Verb::Release).collect(),
        relabel: of(Verb::Relabel).collect(),
        revisions_deleted: of(Verb::DeleteRevision).collect(),
        revisions_adopted: of(Verb::AdoptRevision).collect(),
        revisions_released: of(Verb::ReleaseRevision).collect(),
        selecting_all: pass.selecting_all.contains(key),
        status: pass.statuses.get(key).map(status),
        ..Outcome::default()
    };
    for (list, names) in [(&pass.failed, &mut out.failed), (&pass.succeeded, &mut out.succeeded)] {
        names.extend(list.iter().filter(|(of, ..)| of == key).map(|(_, pod, _)| pod.name.to_string()));
    }
    for action in pass.actions.iter().filter(|it| it.daemonset.as_ref() == Some(key)) {
        let number = pass.numbers.get(&action.object).copied().unwrap_or(-1);
        match action.verb {
            Verb::Create => {
                let node = action.node.as_deref().unwrap();
                let daemonset = &world.daemonsets[key];
                let added = reasoner.added_tolerations(key);
                let mut pod = template::base(daemonset, &pass.hashes[key], &added).value;
                pin(&mut pod["spec"], node);
                out.create.insert(node.to_owned(), pod);
            }
            Verb::CreateRevision => out.revision_created = Some(number),
            Verb::RenumberRevision => {
                out.revisions_renumbered.insert(action.object.name.to_string(), number);
            }
            _ => {}
        }
    }
    out
}

fn status(status: &Status) -> Value {
    json!({
        "desired": status.desired_number_scheduled,
        "current": status.current_number_scheduled,
        "misscheduled": status.number_misscheduled,
        "ready": status.number_ready,
        "available": status.number_available,
        "unavailable": status.number_unavailable,
        "updated": status.updated_number_scheduled,
        "generation": status.observed_generation,
    })
}

/// How often something happens in a pass: a generator that never reaches it proves nothing.
pub fn count(case: &Value, program: &Program, seen: &mut BTreeMap<String, usize>) {
    let (_, reasoner) = derive(program, case, Grouping::On);
    let evaluation = reasoner.evaluation().unwrap();
    for relation in outcomes(program) {
        if !evaluation.is_empty(relation) {
            *seen.entry(program.declaration(relation).name.to_string()).or_default() += 1;
        }
    }
}

/// The files of the rules whose outcomes random clusters must reach.
const REACHED: [&str; 4] = ["rules/ownership.dl", "rules/history.dl", "rules/pods.dl", "rules/rollout.dl"];

/// The relations that random clusters must reach: what a plan is read from, but for what
/// only rules of a user's lead to (as `keeps_wave`, by another relation), and for
/// `collision`: no random revision has the name that a new one would get
/// (`tests/same_template.rs` has one); and for what is said of a rollout that is carried out in
/// a live cluster, which is simulated in `tests/rollout_live.rs`.
pub fn outcomes(program: &Program) -> Vec<RelationId> {
    let is_open = |literal: &Literal| match literal {
        Literal::Positive(atom) => program.declaration(atom.relation).open,
        _ => false,
    };
    let mut outcomes = outputs(program);
    outcomes.retain(|id| {
        let unreached = [
            relations::collision,
            relations::keeps_wave,
            relations::wants_turn,
            relations::contended,
            relations::halts,
        ];
        !unreached.map(|it| program.id(it)).contains(id)
            && REACHED.contains(&&*program.declaration(*id).file)
            && program.rules_for(*id).any(|rule| !rule.body.iter().any(is_open))
    });
    outcomes
}
