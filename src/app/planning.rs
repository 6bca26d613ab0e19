//! The middle of every use case: a world is changed, reconciled with the rules and judged.
//!
//! Nothing is read or written here; the world is then as the plan leaves it.

use std::collections::BTreeMap;

use super::bound::Before;
use super::causes;
use super::load::{wants_details, wants_whole};
use super::options::{MaxDelete, Options};
use super::put::put_all;
use super::schedule::{self, Coming};
use super::standing::standing;
use super::strangers;
use super::would_wait;
use crate::datalog::{Constraint, Declaration, Limits, Program, Row, Symbols};
use crate::diagnostic::Diagnostic;
use crate::facts::Grouping;
use crate::kube::{Kind, Name, Object, ObjectKey};
use crate::plan::constraint::{self, Choose};
use crate::plan::{
    Applied, FINDINGS_TOLD, Judged, Placed, Plan, Reconciler, Settings, Waiting, evictions, kept_off,
    left_alone,
};
use crate::reason::Reasoner;
use crate::state::{Cascade, Change, Changed, Gone, World};

/// The label by which a node says its zone.
const ZONE: &str = "topology.kubernetes.io/zone";

/// A plan with what it was derived from.
pub struct Planned {
    /// What changes.
    pub plan: Plan,
    /// The facts and rules as they are at the end of the plan.
    pub reasoner: Reasoner,
    /// What of the placement may differ.
    pub placed: Placed,
    /// What constraints say of it: with a violation it is not to be carried out.
    pub judged: Vec<Judged>,
    /// What else is to be said of it.
    pub said: Vec<Diagnostic>,
}

impl Planned {
    /// Whether a user's rules refuse the plan.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        self.judged.iter().any(Judged::refuses)
    }

    /// Whether there is nothing to be said of it.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        self.said.is_empty() && self.judged.iter().all(|it| it.count == 0)
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
    let program = &schedule::asked(program, options, world, Coming::put(&objects, gone));
    world.detailed |= wants_details(program);
    world.whole = world.whole.or(wants_whole(program));
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
    let program = &schedule::asked(program, options, world, Coming::deleted(targets));
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
    let reasoner = Reasoner::new(program, options.grouping).limited(options.limits);
    judge(world, objects, before, reasoner, &mut Reconciler::default(), options)
}

/// Reconciles a world, and says what is to be said of the plan that comes of it.
pub(super) fn judge(
    world: &mut World,
    objects: Vec<Applied>,
    before: &Before,
    mut reasoner: Reasoner,
    reconciler: &mut Reconciler,
    options: &Options,
) -> Result<Planned, Diagnostic> {
    let program = &reasoner.program().clone();
    let (plan, placed) = finish(world, objects, before, &mut reasoner, reconciler, options)?;
    let mut first =
        |_: &Declaration, rows: Vec<Row>, symbols: &Symbols| constraint::first(rows, options.told, symbols);
    let kinds = [Constraint::Violation, Constraint::Warning];
    let mut judged = judged(&mut reasoner, &plan, &kinds, &mut first, options)?;
    judged.extend(standing(&reasoner, world, &mut first));
    let mut said = strangers::named(program, world);
    said.extend(would_wait::warning(&plan, before, &reasoner, world));
    Ok(Planned { plan, reasoner, judged, said, placed })
}

/// The world as a plan for it leaves it, and the plan: whatever it deletes, and whatever
/// constraints say of it.
///
/// # Errors
/// When a rule derives more than the limits allow.
pub(super) fn ahead(
    mut world: World,
    program: &Program,
    now: i64,
    limits: Limits,
) -> Result<(World, Plan), Diagnostic> {
    let options = Options { max_delete: Some(MaxDelete::Percent(100)), limits, ..Options::at(now) };
    let planned = plan(&mut world, Vec::new(), &Gone::default(), program, &options)?;
    Ok((world, planned.plan))
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
        evictions: evictions(reasoner, world),
        left_alone: left_alone(world, reasoner),
        ..Plan::default()
    };
    if reasoner.program().rules().any(|rule| !rule.builtin) {
        plan.kept_off = kept_off(reasoner);
    }
    causes::find(world, reasoner, &mut plan, options.now)?;
    plan.zones = zones(world, &plan);
    Ok((plan, reconciled.placed))
}

/// The zones of the nodes where a plan does something.
fn zones(world: &World, plan: &Plan) -> BTreeMap<Name, Name> {
    let nodes = plan.waves.iter().flat_map(|wave| &wave.actions).filter_map(|action| action.node.as_ref());
    let zone = |node: &Name| {
        let found = world.nodes.get(&ObjectKey::new("", node.clone()))?;
        Some((node.clone(), found.meta.labels.get(ZONE)?.clone()))
    };
    nodes.filter_map(zone).collect()
}

/// What constraints of a user's say of a plan that led to a world.
pub(super) fn judged(
    reasoner: &mut Reasoner,
    plan: &Plan,
    kinds: &[Constraint],
    choose: &mut Choose<'_>,
    options: &Options,
) -> Result<Vec<Judged>, Diagnostic> {
    let mut judged = constraint::check(reasoner, plan, kinds, choose)?;
    judged.iter_mut().for_each(|it| it.ignored = options.ignore_violations);
    Ok(judged)
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
pub fn warnings(objects: &[Object], program: &Program, now: i64) -> Result<Vec<Judged>, Diagnostic> {
    let mut world = World::default();
    for object in objects {
        world.put(object.clone(), now);
    }
    let mut reasoner = Reasoner::new(program, Grouping::On);
    reasoner.derive(&world, &Changed::default(), now)?;
    let mut first =
        |_: &Declaration, rows: Vec<Row>, symbols: &Symbols| constraint::first(rows, FINDINGS_TOLD, symbols);
    Ok(standing(&reasoner, &world, &mut first))
}
