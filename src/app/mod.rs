//! The main job: manifests -> store -> facts -> rules -> plan -> execute.
//!
//! Each function is one command's work on a world or on an open store; what was typed
//! and how the outcome looks is the business of `cli/` and `report/`. Everything that a
//! command changes is one transaction: an error anywhere changes nothing.

mod bound;
mod causes;
pub mod cases;
mod placed;
mod restart;
pub mod session;
pub mod settled;
mod standing;
mod strangers;
mod tick;
mod unknown;
pub mod whatif;

use std::collections::BTreeSet;
use std::path::Path;

use crate::datalog::{Limits, Program};
use crate::diagnostic::Diagnostic;
use crate::facts::{self, Grouping};
use crate::kube::{Kind, Name, Object, ObjectKey};
use crate::manifest::{self, ReadFile, Reading};
use crate::plan::constraint::{self, Said};
use crate::plan::{Applied, Placed, Plan, Readiness, Reconciler, Settings, Waiting, kept_off, left_alone};
use crate::reason::{self, Reasoner};
use crate::state::InputFile;
use crate::state::{Change, Changed, OwnFile, World};
use crate::target::sqlite::Store;
use bound::Before;
use placed::Kept;
use restart::with_restart;
use standing::standing;
use unknown::{emptied, keep_unknown};

pub use bound::MaxDelete;
pub use restart::{IN_PLACE, RESTARTED, mark_rolled_back, undoes_rollback};
pub use tick::Tick;

/// How a plan is made.
#[derive(Debug, Clone)]
pub struct Options {
    /// Who says that created pods are ready.
    pub readiness: Readiness,
    /// The time, in seconds of Unix time.
    pub now: i64,
    /// Whether objects go that earlier applies of the same input brought and that are
    /// no longer in it.
    pub prune: bool,
    /// Whether the input may have lost all its objects.
    pub allow_empty: bool,
    /// How many pods may go for good; half of them where it is not given.
    pub max_delete: Option<MaxDelete>,
    /// What rules may derive.
    pub limits: Limits,
    /// Whether a plan that a user's rules call a violation is made all the same.
    pub ignore_violations: bool,
    /// Whether objects that no rule can tell apart are compared once.
    pub grouping: Grouping,
    /// What is asked, as [`settled::asked`] gives it: remembered by an apply that leaves
    /// nothing to do.
    pub asked: Option<String>,
    /// Is called with the name of each stage as it begins.
    pub stage: fn(&'static str),
}

impl Options {
    /// The usual ones, at the time `now` (seconds of Unix time).
    #[must_use]
    pub fn at(now: i64) -> Self {
        Options {
            readiness: Readiness::Assume,
            now,
            prune: false,
            allow_empty: false,
            max_delete: None,
            limits: Limits::default(),
            ignore_violations: false,
            grouping: Grouping::On,
            asked: None,
            stage: |_| (),
        }
    }
}

/// What becomes of the pods of a daemonset that is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Cascade {
    /// They are deleted after it.
    #[default]
    Background,
    /// They are deleted before it.
    Foreground,
    /// They stay, without an owner.
    Orphan,
}

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

/// Loads the world of a store, with what the rules of the program need of it.
///
/// # Errors
/// When the store is damaged or cannot be read.
pub fn load(store: &Store, program: &Program) -> Result<World, Diagnostic> {
    let mut world = store.load()?;
    if wants_details(program) {
        store.load_details(&mut world)?;
    }
    Ok(world)
}

fn wants_details(program: &Program) -> bool {
    let mut wanted = reason::wanted(program);
    wanted.extend(constraint::active(program));
    facts::wants_details(program, &wanted)
}

/// What a user's rules say of a plan that led to this world.
fn judged(program: &Program, world: &World, plan: &Plan, options: &Options) -> Result<Said, Diagnostic> {
    let mut said = constraint::check(program, world, plan, options.now, &options.limits)?;
    said.told.extend(strangers::named(program, world));
    if options.ignore_violations {
        constraint::ignore(&mut said.told);
        said.violations = 0;
    }
    Ok(said)
}

