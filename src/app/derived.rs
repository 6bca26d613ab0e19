//! What follows from a world, for some relations of any kind: a plan asks for its own alone.

use std::collections::BTreeSet;

use crate::datalog::{Atom, Evaluation, Limits, Program, RelationId, Symbols};
use crate::diagnostic::Diagnostic;
use crate::facts::{self, Encoder, Grouping};
use crate::plan::{Plan, constraint};
use crate::state::World;

/// Rows, and what their values are.
pub(super) struct State {
    pub symbols: Symbols,
    pub evaluation: Evaluation,
}

/// What is to be derived.
pub(super) struct Wanted<'a> {
    pub relations: &'a [RelationId],
    /// The atoms of a query, which may ask for fields beside those that rules ask for.
    pub atoms: &'a [Atom],
    pub grouping: Grouping,
}

/// Derives some relations at the time `now`, and what a plan does to pods, if there is one.
/// Where the world is small each object stands for itself, so that reasons name objects.
pub(super) fn derive(
    program: &Program,
    world: &World,
    now: i64,
    plan: Option<&Plan>,
    relations: &[RelationId],
    limits: &Limits,
) -> Result<State, Diagnostic> {
    let grouping = if world.nodes.len() > MANY { Grouping::On } else { Grouping::Off };
    derive_wanted(program, world, now, plan, &Wanted { relations, atoms: &[], grouping }, limits)
}

/// The same of what is wanted.
pub(super) fn derive_wanted(
    program: &Program,
    world: &World,
    now: i64,
    plan: Option<&Plan>,
    wanted: &Wanted<'_>,
    limits: &Limits,
) -> Result<State, Diagnostic> {
    let encoder = Encoder::new(program.clone(), wanted.grouping, wanted.relations);
    let mut encoder = encoder.asked(wanted.atoms.iter(), wanted.relations);
    let limits = facts::limited(limits, program, world);
    let given = encoder.all(world, now);
    let mut evaluation = Evaluation::new(program, &mut encoder.symbols, given, wanted.relations, &limits)?;
    if let Some(plan) = plan {
        let (added, removed) = encoder.planned(&evaluation, constraint::changes(plan));
        evaluation.update(&encoder.symbols, added, removed)?;
    }
    Ok(State { symbols: encoder.symbols, evaluation })
}

/// With more nodes than this, those that no rule can tell apart are compared once.
const MANY: usize = 500;

/// The relations that rules of one's own are about.
pub(super) fn own_relations(program: &Program) -> Vec<RelationId> {
    let mut own = BTreeSet::new();
    for rule in program.rules().filter(|rule| !rule.builtin) {
        own.insert(rule.head.relation);
        own.extend(rule.body.iter().filter_map(|literal| Some(literal.atom()?.relation)));
    }
    own.into_iter().collect()
}
