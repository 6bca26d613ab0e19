//! The tree as a plan would leave it: compared with what is there, and not written.

use serde_json::Value;

use super::{Destination, TreeReport, Wanted, compare, reader};
use crate::diagnostic::Diagnostic;
use crate::kube::{Body, Kind, ObjectKey};
use crate::state::World;
use crate::target::memory::Memory;
use crate::target::object::{Item, as_planned};

/// What [`super::sync_tree`] would do to the tree once the store, which the
/// world was loaded from, holds the world.
///
/// # Errors
/// When the tree's folder itself cannot be used or the store cannot be read.
pub fn compare_tree(tree: &Destination, world: &World, store: &dyn Memory) -> Result<TreeReport, Diagnostic> {
    let mut stored = reader(store)?;
    let mut read = |kind: Kind, key: &ObjectKey| -> Result<Option<Value>, Diagnostic> {
        if kind != Kind::Pod {
            // What the plan changes is in the world, and what it leaves as it is in the store.
            return match Item::of(world, kind, key).map(|item| item.value()) {
                None => Ok(None),
                Some(Some(value)) if !value.is_null() => Ok(Some(value)),
                Some(_) => stored(kind, key),
            };
        }
        let Some(pod) = world.pods.get(key) else { return Ok(None) };
        Ok(match &pod.body {
            Body::Made(base) => Some(pod.object(base)),
            Body::Written(value) => Some(as_planned((**value).clone(), pod)),
            Body::Stored | Body::Read(_) => stored(kind, key)?.map(|value| as_planned(value, pod)),
        })
    };
    compare(tree, &Wanted::of_world(world), &mut read)
}

/// What [`super::sync_tree`] would do to the tree now.
///
/// # Errors
/// As [`compare_tree`].
pub fn compare_stored(tree: &Destination, store: &dyn Memory) -> Result<TreeReport, Diagnostic> {
    compare(tree, &Wanted::from_store(store)?, &mut reader(store)?)
}
