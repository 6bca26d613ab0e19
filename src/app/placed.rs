//! The placement as the store keeps it, brought up to date at the cost of what changed.
//!
//! Classes and profiles are numbered. A group keeps the number that one of its members
//! had before, so that a relabelled node costs a row and not a table.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;

use crate::datalog::Sym;
use crate::kube::{Name, ObjectKey};
use crate::plan::Placed;
use crate::policy::relations;
use crate::reason::Reasoner;
use crate::target::sqlite::{Fit, Placement, PlacementOf};

/// The placement that was stored last, with the groups of the rules behind its numbers.
#[derive(Debug, Default)]
pub(super) struct Kept {
    stored: Placement,
    classes: Groups,
    profiles: Groups,
}

/// The numbers of one kind of groups; only those that have members.
#[derive(Debug, Default)]
struct Groups {
    numbers: FxHashMap<Sym, u32>,
    groups: BTreeMap<u32, Sym>,
    members: FxHashMap<u32, usize>,
    next: u32,
}

impl Groups {
    fn after<'a>(before: impl Iterator<Item = &'a u32>) -> Self {
        Groups { next: before.max().map_or(1, |most| most.saturating_add(1)), ..Groups::default() }
    }

    /// Puts a member into a group: one that has no number yet takes the member's former
    /// one if that is free.
    fn join(&mut self, group: Sym, former: Option<u32>) -> (u32, bool) {
        let (number, is_new) = match self.numbers.get(&group) {
            Some(number) => (*number, false),
            None => match former.filter(|former| !self.groups.contains_key(former)) {
                Some(former) => (former, true),
                None => {
                    self.next = self.next.saturating_add(1);
                    (self.next - 1, true)
                }
            },
        };
        self.numbers.insert(group, number);
        self.groups.insert(number, group);
        *self.members.entry(number).or_default() += 1;
        (number, is_new)
    }

    /// Takes a member out; true if the group has none left, and so no number.
    fn leave(&mut self, number: u32) -> bool {
        let left = self.members.get_mut(&number).map_or(0, |members| {
            *members = members.saturating_sub(1);
            *members
        });
        if left > 0 {
            return false;
        }
        self.members.remove(&number);
        if let Some(group) = self.groups.remove(&number) {
            self.numbers.remove(&group);
        }
        true
    }
}

impl Kept {
    /// What the store has.
    pub(super) fn of(stored: Placement) -> Self {
        Kept { stored, ..Kept::default() }
    }

    /// Follows what was derived. Gives the entries that may differ, as they were and as
    /// they are now.
    pub(super) fn follow(&mut self, reasoner: &Reasoner, placed: &Placed) -> (Placement, Placement) {
        match placed {
            Placed::Only { daemonsets, nodes, fits } => {
                let (mut before, mut after) = self.changes(reasoner, daemonsets, nodes, fits);
                // Few rules keep things apart, so this is looked at as a whole.
                after.barred = barred(reasoner);
                before.barred = std::mem::replace(&mut self.stored.barred, after.barred.clone());
                (before, after)
            }
            Placed::All => {
                let before = std::mem::take(&mut self.stored);
                self.all(reasoner, &before);
                (before, self.stored.clone())
            }
        }
    }

    fn all(&mut self, reasoner: &Reasoner, before: &Placement) {
        self.stored.barred = barred(reasoner);
        self.classes = Groups::after(before.classes.values());
        self.profiles = Groups::after(before.profiles.values());
        for row in reasoner.rows(relations::in_class) {
            let key = reasoner.key(row[0]);
            let (class, _) = self.classes.join(row[1], before.classes.get(&key).copied());
            self.stored.classes.insert(key, class);
        }
        for row in reasoner.rows(relations::in_profile) {
            let name = reasoner.name(row[0]);
            let (profile, _) = self.profiles.join(row[1], before.profiles.get(&name).copied());
            self.stored.profiles.insert(name, profile);
        }
        for (relation, starts) in [(relations::may_stay, false), (relations::may_start, true)] {
            for row in reasoner.rows(relation) {
                // A group without members is of no use to anyone.
                let (Some(class), Some(profile)) =
                    (self.classes.numbers.get(&row[0]), self.profiles.numbers.get(&row[1]))
                else {
                    continue;
                };
                let fit: &mut Fit = self.stored.fits.entry((*class, *profile)).or_default();
                if starts {
                    fit.may_start = true;
                } else {
                    fit.may_stay = true;
                }
            }
        }
    }

