//! The folder of Pod manifests that follows the store, where one is named.

use std::path::{Path, PathBuf};

use crate::diagnostic::Diagnostic;
use crate::state::World;
use crate::target::Memory;
use crate::target::tree::{TreeReport, Wanted, compare_stored, compare_tree, sync_some, sync_tree};

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
pub(super) fn check(tree: Option<&Path>, store: &dyn Memory) -> Result<(), Diagnostic> {
    tree.map_or(Ok(()), |tree| sync_some(tree, store, &Wanted::default()).map(drop))
}

/// Makes the folder what the store holds, after the store was written. What could not be
/// done is in the report; the next run mends it.
pub(super) fn sync(tree: Option<&Path>, store: &dyn Memory) -> Result<Option<Followed>, Diagnostic> {
    followed(tree, true, |tree| sync_tree(tree, store))
}

/// What would change in the folder, if the store held this world.
pub(super) fn compare(
    tree: Option<&Path>,
    world: &World,
    store: &dyn Memory,
) -> Result<Option<Followed>, Diagnostic> {
    followed(tree, false, |tree| compare_tree(tree, world, store))
}

/// The same for the world that the store holds.
pub(super) fn compare_unchanged(
    tree: Option<&Path>,
    store: &dyn Memory,
) -> Result<Option<Followed>, Diagnostic> {
    followed(tree, false, |tree| compare_stored(tree, store))
}

fn followed(
    tree: Option<&Path>,
    done: bool,
    look: impl Fn(&Path) -> Result<TreeReport, Diagnostic>,
) -> Result<Option<Followed>, Diagnostic> {
    tree.map(|tree| Ok(Followed { folder: tree.to_owned(), report: look(tree)?, done })).transpose()
}
