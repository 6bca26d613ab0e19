//! What a change of manifests, rules or nodes does to the fleet that runs the former ones.
//!
//! ```text
//!  base -> applied to a store in memory --> world before -+
//!                 |                                       +-> pods that come, go, are replaced
//!  head ----> planned over that ----------> world after --+
//! ```
//! Both sides are read with the rules beside them, so a change of rules is a change like any
//! other. Nothing is written; where the two sides come from, folders or revisions, is not known
//! here.

mod fields;
mod moves;
mod own;
mod rollouts;

pub use fields::Field;
pub use moves::Move;
pub use own::OwnChange;
pub use rollouts::Rollout;

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::dry::{Based, Dry, based, dry};
use super::gone::gone;
use super::listener::Listener;
use super::load::{complete, load};
use super::manifests::Manifests;
use super::moved::{Side, moved, pairs};
use super::planning;
use super::prepare::prepare;
use super::read::read;
use super::request::{Outcome, Request};
use super::rules;
use super::schedule::Coming;
use crate::diagnostic::Diagnostic;
use crate::kube::{Kind, Object, ObjectKey};
use crate::plan::{Change, Plan};
use crate::state::World;

/// The side that runs, and how files of both are called alike.
pub struct Base {
    /// What is read.
    pub manifests: Manifests,
    /// The folder from which on files of the base are named.
    pub root: PathBuf,
    /// The same of the head.
    pub head: PathBuf,
}

/// What a change does.
#[derive(Debug)]
pub struct Diff {
    /// The plan from the base to the head.
    pub outcome: Outcome,
    /// Objects that are other than before.
    pub objects: Vec<Altered>,
    /// Files of the user's own that are other than before.
    pub own: Vec<OwnChange>,
    /// Pods that come and go, by daemonset and cause.
    pub moves: Vec<Move>,
    /// Pods that are replaced where they are, by daemonset.
    pub rollouts: Vec<Rollout>,
    /// How many pods each daemonset had, and has; of those that changed.
    pub pods: BTreeMap<ObjectKey, (usize, usize)>,
}

/// An object that is other than before.
#[derive(Debug)]
pub struct Altered {
    /// Its kind.
    pub kind: Kind,
    /// Its key.
    pub key: ObjectKey,
    /// Whether it came, went or changed.
    pub change: Change,
    /// Which fields of its manifest differ, where it changed.
    pub fields: Vec<Field>,
}

impl Diff {
    /// Whether anything is other than before.
    #[must_use]
    pub fn is_changed(&self) -> bool {
        self.outcome.is_changed() || !self.moves.is_empty() || !self.own.is_empty()
    }
}

/// Says what the manifests of the request do to a fleet that runs the base.
///
/// # Errors
/// Everything that is wrong with either side, or with its rules.
pub fn diff(request: &Request, base: &Base, listener: &dyn Listener) -> Result<Diff, Vec<Diagnostic>> {
    let own = rules::find(&request.rules, &request.manifests.beside());
    listener.stage("reading the base");
    let before = based(request, &base.manifests, listener)?;
    listener.stage("reading the head");
    let mut read = read(request, None, listener)?;
    let policy = prepare(request, own, &mut read, &*before.store, listener)?;
    let gone = gone(&*before.store, &request.id, &read.reading, &request.options)?;
    let places = read.reading.places(&request.manifests.options);
    let head = read.reading.objects;
    listener.stage("planning");
    let (program, coming) = (&policy.program, Coming::put(&head, &gone));
    let dry = dry(&*before.store, program, &request.options, coming, &|world, options| {
        complete(&*before.store, world, program)?;
        planning::plan(world, head.clone(), &gone, program, options)
    })?;
    listener.stage("comparing");
    let world = was(&before, request)?;
    let Dry { planned, world: is, too_much } = dry;
    let side = |program, world| Side::new(program, world, request.options.now, request.options.limits);
    let moved = moved(side(&before.policy.program, &world), side(program, &is))?;
    let objects = altered(&planned.plan, &before.objects, &head);
    let rollouts = rollouts::rollouts(&planned.plan, &world, &is);
    let outcome = Outcome { too_much, places, ..Outcome::of(planned, false, Ok(None)) };
    Ok(Diff {
        moves: moves::moves(moved, &outcome.plan),
        own: own::changes((&base.root, &before.policy.own), (&base.head, &policy.own)),
        pods: counts(&world, &is),
        outcome,
        objects,
        rollouts,
    })
}

/// The world that runs the base.
fn was(before: &Based, request: &Request) -> Result<World, Diagnostic> {
    let (objects, gone) = (Vec::new(), Default::default());
    let mut world =
        load(&*before.store, &before.policy.program, &request.options, Coming::put(&objects, &gone))?;
    complete(&*before.store, &mut world, &before.policy.program)?;
    Ok(world)
}

/// The objects that the plan changes, with the fields in which their manifests differ.
fn altered(plan: &Plan, base: &[Object], head: &[Object]) -> Vec<Altered> {
    let by_key = |objects: &[Object]| -> BTreeMap<(Kind, ObjectKey), usize> {
        objects.iter().enumerate().map(|(at, object)| ((object.kind, object.key.clone()), at)).collect()
    };
    let (before, after) = (by_key(base), by_key(head));
    let changed = plan.objects.iter().filter(|object| object.change != Change::Unchanged);
    changed
        .map(|object| {
            let name = (object.kind, object.key.clone());
            let old = before.get(&name).and_then(|at| base.get(*at));
            let new = after.get(&name).and_then(|at| head.get(*at));
            let fields = old.zip(new).map(|(old, new)| fields::fields(&old.value, &new.value));
            let (kind, key) = name;
            Altered { kind, key, change: object.change, fields: fields.unwrap_or_default() }
        })
        .collect()
}

/// How many pods each daemonset had and has that are bound to a node.
fn counts(before: &World, after: &World) -> BTreeMap<ObjectKey, (usize, usize)> {
    let mut counts: BTreeMap<ObjectKey, (usize, usize)> = BTreeMap::new();
    pairs(before).into_iter().for_each(|(daemonset, _)| counts.entry(daemonset).or_default().0 += 1);
    pairs(after).into_iter().for_each(|(daemonset, _)| counts.entry(daemonset).or_default().1 += 1);
    counts
}