    fn changes(
        &mut self,
        reasoner: &Reasoner,
        daemonsets: &BTreeSet<Sym>,
        nodes: &BTreeSet<Sym>,
        fits: &BTreeSet<(Sym, Sym)>,
    ) -> (Placement, Placement) {
        let (mut before, mut after) = (Placement::default(), Placement::default());
        let keys = daemonsets.iter().map(|it| (*it, reasoner.key(*it)));
        let classes: BTreeSet<u32> = regroup(
            &mut self.classes,
            &mut self.stored.classes,
            keys.collect::<Vec<(Sym, ObjectKey)>>(),
            |it| reasoner.rows_of(relations::in_class, &[it]).next().map(|row| row[1]),
            (&mut before.classes, &mut after.classes),
        );
        let names = nodes.iter().map(|it| (*it, reasoner.name(*it)));
        let profiles: BTreeSet<u32> = regroup(
            &mut self.profiles,
            &mut self.stored.profiles,
            names.collect::<Vec<(Sym, Name)>>(),
            |it| reasoner.rows_of(relations::in_profile, &[it]).next().map(|row| row[1]),
            (&mut before.profiles, &mut after.profiles),
        );
        let mut pairs: BTreeSet<(u32, u32)> = BTreeSet::new();
        for class in self.classes.groups.keys().chain(&classes) {
            pairs.extend(profiles.iter().map(|profile| (*class, *profile)));
        }
        for class in &classes {
            let all = self.profiles.groups.keys();
            pairs.extend(all.map(|profile| (*class, *profile)));
        }
        let number = |(class, profile): &(Sym, Sym)| {
            Some((*self.classes.numbers.get(class)?, *self.profiles.numbers.get(profile)?))
        };
        pairs.extend(fits.iter().filter_map(number));
        for pair in pairs {
            let fit = self.fit(reasoner, pair);
            if let Some(was) = self.stored.fits.get(&pair) {
                before.fits.insert(pair, *was);
            }
            if fit == Fit::default() {
                self.stored.fits.remove(&pair);
            } else {
                self.stored.fits.insert(pair, fit);
                after.fits.insert(pair, fit);
            }
        }
        (before, after)
    }

    fn fit(&self, reasoner: &Reasoner, (class, profile): (u32, u32)) -> Fit {
        let (Some(class), Some(profile)) =
            (self.classes.groups.get(&class), self.profiles.groups.get(&profile))
        else {
            return Fit::default();
        };
        let holds = |relation| reasoner.contains(relation, &[*class, *profile]);
        Fit { may_start: holds(relations::may_start), may_stay: holds(relations::may_stay) }
    }
}

/// The entries that may differ where only some nodes did, as they were and as they are now.
///
/// A profile that is new to these nodes gets a new number, also where other nodes are in the
/// same: who it is cannot be seen of a part, and numbers mean nothing else.
pub(super) fn moved(
    reasoner: &Reasoner,
    nodes: &BTreeSet<Sym>,
    stored: &PlacementOf,
) -> (Placement, Placement) {
    // Nothing was kept apart anywhere: where something was, all of the store is looked at.
    let (mut before, mut after) =
        (Placement::default(), Placement { barred: barred(reasoner), ..Placement::default() });
    let mut numbers: BTreeMap<Sym, u32> = BTreeMap::new();
    for it in nodes {
        let node = reasoner.name(*it);
        if let Some(number) = stored.placement.profiles.get(&node) {
            before.profiles.insert(node.clone(), *number);
        }
        let Some(row) = reasoner.rows_of(relations::in_profile, &[*it]).next() else { continue };
        let next = stored.most.saturating_add(u32::try_from(numbers.len()).unwrap_or(u32::MAX));
        after.profiles.insert(node, *numbers.entry(row[1]).or_insert(next.saturating_add(1)));
    }
    for ((class, profile), fit) in &stored.placement.fits {
        if !stored.shared.contains(profile) {
            before.fits.insert((*class, *profile), *fit);
        }
    }
    let classes: BTreeMap<u32, &ObjectKey> =
        stored.placement.classes.iter().map(|(key, it)| (*it, key)).collect();
    for (class, key) in classes {
        let Some(it) = reasoner.symbols().find_text(&key.to_string()) else { continue };
        let Some(group) = reasoner.rows_of(relations::in_class, &[it]).next() else { continue };
        for (profile, number) in &numbers {
            let holds = |relation| reasoner.contains(relation, &[group[1], *profile]);
            let fit = Fit { may_start: holds(relations::may_start), may_stay: holds(relations::may_stay) };
            if fit != Fit::default() {
                after.fits.insert((class, *number), fit);
            }
        }
    }
    (before, after)
}

/// What a rule of the user's keeps apart.
fn barred(reasoner: &Reasoner) -> BTreeSet<(ObjectKey, Name)> {
    reasoner.rows(relations::barred).map(|row| (reasoner.key(row[0]), reasoner.name(row[1]))).collect()
}

/// Moves objects to the groups they are in now; gives the numbers that mean another
/// group than before, or none.
fn regroup<K: Ord + Clone>(
    groups: &mut Groups,
    stored: &mut BTreeMap<K, u32>,
    objects: Vec<(Sym, K)>,
    group: impl Fn(Sym) -> Option<Sym>,
    (before, after): (&mut BTreeMap<K, u32>, &mut BTreeMap<K, u32>),
) -> BTreeSet<u32> {
    let mut differ = BTreeSet::new();
    for (_, key) in &objects {
        if let Some(number) = stored.remove(key) {
            before.insert(key.clone(), number);
            if groups.leave(number) {
                differ.insert(number);
            }
        }
    }
    for (it, key) in objects {
        let Some(group) = group(it) else { continue };
        let (number, is_new) = groups.join(group, before.get(&key).copied());
        if is_new {
            differ.insert(number);
        }
        after.insert(key.clone(), number);
        stored.insert(key, number);
    }
    differ
}
