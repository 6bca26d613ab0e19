//! A world's changes as writes to a target.

use super::object::Item;
use super::write::{Version, Write};
use crate::state::World;

/// What is dirty in a world as writes, each of which names the version that the store had
/// when the world was loaded: in key order, in batches of at most `most`.
pub fn batches(world: &World, most: usize) -> impl Iterator<Item = Vec<Write<'_>>> {
    let mut dirty = world.dirty.objects.iter().peekable();
    std::iter::from_fn(move || {
        dirty.peek()?;
        let mut batch = Vec::new();
        // An object is two writes where it was removed and made again.
        while batch.len() + 1 < most.max(2)
            && let Some(object) = dirty.next()
        {
            let (kind, key) = object;
            let removed = world.dirty.removed.get(object).copied().unwrap_or(0);
            if removed != 0 {
                batch.push(Write::Delete(*kind, key, Version::number(removed)));
            }
            if let Some(item) = Item::of(world, *kind, key) {
                batch.push(match item.meta().stored {
                    0 => Write::Create(item),
                    stored => Write::Replace(item, Version::number(stored)),
                });
            }
        }
        Some(batch)
    })
}
