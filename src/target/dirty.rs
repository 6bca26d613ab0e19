//! A world's changes as writes to a target.

use super::object::Item;
use super::write::{Version, Write};
use crate::kube::{Kind, ObjectKey, Pod};
use crate::state::World;

/// Fewer dirty objects than there are pods divided by this are looked up one by one.
const FEW: usize = 8;

/// What is dirty in a world as writes, each of which names the version that the store had
/// when the world was loaded: in key order, in batches of at most `most`.
pub fn batches(world: &World, most: usize) -> impl Iterator<Item = Vec<Write<'_>>> {
    let mut dirty = dirty(world).peekable();
    std::iter::from_fn(move || {
        dirty.peek()?;
        let mut batch = Vec::new();
        // An object is two writes where it was removed and made again.
        while batch.len() + 1 < most.max(2)
            && let Some((kind, key, item)) = dirty.next()
        {
            let removed = if world.dirty.removed.is_empty() {
                None
            } else {
                world.dirty.removed.get(&(kind, key.clone())).filter(|version| **version != 0)
            };
            if let Some(removed) = removed {
                batch.push(Write::Delete(kind, key, Version::number(*removed)));
            }
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

/// How many objects are dirty, as [`batches`] has them but for those that were made again.
pub fn count(world: &World) -> usize {
    let made = world.pods.values().filter(|pod| world.dirty.made && pod.meta.stored == 0).count();
    world.dirty.objects.len().max(made)
}

/// A dirty object, and what the world has of it.
type Dirty<'w> = (Kind, &'w ObjectKey, Option<Item<'w>>);

/// All that is dirty, in key order.
fn dirty(world: &World) -> impl Iterator<Item = Dirty<'_>> {
    let objects = world.dirty.objects.iter();
    let others = |which: fn(Kind) -> bool| {
        let objects = objects.clone().filter(move |(kind, _)| which(*kind));
        objects.map(|(kind, key)| (*kind, key, Item::of(world, *kind, key)))
    };
    let pods = pods(world).map(|(key, pod)| (Kind::Pod, key, pod.map(Item::Pod)));
    others(|kind| kind < Kind::Pod).chain(pods).chain(others(|kind| kind > Kind::Pod))
}

/// The pods that are dirty: those that are named, and those that were made.
fn pods(world: &World) -> impl Iterator<Item = (&ObjectKey, Option<&Pod>)> {
    let named = world.dirty.objects.range((Kind::Pod, ObjectKey::default())..);
    let mut named = named.map_while(|(kind, key)| (*kind == Kind::Pod).then_some(key)).peekable();
    let is_many = world.dirty.made || world.dirty.objects.len() > world.pods.len() / FEW;
    // Mostly each is the next one, and there are millions.
    let mut all = is_many.then(|| world.pods.values().peekable());
    std::iter::from_fn(move || {
        let Some(all) = &mut all else { return named.next().map(|key| (key, world.pods.get(key))) };
        loop {
            let Some(pod) = all.next_if(|pod| named.peek().is_none_or(|key| pod.meta.key <= **key)) else {
                return named.next().map(|key| (key, None));
            };
            let is_named = named.next_if(|key| **key == pod.meta.key).is_some();
            if is_named || world.dirty.made && pod.meta.stored == 0 {
                return Some((&pod.meta.key, Some(pod)));
            }
        }
    })
}
