//! What is known of a store: its keys as they were heard of, and the world that they say.
//!
//! Keys come in the order in which they were written. What a member wrote itself it knows at
//! once; when it hears of that later, that is no news.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use super::members::Members;
use super::op::Op;
use crate::app::shared::Entry;
use crate::diagnostic::{Diagnostic, Place};
use crate::kube::{Body, Kind, Name, Object, ObjectKey, Origin, Pod, Written};
use crate::state::{Cascade, Dirty, Whole, World};
use crate::target::etcd::wire::{self, Key};

/// All of it.
#[derive(Debug, Default)]
pub struct Known {
    entries: BTreeMap<String, Entry>,
    /// Keys that were deleted here, and by which revision: what is heard of them from before
    /// is no news.
    gone: BTreeMap<String, i64>,
    /// The key of each pod: it says the node too.
    pods: BTreeMap<ObjectKey, String>,
    pub(super) world: World,
    pub(super) members: Members,
    agents: BTreeSet<Name>,
    beats: BTreeSet<Name>,
    /// For whom is waited.
    pauses: BTreeSet<Name>,
    /// Values that could not be read.
    faults: BTreeMap<String, Diagnostic>,
}

impl Known {
    /// Nothing yet; `whole` are the kinds of which rules ask for whole objects.
    #[must_use]
    pub fn new(whole: Whole, detailed: bool) -> Self {
        // Of a node all is kept, as all of it is written again when a taint comes.
        let whole = Whole { nodes: true, ..whole };
        Known { world: World { whole, detailed, ..World::default() }, ..Known::default() }
    }

    /// The world.
    #[must_use]
    pub fn world(&self) -> &World {
        &self.world
    }

    /// The members.
    #[must_use]
    pub fn members(&self) -> &Members {
        &self.members
    }

