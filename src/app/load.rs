//! The world of a store, with what the rules of a program need of it.

use crate::datalog::Program;
use crate::diagnostic::Diagnostic;
use crate::facts;
use crate::reason;
use crate::state::{Whole, World};
use crate::target::Memory;

/// Loads the world of a store, with what the rules of the program need of it.
///
/// # Errors
/// When the store is damaged or cannot be read.
pub fn load(store: &dyn Memory, program: &Program) -> Result<World, Diagnostic> {
    let mut world = store.load()?;
    if wants_details(program) {
        store.load_details(&mut world)?;
    }
    store.load_whole(&mut world, wants_whole(program))?;
    Ok(world)
}

/// Of which kinds the rules need whole objects.
pub(super) fn wants_whole(program: &Program) -> Whole {
    facts::wants_whole(program, &reason::wanted(program), std::iter::empty())
}

/// Whether the rules need what is not loaded for every world.
pub(super) fn wants_details(program: &Program) -> bool {
    facts::wants_details(program, &reason::wanted(program))
}
