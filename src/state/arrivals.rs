//! Pods that are made by the hundred thousand, on their way into the world.
//!
//! One by one, each would be looked for among all that are there, in the order of names that
//! end in a hash. Many at once are put in order first.

use std::hash::BuildHasher;

use rustc_hash::{FxBuildHasher, FxHashSet};

use super::World;
use crate::kube::{Kind, ObjectKey, Pod};

/// Fewer wait until there is no more to come.
const MANY: usize = 1 << 16;
/// Nor are they let in before they are the pods that are there divided by this.
const FEW: usize = 8;

/// Pods that are not in the world yet.
#[derive(Debug, Default)]
pub struct Arrivals {
    pods: Vec<Pod>,
    /// Hashes of their keys.
    hashes: FxHashSet<u64>,
}

impl Arrivals {
    /// Adds a pod, whose key no other has. Those that wait are let in, if they are many
    /// beside those that are there.
    pub fn push(&mut self, world: &mut World, pod: Pod) {
        self.hashes.insert(hash(&pod.meta.key));
        self.pods.push(pod);
        if self.pods.len() >= MANY.max(world.pods.len() / FEW) {
            self.settle(world);
        }
    }

    /// Whether there is a pod of this key, here or in the world.
    pub fn has(&mut self, world: &mut World, key: &ObjectKey) -> bool {
        if self.hashes.contains(&hash(key)) {
            // Keys are seldom equal, and it is known in the world.
            self.settle(world);
        }
        world.pods.contains_key(key)
    }

    /// Lets all into the world, as changed.
    pub fn settle(&mut self, world: &mut World) {
        let Arrivals { pods, .. } = std::mem::take(self);
        pods.iter().for_each(|pod| world.changed.insert(Kind::Pod, &pod.meta.key));
        if pods.len() < MANY {
            for pod in pods {
                let key = pod.meta.key.clone();
                world.dirty.objects.insert((Kind::Pod, key.clone()));
                world.pods.insert(key, pod);
            }
            return;
        }
        world.dirty.made = true;
        world.pods.add(pods);
    }
}

fn hash(key: &ObjectKey) -> u64 {
    FxBuildHasher.hash_one(key)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;

    fn pod(name: usize) -> Pod {
        // Spread, so that they do not arrive in order.
        let name = format!("p-{}", name.wrapping_mul(0x9E37_79B9) % 1_000_003);
        Pod::from_value(ObjectKey::new("default", name), Arc::new(json!({})))
    }

    #[test]
    fn pods_arrive_however_many_there_are() {
        let (mut world, mut arrivals) = (World::default(), Arrivals::default());
        for count in [10, 3, 0, 70_000, 100, 90_000] {
            let known = world.pods.len();
            for nth in known..known + count {
                assert!(!arrivals.has(&mut world, &pod(nth).meta.key));
                arrivals.push(&mut world, pod(nth));
            }
            if count > 0 {
                assert!(arrivals.has(&mut world, &pod(known + count - 1).meta.key));
            }
            arrivals.settle(&mut world);
            assert_eq!(world.pods.len(), known + count);
            assert!(world.pods.iter().all(|(key, pod)| *key == pod.meta.key));
            let is_dirty = |pod: &Pod| {
                world.dirty.made || world.dirty.objects.contains(&(Kind::Pod, pod.meta.key.clone()))
            };
            assert!(world.pods.values().all(is_dirty));
        }
        assert_eq!(world.changed.objects(), None);
    }
}