    /// The value that a key has.
    #[must_use]
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries.get(key)
    }

    /// What could not be read.
    pub fn faults(&self) -> impl Iterator<Item = &Diagnostic> {
        self.faults.values()
    }

    /// Takes in all keys there are; of others nothing is there any longer.
    pub fn replace(&mut self, all: Vec<(String, Entry)>, revision: i64, now: i64) {
        let there: BTreeSet<&str> = all.iter().map(|(key, _)| &**key).collect();
        let lost: Vec<String> = self.entries.keys().filter(|key| !there.contains(&***key)).cloned().collect();
        lost.into_iter().for_each(|key| self.hear(&key, None, revision, now));
        all.into_iter().for_each(|(key, entry)| {
            let modified = entry.modified;
            self.hear(&key, Some(entry), modified, now);
        });
    }

    /// Forgets everything: what comes is another store, or an older state of it.
    pub fn forget(&mut self) {
        let World { whole, detailed, .. } = self.world;
        let world = World { whole, detailed, ..World::default() };
        *self = Known { world, ..Known::default() };
    }

    /// Takes in that a key was written, or deleted, by a revision.
    pub fn hear(&mut self, key: &str, entry: Option<Entry>, revision: i64, now: i64) {
        let is_old = self.entries.get(key).is_some_and(|it| it.modified >= revision)
            || self.gone.get(key).is_some_and(|gone| *gone >= revision);
        if is_old {
            return;
        }
        self.gone.remove(key);
        // What commands know beside the objects is not for controllers.
        if matches!(Key::parse(key), Key::Row(_)) {
            return;
        }
        match entry {
            Some(entry) => drop(self.entries.insert(key.to_owned(), entry)),
            None => drop(self.entries.remove(key)),
        }
        self.take_in(key, now);
    }

    /// Takes in that these writes were done by a revision. The world says so already.
    pub(super) fn wrote(&mut self, ops: Vec<Op>, revision: i64) {
        for Op { key, value, .. } in ops {
            // What came after was heard of first.
            if self.entries.get(&key).is_some_and(|it| it.modified > revision) {
                continue;
            }
            let object = Key::parse(&key);
            if let Key::Object(Kind::Pod, pod) = &object {
                self.place(pod, &key, value.is_some());
            }
            if let Key::Object(kind, object) = object
                && let Some(meta) = self.world.meta_mut(kind, &object)
            {
                meta.stored = u64::try_from(revision).unwrap_or(0);
            }
            match value {
                Some(value) => {
                    let created = self.entries.get(&key).map_or(revision, |it| it.created);
                    self.entries.insert(key, Entry { created, modified: revision, value });
                }
                None => {
                    self.entries.remove(&key);
                    self.gone.insert(key, revision);
                }
            }
        }
    }

    /// Makes the world what the store says, whatever was planned.
    pub(super) fn rebuild(&mut self, now: i64) {
        let World { whole, detailed, .. } = self.world;
        self.world = World { whole, detailed, ..World::default() };
        let keys: Vec<String> = self.entries.keys().cloned().collect();
        keys.iter().for_each(|key| self.take_in(key, now));
    }

    fn place(&mut self, pod: &ObjectKey, key: &str, is_there: bool) {
        if is_there {
            self.pods.insert(pod.clone(), key.to_owned());
        } else if self.pods.get(pod).is_some_and(|it| it == key) {
            self.pods.remove(pod);
        }
    }

    /// The key of an object.
    pub(super) fn key_of(&self, kind: Kind, key: &ObjectKey) -> Option<String> {
        if kind == Kind::Pod { self.pods.get(key).cloned() } else { Some(wire::object(kind, key)) }
    }

    /// Forgets what was deleted here before a revision of which was heard: nothing older comes.
    pub fn passed(&mut self, revision: i64) {
        self.gone.retain(|_, gone| *gone > revision);
    }

    /// Makes the world say what the store says of a key, whatever was planned.
    pub(super) fn take_in(&mut self, key: &str, now: i64) {
        let entry = self.entries.get(key);
        match Key::parse(key) {
            Key::Object(kind, object) => {
                let read = entry.map(|it| wire::decode(&it.value).map(|value| (value, it.modified)));
                match read.transpose() {
                    Ok(found) => {
                        self.faults.remove(key);
                        if kind == Kind::Pod {
                            self.place(&object, key, found.is_some());
                        }
                        self.put(kind, &object, found, now);
                    }
                    // What cannot be read is not gone: the object stays as it was.
                    Err(error) => drop(self.faults.insert(key.to_owned(), damaged(key, &error))),
                }
                self.world.dirty = Dirty::default();
                self.world.incarnations.clear();
            }
            Key::Member(id) => match entry {
                Some(entry) => self.members.came(id, entry.created),
                None => self.members.went(&id),
            },
            Key::Term => self.members.begins(entry.map_or(0, |it| it.modified)),
            Key::Pause(id) => note(&mut self.pauses, id, entry.is_some()),
            Key::Beat(node) => note(&mut self.beats, node, entry.is_some()),
            Key::Agent(node) => note(&mut self.agents, node, entry.is_some()),
            Key::Attempts(daemonset, node) => {
                let count = entry.and_then(|it| std::str::from_utf8(&it.value).ok()?.parse().ok());
                match count {
                    Some(count) => drop(self.world.attempts.insert((daemonset, node), count)),
                    None => drop(self.world.attempts.remove(&(daemonset, node))),
                }
            }
            Key::Row(_) | Key::Other => {}
        }
    }

    fn put(&mut self, kind: Kind, key: &ObjectKey, found: Option<((Value, Written), i64)>, now: i64) {
        let world = &mut self.world;
        let Some(((value, written), modified)) = found else {
            if kind == Kind::DaemonSet
                && let Some(uid) = world.daemonsets.get(key).map(|it| it.meta.uid.name())
            {
                world.deleted_owners.insert(uid, Cascade::default());
            }
            world.remove(kind, key);
            return;
        };
        if kind == Kind::Pod {
            let mut pod = Pod::from_value(key.clone(), Arc::new(value));
            if !world.whole.pods {
                pod.body = Body::Stored;
            }
            world.see_pod(pod);
        } else {
            let uid = value["metadata"]["uid"].as_str().unwrap_or("");
            if kind == Kind::DaemonSet
                && let Some(before) = world.daemonsets.get(key).map(|it| it.meta.uid.name())
                && *before != *uid
            {
                world.deleted_owners.insert(before, Cascade::default());
            }
            let origin = Origin { file: "the store".into(), document: 0, path: String::new() };
            // What the store says of it is all there is: nothing of what it was before stays.
            world.remove(kind, key);
            world.see(Object { kind, key: key.clone(), value, origin }, now);
        }
        if let Some(meta) = world.meta_mut(kind, key) {
            meta.stored = u64::try_from(modified).unwrap_or(0);
            if meta.written != written {
                meta.written = written;
            }
        }
    }

    /// Whether somebody else writes, for whom is waited.
    #[must_use]
    pub fn waits(&self) -> bool {
        !self.pauses.is_empty()
    }

    /// Says in the world which nodes' agents are not heard of.
    pub(super) fn settle(&mut self) {
        self.world.silent = self.agents.difference(&self.beats).cloned().collect();
    }

    /// Takes the owners that are gone for deleted: whoever saw them go may not have been done with
    /// what they left.
    pub(super) fn find_orphans(&mut self) {
        let world = &mut self.world;
        let uids: BTreeSet<Name> = world.daemonsets.values().map(|it| it.meta.uid.name()).collect();
        let pods = world.pods.values().filter_map(|pod| pod.meta.controller.as_ref());
        let revisions = world.revisions.values().filter_map(|it| it.meta.controller.as_ref());
        let ours = pods.chain(revisions).filter(|owner| &*owner.kind == Kind::DaemonSet.name());
        let gone: BTreeSet<Name> = ours.map(|it| it.uid.clone()).filter(|uid| !uids.contains(uid)).collect();
        world.deleted_owners.extend(gone.into_iter().map(|uid| (uid, Cascade::default())));
    }

    /// A pod as the store has it, to be written again with what has changed of it.
    pub(super) fn whole_pod(&self, pod: &Pod) -> Option<Value> {
        if !matches!(pod.body, Body::Stored) {
            return pod.whole();
        }
        let entry = self.entries.get(self.pods.get(&pod.meta.key)?)?;
        let mut pod = pod.clone();
        pod.body = Body::Written(Arc::new(wire::decode(&entry.value).ok()?.0));
        pod.whole()
    }
}

/// Puts a name into a set, or takes it out.
fn note(set: &mut BTreeSet<Name>, name: Name, is_there: bool) {
    if is_there {
        set.insert(name);
    } else {
        set.remove(&name);
    }
}

fn damaged(key: &str, error: &str) -> Diagnostic {
    Diagnostic::error("corrupt-store", format!("the value of the key `{key}` cannot be read"))
        .at(Place::file(key))
        .because(error)
        .help("it stays as it was known before; once the key is deleted with etcdctl, a controller writes it anew from its folder")
}
