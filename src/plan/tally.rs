//! Numbers kept beside what was derived, so that no pass counts what did not change.
//!
//! How many rows a relation has for a daemonset, how many nodes each class is to run on,
//! and which daemonsets the last derivation touched: all of it follows the rows that came
//! and went. After a derivation from the start it is counted from the start, and both
//! ways come to the same numbers.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;

use crate::datalog::{Changes, Handle, RelationId, Sym};
use crate::kube::{Kind, ObjectKey};
use crate::policy::relations;
use crate::reason::{Derived, Reasoner};
use crate::state::{Changed, World};

/// Which daemonsets a pass has to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Touched {
    /// All of them.
    All,
    /// These, by key.
    Only(BTreeSet<ObjectKey>),
}

/// The numbers.
#[derive(Debug, Default)]
pub struct Tally {
    /// By the relation, one of those that are counted, and the daemonset.
    counts: FxHashMap<(Handle, Sym), usize>,
    /// Nodes of each profile.
    members: FxHashMap<Sym, usize>,
    /// Nodes on which each class is to run.
    eligible: FxHashMap<Sym, usize>,
    /// Daemonsets of each class.
    classes: BTreeMap<Sym, BTreeSet<Sym>>,
}

impl Tally {
    /// All numbers of what the reasoner has derived.
    #[must_use]
    pub fn of(reasoner: &Reasoner) -> Self {
        let mut tally = Tally::default();
        for relation in relations::COUNTED {
            for row in reasoner.rows(*relation) {
                *tally.counts.entry((*relation, row[0])).or_default() += 1;
            }
        }
        for row in reasoner.rows(relations::in_profile) {
            *tally.members.entry(row[1]).or_default() += 1;
        }
        for row in reasoner.rows(relations::may_start) {
            *tally.eligible.entry(row[0]).or_default() += tally.members.get(&row[1]).copied().unwrap_or(0);
        }
        for row in reasoner.rows(relations::in_class) {
            tally.classes.entry(row[1]).or_default().insert(row[0]);
        }
        tally
    }

    /// Follows a derivation, and says which daemonsets it touched. `changed` are the
    /// objects that differ.
    pub fn follow(
        &mut self,
        reasoner: &Reasoner,
        derived: &Derived,
        world: &World,
        changed: &Changed,
    ) -> Touched {
        let Derived::Changed(changes) = derived else {
            *self = Tally::of(reasoner);
            return Touched::All;
        };
        let mut touched = rows_touched(reasoner, changes);
        self.recount(reasoner, changes);
        self.classes(reasoner, changes);
        for class in self.desired(reasoner, changes) {
            touched.extend(self.classes.get(&class).into_iter().flatten());
        }
        let mut keys: BTreeSet<ObjectKey> = touched.into_iter().map(|it| reasoner.key(it)).collect();
        // What is read of the objects themselves: generation, bounds, a revision's number.
        for (kind, key) in changed.objects().into_iter().flatten() {
            match kind {
                Kind::DaemonSet => {
                    keys.insert(key.clone());
                }
                Kind::ControllerRevision => {
                    let revision = world.revisions.get(key);
                    let owner = revision.and_then(|revision| revision.meta.controller.as_ref());
                    keys.extend(owner.map(|owner| ObjectKey::new(key.namespace.clone(), owner.name.clone())));
                }
                _ => {}
            }
        }
        Touched::Only(keys)
    }

    /// How many rows a relation that is counted has for the daemonset.
    #[must_use]
    pub fn count(&self, relation: Handle, daemonset: Sym) -> usize {
        self.counts.get(&(relation, daemonset)).copied().unwrap_or(0)
    }

    /// On how many nodes the class is to run, before anything is blocked.
    #[must_use]
    pub fn eligible(&self, class: Sym) -> usize {
        self.eligible.get(&class).copied().unwrap_or(0)
    }

    /// Adds rows that are not looked at.
    pub(super) fn add(&mut self, relation: Handle, daemonset: Sym, rows: usize) {
        if rows > 0 {
            *self.counts.entry((relation, daemonset)).or_default() += rows;
        }
    }

    /// Adds nodes that are not looked at.
    pub(super) fn add_eligible(&mut self, class: Sym, nodes: usize) {
        if nodes > 0 {
            *self.eligible.entry(class).or_default() += nodes;
        }
    }

