//! Objects into the world, and out of it again with what belongs to them.

use super::options::{Cascade, Options};
use super::restart::with_restart;
use crate::kube::{Kind, Name, Object, ObjectKey};
use crate::plan::Applied;
use crate::state::{Change, World};

/// Puts objects into the world, in the order in which they are applied, and takes those
/// out that are gone.
pub(super) fn put_all(
    world: &mut World,
    mut written: Vec<Object>,
    gone: &[(Kind, ObjectKey)],
    options: &Options,
) -> Vec<Applied> {
    let mut objects = Vec::with_capacity(written.len() + gone.len());
    written.sort_by(|a, b| (a.kind, &a.key).cmp(&(b.kind, &b.key)));
    for object in written {
        let (kind, key) = (object.kind, object.key.clone());
        let change = world.put(with_restart(object, world), options.now);
        objects.push(Applied { kind, key, change });
    }
    for (kind, key) in gone {
        // What a delete command removed meanwhile is gone already.
        if remove(world, *kind, key, Cascade::Background) {
            objects.push(Applied { kind: *kind, key: key.clone(), change: Change::Pruned });
        }
    }
    objects
}

/// Removes an object from the world and does to what it owns as `cascade` says.
pub(super) fn remove(world: &mut World, kind: Kind, key: &ObjectKey, cascade: Cascade) -> bool {
    let uid = world.meta(kind, key).map(|meta| meta.uid.clone());
    let place = (kind == Kind::Pod).then(|| place(world, key)).flatten();
    if !world.remove(kind, key) {
        return false;
    }
    if let Some(place) = place {
        *world.attempts.entry(place.clone()).or_default() += 1;
        world.dirty.attempts.insert(place);
    }
    if let (Kind::DaemonSet, Some(uid)) = (kind, uid) {
        match cascade {
            Cascade::Orphan => world.orphan(&uid),
            Cascade::Background | Cascade::Foreground => {
                world.deleted_owners.insert(uid);
            }
        }
    }
    true
}

/// Where a daemonset's pod is: the next one there is another attempt, with another name.
pub(super) fn place(world: &World, pod: &ObjectKey) -> Option<(ObjectKey, Name)> {
    let pod = world.pods.get(pod)?;
    let owner = pod.meta.controller.as_ref().filter(|owner| &*owner.kind == Kind::DaemonSet.name())?;
    Some((ObjectKey::new(pod.meta.key.namespace.clone(), owner.name.clone()), pod.target()?.clone()))
}
