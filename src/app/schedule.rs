//! Whether the scheduler is asked: as it is said, else where some node says what it has for pods.
//!
//! It is decided before anything else, as it decides what has to be known of a store. Where
//! no node says what it has, the scheduler could only say that every pod fits; then it is not
//! asked, and costs nothing.

use std::collections::BTreeSet;

use super::options::{Options, Schedule};
use crate::datalog::Program;
use crate::kube::{Kind, Node, Object, ObjectKey};
use crate::policy::relations;
use crate::state::{Delta, Gone, World};

/// What comes to a world and what leaves it before a plan is made.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Coming<'a> {
    objects: &'a [Object],
    gone: &'a [(Kind, ObjectKey)],
}

impl<'a> Coming<'a> {
    /// What is put into it, and what is pruned.
    pub(super) fn put(objects: &'a [Object], gone: &'a Gone) -> Self {
        Coming { objects, gone: &gone.objects }
    }

    /// What is deleted.
    pub(super) fn deleted(gone: &'a [(Kind, ObjectKey)]) -> Self {
        Coming { objects: &[], gone }
    }
}

impl<'a> From<&'a Delta> for Coming<'a> {
    fn from(change: &'a Delta) -> Self {
        Coming { objects: &change.objects, gone: &change.gone }
    }
}

/// The program, asked for all that a plan needs of this world with what comes to it.
pub(super) fn asked(program: &Program, options: &Options, world: &World, coming: Coming<'_>) -> Program {
    if simulates(options, world, coming) {
        relations::scheduling(program)
    } else {
        relations::assuming(program)
    }
}

/// Whether the scheduler is asked about this world with what comes to it.
pub(super) fn simulates(options: &Options, world: &World, coming: Coming<'_>) -> bool {
    match options.schedule {
        Some(schedule) => schedule == Schedule::Simulate,
        None => has_allocatable(world, coming),
    }
}

/// Whether some node says what it has for pods.
fn has_allocatable(world: &World, Coming { objects, gone }: Coming<'_>) -> bool {
    let nodes = || objects.iter().filter(|object| object.kind == Kind::Node);
    let says = |object: &Object| Node::from_value(object.key.clone(), &object.value).has_allocatable;
    if nodes().any(says) {
        return true;
    }
    // A manifest without a status leaves the status that there is.
    let replaced = nodes().filter(|object| !object.value["status"].is_null()).map(|object| &object.key);
    let left = gone.iter().filter(|(kind, _)| *kind == Kind::Node).map(|(_, key)| key);
    let others: BTreeSet<&ObjectKey> = replaced.chain(left).collect();
    world.nodes.values().any(|node| node.has_allocatable && !others.contains(&node.meta.key))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::kube::Origin;

    fn node(name: &str, status: Value) -> Object {
        let origin = Origin { file: "x".into(), document: 0, path: String::new() };
        let value = json!({ "metadata": { "name": name }, "status": status });
        Object { kind: Kind::Node, key: ObjectKey::new("", name), value, origin }
    }

    #[test]
    fn the_scheduler_is_asked_where_a_node_will_say_what_it_has() {
        let sized = json!({ "allocatable": { "cpu": "1" } });
        let mut world = World::default();
        let options = Options::at(0);
        let asked = |world: &World, objects: &[Object], gone: &[&str]| {
            let gone: Vec<_> = gone.iter().map(|name| (Kind::Node, ObjectKey::new("", *name))).collect();
            simulates(&options, world, Coming { objects, gone: &gone })
        };
        assert!(!asked(&world, &[], &[]));
        assert!(!asked(&world, &[node("a", json!({ "allocatable": {} }))], &[]));
        assert!(asked(&world, &[node("a", sized.clone())], &[]));
        assert!(asked(&world, &[node("a", json!({ "capacity": { "cpu": 1 } }))], &[]));
        world.put(node("a", sized), 0);
        world.put(node("b", Value::Null), 0);
        assert!(asked(&world, &[], &[]));
        assert!(asked(&world, &[node("a", Value::Null)], &["b"]));
        assert!(!asked(&world, &[node("a", json!({ "phase": "Running" }))], &[]));
        assert!(!asked(&world, &[], &["a"]));
        // What is put without a status has the one that there was.
        world.put(node("a", Value::Null), 0);
        assert!(asked(&world, &[], &[]));
    }

    #[test]
    fn what_is_said_counts() {
        let asked = |schedule| {
            simulates(&Options { schedule, ..Options::at(0) }, &World::default(), Coming::default())
        };
        assert!(asked(Some(Schedule::Simulate)));
        assert!(!asked(Some(Schedule::Assume)));
    }
}
