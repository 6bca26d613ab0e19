//! The world: every object there is, and which of them changed since the last save.
//!
//! A command loads a world from the store, changes it (objects from manifests, then
//! what passes of the plan do), and hands it back: the store writes just what is dirty.
//! The world gives what an API server gives (uid, resourceVersion, generation,
//! creationTimestamp) and nothing of it is random.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::pods::Pods;
use super::turns::Turns;
use super::{Cascade, Event, Part, Refusal};
use crate::kube::{Compact, DaemonSet, Kind, Meta, Name, Node, ObjectKey, Plain, Revision};

/// Every object, by key. `dirty` says what differs from the store.
#[derive(Debug, Clone, Default)]
pub struct World {
    /// Nodes.
    pub nodes: BTreeMap<ObjectKey, Node>,
    /// DaemonSets.
    pub daemonsets: BTreeMap<ObjectKey, DaemonSet>,
    /// ControllerRevisions.
    pub revisions: BTreeMap<ObjectKey, Revision>,
    /// Pods.
    pub pods: Pods,
    /// Objects of all other kinds, as manifests wrote them.
    pub others: BTreeMap<(Kind, ObjectKey), Plain>,
    /// The back-off for failed pods, by (daemonset uid, node).
    pub backoff: BTreeMap<(Name, Name), Backoff>,
    /// How many pods were deleted before of (daemonset, node): the attempt that goes
    /// into the next pod's name.
    pub attempts: FxHashMap<(ObjectKey, Name), u32>,
    /// How often an object of this kind and key was made before: goes into its uid.
    pub incarnations: BTreeMap<(Kind, ObjectKey), u32>,
    /// Uids of daemonsets that were deleted, each with what becomes of what it owned; known
    /// until that is done.
    pub deleted_owners: BTreeMap<Name, Cascade>,
    /// Namespaces that were deleted, until what was in them is gone.
    pub deleted_namespaces: BTreeSet<Name>,
    /// What the input that lost these namespaces still has in them.
    pub given: BTreeSet<(Kind, ObjectKey)>,
    /// Pods that the scheduler left pending, each with why.
    pub refused: BTreeMap<ObjectKey, Refusal>,
    /// Those that it refused since it bound one last: they are not asked again meanwhile.
    pub tried: BTreeSet<ObjectKey>,
    /// Whose turn it is in rollouts that nobody sees as a whole; not kept.
    pub turns: Option<Turns>,
    /// Daemonsets of a live cluster whose pods we replace, each with how many seconds a new pod
    /// has to become ready; not kept.
    pub driven: BTreeMap<ObjectKey, i64>,
    /// Pods that somebody asks to evict; not kept.
    pub asked_to_go: BTreeSet<ObjectKey>,
    /// Nodes whose agents are not heard of any longer; not kept.
    pub silent: BTreeSet<Name>,
    /// What of the store it has, where that is not all.
    pub part: Option<Arc<Part>>,
    /// The last resourceVersion that was given.
    pub resource_version: u64,
    /// What it was when the store was last read or written, which the next save expects to
    /// find there.
    pub stored: u64,
    /// Whether nodes keep their details, because some rule asks for them.
    pub detailed: bool,
    /// Of which kinds whole objects are kept, because some rule asks for them.
    pub whole: Whole,
    /// What differs from the store.
    pub dirty: Dirty,
    /// Objects made, changed or deleted since facts were last made of the world.
    pub changed: Changed,
}

/// The kinds whose objects a world keeps whole only where some rule asks for that.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Whole {
    /// Nodes, with all that they say.
    pub nodes: bool,
    /// Pods that a manifest wrote.
    pub pods: bool,
    /// Objects of kinds that are not managed.
    pub others: bool,
}

impl Whole {
    /// All of them.
    pub const ALL: Whole = Whole { nodes: true, pods: true, others: true };

    /// The kinds of either.
    #[must_use]
    pub fn or(self, other: Whole) -> Whole {
        Whole {
            nodes: self.nodes || other.nodes,
            pods: self.pods || other.pods,
            others: self.others || other.others,
        }
    }
}

/// From so many objects on it is not worth knowing which ones changed.
const MANY: usize = 1 << 16;

/// Which objects changed, or only that very many did.
#[derive(Debug, Clone, Default)]
pub struct Changed {
    objects: BTreeSet<(Kind, ObjectKey)>,
    many: bool,
}

impl Changed {
    /// Adds an object.
    pub fn insert(&mut self, kind: Kind, key: &ObjectKey) {
        if self.objects.len() >= MANY {
            *self = Changed { objects: BTreeSet::new(), many: true };
        }
        if !self.many {
            self.objects.insert((kind, key.clone()));
        }
    }

    /// The objects, where they are not too many to be known.
    #[must_use]
    pub fn objects(&self) -> Option<&BTreeSet<(Kind, ObjectKey)>> {
        (!self.many).then_some(&self.objects)
    }

    /// Forgets them.
    pub fn clear(&mut self) {
        *self = Changed::default();
    }
}

