//! Writing objects into the world, as an API server does for `kubectl apply`.
//!
//! The server gives what a manifest leaves out (uid, resourceVersion, generation,
//! creationTimestamp) and keeps what a manifest does not speak of (status, binding,
//! owner). Nothing here is random or reads a clock: a uid is a UUIDv5, times come in.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;
use uuid::Uuid;

use super::{Change, World};
use crate::kube::{
    Body, Compact, DaemonSet, Details, HASH_LABEL, Kind, Meta, Node, Object, ObjectKey, Plain, Pod, Revision,
    Uid, Written, seconds,
};

/// The UUID namespace of every uid that dsrules gives. It never changes.
const UID_NAMESPACE: Uuid = Uuid::from_u128(0x6473_7275_6c65_5f75_8d73_6e61_6d65_7370);

impl World {
    /// Creates or updates an object from its manifest.
    ///
    /// A manifest that says just what the last one said changes nothing, whatever has
    /// become of the object since. One with another uid is about another object of the
    /// same name, and replaces the one that is there.
    pub fn put(&mut self, object: Object, now: i64) -> Change {
        let written = Written::of(object.kind, &object.value);
        self.put_as(object, written, now)
    }

    /// Takes an object as a cluster has it: a pod there is one that no manifest wrote, and need
    /// not be told from what a manifest says.
    pub fn see(&mut self, object: Object, now: i64) {
        let written = match object.kind {
            Kind::Pod => Written::default(),
            kind => Written::of(kind, &object.value),
        };
        self.put_as(object, written, now);
    }

    /// Takes a pod as a cluster has it, of which a view was made already.
    pub fn see_pod(&mut self, mut pod: Pod) {
        let key = pod.meta.key.clone();
        if pod.meta.uid.is_empty() {
            pod.meta.uid = self.uid(Kind::Pod, &key);
        }
        pod.meta.resource_version = self.next_version();
        self.touch(Kind::Pod, &key);
        self.pods.insert(key, pod);
    }

    fn put_as(&mut self, object: Object, written: Written, now: i64) -> Change {
        let Object { kind, key, mut value, .. } = object;
        let mut old = self.meta(kind, &key).cloned();
        let change = if old.is_some() { Change::Configured } else { Change::Created };
        if old.as_ref().is_some_and(|old| old.written.object == written.object && written.object != 0) {
            return Change::Unchanged;
        }
        let given = value["metadata"]["uid"].as_str().unwrap_or("");
        if old.as_ref().is_some_and(|old| !given.is_empty() && old.uid != *given) {
            self.remove(kind, &key);
            old = None;
        }
        if kind == Kind::DaemonSet
            && let Some(old) = self.daemonsets.get(&key)
        {
            old.hand_on_generation(&mut value);
        }
        let mut meta = Meta::from_value(key.clone(), &value);
        meta.written = written;
        self.complete(kind, &mut meta, &value, old.as_ref(), now);
        self.touch(kind, &key);
        self.insert(kind, meta, Arc::new(value), now);
        change
    }

    /// Removes an object and says whether there was one. What is made under its name
    /// afterwards gets another uid.
    ///
    /// A pod that dsrules made is not counted: its name holds the attempt and does not
    /// come again. Neither is a revision that it made: its name stands for what it holds,
    /// and it counts with its daemonset. So what is kept does not grow with each update.
    pub fn remove(&mut self, kind: Kind, key: &ObjectKey) -> bool {
        let stored = self.meta(kind, key).map(|meta| meta.stored);
        let (found, counted) = match kind {
            Kind::Node => (self.nodes.remove(key).is_some(), true),
            Kind::DaemonSet => (self.daemonsets.remove(key).is_some(), true),
            Kind::ControllerRevision => {
                let revision = self.revisions.remove(key);
                (revision.is_some(), revision.is_some_and(|it| it.meta.written.object != 0))
            }
            Kind::Pod => {
                let pod = self.pods.remove(key);
                (pod.is_some(), pod.is_some_and(|pod| pod.meta.written.object != 0))
            }
            _ => (self.others.remove(&(kind, key.clone())).is_some(), true),
        };
        if !found {
            return false;
        }
        if counted {
            *self.incarnations.entry((kind, key.clone())).or_default() += 1;
            self.dirty.incarnations.insert((kind, key.clone()));
        }
        self.dirty.bodies.remove(&(kind, key.clone()));
        // That it went has a version too: who follows objects by their versions learns of each.
        self.next_version();
        // Where it was removed and made before, the store has what was removed first.
        self.dirty.removed.entry((kind, key.clone())).or_insert(stored.unwrap_or(0));
        self.touch(kind, key);
        true
    }

