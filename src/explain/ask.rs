//! The rules asked about a world, with the objects that the answer names by their names.
//!
//! Rules compare groups of objects (see `facts`). A group has no name that a person knows,
//! so the objects that are asked about are groups of their own; and where an answer rests
//! on another object's group, as with a rule of a user's own, it is asked once more with
//! that object alone as well, until every name in it is an object's.

use std::collections::{BTreeMap, BTreeSet};

use super::leaf::key;
use crate::datalog::explain::{Goal, Part, tree};
use crate::datalog::{Atom, Evaluation, Handle, Limits, Program, RelationId, Symbols, Value};
use crate::diagnostic::Diagnostic;
use crate::facts::{Alone, Encoder, Grouping, limited};
use crate::kube::{Kind, Name, ObjectKey};
use crate::policy::relations;
use crate::state::World;

/// What is asked about a pair.
const ASKED: &[Handle] = &[
    relations::added_toleration,
    relations::blocked,
    relations::class,
    relations::eligible,
    relations::hold,
    relations::in_class,
    relations::in_profile,
    relations::may_start,
    relations::may_stay,
    relations::profile,
    relations::unmanaged,
    relations::wave,
];
/// What is asked where there are pods.
const OF_PODS: &[Handle] = &[
    relations::counted,
    relations::create,
    relations::daemon_pod,
    relations::delete,
    relations::evict,
    relations::evict_later,
    relations::pod,
    relations::revision,
    relations::updated,
];
/// What says which objects are in which group, where there are no pods and where there are.
const GROUPS: [&[Handle]; 2] = [
    &[relations::class, relations::in_class, relations::in_profile, relations::profile],
    &[relations::pod, relations::revision],
];
/// So often it is asked once more; each time names what the time before rested on.
pub(super) const MAX_ROUNDS: usize = 8;

/// All that is asked about a pair.
#[must_use]
pub fn asked(program: &Program) -> Vec<RelationId> {
    ASKED.iter().chain(OF_PODS).map(|handle| program.id(*handle)).collect()
}

/// What a plan does to a pod of a daemonset on a node: its verb, and both names.
pub type Planned<'a> = (&'a str, &'a ObjectKey, &'a str);

/// A world, the rules and what follows.
pub(super) struct Answers<'a> {
    pub program: &'a Program,
    pub symbols: Symbols,
    pub evaluation: Evaluation,
}

/// Asks, and asks again while what is told rests on groups; `goals` picks out of an answer
/// what is told.
///
/// # Errors
/// When a rule derives more than the limits allow.
pub(super) fn ask<'a, T>(
    program: &'a Program,
    world: &World,
    mut alone: Alone,
    now: i64,
    tell: &mut dyn FnMut(&mut Answers<'_>) -> T,
    goals: &dyn Fn(&T) -> Vec<&Goal>,
) -> Result<(Answers<'a>, T), Diagnostic> {
    for _ in 0..MAX_ROUNDS {
        let mut answers = Answers::new(program, world, &alone, now)?;
        let told = tell(&mut answers);
        let named = answers.members(&goals(&told));
        if !alone.join(named) {
            return Ok((answers, told));
        }
    }
    let mut answers = Answers::new(program, world, &alone, now)?;
    let told = tell(&mut answers);
    Ok((answers, told))
}

impl<'a> Answers<'a> {
    /// Derives what can be asked; what is alone stands for itself.
    pub fn new(program: &'a Program, world: &World, alone: &Alone, now: i64) -> Result<Self, Diagnostic> {
        Answers::of(program, world, None, Grouping::On, alone, now, None)
    }

    /// Derives the relation of an atom, or else what is asked about a pair; with what is planned,
    /// if that is to be seen.
    pub fn of(
        program: &'a Program,
        world: &World,
        atom: Option<&Atom>,
        grouping: Grouping,
        alone: &Alone,
        now: i64,
        planned: Option<&[Planned<'_>]>,
    ) -> Result<Self, Diagnostic> {
        let [asked, of_pods] = if atom.is_some() { GROUPS } else { [ASKED, OF_PODS] };
        let asked = asked.iter().chain(of_pods.iter().filter(|_| !world.pods.is_empty()));
        let wanted: Vec<RelationId> =
            asked.map(|handle| program.id(*handle)).chain(atom.map(|atom| atom.relation)).collect();
        let mut encoder = Encoder::new(program.clone(), grouping, &wanted).asked(atom.into_iter(), &wanted);
        encoder.single_out(alone.clone());
        let facts = encoder.all(world, now);
        let limits = limited(&Limits::default(), program, world);
        let mut evaluation = Evaluation::new(program, &mut encoder.symbols, facts, &wanted, &limits)?;
        if let Some(planned) = planned {
            let (added, removed) = encoder.planned(&evaluation, planned.iter().copied());
            evaluation.update(&encoder.symbols, added, removed)?;
        }
        Ok(Answers { program, symbols: encoder.symbols, evaluation })
    }

    /// The explanation of a row.
    pub fn goal(&mut self, relation: Handle, row: &[&str]) -> Option<Goal> {
        let id = self.program.id(relation);
        let row: Vec<_> = row.iter().map(|text| self.symbols.text(text)).collect();
        Some(tree(self.program, &self.symbols, &self.evaluation, id, &row))
    }

    /// The explanation of a row that is there.
    pub fn holding(&mut self, relation: Handle, row: &[&str]) -> Option<Goal> {
        if !self.has(relation, row) {
            return None;
        }
        self.goal(relation, row)
    }

    pub fn has(&mut self, relation: Handle, row: &[&str]) -> bool {
        self.rows(relation, row).next().is_some()
    }

    /// The texts of the rows that begin so.
    pub fn rows(&mut self, relation: Handle, prefix: &[&str]) -> impl Iterator<Item = Vec<String>> + '_ {
        let prefix: Vec<_> = prefix.iter().map(|text| self.symbols.text(text)).collect();
        let id = self.program.id(relation);
        let rows: Vec<_> = self.evaluation.rows_with_prefix(id, &prefix).collect();
        let text = |sym| match self.symbols.value(sym) {
            Value::Text(text) => text.to_owned(),
            Value::Number(number) => number.to_string(),
        };
        rows.into_iter().map(move |row| row.iter().map(|sym| text(*sym)).collect())
    }

