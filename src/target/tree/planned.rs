//! The tree as a plan would leave it: compared with what is there, and not written.

use std::path::Path;

use serde_json::Value;

use super::{TreeReport, Wanted, compare};
use crate::diagnostic::Diagnostic;
use crate::kube::{Body, ObjectKey};
use crate::state::World;
use crate::target::memory::Memory;
use crate::target::object::as_planned;

/// What [`super::sync_tree`] would do to the tree at `path` once the store, which the
/// world was loaded from, holds the world.
///
/// # Errors
/// When the tree's folder itself cannot be used or the store cannot be read.
pub fn compare_tree(path: &Path, world: &World, store: &dyn Memory) -> Result<TreeReport, Diagnostic> {
    let mut stored = store.read_pods()?;
    let mut read = |key: &ObjectKey| -> Result<Option<Value>, Diagnostic> {
        let Some(pod) = world.pods.get(key) else { return Ok(None) };
        Ok(match &pod.body {
            Body::Made(base) => Some(pod.object(base)),
            Body::Written(value) => Some(as_planned((**value).clone(), pod)),
            Body::Stored | Body::Read(_) => stored(key)?.map(|value| as_planned(value, pod)),
        })
    };
    compare(path, &Wanted::of_world(world), &mut read)
}

/// What [`super::sync_tree`] would do to the tree at `path` now.
///
/// # Errors
/// As [`compare_tree`].
pub fn compare_stored(path: &Path, store: &dyn Memory) -> Result<TreeReport, Diagnostic> {
    let mut pods = store.read_pods()?;
    compare(path, &Wanted::from_store(store)?, &mut |key| pods(key))
}
