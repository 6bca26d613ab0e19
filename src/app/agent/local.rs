//! What an agent knows of a store that many share: the pods of its node, the node itself, and what
//! its pods name. It is kept in a file of its own, so it goes on with that when the store is away.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use serde_json::Value;

use super::needs::{named, playable};
use super::seen::{Seen, wanted};
use super::works::Works;
use crate::app::shared::Entry;
use crate::diagnostic::{Diagnostic, Place};
use crate::kube::{Kind, Name, Object, ObjectKey, Origin};
use crate::state::World;
use crate::target::Memory;
use crate::target::etcd::wire::{self, Key};
use crate::target::runtime::Observed;
use crate::target::tree::{Destination, sync_tree};

/// A status that the store is to have: the pod's key in it, the revision that wrote it last, and
/// the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Report {
    pub key: String,
    pub modified: i64,
    pub value: Vec<u8>,
}

/// What is known.
pub(super) struct Local {
    node: Name,
    store: Box<dyn Memory>,
    world: World,
    /// The node's pods as the store has them, by their keys there; nothing before it was heard.
    entries: BTreeMap<String, Entry>,
    seen: Seen,
    /// Whether something that pods mount may be other than it was.
    renew: bool,
}

impl Local {
    /// What was known last.
    pub(super) fn new(node: Name, store: Box<dyn Memory>) -> Result<Self, Diagnostic> {
        store.keep_private()?;
        let world = store.load()?;
        Ok(Local { node, store, world, entries: BTreeMap::new(), seen: Seen::default(), renew: false })
    }

    /// The world.
    pub(super) fn world(&self) -> &World {
        &self.world
    }

    /// Takes in all pods of the node there are.
    pub(super) fn replace(&mut self, all: Vec<(String, Entry)>, now: i64) -> Vec<Diagnostic> {
        let there: BTreeSet<ObjectKey> = all.iter().filter_map(|(key, _)| pod_of(key)).collect();
        self.entries.clear();
        let here = self.world.pods.values().map(|pod| pod.meta.key.clone());
        let gone: Vec<ObjectKey> = here.filter(|key| !there.contains(key)).collect();
        for key in &gone {
            self.world.remove(Kind::Pod, key);
        }
        all.into_iter().filter_map(|(key, entry)| self.put(key, entry, now).err()).collect()
    }

    /// Takes in that a pod was written, or deleted.
    pub(super) fn hear(&mut self, key: String, entry: Option<Entry>, now: i64) -> Result<(), Diagnostic> {
        match entry {
            Some(entry) => self.put(key, entry, now),
            None => {
                self.entries.remove(&key);
                if let Some(pod) = pod_of(&key) {
                    self.world.remove(Kind::Pod, &pod);
                }
                Ok(())
            }
        }
    }

    fn put(&mut self, key: String, entry: Entry, now: i64) -> Result<(), Diagnostic> {
        let Some(pod) = pod_of(&key) else { return Ok(()) };
        let (value, _) = wire::decode(&entry.value).map_err(|why| damaged(&key, &why))?;
        let is_news = self.entries.get(&key).is_none_or(|before| before.value != entry.value);
        self.entries.insert(key, entry);
        let known = self.world.pods.get(&pod).map(|it| it.meta.uid.clone());
        let uid = value["metadata"]["uid"].as_str().unwrap_or("");
        // What it is itself that said the status is no news either.
        if !is_news || known.is_some_and(|known| known == *uid) && self.same_but_status(&pod, &value) {
            return Ok(());
        }
        self.world.remove(Kind::Pod, &pod);
        self.world.see(object(Kind::Pod, pod, value), now);
        Ok(())
    }

    /// Whether a pod is known as it is written, but for its status.
    fn same_but_status(&self, key: &ObjectKey, value: &Value) -> bool {
        let known = self.store.object(Kind::Pod, key).ok().flatten();
        known.is_some_and(|known| {
            let of = |it: &Value| {
                (
                    it["spec"].clone(),
                    it["metadata"]["labels"].clone(),
                    it["metadata"]["deletionTimestamp"].clone(),
                )
            };
            of(&known) == of(value)
        })
    }

