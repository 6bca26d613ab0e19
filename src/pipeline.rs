//! The main job: manifests -> store -> facts -> rules -> plan -> execute.
//!
//! Each function is one command's work on a world or on an open store; what was typed
//! and how the outcome looks is the business of `cli/` and `report/`. Everything that a
//! command changes is one transaction: an error anywhere changes nothing.

use std::collections::{BTreeMap, BTreeSet};

use crate::datalog::{Program, Sym};
use crate::diagnostic::Diagnostic;
use crate::facts::Grouping;
use crate::manifest::Reading;
use crate::model::{Change, Kind, ObjectKey, World, Written};
use crate::plan::{Applied, Plan, Readiness, Settings, settle};
use crate::reason::Reasoner;
use crate::store::{Fit, InputFile, Placement, Store};

/// From so many pods on, deleting more than half of them needs to be asked for.
const GUARDED_FROM: usize = 20;

/// How many pods a plan may delete for good, beside those it replaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MaxDelete {
    /// So many pods.
    Pods(usize),
    /// So many percent of the pods there are.
    Percent(usize),
}

/// How a plan is made.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    /// Whether objects that no rule can tell apart are compared once.
    pub grouping: Grouping,
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
            grouping: Grouping::On,
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
}

/// Makes the plan for an input: puts its objects into the world and settles it. The
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
    let mut objects = Vec::with_capacity(reading.objects.len() + gone.len());
    let mut written = reading.objects;
    written.sort_by(|a, b| (a.kind, &a.key).cmp(&(b.kind, &b.key)));
    for object in written {
        let (kind, key) = (object.kind, object.key.clone());
        let change = world.put(object, options.now);
        objects.push(Applied { kind, key, change });
    }
    for (kind, key) in gone {
        // What a delete command removed meanwhile is gone already.
        if remove(world, *kind, key, Cascade::Background) {
            objects.push(Applied { kind: *kind, key: key.clone(), change: Change::Pruned });
        }
    }
    finish(world, objects, program, options)
}

/// Deletes objects and settles the world.
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
    for (kind, key) in targets {
        if remove(world, *kind, key, cascade) {
            objects.push(Applied { kind: *kind, key: key.clone(), change: Change::Deleted });
        }
    }
    finish(world, objects, program, options)
}

fn finish(
    world: &mut World,
    objects: Vec<Applied>,
    program: &Program,
    options: &Options,
) -> Result<Planned, Diagnostic> {
    let pods = world.pods.len();
    let mut reasoner = Reasoner::new(program, options.grouping);
    let settings = Settings { readiness: options.readiness, now: options.now };
    let settled = settle(world, &mut reasoner, settings)?;
    let explicit = objects.iter().any(|object| object.change == Change::Deleted);
    if !explicit {
        guard(settled.lost, pods, options)?;
    }
    let plan = Plan { objects, waves: settled.waves, statuses: settled.statuses, waiting: settled.waiting };
    Ok(Planned { plan, reasoner })
}

