//! A world's changes as writes to a target.

use std::collections::btree_map::Range;
use std::iter::Peekable;
use std::ops::Bound::{Included, Unbounded};

use super::object::Item;
use super::write::{Version, Write};
use crate::kube::{Kind, ObjectKey, Pod};
use crate::state::World;

/// What is dirty in a world as writes, each of which names the version that the store had
/// when the world was loaded: in key order, in batches of at most `most`.
pub fn batches(world: &World, most: usize) -> impl Iterator<Item = Vec<Write<'_>>> {
    let mut dirty = world.dirty.objects.iter().peekable();
    let mut pods = Pods { world, next: world.pods.range::<ObjectKey, _>(..).peekable() };
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
            let item = match kind {
                Kind::Pod => pods.find(key).map(Item::Pod),
                _ => Item::of(world, *kind, key),
            };
            if let Some(item) = item {
                batch.push(match item.meta().stored {
                    0 => Write::Create(item),
                    stored => Write::Replace(item, Version::number(stored)),
                });
            }
        }
        Some(batch)
    })
}

/// Pods that are asked for in key order: mostly each is the next one, and there are millions.
struct Pods<'w> {
    world: &'w World,
    next: Peekable<Range<'w, ObjectKey, Pod>>,
}

impl<'w> Pods<'w> {
    fn find(&mut self, key: &ObjectKey) -> Option<&'w Pod> {
        if self.next.peek().is_none_or(|(next, _)| *next != key) {
            self.next = self.world.pods.range::<ObjectKey, _>((Included(key), Unbounded)).peekable();
        }
        self.next.next_if(|(next, _)| *next == key).map(|(_, pod)| pod)
    }
}
