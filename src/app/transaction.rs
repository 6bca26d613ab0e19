//! Plan, save and commit: the transaction of a use case that writes.

use super::expected;
use super::follow;
use super::gone::{brought, gone};
use super::history::record::{self, Heard};
use super::known;
use super::listener::Listener;
use super::load::load;
use super::options::Options;
use super::part::{self, Parted, Written};
use super::placed::{Kept, moved};
use super::planning::{self, Planned};
use super::request::Outcome;
use super::rules::Policy;
use super::schedule::Coming;
use super::settled;
use super::stages;
use super::unknown::keep_unknown;
use super::unlisted;
use crate::datalog::Program;
use crate::diagnostic::Diagnostic;
use crate::kube::{Kind, Object, ObjectKey};
use crate::manifest::Reading;
use crate::plan::{Placed, Rest};
use crate::state::{Cascade, Gone, World};
use crate::target::Memory;
use crate::target::sqlite::Placement;
use crate::target::tree::Destination;

/// Begins to write a store, if the tree that is to follow it can be used.
pub(super) fn begin(store: &mut dyn Memory, tree: Option<&Destination>) -> Result<(), Diagnostic> {
    follow::check(tree, store)?;
    if tree.is_some_and(|tree| tree.format.fills()) {
        store.keep_private()?;
    }
    store.begin()
}

/// What came of it: where the plan was carried out the tree follows, whatever becomes of
/// that.
pub(super) fn end(planned: Planned, store: &dyn Memory, tree: Option<&Destination>) -> Outcome {
    let done = !planned.is_refused();
    let tree = if done { follow::sync(tree, store) } else { Ok(None) };
    Outcome::of(planned, done, tree)
}

/// The whole of an apply on a store that was begun: load, plan, save, commit.
/// On an error the caller drops the store, which rolls back. A plan that is refused is
/// not saved either.
///
/// # Errors
/// As [`planning::plan`], and when the store cannot be written.
pub fn apply(
    store: &mut dyn Memory,
    id: &str,
    mut reading: Reading,
    policy: &Policy,
    options: &Options,
    tree: Option<&Destination>,
    listener: &dyn Listener,
) -> Result<Planned, Diagnostic> {
    let gone = gone(store, id, &reading, options)?;
    let (mut passed, how) = (reading.passed(), std::mem::take(&mut reading.how));
    let files = std::mem::take(&mut reading.files);
    let texts = reading.texts();
    listener.stage("planning");
    let about = part::about(&policy.own, options);
    let asked = part::Asked {
        objects: &reading.objects,
        gone: &gone,
        program: &policy.program,
        about: &about,
        options,
    };
    let Parted { mut planned, mut world, written, rest } = match part::plan(store, &asked)? {
        Some(parted) => parted,
        None => whole(store, reading.objects, &gone, policy, options, listener)?,
    };
    let kinds = reading.passed.iter().flat_map(|file| &file.kinds);
    unlisted::list(&mut planned.plan, store, id, &passed, kinds, options.lists)?;
    expected::check(options.expected.as_ref(), &planned.plan)?;
    if planned.is_refused() {
        store.rollback();
        return Ok(planned);
    }
    listener.stage(stages::WRITING);
    let placement = placement(store, &mut planned, &world)?;
    let heard = Heard::of(id, &files, texts, &policy.own);
    let account = record::account(store, &heard, &planned.plan, &world, options)?;
    store.save(&mut world)?;
    follow::guard(tree, store)?;
    let mut brought = brought(&files, &how, &world, &written);
    brought.extend(known::lost(store, id, &mut passed, &how, &world)?);
    keep_unknown(store, id, &files, &mut brought, &passed, options)?;
    store.save_input(id, &brought, &passed)?;
    store.save_own_files(id, &policy.own)?;
    store.save_placement(Some(&placement.0), &placement.1)?;
    store.remember(&account)?;
    store.set_settled(
        options
            .asked
            .as_deref()
            .filter(|_| planned.is_silent() && settled::is_settled(&planned.plan, &world, &policy.program)),
    )?;
    note_rest(store, rest, &about)?;
    store.commit()?;
    listener.stage(stages::WRITTEN);
    Ok(planned)
}

/// A plan that looks at all of the store.
fn whole(
    store: &dyn Memory,
    objects: Vec<Object>,
    gone: &Gone,
    policy: &Policy,
    options: &Options,
    listener: &dyn Listener,
) -> Result<Parted, Diagnostic> {
    listener.stage("loading the store");
    let mut world = load(store, &policy.program, options, Coming::put(&objects, gone))?;
    listener.stage("planning");
    let planned = planning::plan(&mut world, objects, gone, &policy.program, options)?;
    let rest = part::rest_of(&planned, &world);
    Ok(Parted { planned, world, written: Written::new(), rest })
}

/// Puts on record that nothing is left to do, where that is so.
fn note_rest(store: &mut dyn Memory, rest: Option<Rest>, about: &str) -> Result<(), Diagnostic> {
    let known = rest.and_then(|rest| serde_json::to_string(&rest).ok());
    store.set_rest(known.as_deref().map(|known| (about, known)))
}

/// The whole of a delete on a store that was begun: plan, save, commit.
///
/// # Errors
/// As [`planning::delete`], and when the store cannot be written.
pub fn delete(
    store: &mut dyn Memory,
    targets: &[(Kind, ObjectKey)],
    cascade: Cascade,
    program: &Program,
    options: &Options,
    tree: Option<&Destination>,
    listener: &dyn Listener,
) -> Result<Planned, Diagnostic> {
    let mut world = load(store, program, options, Coming::deleted(targets))?;
    let mut planned = planning::delete(&mut world, targets, cascade, program, options)?;
    if planned.is_refused() {
        store.rollback();
        return Ok(planned);
    }
    listener.stage(stages::WRITING);
    let (before, after) = placement(store, &mut planned, &world)?;
    let account = record::account(store, &Heard::nothing(), &planned.plan, &world, options)?;
    store.save(&mut world)?;
    follow::guard(tree, store)?;
    store.save_placement(Some(&before), &after)?;
    store.remember(&account)?;
    store.set_rest(None)?;
    store.commit()?;
    listener.stage(stages::WRITTEN);
    Ok(planned)
}

/// The placement as the store has it, and as it is now: the last that is asked of what was
/// derived, which is then let go. It may be as large as the world that is to be saved.
fn placement(
    store: &dyn Memory,
    planned: &mut Planned,
    world: &World,
) -> Result<(Placement, Placement), Diagnostic> {
    let reasoner = &planned.reasoner;
    let placement = match &planned.placed {
        Placed::Only { nodes, .. } if world.part.is_some() => {
            let names = nodes.iter().map(|it| reasoner.name(*it)).collect();
            moved(reasoner, nodes, &store.placement_of(&names)?)
        }
        // Nothing is known of the groups behind the numbers that are stored.
        _ => Kept::of(store.placement()?).follow(reasoner, &Placed::All),
    };
    planned.reasoner.forget();
    Ok(placement)
}
