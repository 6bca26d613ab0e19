//! What a plan changes, as writes of keys in an order in which it may break off anywhere.

use std::collections::BTreeSet;

use super::known::Known;
use super::op::{Before, Op};
use crate::kube::{Kind, ObjectKey};
use crate::state::World;
use crate::target::etcd::wire;
use crate::target::{Item, Write, batches};

/// So many writes are in a transaction at the most: etcd takes 128, with all that is compared.
const MOST: usize = 100;
/// So many bytes: etcd takes 1.5 MiB.
const MOST_BYTES: usize = 1 << 20;

/// What is dirty in the world as batches of writes. Revisions are written before the pods that
/// have them; pods go before others come in their place; a daemonset's status is written at the
/// end. What is one step stands in one batch.
pub(super) fn writes(known: &Known) -> Vec<Vec<Op>> {
    let mut steps: Vec<(u8, Vec<Op>)> = Vec::new();
    let mut counted: BTreeSet<_> = known.world.dirty.attempts.clone();
    for write in batches(&known.world, usize::MAX).flatten() {
        let rank = rank(&write);
        let Some(op) = op(known, &write) else { continue };
        let mut step = vec![op];
        if let Write::Delete(Kind::Pod, ..) = write {
            step.extend(attempts(&known.world, &step[0].key, &mut counted));
        }
        steps.push((rank, step));
    }
    steps.sort_by_key(|(rank, _)| *rank);
    let mut all: Vec<Vec<Op>> = Vec::new();
    let size = |ops: &[Op]| ops.iter().map(|op| op.value.as_ref().map_or(0, Vec::len)).sum::<usize>();
    for (_, step) in steps {
        match all.last_mut() {
            Some(last) if last.len() + step.len() <= MOST && size(last) + size(&step) <= MOST_BYTES => {
                last.extend(step);
            }
            _ => all.push(step),
        }
    }
    all
}

fn rank(write: &Write<'_>) -> u8 {
    match (write.object().0, write) {
        (Kind::ControllerRevision, Write::Create(_) | Write::Replace(..)) => 0,
        (Kind::Node, _) => 1,
        (Kind::Pod, Write::Delete(..)) => 2,
        (Kind::Pod, _) => 3,
        (Kind::ControllerRevision, Write::Delete(..)) => 4,
        _ => 5,
    }
}

fn op(known: &Known, write: &Write<'_>) -> Option<Op> {
    let before = match write.expected() {
        None => Before::Absent,
        Some(version) => Before::Revision(i64::try_from(version.as_number()?).ok()?),
    };
    let item = match write {
        Write::Create(item) | Write::Replace(item, _) => item,
        Write::Delete(kind, key, _) => {
            return Some(Op { key: known.key_of(*kind, key)?, value: None, before });
        }
    };
    let value = match item {
        Item::Node(node, _) => node.whole()?,
        Item::DaemonSet(it) => it.whole(),
        Item::ControllerRevision(it) => it.whole(),
        Item::Pod(pod) => known.whole_pod(pod)?,
        Item::Plain(kind, it) => it.whole(*kind),
    };
    let key = wire::of_value(item.kind(), &item.meta().key, &value);
    let value = wire::encode(value, item.meta().written);
    // What comes back to what it was is not written.
    let is_same = known.entry(&key).is_some_and(|it| it.value == value);
    (!is_same).then_some(Op { key, value: Some(value), before })
}

/// The number of attempts that a pod's deletion counts, in the same step.
fn attempts(world: &World, pod: &str, counted: &mut BTreeSet<(ObjectKey, crate::kube::Name)>) -> Option<Op> {
    let node = pod.split('/').nth(1)?;
    let namespace = pod.split('/').nth(2)?;
    let place =
        counted.iter().find(|(daemonset, on)| **on == *node && *daemonset.namespace == *namespace)?.clone();
    counted.remove(&place);
    let count = world.attempts.get(&place)?;
    let value = count.to_string().into_bytes();
    Some(Op { key: wire::attempts(&place.0, &place.1), value: Some(value), before: Before::Any })
}