/// Removes an object from the world and does to what it owns as `cascade` says.
fn remove(world: &mut World, kind: Kind, key: &ObjectKey, cascade: Cascade) -> bool {
    let uid = world.meta(kind, key).map(|meta| meta.uid.clone());
    if !world.remove(kind, key) {
        return false;
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

/// Deleting many pods at once is never an accident: it needs to be asked for.
fn guard(lost: usize, pods: usize, options: &Options) -> Result<(), Diagnostic> {
    let (bound, said) = match options.max_delete {
        Some(MaxDelete::Pods(most)) => (most, format!("{most}")),
        Some(MaxDelete::Percent(percent)) => (pods * percent / 100, format!("{percent}%")),
        None if pods >= GUARDED_FROM => (pods / 2, "50%".to_owned()),
        None => return Ok(()),
    };
    if lost <= bound {
        return Ok(());
    }
    let what = format!("the plan deletes {lost} of {pods} pods, more than --max-delete {said} allows");
    Err(Diagnostic::error("too-many-deletions", what)
        .because(
            "so many pods that are not replaced are seldom meant: a label, a taint or a file may be missing",
        )
        .help(format!("look at `dsrules plan`; if it is meant, say `--max-delete {lost}`")))
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
        let what =
            format!("the input has lost all of the {} objects it brought before", before.objects.len());
        return Err(Diagnostic::error("empty-input", what)
            .help("if everything is to be removed, say `--allow-empty`"));
    }
    let now: BTreeSet<(Kind, &ObjectKey)> = reading.objects.iter().map(|it| (it.kind, &it.key)).collect();
    let unknown: BTreeSet<&str> =
        reading.files.iter().filter(|file| !file.complete).map(|file| &*file.path).collect();
    let gone = before.objects.iter().filter(|((kind, key), brought)| {
        !brought.elsewhere
            && !now.contains(&(*kind, key))
            && !brought.file.as_ref().is_some_and(|file| unknown.contains(&**file))
    });
    Ok(gone.map(|(object, _)| object.clone()).collect())
}

/// What an input brought, to be recorded with [`Store::save_input`].
#[must_use]
pub fn brought(reading: &Reading) -> Vec<InputFile> {
    let fingerprints: BTreeMap<(Kind, &ObjectKey), u64> =
        reading.objects.iter().map(|it| ((it.kind, &it.key), Written::of(&it.value).object)).collect();
    let file = |file: &crate::manifest::ReadFile| InputFile {
        path: file.path.clone(),
        sha256: file.sha256.clone(),
        objects: file
            .objects
            .iter()
            .filter_map(|(kind, key)| Some((*kind, key.clone(), *fingerprints.get(&(*kind, key))?)))
            .collect(),
    };
    reading.files.iter().map(file).collect()
}

/// The whole of an apply on a store that was begun and loaded: plan, save, commit.
/// On an error the caller drops the store, which rolls back.
///
/// # Errors
/// As [`plan`], and when the store cannot be written.
pub fn apply(
    store: &mut Store,
    id: &str,
    reading: Reading,
    program: &Program,
    options: &Options,
) -> Result<Planned, Diagnostic> {
    let gone = gone(store, id, &reading, options)?;
    let brought = brought(&reading);
    let mut world = store.load()?;
    let planned = plan(&mut world, reading, &gone, program, options)?;
    store.save(&mut world)?;
    store.save_input(id, &brought)?;
    save_placement(store, &planned.reasoner)?;
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
    let mut world = store.load()?;
    let planned = delete(&mut world, targets, cascade, program, options)?;
    store.save(&mut world)?;
    save_placement(store, &planned.reasoner)?;
    store.commit()?;
    Ok(planned)
}

fn save_placement(store: &mut Store, reasoner: &Reasoner) -> Result<(), Diagnostic> {
    let before = store.placement()?;
    let after = placement(reasoner, &before);
    store.save_placement(Some(&before), &after)
}

/// Classes, profiles and what fits, for the store's `eligible` view. A group keeps the
/// number that one of its members had `before`, so that little is written anew.
fn placement(reasoner: &Reasoner, before: &Placement) -> Placement {
    let mut placement = Placement::default();
    let mut classes = Numbers::new(before.classes.values());
    for row in reasoner.rows("in_class") {
        let key = reasoner.key(row[0]);
        let class = classes.of(row[1], before.classes.get(&key));
        placement.classes.insert(key, class);
    }
    let mut profiles = Numbers::new(before.profiles.values());
    for row in reasoner.rows("in_profile") {
        let name = reasoner.name(row[0]);
        let profile = profiles.of(row[1], before.profiles.get(&name));
        placement.profiles.insert(name, profile);
    }
    for (relation, starts) in [("may_stay", false), ("may_start", true)] {
        for row in reasoner.rows(relation) {
            // A group without members is of no use to anyone.
            let (Some(class), Some(profile)) = (classes.known(row[0]), profiles.known(row[1])) else {
                continue;
            };
            let fit: &mut Fit = placement.fits.entry((class, profile)).or_default();
            if starts {
                fit.may_start = true;
            } else {
                fit.may_stay = true;
            }
        }
    }
    placement
}

/// Numbers for groups: the one of a member's former group, unless another group took it.
struct Numbers {
    given: BTreeMap<Sym, u32>,
    taken: BTreeSet<u32>,
    next: u32,
}

impl Numbers {
    fn new<'a>(before: impl Iterator<Item = &'a u32>) -> Self {
        let next = before.max().map_or(1, |most| most.saturating_add(1));
        Numbers { given: BTreeMap::new(), taken: BTreeSet::new(), next }
    }

    fn of(&mut self, group: Sym, former: Option<&u32>) -> u32 {
        if let Some(number) = self.given.get(&group) {
            return *number;
        }
        let number = match former {
            Some(former) if !self.taken.contains(former) => *former,
            _ => {
                self.next = self.next.saturating_add(1);
                self.next - 1
            }
        };
        self.taken.insert(number);
        self.given.insert(group, number);
        number
    }

    fn known(&self, group: Sym) -> Option<u32> {
        self.given.get(&group).copied()
    }
}