    /// The objects in the groups that some goals are about.
    pub fn members(&mut self, goals: &[&Goal]) -> Alone {
        let mut groups: BTreeMap<Group, BTreeSet<String>> = BTreeMap::new();
        for goal in goals {
            collect(goal, &mut groups);
        }
        let mut alone = Alone::default();
        for (group, values) in groups {
            for row in self.rows(group.members, &[]).collect::<Vec<_>>() {
                let ([member, of] | [member, of, ..]) = row.as_slice() else { continue };
                if member == of {
                    continue;
                }
                let is_in = match group.part {
                    None => values.contains(of),
                    Some((whole, column)) => {
                        let rows: Vec<_> = self.rows(whole, &[of]).collect();
                        rows.iter().any(|row| row.get(column).is_some_and(|part| values.contains(part)))
                    }
                };
                if !is_in {
                    continue;
                }
                match group.members {
                    relations::in_class => drop(alone.daemonsets.insert(key(member))),
                    relations::in_profile => drop(alone.nodes.insert(Name::from(member.as_str()))),
                    relations::pod => drop(alone.labelled.insert((Kind::Pod, key(member)))),
                    _ => drop(alone.labelled.insert((Kind::ControllerRevision, key(member)))),
                }
            }
        }
        alone
    }
}

/// The objects that an atom names.
pub(super) fn alone(program: &Program, atom: &Atom) -> Alone {
    let mut alone = Alone::default();
    for (column, term) in program.declaration(atom.relation).columns.iter().zip(&atom.terms) {
        let Some(Value::Text(text)) = term.constant() else { continue };
        match &*column.ty {
            "Node" => drop(alone.nodes.insert(text.into())),
            "DaemonSet" => drop(alone.daemonsets.insert(key(text))),
            "Pod" => drop(alone.labelled.insert((Kind::Pod, key(text)))),
            "Revision" => drop(alone.labelled.insert((Kind::ControllerRevision, key(text)))),
            ty => {
                for group in groups(ty) {
                    match group.members {
                        relations::in_class => drop(alone.daemonsets.insert(key(text))),
                        relations::in_profile => drop(alone.nodes.insert(text.into())),
                        relations::pod => drop(alone.labelled.insert((Kind::Pod, key(text)))),
                        _ => drop(alone.labelled.insert((Kind::ControllerRevision, key(text)))),
                    }
                }
            }
        }
    }
    alone
}

/// A kind of group: the relation that has its members, and which part of the whole it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Group {
    members: Handle,
    part: Option<(Handle, usize)>,
}

/// The kinds of groups that values of a type are.
fn groups(ty: &str) -> &'static [Group] {
    const fn of(members: Handle, part: Option<(Handle, usize)>) -> Group {
        Group { members, part }
    }
    match ty {
        "Class" => const { &[of(relations::in_class, None)] },
        "Selector" => const { &[of(relations::in_class, Some((relations::class, 1)))] },
        "Affinity" => const { &[of(relations::in_class, Some((relations::class, 2)))] },
        "Tolerations" => const { &[of(relations::in_class, Some((relations::class, 3)))] },
        "Profile" => const { &[of(relations::in_profile, None)] },
        "NodeLabels" => const { &[of(relations::in_profile, Some((relations::profile, 1)))] },
        "NodeTaints" => const { &[of(relations::in_profile, Some((relations::profile, 2)))] },
        "LabelSet" => const { &[of(relations::pod, None), of(relations::revision, None)] },
        _ => &[],
    }
}

/// The values of a goal, and of what it rests on, that may be groups.
fn collect(goal: &Goal, found: &mut BTreeMap<Group, BTreeSet<String>>) {
    for (ty, value) in goal.types.iter().zip(&goal.values) {
        let Some(value) = value else { continue };
        for group in groups(ty) {
            let values = found.entry(*group).or_default();
            if !values.contains(value) {
                values.insert(value.clone());
            }
        }
    }
    for part in goal.rules.iter().flat_map(|tried| &tried.parts) {
        match part {
            Part::Row(goal) | Part::Not(goal) => collect(goal, found),
            Part::Aggregate(total) => {
                for part in total.first.iter().flat_map(|counted| &counted.parts) {
                    if let Part::Row(goal) = part {
                        collect(goal, found);
                    }
                }
            }
            Part::Comparison(_) => {}
        }
    }
}