    /// What the pods name, and the node itself.
    pub(super) fn needs(&self) -> BTreeSet<(Kind, ObjectKey)> {
        let mut all = BTreeSet::from([(Kind::Node, ObjectKey::new("", self.node.clone()))]);
        for key in wanted(&self.world, &self.node).keys() {
            let pod = self.store.object(Kind::Pod, key).ok().flatten();
            all.extend(pod.iter().flat_map(named));
        }
        all
    }

    /// Takes in what an object that pods name is, or that there is none.
    pub(super) fn need(&mut self, kind: Kind, key: &ObjectKey, value: Option<Value>, now: i64) {
        let before = self.store.object(kind, key).ok().flatten();
        let plain = |value: &Value| {
            let mut value = value.clone();
            value["metadata"].as_object_mut().map(|it| it.remove("resourceVersion"));
            value
        };
        if before.as_ref().map(plain) == value.as_ref().map(plain) {
            return;
        }
        self.renew = true;
        self.world.remove(kind, key);
        if let Some(value) = value {
            self.world.see(object(kind, key.clone(), value), now);
        }
    }

    /// Keeps what is known; says whether it is other than before.
    pub(super) fn save(&mut self) -> Result<bool, Diagnostic> {
        if self.world.dirty.objects.is_empty() {
            return Ok(false);
        }
        let Local { store, world, .. } = self;
        store.begin()?;
        let saved = store.save(world).and_then(|()| store.commit());
        if saved.is_err() {
            store.rollback();
        }
        saved.map(|()| true)
    }

    /// Makes the folder of Pod manifests what is known.
    pub(super) fn write_tree(&self, tree: &Destination) -> Result<(), Diagnostic> {
        sync_tree(tree, &*self.store).map(drop)
    }

    /// Takes in what runs.
    pub(super) fn observe(&mut self, pods: &[Observed], works: &Works, time: (i64, Instant)) {
        let Local { seen, world, node, store, .. } = self;
        seen.take_in(world, node, pods, works, &**store, time);
    }

    /// Has the runtime do what differs.
    pub(super) fn mend(&mut self, pods: &[Observed], works: &mut Works) -> Result<(), Diagnostic> {
        let marks = wanted(&self.world, &self.node);
        let store = &*self.store;
        let pod = |key: &ObjectKey| playable(store, key, marks.get(key).map_or("", |mark| mark));
        works.mend(std::mem::take(&mut self.renew), &marks, pods, pod)
    }

    /// The statuses that the store does not have as they are.
    pub(super) fn reports(&self) -> Vec<Report> {
        let report = |(key, entry): (&String, &Entry)| {
            let here = self.store.object(Kind::Pod, &pod_of(key)?).ok().flatten()?;
            let (mut value, written) = wire::decode(&entry.value).ok()?;
            if value["status"] == here["status"] || value["metadata"]["uid"] != here["metadata"]["uid"] {
                return None;
            }
            value["status"] = here["status"].clone();
            Some(Report { key: key.clone(), modified: entry.modified, value: wire::encode(value, written) })
        };
        self.entries.iter().filter_map(report).collect()
    }

    /// That a status was written by a revision.
    pub(super) fn reported(&mut self, report: Report, revision: i64) {
        if let Some(entry) = self.entries.get_mut(&report.key).filter(|it| it.modified < revision) {
            (entry.modified, entry.value) = (revision, report.value);
        }
    }
}

fn pod_of(key: &str) -> Option<ObjectKey> {
    match Key::parse(key) {
        Key::Object(Kind::Pod, pod) => Some(pod),
        _ => None,
    }
}

fn object(kind: Kind, key: ObjectKey, value: Value) -> Object {
    Object { kind, key, value, origin: Origin { file: "the store".into(), document: 0, path: String::new() } }
}

fn damaged(key: &str, why: &str) -> Diagnostic {
    Diagnostic::error("corrupt-store", format!("the value of the key `{key}` cannot be read"))
        .at(Place::file(key))
        .because(why)
        .help("the pod stays as it was known before; its controller writes it anew when the key is deleted")
}
