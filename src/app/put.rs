//! Objects into the world, and out of it again.

use super::options::Options;
use super::restart::with_restart;
use crate::kube::Object;
use crate::plan::Applied;
use crate::state::{Cascade, Change, Gone, World};

/// Puts objects into the world, in the order in which they are applied, and takes those
/// out that are gone.
pub(super) fn put_all(
    world: &mut World,
    mut written: Vec<Object>,
    gone: &Gone,
    options: &Options,
) -> Vec<Applied> {
    let mut objects = Vec::with_capacity(written.len() + gone.objects.len());
    written.sort_by(|a, b| (a.kind, &a.key).cmp(&(b.kind, &b.key)));
    for object in written {
        let (kind, key) = (object.kind, object.key.clone());
        let change = world.put(with_restart(object, world), options.now);
        objects.push(Applied { kind, key, change });
    }
    world.given.extend(gone.given.iter().cloned());
    for (kind, key) in &gone.objects {
        // What a delete command removed meanwhile is gone already.
        if world.delete(*kind, key, Cascade::default()) {
            objects.push(Applied { kind: *kind, key: key.clone(), change: Change::Pruned });
        }
    }
    objects
}
