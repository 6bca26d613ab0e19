//! The world of a store, with what the rules of a program need of it.

use super::options::Options;
use super::schedule::{self, Coming};
use crate::datalog::Program;
use crate::diagnostic::Diagnostic;
use crate::facts;
use crate::reason;
use crate::state::{Whole, World};
use crate::target::Memory;

/// Loads the world of a store, with what a plan needs of it that has something coming.
///
/// # Errors
/// When the store is damaged or cannot be read.
pub(super) fn load(
    store: &dyn Memory,
    program: &Program,
    options: &Options,
    coming: Coming<'_>,
) -> Result<World, Diagnostic> {
    let mut world = store.load()?;
    world.see_taints(options.now);
    if wants_details(program) || (options.schedule.is_none() && store.has_allocatable()?) {
        store.load_details(&mut world)?;
    }
    let program = schedule::asked(program, options, &world, coming);
    complete(store, &mut world, &program)?;
    Ok(world)
}

/// Loads what the rules of a program need and a world has not yet.
///
/// # Errors
/// When the store is damaged or cannot be read.
pub(super) fn complete(store: &dyn Memory, world: &mut World, program: &Program) -> Result<(), Diagnostic> {
    if wants_details(program) && !world.detailed {
        store.load_details(world)?;
    }
    store.load_whole(world, wants_whole(program))
}

/// Of which kinds the rules need whole objects.
pub(super) fn wants_whole(program: &Program) -> Whole {
    facts::wants_whole(program, &reason::wanted(program), std::iter::empty())
}

/// Whether the rules need what is not loaded for every world.
pub(super) fn wants_details(program: &Program) -> bool {
    facts::wants_details(program, &reason::wanted(program))
}