    /// The uid that an object of this kind and key gets if it is made now: a UUIDv5 of
    /// kind, namespace, name and how often it was made before.
    #[must_use]
    pub fn uid(&self, kind: Kind, key: &ObjectKey) -> Uid {
        Self::uid_of(kind, key, self.made(kind, key))
    }

    /// The uid of a revision that the daemonset `owner` makes.
    #[must_use]
    pub fn revision_uid(&self, key: &ObjectKey, owner: &ObjectKey) -> Uid {
        let made = self.made(Kind::ControllerRevision, key) + self.made(Kind::DaemonSet, owner);
        Self::uid_of(Kind::ControllerRevision, key, made)
    }

    fn made(&self, kind: Kind, key: &ObjectKey) -> u32 {
        self.incarnations.get(&(kind, key.clone())).copied().unwrap_or(0)
    }

    fn uid_of(kind: Kind, key: &ObjectKey, made: u32) -> Uid {
        let name = format!("{kind}/{}/{}/{made}", key.namespace, key.name);
        Uuid::new_v5(&UID_NAMESPACE, name.as_bytes()).into()
    }

    /// Fills in what the manifest does not say: from the object that is there, else as
    /// for a new one.
    fn complete(&mut self, kind: Kind, meta: &mut Meta, value: &Value, old: Option<&Meta>, now: i64) {
        let given = &value["metadata"];
        if meta.uid.is_empty() {
            meta.uid = old.map_or_else(|| self.uid(kind, &meta.key), |old| old.uid.clone());
        }
        meta.resource_version = self.next_version();
        if seconds(&given["creationTimestamp"]).is_none() {
            meta.created = old.map_or(now, |old| old.created);
        }
        if kind.info().counts_changes {
            let next = old.map_or(1, |old| {
                // An object that no manifest wrote has no fingerprint to compare with.
                let changed = old.written.spec != 0 && old.written.spec != meta.written.spec;
                old.generation + i64::from(changed)
            });
            meta.generation = if old.is_none() && meta.generation > 0 {
                meta.generation
            } else {
                meta.generation.max(next)
            };
        }
        let Some(old) = old else { return };
        meta.stored = old.stored;
        meta.deleting = meta.deleting.or(old.deleting);
        if given["ownerReferences"].is_null() {
            meta.controller = old.controller.clone();
        }
        if let Some(hash) = old.labels.get(HASH_LABEL)
            && !meta.labels.contains_key(HASH_LABEL)
        {
            let mut labels = BTreeMap::clone(&meta.labels);
            labels.insert(HASH_LABEL.into(), hash.clone());
            meta.labels = Arc::new(labels);
        }
    }

    /// The status in a manifest that was put before and is not in the store yet: the next
    /// manifest takes its place there.
    fn unsaved_status(&self, kind: Kind, key: &ObjectKey) -> Option<Value> {
        let before = match kind {
            Kind::Node => return self.dirty.bodies.get(&(kind, key.clone()))?.status(),
            Kind::Pod => self.pods.get(key).and_then(|pod| match &pod.body {
                Body::Written(value) | Body::Read(value) => Some(value),
                Body::Stored | Body::Made(_) => None,
            }),
            Kind::DaemonSet => self.daemonsets.get(key).map(|daemonset| &daemonset.value),
            Kind::ControllerRevision => None,
            _ => self.others.get(&(kind, key.clone())).map(|object| &object.value),
        };
        before?.get("status").filter(|status| !status.is_null()).cloned()
    }

