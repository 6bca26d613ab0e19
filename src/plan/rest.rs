//! What is known of a cluster in which nothing is left to do, so that the next change need not
//! look at all of it: which relations have no rows, and what is counted of each daemonset.
//!
//! It is about one program and one way to plan; whoever keeps it says of which.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::tally::Tally;
use crate::datalog::RelationId;
use crate::policy::relations;
use crate::reason::Reasoner;
use crate::state::World;

/// What is known of a world at rest, or of a part of one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rest {
    /// The relations that were derived and have no rows, by their places in the program.
    empty: BTreeSet<usize>,
    /// By daemonset (`namespace/name`).
    daemonsets: BTreeMap<String, Counts>,
    /// How many pods there are.
    pub pods: usize,
    /// How many nodes say what they have for pods.
    pub sized: usize,
    /// Whether the scheduler was asked.
    pub schedules: bool,
}

/// What is counted of a daemonset.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Counts {
    /// The rows that each relation that is counted has for it.
    rows: Vec<usize>,
    /// On how many nodes it is to run, before anything is blocked.
    eligible: usize,
}

impl Rest {
    /// What is known of a world of which all was derived.
    #[must_use]
    pub fn of(reasoner: &Reasoner, world: &World) -> Rest {
        let tally = Tally::of(reasoner);
        let mut rest = Rest {
            empty: reasoner
                .evaluation()
                .map(|it| it.without_rows().map(RelationId::index).collect())
                .unwrap_or_default(),
            pods: world.pods.len(),
            sized: world.nodes.values().filter(|node| node.has_allocatable).count(),
            schedules: relations::schedules(reasoner.program()),
            daemonsets: BTreeMap::new(),
        };
        for key in world.daemonsets.keys() {
            let name = key.to_string();
            let Some(it) = reasoner.symbols().find_text(&name) else { continue };
            let it = [it];
            let class = reasoner.rows_of(relations::in_class, &it).map(|row| row[1]).next();
            let counts = Counts {
                rows: relations::COUNTED.iter().map(|relation| tally.count(*relation, it[0])).collect(),
                eligible: class.map_or(0, |class| tally.eligible(class)),
            };
            rest.daemonsets.insert(name, counts);
        }
        rest
    }

    /// Whether a relation has no rows anywhere.
    #[must_use]
    pub fn is_empty(&self, relation: RelationId) -> bool {
        self.empty.contains(&relation.index())
    }

    /// The same after a part of it became another one.
    #[must_use]
    pub fn after(mut self, before: &Rest, after: &Rest) -> Rest {
        self.empty.retain(|it| after.empty.contains(it));
        self.pods = moved(self.pods, before.pods, after.pods);
        self.sized = moved(self.sized, before.sized, after.sized);
        let none = Counts::default();
        for (name, counts) in &mut self.daemonsets {
            let [before, after] = [before, after].map(|it| it.daemonsets.get(name).unwrap_or(&none));
            let at = |counts: &Counts, nth: usize| counts.rows.get(nth).copied().unwrap_or(0);
            for (nth, count) in counts.rows.iter_mut().enumerate() {
                *count = moved(*count, at(before, nth), at(after, nth));
            }
            counts.eligible = moved(counts.eligible, before.eligible, after.eligible);
        }
        self
    }

    /// Lets numbers of a part be those of all there is.
    pub(super) fn complete(&self, tally: &mut Tally, reasoner: &Reasoner, part: &Rest) {
        let none = Counts::default();
        let mut classes = BTreeSet::new();
        for (name, counts) in &self.daemonsets {
            let Some(it) = reasoner.symbols().find_text(name) else { continue };
            let part = part.daemonsets.get(name).unwrap_or(&none);
            for (nth, relation) in relations::COUNTED.iter().enumerate() {
                let [all, part] = [counts, part].map(|it| it.rows.get(nth).copied().unwrap_or(0));
                tally.add(*relation, it, all.saturating_sub(part));
            }
            let class = reasoner.rows_of(relations::in_class, &[it]).map(|row| row[1]).next();
            if let Some(class) = class.filter(|class| classes.insert(*class)) {
                tally.add_eligible(class, counts.eligible.saturating_sub(part.eligible));
            }
        }
    }
}

fn moved(all: usize, before: usize, after: usize) -> usize {
    (all + after).saturating_sub(before)
}
