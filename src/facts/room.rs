//! How much memory rules get where nobody said.
//!
//! A bound that lets rules work for the largest fleet is none for a small one: three lines that
//! make all pairs of all pairs would take gigabytes before they are refused. So it follows what the
//! rules are given. What they derive is mostly of an object, or of a daemonset on a node, and takes
//! some hundred bytes of each; rules that count up all pairs of a few thousand things fit as well.

use crate::datalog::{Limits, Program};
use crate::state::World;

/// However little there is.
const ALWAYS: usize = 32 << 20;
/// For each object.
const OBJECT: usize = 4 << 10;
/// For each daemonset on each node, where it may have a pod.
const PAIR: usize = 1 << 10;
/// For each row that comes with the rules.
const ROW: usize = 256;

/// The limits for these rules over this world: where no memory was asked for, what goes with the
/// two, and not more than before.
#[must_use]
pub fn limited(limits: &Limits, program: &Program, world: &World) -> Limits {
    let (nodes, daemonsets) = (world.nodes.len(), world.daemonsets.len());
    let objects = nodes + daemonsets + world.revisions.len() + world.pods.len() + world.others.len();
    let given = [
        objects.saturating_mul(OBJECT),
        nodes.saturating_mul(daemonsets).saturating_mul(PAIR),
        program.given().count().saturating_mul(ROW),
    ];
    limits.unless_asked(given.into_iter().fold(ALWAYS, usize::saturating_add))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    use crate::kube::{Node, ObjectKey};
    use crate::policy;

    #[test]
    fn memory_goes_with_what_there_is_unless_somebody_says() {
        let program = policy::load(&[]).program.unwrap();
        let mut world = World::default();
        let default = Limits::default();
        let none = limited(&default, &program, &world);
        assert!(none.bytes >= ALWAYS && none.bytes < 2 * ALWAYS && !none.asked, "{}", none.bytes);
        assert_eq!(none.bytes_per_relation, none.bytes);
        let keys = (0..1_000).map(|nth| ObjectKey::new("", format!("n{nth}")));
        world.nodes.extend(keys.map(|key| (key.clone(), Node::from_value(key, &json!({})))));
        assert_eq!(limited(&default, &program, &world).bytes, none.bytes + 1_000 * OBJECT);
        for asked in [default.of_bytes(1 << 20), default.of_bytes(8 << 30), Limits::of_rows(60_000_000)] {
            assert_eq!(limited(&asked, &program, &world).bytes, asked.bytes);
        }
        // It is never more than it was.
        let little = Limits { bytes: 1 << 20, ..default };
        assert_eq!(limited(&little, &program, &world).bytes, 1 << 20);
    }
}
