//! What the default scheduler does with pods that are not bound: read off the rules and
//! carried out on the world. Nothing is decided here.

use crate::datalog::{Row, Sym};
use crate::kube::{Kind, Name, ObjectKey};
use crate::policy::relations;
use crate::reason::Reasoner;
use crate::state::{Refusal, World};

/// What one step of the scheduler did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scheduled {
    /// Pods that are bound now, each with its node.
    pub bound: Vec<(ObjectKey, Name)>,
    /// Pods that are gone, each with the pod that took its place.
    pub preempted: Vec<(ObjectKey, ObjectKey)>,
    /// Pods that stay pending; the world says why.
    pub refused: Vec<ObjectKey>,
}

impl Scheduled {
    /// Whether there was nothing to do.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.bound.is_empty() && self.refused.is_empty()
    }
}

/// Carries out the step that was derived from the world.
pub fn schedule(world: &mut World, reasoner: &Reasoner) -> Scheduled {
    let mut done = Scheduled::default();
    let refused: Vec<(ObjectKey, Refusal)> = reasoner
        .rows(relations::refused)
        .map(|row| (reasoner.key(row[0]), refusal(reasoner, row[0], row[1])))
        .collect();
    done.refused.extend(refused.iter().map(|(pod, _)| pod.clone()));
    world.refused.extend(refused);
    for row in reasoner.rows(relations::preempt).collect::<Vec<Row>>() {
        let victim = reasoner.key(row[1]);
        if world.remove(Kind::Pod, &victim) {
            done.preempted.push((victim, reasoner.key(row[0])));
        }
    }
    for row in reasoner.rows(relations::bind).collect::<Vec<Row>>() {
        let (key, node) = (reasoner.key(row[0]), reasoner.name(row[1]));
        if bind(world, &key, &node) {
            done.bound.push((key, node));
        }
    }
    done.bound.sort();
    done.preempted.sort();
    done.refused.sort();
    done
}

/// Why a pod is refused: what the filter says that is heard.
fn refusal(reasoner: &Reasoner, pod: Sym, node: Sym) -> Refusal {
    let filter = reasoner.rows_of(relations::first_filter, &[pod, node]).next().map(|row| row[2]);
    let said = filter.into_iter().flat_map(|filter| {
        let rows: Vec<Row> = reasoner.rows_of(relations::objection, &[pod, node, filter]).collect();
        rows.into_iter().filter_map(|row| reasoner.told(relations::objection, &row[..4]))
    });
    let mut reasons: Vec<String> = said.map(|(sentence, _)| sentence).collect();
    reasons.sort();
    reasons.dedup();
    let preemption = reasoner.rows_of(relations::no_preemption, &[pod]).next();
    Refusal {
        node: reasoner.name(node),
        filter: filter.map(|filter| reasoner.name(filter)).unwrap_or_default(),
        reasons,
        preemption: preemption.map(|row| reasoner.name(row[1])).unwrap_or_default(),
    }
}

/// Binds a pod, and says whether it was there.
fn bind(world: &mut World, key: &ObjectKey, node: &Name) -> bool {
    let version = world.next_version();
    let Some(pod) = world.pods.get_mut(key) else { return false };
    pod.node = Some(node.clone());
    pod.meta.resource_version = version;
    world.touch(Kind::Pod, key);
    true
}
