//! Deleting an object, as somebody asked for it: what may go because of it is remembered for
//! the rules, which say what does.

use super::cascade::Cascade;
use super::world::World;
use crate::kube::{Kind, Name, ObjectKey};

impl World {
    /// Removes an object, counts the attempt that a daemonset's pod was, and remembers
    /// what may go or be left without an owner because of it. Says whether there was one.
    pub fn delete(&mut self, kind: Kind, key: &ObjectKey, cascade: Cascade) -> bool {
        let uid = self.meta(kind, key).map(|meta| meta.uid.name());
        let place = if kind == Kind::Pod { self.place(key) } else { None };
        if !self.remove(kind, key) {
            return false;
        }
        match (kind, place, uid) {
            (Kind::Pod, Some(place), _) => {
                *self.attempts.entry(place.clone()).or_default() += 1;
                self.dirty.attempts.insert(place);
            }
            (Kind::DaemonSet, _, Some(uid)) => {
                self.deleted_owners.insert(uid, cascade);
            }
            (Kind::Namespace, ..) => {
                self.deleted_namespaces.insert(key.name.clone());
                self.empty(&key.name);
            }
            _ => {}
        }
        true
    }

    /// Takes the objects that no rule decides about along with their namespace, but for those
    /// that the input still has.
    fn empty(&mut self, namespace: &Name) {
        let others = self.others.keys().filter(|it| it.1.namespace == *namespace);
        let gone: Vec<_> = others.filter(|it| !self.given.contains(*it)).cloned().collect();
        for (kind, key) in gone {
            self.remove(kind, &key);
        }
    }

    /// Forgets what was deleted: what it concerned is dealt with.
    pub fn forget_deleted(&mut self) {
        self.deleted_owners.clear();
        self.deleted_namespaces.clear();
        self.given.clear();
    }

    /// Where a daemonset's pod is: the next one there is another attempt, with another name.
    #[must_use]
    pub fn place(&self, pod: &ObjectKey) -> Option<(ObjectKey, Name)> {
        Some((self.owner(pod)?, self.pods.get(pod)?.target()?.clone()))
    }

    /// The daemonset that controls a pod, if one does.
    #[must_use]
    pub fn owner(&self, pod: &ObjectKey) -> Option<ObjectKey> {
        let owner = self.pods.get(pod)?.meta.controller.as_ref()?;
        let is_ours = &*owner.kind == Kind::DaemonSet.name();
        is_ours.then(|| ObjectKey::new(pod.namespace.clone(), owner.name.clone()))
    }
}