/// Makes the plan for an input: puts its objects into the world and reconciles it. The
/// world is then as the plan leaves it; nothing is written. `gone` are the objects to be
/// pruned.
///
/// # Errors
/// When a bound is passed: pods deleted, rows derived.
pub fn plan(
    world: &mut World,
    reading: Reading,
    gone: &[(Kind, ObjectKey)],
    program: &Program,
    options: &Options,
) -> Result<Planned, Diagnostic> {
    world.detailed |= wants_details(program);
    let before = Before::applying(world);
    let objects = put_all(world, reading.objects, gone, options);
    planned(world, objects, &before, program, options)
}

/// Puts objects into the world, in the order in which they are applied, and takes those
/// out that are gone.
fn put_all(
    world: &mut World,
    mut written: Vec<Object>,
    gone: &[(Kind, ObjectKey)],
    options: &Options,
) -> Vec<Applied> {
    let mut objects = Vec::with_capacity(written.len() + gone.len());
    written.sort_by(|a, b| (a.kind, &a.key).cmp(&(b.kind, &b.key)));
    for object in written {
        let (kind, key) = (object.kind, object.key.clone());
        let change = world.put(with_restart(object, world), options.now);
        objects.push(Applied { kind, key, change });
    }
    for (kind, key) in gone {
        // What a delete command removed meanwhile is gone already.
        if remove(world, *kind, key, Cascade::Background) {
            objects.push(Applied { kind: *kind, key: key.clone(), change: Change::Pruned });
        }
    }
    objects
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
        if remove(world, *kind, key, cascade) {
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
    let Said { told: mut said, violations } = judged(program, world, &plan, options)?;
    said.extend(standing(&reasoner));
    Ok(Planned { plan, reasoner, said, violations })
}

fn finish(
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

/// Removes an object from the world and does to what it owns as `cascade` says.
fn remove(world: &mut World, kind: Kind, key: &ObjectKey, cascade: Cascade) -> bool {
    let uid = world.meta(kind, key).map(|meta| meta.uid.clone());
    let place = (kind == Kind::Pod).then(|| place(world, key)).flatten();
    if !world.remove(kind, key) {
        return false;
    }
    if let Some(place) = place {
        *world.attempts.entry(place.clone()).or_default() += 1;
        world.dirty.attempts.insert(place);
    }
    if let (Kind::DaemonSet, Some(uid)) = (kind, uid) {
        match cascade {
            Cascade::Orphan => world.orphan(&uid),
            Cascade::Background | Cascade::Foreground => {
                world.deleted_owners.insert(uid);
            }
        }
    }
    true
}

/// Where a daemonset's pod is: the next one there is another attempt, with another name.
fn place(world: &World, pod: &ObjectKey) -> Option<(ObjectKey, Name)> {
    let pod = world.pods.get(pod)?;
    let owner = pod.meta.controller.as_ref().filter(|owner| &*owner.kind == Kind::DaemonSet.name())?;
    Some((ObjectKey::new(pod.meta.key.namespace.clone(), owner.name.clone()), pod.target()?.clone()))
}

/// The objects that earlier applies of the input `id` brought and that it has no longer.
/// What a file that was not understood brought is unknown, not gone.
///
/// # Errors
/// When the store cannot be read, or the input has lost all of its objects.
pub fn gone(
    store: &Store,
    id: &str,
    reading: &Reading,
    options: &Options,
) -> Result<Vec<(Kind, ObjectKey)>, Diagnostic> {
    if !options.prune {
        return Ok(Vec::new());
    }
    let before = store.input(id)?;
    if reading.objects.is_empty() && !before.objects.is_empty() && !options.allow_empty {
        let all = match before.objects.len() {
            1 => "the one object".to_owned(),
            count => format!("all of the {count} objects"),
        };
        let what = format!("the input has lost {all} it brought before");
        return Err(Diagnostic::error("empty-input", what)
            .help("if everything is to be removed, say `--allow-empty`"));
    }
    if !options.allow_empty
        && let Some((file, had)) = emptied(&reading.files, &before).next()
    {
        return Err(manifest::emptied(file, had));
    }
    let now: BTreeSet<(Kind, &ObjectKey)> = reading.objects.iter().map(|it| (it.kind, &it.key)).collect();
    let unknown: BTreeSet<&str> =
        reading.files.iter().filter(|file| !file.complete).map(|file| &*file.path).collect();
    let is_unknown = |file: &Name| {
        unknown.contains(&**file)
            || reading.unread.iter().any(|unread| Path::new(&**file).starts_with(&**unread))
    };
    let gone = before.objects.iter().filter(|((kind, key), brought)| {
        !brought.elsewhere && !now.contains(&(*kind, key)) && !brought.file.as_ref().is_some_and(is_unknown)
    });
    Ok(gone.map(|(object, _)| object.clone()).collect())
}

/// What the files of an input brought into the world, to be recorded with
/// [`Store::save_input`].
#[must_use]
pub fn brought(files: &[ReadFile], world: &World) -> Vec<InputFile> {
    let written =
        |(kind, key): &(Kind, ObjectKey)| Some((*kind, key.clone(), world.meta(*kind, key)?.written.object));
    let file = |file: &ReadFile| InputFile {
        path: file.path.clone(),
        sha256: file.sha256.clone(),
        objects: file.objects.iter().filter_map(written).collect(),
    };
    files.iter().map(file).collect()
}

/// The whole of an apply on a store that was begun and loaded: plan, save, commit.
/// On an error the caller drops the store, which rolls back. A plan that is refused is
/// not saved either. `own` are the user's files that go with the input; the program has
/// been made with them.
///
/// # Errors
/// As [`plan`], and when the store cannot be written.
pub fn apply(
    store: &mut Store,
    id: &str,
    mut reading: Reading,
    own: &[OwnFile],
    program: &Program,
    options: &Options,
) -> Result<Planned, Diagnostic> {
    let gone = gone(store, id, &reading, options)?;
    let files = std::mem::take(&mut reading.files);
    (options.stage)("loading the store");
    let mut world = load(store, program)?;
    (options.stage)("planning");
    let planned = plan(&mut world, reading, &gone, program, options)?;
    if planned.is_refused() {
        store.rollback();
        return Ok(planned);
    }
    (options.stage)("writing the store");
    store.save(&mut world)?;
    let mut brought = brought(&files, &world);
    keep_unknown(store, id, &files, &mut brought, options)?;
    store.save_input(id, &brought)?;
    store.save_own_files(id, own)?;
    save_placement(store, &planned)?;
    store.set_settled(
        options
            .asked
            .as_deref()
            .filter(|_| planned.said.is_empty() && settled::is_settled(&planned.plan, &world, program)),
    )?;
    store.commit()?;
    Ok(planned)
}

/// The whole of a delete on a store that was begun: plan, save, commit.
///
/// # Errors
/// As [`delete`], and when the store cannot be written.
pub fn apply_delete(
    store: &mut Store,
    targets: &[(Kind, ObjectKey)],
    cascade: Cascade,
    program: &Program,
    options: &Options,
) -> Result<Planned, Diagnostic> {
    let mut world = load(store, program)?;
    let planned = delete(&mut world, targets, cascade, program, options)?;
    if planned.is_refused() {
        store.rollback();
        return Ok(planned);
    }
    store.save(&mut world)?;
    save_placement(store, &planned)?;
    store.commit()?;
    Ok(planned)
}

fn save_placement(store: &mut Store, planned: &Planned) -> Result<(), Diagnostic> {
    let mut kept = Kept::of(store.placement()?);
    // Nothing is known of the groups behind the numbers that are stored.
    let (before, after) = kept.follow(&planned.reasoner, &Placed::All);
    store.save_placement(Some(&before), &after)
}