    /// Puts the view of `value` in place; keeps a status that the manifest has not.
    fn insert(&mut self, kind: Kind, meta: Meta, mut value: Arc<Value>, now: i64) {
        let key = meta.key.clone();
        let speaks_of_status = !value["status"].is_null();
        if !speaks_of_status
            && let Some(status) = self.unsaved_status(kind, &key)
            && let Some(fields) = Arc::make_mut(&mut value).as_object_mut()
        {
            fields.insert("status".to_owned(), status);
        }
        match kind {
            Kind::Node => {
                let mut node = Node::from_value(key.clone(), &value);
                node.meta = meta;
                let old = self.nodes.get(&key);
                node.see_taints(old, now);
                let old = old.filter(|_| !speaks_of_status);
                if let Some(old) = old {
                    node.ready = old.ready.clone();
                    node.version = old.version.clone();
                    node.has_allocatable = old.has_allocatable;
                }
                if self.detailed || self.whole.nodes {
                    let old = old.and_then(|old| old.details.as_deref());
                    let details = Details::from_value(&value, old);
                    let details = if self.whole.nodes { details.with_whole(&value, old) } else { details };
                    node.details = Some(Arc::new(details));
                }
                self.dirty.bodies.insert((kind, key.clone()), Compact::from(&*value));
                self.nodes.insert(key, node);
            }
            Kind::DaemonSet => {
                let mut daemonset = DaemonSet::from_value(key.clone(), value);
                daemonset.meta = meta;
                if let Some(old) = self.daemonsets.get(&key).filter(|_| !speaks_of_status) {
                    daemonset.status = old.status.clone();
                }
                self.daemonsets.insert(key, daemonset);
            }
            Kind::ControllerRevision => {
                let mut revision = Revision::from_value(key.clone(), value);
                revision.meta = meta;
                self.revisions.insert(key, revision);
            }
            Kind::Pod => {
                let mut pod = Pod::from_value(key.clone(), value);
                pod.meta = meta;
                if let Some(old) = self.pods.get(&key) {
                    pod.node = pod.node.or_else(|| old.node.clone());
                    if !speaks_of_status {
                        pod.phase = old.phase.clone();
                        pod.ready = old.ready;
                        pod.ready_since = old.ready_since;
                    }
                }
                self.pods.insert(key, pod);
            }
            _ => {
                self.others.insert((kind, key), Plain { meta, value });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kube::{Origin, Owner};

    fn object(kind: Kind, name: &str, value: Value) -> Object {
        let namespace = if kind.namespaced() { "default" } else { "" };
        let origin = Origin { file: "a.yaml".into(), document: 0, path: String::new() };
        Object { kind, key: ObjectKey::new(namespace, name), value, origin }
    }

    fn daemonset(image: &str) -> Object {
        let spec = json!({ "template": { "spec": { "containers": [{ "image": image }] } } });
        object(Kind::DaemonSet, "a", json!({ "metadata": { "name": "a" }, "spec": spec }))
    }

    fn key() -> ObjectKey {
        ObjectKey::new("default", "a")
    }

    #[test]
    fn a_new_object_gets_what_a_server_gives() {
        let mut world = World::default();
        assert_eq!(world.put(daemonset("x:1"), 100), Change::Created);
        let meta = &world.daemonsets[&key()].meta;
        assert_eq!((meta.resource_version, meta.generation, meta.created), (1, 1, 100));
        assert_eq!(meta.uid.text().len(), 36);
        assert!(world.dirty.objects.contains(&(Kind::DaemonSet, key())));
    }

    #[test]
    fn what_the_manifest_gives_is_taken() {
        let mut world = World::default();
        let meta = json!({ "uid": "u-1", "generation": 7, "creationTimestamp": "1970-01-01T00:00:09Z",
            "deletionTimestamp": "1970-01-01T00:00:10Z", "resourceVersion": "99" });
        world.put(object(Kind::DaemonSet, "a", json!({ "metadata": meta, "spec": {} })), 100);
        let meta = &world.daemonsets[&key()].meta;
        assert_eq!(
            (&*meta.uid.text(), meta.generation, meta.created, meta.deleting),
            ("u-1", 7, 9, Some(10))
        );
        assert_eq!(meta.resource_version, 1);
    }

    #[test]
    fn the_same_manifest_changes_nothing() {
        let mut world = World::default();
        world.put(daemonset("x:1"), 100);
        world.dirty = crate::state::Dirty::default();
        assert_eq!(world.put(daemonset("x:1"), 200), Change::Unchanged);
        assert_eq!(world.resource_version, 1);
        assert!(world.dirty.objects.is_empty());
    }

    #[test]
    fn the_generation_grows_with_the_spec_only() {
        let mut world = World::default();
        world.put(daemonset("x:1"), 100);
        assert_eq!(world.put(daemonset("x:2"), 200), Change::Configured);
        let meta = &world.daemonsets[&key()].meta;
        assert_eq!((meta.generation, meta.created, meta.resource_version), (2, 100, 2));
        let mut labelled = daemonset("x:2");
        labelled.value["metadata"]["labels"] = json!({ "a": "b" });
        assert_eq!(world.put(labelled, 300), Change::Configured);
        assert_eq!(world.daemonsets[&key()].meta.generation, 2);
    }

    #[test]
    fn a_status_and_an_owner_stay_when_the_manifest_has_none() {
        let mut world = World::default();
        let pod = json!({ "metadata": { "name": "a" }, "spec": {} });
        world.put(object(Kind::Pod, "a", pod.clone()), 100);
        let owner = Arc::new(Owner { kind: "DaemonSet".into(), name: "d".into(), uid: "u".into() });
        if let Some(pod) = world.pods.get_mut(&key()) {
            pod.node = Some("n1".into());
            pod.phase = "Running".into();
            pod.meta.controller = Some(owner.clone());
            pod.meta.labels = Arc::new([(HASH_LABEL.into(), "h1".into())].into());
        }
        let mut changed = pod;
        changed["metadata"]["labels"] = json!({ "app": "a" });
        world.put(object(Kind::Pod, "a", changed), 200);
        let pod = &world.pods[&key()];
        assert_eq!((pod.node.as_deref(), &*pod.phase, pod.hash()), (Some("n1"), "Running", "h1"));
        assert_eq!(pod.meta.controller, Some(owner));
        assert_eq!(pod.meta.labels.get("app").map(|v| &**v), Some("a"));
    }

    #[test]
    fn a_node_keeps_its_ready_condition_and_has_no_generation() {
        let mut world = World::default();
        let ready = json!({ "conditions": [{ "type": "Ready", "status": "True" }],
            "nodeInfo": { "kubeletVersion": "v1.35.0" } });
        world.put(object(Kind::Node, "n", json!({ "metadata": {}, "status": ready })), 100);
        world.put(object(Kind::Node, "n", json!({ "metadata": {}, "spec": { "unschedulable": true } })), 100);
        let node = &world.nodes[&ObjectKey::new("", "n")];
        assert_eq!((&*node.ready, &*node.version, node.unschedulable), ("True", "v1.35.0", true));
        assert_eq!(node.meta.generation, 0);
        assert!(world.dirty.bodies.contains_key(&(Kind::Node, ObjectKey::new("", "n"))));
    }

    #[test]
    fn an_object_made_again_has_another_uid() {
        let mut world = World::default();
        world.put(daemonset("x:1"), 100);
        let first = world.daemonsets[&key()].meta.uid.clone();
        assert!(world.remove(Kind::DaemonSet, &key()));
        assert!(!world.remove(Kind::DaemonSet, &key()));
        assert!(world.dirty.objects.contains(&(Kind::DaemonSet, key())));
        assert_eq!(world.put(daemonset("x:1"), 200), Change::Created);
        assert_ne!(world.daemonsets[&key()].meta.uid, first);
        assert!(world.dirty.incarnations.contains(&(Kind::DaemonSet, key())));
    }

    #[test]
    fn a_manifest_with_another_uid_replaces_the_object() {
        let mut world = World::default();
        world.put(daemonset("x:1"), 100);
        let mut other = daemonset("x:1");
        other.value["metadata"]["uid"] = json!("u-2");
        assert_eq!(world.put(other, 200), Change::Configured);
        let meta = &world.daemonsets[&key()].meta;
        assert_eq!((&*meta.uid.text(), meta.created, meta.generation), ("u-2", 200, 1));
    }

    #[test]
    fn what_says_the_same_in_other_words_changes_nothing() {
        let mut world = World::default();
        world.put(daemonset("x:1"), 100);
        let mut other = daemonset("x:1");
        other.value["metadata"]["namespace"] = json!("default");
        other.value["metadata"]["creationTimestamp"] = json!(null);
        other.value["spec"]["revisionHistoryLimit"] = json!(10);
        other.value["spec"]["updateStrategy"] = json!({ "rollingUpdate": { "maxUnavailable": 1 } });
        other.value["spec"]["template"]["spec"]["dnsPolicy"] = json!("ClusterFirst");
        assert_eq!(world.put(other.clone(), 200), Change::Unchanged);
        other.value["spec"]["updateStrategy"]["rollingUpdate"]["maxUnavailable"] = json!(2);
        assert_eq!(world.put(other, 300), Change::Configured);
        assert_eq!(world.daemonsets[&key()].meta.generation, 2);
    }

    #[test]
    fn the_template_generation_grows_with_the_template_alone() {
        let with = |image: &str, generation: Option<&str>| {
            let mut it = daemonset(image);
            if let Some(generation) = generation {
                it.value["metadata"]["annotations"] = json!({ crate::kube::GENERATION: generation });
            }
            it
        };
        let mut world = World::default();
        let mut put = |object, now| {
            world.put(object, now);
            world.daemonsets[&key()].template_generation()
        };
        assert_eq!(put(with("x:1", None), 1), None);
        // As a cluster has it: what is known before changes nothing about it.
        assert_eq!(put(with("x:1", Some("3")), 2), Some(3));
        assert_eq!(put(with("x:2", Some("3")), 3), Some(4));
        let mut relabelled = with("x:2", Some("3"));
        relabelled.value["metadata"]["labels"] = json!({ "a": "b" });
        assert_eq!(put(relabelled, 4), Some(4));
        // A manifest that says nothing of it.
        assert_eq!(put(with("x:3", None), 5), Some(5));
        // Written out of a cluster where more has happened since.
        assert_eq!(put(with("x:3", Some("9")), 6), Some(9));
    }

    #[test]
    fn key_order_is_no_difference() {
        let one: Value = serde_json::from_str(r#"{"b":1,"a":{"d":1,"c":2}}"#).unwrap_or_default();
        let two: Value = serde_json::from_str(r#"{"a":{"c":2,"d":1},"b":1}"#).unwrap_or_default();
        assert!(one.is_object());
        assert_eq!(Written::of(Kind::Node, &one), Written::of(Kind::Node, &two));
    }
}
