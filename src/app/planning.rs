//! The middle of every use case: a world is changed, reconciled with the rules and judged.
//!
//! Nothing is read or written here; the world is then as the plan leaves it.

use super::bound::Before;
use super::causes;
use super::load::{wants_details, wants_whole};
use super::options::Options;
use super::put::put_all;
use super::standing::standing;
use super::strangers;
use crate::datalog::{Constraint, Program};
use crate::diagnostic::Diagnostic;
use crate::facts::Grouping;
use crate::kube::{Kind, Object, ObjectKey};
use crate::plan::constraint::{self, Said};
use crate::plan::{Applied, Placed, Plan, Reconciler, Settings, Waiting, kept_off, left_alone};
use crate::reason::Reasoner;
use crate::state::{Cascade, Change, Changed, Gone, World};

/// A plan with what it was derived from.
pub struct Planned {
    /// What changes.
    pub plan: Plan,
    /// The facts and rules as they are at the end of the plan.
    pub reasoner: Reasoner,
    /// What a user's rules say of it: violations are errors, and such a plan is not to
    /// be carried out.
    pub said: Vec<Diagnostic>,
    /// How many violations there are, also those that are not told one by one.
    pub violations: usize,
}

impl Planned {
    /// Whether a user's rules refuse the plan.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        self.said.iter().any(Diagnostic::is_error)
    }
}

/// Makes the plan for an input: puts its objects into the world and reconciles it. The
/// world is then as the plan leaves it; nothing is written. `gone` is what is to be
/// pruned.
///
/// # Errors
/// When a bound is passed: pods deleted, rows derived.
pub fn plan(
    world: &mut World,
    objects: Vec<Object>,
    gone: &Gone,
    program: &Program,
    options: &Options,
) -> Result<Planned, Diagnostic> {
    world.detailed |= wants_details(program);
    world.whole.pods |= wants_whole(program).pods;
    let before = Before::applying(world);
    let objects = put_all(world, objects, gone, options);
    planned(world, objects, &before, program, options)
}

/// Deletes objects and reconciles the world.
///
/// # Errors
/// When a bound is passed.
pub fn delete(
    world: &mut World,
    targets: &[(Kind, ObjectKey)],
    cascade: Cascade,
    program: &Program,
    options: &Options,
) -> Result<Planned, Diagnostic> {
    let mut objects = Vec::new();
    let before = Before::deleting(world, targets);
    for (kind, key) in targets {
        if world.delete(*kind, key, cascade) {
            objects.push(Applied { kind: *kind, key: key.clone(), change: Change::Deleted });
        }
    }
    planned(world, objects, &before, program, options)
}

/// Reconciles a world of which nothing was derived yet.
fn planned(
    world: &mut World,
    objects: Vec<Applied>,
    before: &Before,
    program: &Program,
    options: &Options,
) -> Result<Planned, Diagnostic> {
    let mut reasoner = Reasoner::new(program, options.grouping).limited(options.limits);
    let (plan, _) = finish(world, objects, before, &mut reasoner, &mut Reconciler::default(), options)?;
    let Said { told: mut said, violations } = judged(&mut reasoner, world, &plan, options)?;
    said.extend(standing(&reasoner));
    Ok(Planned { plan, reasoner, said, violations })
}

/// Reconciles a world and gives the plan, and what of the placement may differ.
pub(super) fn finish(
    world: &mut World,
    objects: Vec<Applied>,
    before: &Before,
    reasoner: &mut Reasoner,
    reconciler: &mut Reconciler,
    options: &Options,
) -> Result<(Plan, Placed), Diagnostic> {
    let settings = Settings { readiness: options.readiness, now: options.now };
    let reconciled = reconciler.reconcile(world, reasoner, settings)?;
    before.check(reconciled.lost, world, options)?;
    let mut plan = Plan {
        objects,
        waves: reconciled.waves,
        statuses: reconciled.statuses,
        waiting: reconciled.waiting,
        left_alone: left_alone(world, reasoner),
        ..Plan::default()
    };
    if reasoner.program().rules().any(|rule| !rule.builtin) {
        plan.kept_off = kept_off(reasoner);
    }
    causes::find(world, reasoner, &mut plan, options.now)?;
    Ok((plan, reconciled.placed))
}

/// What a user's rules say of a plan that led to this world.
fn judged(
    reasoner: &mut Reasoner,
    world: &World,
    plan: &Plan,
    options: &Options,
) -> Result<Said, Diagnostic> {
    let mut said = constraint::check(reasoner, plan, &[Constraint::Violation, Constraint::Warning])?;
    said.told.extend(strangers::named(reasoner.program(), world));
    if options.ignore_violations {
        constraint::ignore(&mut said.told);
        said.violations = 0;
    }
    Ok(said)
}

/// What the daemonsets of a world as it is wait for, at the time `now`.
///
/// # Errors
/// When a rule derives more than the limits allow.
pub fn waiting(world: &World, program: &Program, now: i64) -> Result<Vec<Waiting>, Diagnostic> {
    let mut reasoner = Reasoner::new(program, Grouping::On);
    reasoner.derive(world, &Changed::default(), now)?;
    Ok(crate::plan::waiting(&reasoner, world))
}

/// What is to be warned of objects that an API server takes: what no node can run.
///
/// # Errors
/// When a rule derives more than the limits allow.
pub fn warnings(objects: &[Object], program: &Program, now: i64) -> Result<Vec<Diagnostic>, Diagnostic> {
    let mut world = World::default();
    for object in objects {
        world.put(object.clone(), now);
    }
    let mut reasoner = Reasoner::new(program, Grouping::On);
    reasoner.derive(&world, &Changed::default(), now)?;
    Ok(standing(&reasoner))
}