    fn recount(&mut self, reasoner: &Reasoner, changes: &Changes) {
        for relation in relations::COUNTED {
            let id = reasoner.program().id(*relation);
            for row in changes.added(id) {
                *self.counts.entry((*relation, row[0])).or_default() += 1;
            }
            for row in changes.removed(id) {
                take(&mut self.counts, (*relation, row[0]), 1);
            }
        }
    }

    fn classes(&mut self, reasoner: &Reasoner, changes: &Changes) {
        let relation = reasoner.program().id(relations::in_class);
        for row in changes.removed(relation) {
            if let Some(daemonsets) = self.classes.get_mut(&row[1]) {
                daemonsets.remove(&row[0]);
                if daemonsets.is_empty() {
                    self.classes.remove(&row[1]);
                }
            }
        }
        for row in changes.added(relation) {
            self.classes.entry(row[1]).or_default().insert(row[0]);
        }
    }

    /// Follows how many nodes each class is to run on; gives the classes that differ.
    fn desired(&mut self, reasoner: &Reasoner, changes: &Changes) -> BTreeSet<Sym> {
        let mut differ = BTreeSet::new();
        let program = reasoner.program();
        let (in_profile, may_start) = (program.id(relations::in_profile), program.id(relations::may_start));
        // First as if what fits were what it was, for the nodes that moved; which is what
        // fits now, less the pairs that came, and the pairs that went.
        let came: BTreeSet<(Sym, Sym)> = changes.added(may_start).map(|row| (row[1], row[0])).collect();
        let went: BTreeSet<(Sym, Sym)> = changes.removed(may_start).map(|row| (row[1], row[0])).collect();
        let mut moved: BTreeMap<Sym, (usize, usize)> = BTreeMap::new();
        for row in changes.added(in_profile) {
            moved.entry(row[1]).or_default().0 += 1;
        }
        for row in changes.removed(in_profile) {
            moved.entry(row[1]).or_default().1 += 1;
        }
        let classes: Vec<Sym> = if moved.is_empty() {
            Vec::new()
        } else {
            reasoner.rows(relations::class).map(|row| row[0]).collect()
        };
        for (profile, (plus, minus)) in &moved {
            for class in &classes {
                let pair = (*profile, *class);
                let did = went.contains(&pair)
                    || (!came.contains(&pair)
                        && reasoner.contains(relations::may_start, &[*class, *profile]));
                if did && plus != minus {
                    *self.eligible.entry(*class).or_default() += plus;
                    take(&mut self.eligible, *class, *minus);
                    differ.insert(*class);
                }
            }
            *self.members.entry(*profile).or_default() += plus;
            take(&mut self.members, *profile, *minus);
        }
        for (profile, class) in came {
            let nodes = self.members.get(&profile).copied().unwrap_or(0);
            *self.eligible.entry(class).or_default() += nodes;
            differ.insert(class);
        }
        for (profile, class) in went {
            take(&mut self.eligible, class, self.members.get(&profile).copied().unwrap_or(0));
            differ.insert(class);
        }
        differ
    }
}

/// Takes from a number; what has come to nothing is forgotten.
fn take<K: std::hash::Hash + Eq>(numbers: &mut FxHashMap<K, usize>, key: K, less: usize) {
    if let Some(number) = numbers.get_mut(&key) {
        *number = number.saturating_sub(less);
        if *number == 0 {
            numbers.remove(&key);
        }
    }
}

/// The daemonsets that rows which came or went begin with.
fn rows_touched(reasoner: &Reasoner, changes: &Changes) -> BTreeSet<Sym> {
    // What a user's rules say of a daemonset is seen by what it does to the built-in ones.
    let about_daemonsets = |relation: &RelationId| {
        let declaration = reasoner.program().declaration(*relation);
        let first = declaration.columns.first();
        declaration.builtin
            && declaration.constraint.is_none()
            && first.is_some_and(|column| &*column.ty == "DaemonSet")
    };
    let relations = changes.relations().filter(about_daemonsets);
    relations
        .flat_map(|relation| changes.added(relation).chain(changes.removed(relation)))
        .map(|row| row[0])
        .collect()
}
