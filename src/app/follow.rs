//! The folder of Pod manifests that follows the store, where one is named.

use std::path::PathBuf;

use crate::diagnostic::Diagnostic;
use crate::state::World;
use crate::target::Memory;
use crate::target::tree::{
    Destination, TreeReport, Wanted, compare_stored, compare_tree, refusal_of_store, sync_some, sync_tree,
};

/// What became of the folder, or would.
#[derive(Debug)]
pub struct Followed {
    /// The folder.
    pub folder: PathBuf,
    /// Its files.
    pub report: TreeReport,
    /// Whether they are written.
    pub done: bool,
}

/// Looks whether the folder can be used, before anything is done.
pub(super) fn check(tree: Option<&Destination>, store: &dyn Memory) -> Result<(), Diagnostic> {
    tree.map_or(Ok(()), |tree| sync_some(tree, store, &Wanted::default()).map(drop))
}

/// Refuses what the store is about to hold, where a pod of it cannot be written in the format
/// of the tree: before the store is committed.
pub(super) fn guard(tree: Option<&Destination>, store: &dyn Memory) -> Result<(), Diagnostic> {
    match tree.map_or(Ok(None), |tree| refusal_of_store(tree, store))? {
        Some(told) => Err(told),
        None => Ok(()),
    }
}

/// Makes the folder what the store holds, after the store was written. What could not be
/// done is in the report; the next run mends it.
pub(super) fn sync(tree: Option<&Destination>, store: &dyn Memory) -> Result<Option<Followed>, Diagnostic> {
    followed(tree, true, |tree| sync_tree(tree, store))
}

/// What would change in the folder, if the store held this world.
pub(super) fn compare(
    tree: Option<&Destination>,
    world: &World,
    store: &dyn Memory,
) -> Result<Option<Followed>, Diagnostic> {
    followed(tree, false, |tree| compare_tree(tree, world, store))
}

/// The same for the world that the store holds.
pub(super) fn compare_unchanged(
    tree: Option<&Destination>,
    store: &dyn Memory,
) -> Result<Option<Followed>, Diagnostic> {
    followed(tree, false, |tree| compare_stored(tree, store))
}

fn followed(
    tree: Option<&Destination>,
    done: bool,
    look: impl Fn(&Destination) -> Result<TreeReport, Diagnostic>,
) -> Result<Option<Followed>, Diagnostic> {
    tree.map(|tree| Ok(Followed { folder: tree.folder.clone(), report: look(tree)?, done })).transpose()
}