/// What a save must write. A key that is no longer in the world is a deletion.
#[derive(Debug, Clone, Default)]
pub struct Dirty {
    /// Objects made, changed or deleted.
    pub objects: BTreeSet<(Kind, ObjectKey)>,
    /// Whether pods that the store has no version of are to be written, named above or not: of
    /// millions that were made at once each would be named.
    pub made: bool,
    /// Objects that were removed, each with the version that the store has of it. One that
    /// is there all the same is another, made since: it takes nothing over from its row.
    pub removed: BTreeMap<(Kind, ObjectKey), u64>,
    /// Whole new manifests of nodes, which the world does not keep: key to object.
    pub bodies: BTreeMap<(Kind, ObjectKey), Compact>,
    /// Back-off entries made, changed or dropped.
    pub backoff: BTreeSet<(Name, Name)>,
    /// Attempt counters changed.
    pub attempts: BTreeSet<(ObjectKey, Name)>,
    /// Incarnation counters changed.
    pub incarnations: BTreeSet<(Kind, ObjectKey)>,
    /// Pods that are refused otherwise than before, or no longer.
    pub refused: BTreeSet<ObjectKey>,
    /// Events to be recorded, in order.
    pub events: Vec<Event>,
}

/// flowcontrol.Backoff's entry for one (daemonset, node).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// How long a failed pod is left alone, in seconds.
    pub seconds: i64,
    /// When the last one was deleted, in seconds of Unix time.
    pub since: i64,
}

impl World {
    /// The metadata of an object that the world keeps a view of.
    #[must_use]
    pub fn meta(&self, kind: Kind, key: &ObjectKey) -> Option<&Meta> {
        match kind {
            Kind::Node => self.nodes.get(key).map(|node| &node.meta),
            Kind::DaemonSet => self.daemonsets.get(key).map(|daemonset| &daemonset.meta),
            Kind::ControllerRevision => self.revisions.get(key).map(|revision| &revision.meta),
            Kind::Pod => self.pods.get(key).map(|pod| &pod.meta),
            _ => self.others.get(&(kind, key.clone())).map(|object| &object.meta),
        }
    }

    /// How many pods were made that the store has no version of, where those are to be written
    /// without being named.
    #[must_use]
    pub fn made_pods(&self) -> usize {
        let made = self.pods.values().filter(|pod| self.dirty.made && pod.meta.stored == 0);
        made.count()
    }

    /// The keys of all objects of a kind.
    #[must_use]
    pub fn keys(&self, kind: Kind) -> Vec<&ObjectKey> {
        match kind {
            Kind::Node => self.nodes.keys().collect(),
            Kind::DaemonSet => self.daemonsets.keys().collect(),
            Kind::ControllerRevision => self.revisions.keys().collect(),
            Kind::Pod => self.pods.keys().collect(),
            _ => self.others.keys().filter(|(of, _)| *of == kind).map(|(_, key)| key).collect(),
        }
    }

    /// The same, to be changed.
    pub fn meta_mut(&mut self, kind: Kind, key: &ObjectKey) -> Option<&mut Meta> {
        match kind {
            Kind::Node => self.nodes.get_mut(key).map(|node| &mut node.meta),
            Kind::DaemonSet => self.daemonsets.get_mut(key).map(|daemonset| &mut daemonset.meta),
            Kind::ControllerRevision => self.revisions.get_mut(key).map(|revision| &mut revision.meta),
            Kind::Pod => self.pods.get_mut(key).map(|pod| &mut pod.meta),
            _ => self.others.get_mut(&(kind, key.clone())).map(|object| &mut object.meta),
        }
    }

    /// Marks an object as made, changed or deleted.
    pub fn touch(&mut self, kind: Kind, key: &ObjectKey) {
        self.dirty.objects.insert((kind, key.clone()));
        self.changed.insert(kind, key);
    }

    /// Says of each taint of which nobody knows since when it is there, as in a store of before
    /// that was kept, that it was first seen now: a pod that goes too late is the lesser harm.
    pub fn see_taints(&mut self, now: i64) {
        let unseen = |node: &Node| node.taints.iter().any(|taint| taint.since.is_none());
        let mut seen = Vec::new();
        for (key, node) in self.nodes.iter_mut().filter(|(_, node)| unseen(node)) {
            node.see_taints(None, now);
            seen.push(key.clone());
        }
        seen.iter().for_each(|key| self.touch(Kind::Node, key));
    }

    /// The next resourceVersion.
    pub fn next_version(&mut self) -> u64 {
        self.resource_version += 1;
        self.resource_version
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_taint_of_an_old_store_is_first_seen_now() {
        let key = ObjectKey::new("", "n1");
        let taint = |since: Value| json!({ "key": "a", "effect": "NoExecute", "timeAdded": since });
        let node =
            json!({ "spec": { "taints": [taint(Value::Null), taint("1970-01-01T00:00:07Z".into())] } });
        let mut world = World::default();
        world.nodes.insert(key.clone(), Node::from_value(key.clone(), &node));
        world.see_taints(60);
        let since =
            |world: &World| world.nodes[&key].taints.iter().map(|taint| taint.since).collect::<Vec<_>>();
        assert_eq!(since(&world), [Some(60), Some(7)]);
        assert!(world.dirty.objects.contains(&(Kind::Node, key.clone())), "the next command knows it");
        world.see_taints(90);
        assert_eq!(since(&world), [Some(60), Some(7)]);
    }

    #[test]
    fn of_very_many_changes_only_that_is_known() {
        let mut changed = Changed::default();
        let insert = |changed: &mut Changed, nth: usize| {
            changed.insert(Kind::Pod, &ObjectKey::new("default", format!("pod-{nth}")));
        };
        (0..MANY).for_each(|nth| insert(&mut changed, nth));
        assert_eq!(changed.objects().map(BTreeSet::len), Some(MANY));
        insert(&mut changed, MANY);
        insert(&mut changed, 0);
        assert_eq!(changed.objects(), None);
        changed.clear();
        assert_eq!(changed.objects().map(BTreeSet::len), Some(0));
    }
}
