//! What is seen of a cluster: its objects as a world, and of each pod which version that is.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::app::load::{wants_details, wants_whole};
use crate::datalog::Program;
use crate::kube::{Amount, Kind, Name, Object, ObjectKey, Origin};
use crate::state::{Dirty, World};

/// How a daemonset is rolled out.
#[derive(Debug, Clone)]
pub struct Drive {
    /// The daemonset.
    pub daemonset: ObjectKey,
    /// How many nodes may be without an available pod, in place of what the daemonset says.
    pub max_unavailable: Option<Amount>,
    /// How many seconds a new pod has to become ready.
    pub deadline: i64,
}

/// The objects of a cluster, as they were heard of last.
#[derive(Debug)]
pub struct Seen {
    /// As the rules are asked of them.
    pub(super) world: World,
    /// The uid and resourceVersion of each pod, as the cluster has them.
    versions: BTreeMap<ObjectKey, (Name, Name)>,
    pub(super) drive: Drive,
}

impl Seen {
    /// Nothing yet.
    #[must_use]
    pub fn new(program: &Program, drive: Drive) -> Self {
        let mut world = World { detailed: wants_details(program), ..World::default() };
        world.whole = wants_whole(program);
        world.driven.insert(drive.daemonset.clone(), drive.deadline);
        Seen { world, versions: BTreeMap::new(), drive }
    }

    /// Takes in all objects of a kind, as a list has them; what is not in it is gone.
    pub fn replace(&mut self, kind: Kind, objects: Vec<Value>, now: i64) {
        let there: std::collections::BTreeSet<ObjectKey> = objects.iter().map(key).collect();
        let gone: Vec<ObjectKey> =
            self.world.keys(kind).into_iter().filter(|it| !there.contains(*it)).cloned().collect();
        gone.iter().for_each(|key| self.remove(kind, key));
        objects.into_iter().for_each(|it| self.put(kind, it, now));
    }

    /// Takes in an object that was made or changed.
    pub fn put(&mut self, kind: Kind, value: Value, now: i64) {
        let key = key(&value);
        if kind == Kind::Pod {
            let text = |field: &str| value["metadata"][field].as_str().unwrap_or("").into();
            self.versions.insert(key.clone(), (text("uid"), text("resourceVersion")));
        }
        // What the cluster says of it is all there is: nothing of what it was before stays.
        self.world.remove(kind, &key);
        let origin = Origin { file: "the cluster".into(), document: 0, path: String::new() };
        self.world.put(Object { kind, key: key.clone(), value, origin }, now);
        if kind == Kind::DaemonSet && key == self.drive.daemonset {
            self.bound(&key);
        }
        self.settle();
    }

    /// Takes in that an object is gone.
    pub fn remove(&mut self, kind: Kind, key: &ObjectKey) {
        if kind == Kind::Pod {
            self.versions.remove(key);
        }
        self.world.remove(kind, key);
        self.settle();
    }

    /// Takes in that this object is gone, and not one that was made since under its name.
    pub fn gone(&mut self, kind: Kind, value: &Value) {
        let key = key(value);
        let uid = value["metadata"]["uid"].as_str().unwrap_or("");
        if self.world.meta(kind, &key).is_some_and(|meta| meta.uid == *uid) {
            self.remove(kind, &key);
        }
    }

    /// The uid and the resourceVersion of a pod, if it is there.
    #[must_use]
    pub fn version(&self, pod: &ObjectKey) -> Option<(&Name, &Name)> {
        self.versions.get(pod).map(|(uid, version)| (uid, version))
    }

    /// Whether a pod of this uid is there and nobody has deleted it.
    #[must_use]
    pub fn lives(&self, pod: &ObjectKey, uid: &str) -> bool {
        let is_it = self.versions.get(pod).is_some_and(|(it, _)| **it == *uid);
        is_it && self.world.pods.get(pod).is_some_and(|it| it.meta.deleting.is_none())
    }

    /// The uid of the daemonset, if it is there.
    #[must_use]
    pub fn daemonset(&self) -> Option<String> {
        self.world.daemonsets.get(&self.drive.daemonset).map(|it| it.meta.uid.text().to_string())
    }

    /// The world that is seen.
    #[must_use]
    pub fn world(&self) -> &World {
        &self.world
    }

    /// The bounds that hold here: a second pod beside the first is not ours to make.
    fn bound(&mut self, key: &ObjectKey) {
        let Some(daemonset) = self.world.daemonsets.get_mut(key) else { return };
        daemonset.strategy.max_surge = Amount::Number(0);
        if let Some(bound) = self.drive.max_unavailable {
            daemonset.strategy.max_unavailable = bound;
        }
    }

    /// Nothing of this is saved.
    fn settle(&mut self) {
        self.world.dirty = Dirty::default();
        self.world.incarnations.clear();
    }
}

fn key(value: &Value) -> ObjectKey {
    let text = |field: &str| value["metadata"][field].as_str().unwrap_or("");
    ObjectKey::new(text("namespace"), text("name"))
}
