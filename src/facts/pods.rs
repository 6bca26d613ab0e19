//! Pods and revisions as facts.

use std::fmt::Write as _;
use std::sync::Arc;

use super::encoder::{Encoder, address};
use crate::datalog::Sym;
use crate::kube::{GENERATION_LABEL, HASH_LABEL, Kind, Labels, ObjectKey, Pod, Revision};
use crate::policy::relations;

impl Encoder {
    pub(super) fn pod(&mut self, pod: &Pod) {
        let meta = &pod.meta;
        let it = self.subject(Kind::Pod, &meta.key);
        let set = self.label_set(&meta.labels, Kind::Pod, &meta.key, it);
        self.row(relations::pod, &[it, set]);
        if let Some(owner) = &meta.controller {
            let uid = self.shared(&owner.uid);
            self.row(relations::pod_controller, &[it, uid]);
        }
        if meta.deleting.is_some() {
            self.row(relations::pod_deleting, &[it]);
        }
        if let Some(node) = pod.target() {
            let node = self.shared(node);
            self.row(relations::pod_target, &[it, node]);
        }
        if pod.node.is_none() {
            self.row(relations::pod_unbound, &[it]);
        }
        // Nearly all run, and need no row.
        if &*pod.phase != "Running" {
            let phase = self.text(&pod.phase);
            self.row(relations::pod_not_running, &[it, phase]);
        }
        if pod.ready {
            self.row(relations::pod_ready, &[it]);
            if let Some(time) = pod.ready_since {
                let time = self.symbols.number(time);
                self.row(relations::pod_ready_since, &[it, time]);
            }
        } else {
            self.row(relations::pod_unready, &[it]);
        }
        let created = self.symbols.number(meta.created);
        self.row(relations::pod_created, &[it, created]);
        self.pod_details(pod, it);
        self.scheduled_pod(pod, it);
        self.pod_network(pod, it);
        self.tolerant_pod(pod, it);
    }

    pub(super) fn revision(&mut self, revision: &Revision) {
        let meta = &revision.meta;
        let it = self.subject(Kind::ControllerRevision, &meta.key);
        let set = self.label_set(&meta.labels, Kind::ControllerRevision, &meta.key, it);
        self.row(relations::revision, &[it, set]);
        if let Some(owner) = &meta.controller {
            let uid = self.text(&owner.uid);
            self.row(relations::revision_controller, &[it, uid]);
        }
        if meta.deleting.is_some() {
            self.row(relations::revision_deleting, &[it]);
        }
        let template = self.text(&revision.template);
        self.row(relations::revision_template, &[it, template]);
        let number = self.symbols.number(revision.revision);
        self.row(relations::revision_number, &[it, number]);
        let hash = self.text(&revision.hash());
        self.row(relations::revision_hash, &[it, hash]);
        self.revision_fields(revision, it);
    }

    /// The label set of an object; the set's own rows are given with its first object.
    fn label_set(&mut self, labels: &Labels, kind: Kind, key: &ObjectKey, it: Sym) -> Sym {
        let namespace = &key.namespace;
        let grouped = self.groups_labels(kind, key);
        let address = (Arc::as_ptr(labels) as usize, address(namespace));
        if let Some((set, ..)) = self.sets.get(&address).filter(|_| grouped) {
            return *set;
        }
        let set = if grouped {
            let mut text = format!("{namespace}/");
            for (key, value) in labels.iter() {
                let _ = write!(text, "{key}={value},");
            }
            self.text(&text)
        } else {
            it
        };
        if grouped {
            // Keeping them alive keeps their addresses their own.
            self.sets.insert(address, (set, labels.clone(), namespace.clone()));
        }
        if self.first("label_set", set) {
            let namespace = self.text(namespace);
            self.row(relations::label_set, &[set, namespace]);
            for (key, value) in labels.iter() {
                let (key, value) = (self.key(key), self.value(value));
                self.row(relations::set_label, &[set, key, value]);
            }
            if let Some(hash) = labels.get(HASH_LABEL).filter(|hash| !hash.is_empty()) {
                let hash = self.text(hash);
                self.row(relations::set_hash, &[set, hash]);
            }
            if let Some(generation) = labels.get(GENERATION_LABEL) {
                let generation = self.text(generation);
                self.row(relations::set_generation, &[set, generation]);
            }
        }
        set
    }
}
