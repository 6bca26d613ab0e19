//! What the metadata of an object says, and whose it is.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use serde_json::{Value, json};

use super::names::{Labels, Name, ObjectKey};
use super::uid::Uid;
use super::views::{labels_of, seconds};

/// The owner that controls an object (`ownerReferences` with `controller: true`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Owner {
    /// The owner's kind, as `DaemonSet` or `ReplicaSet`.
    pub kind: Name,
    /// The owner's name.
    pub name: Name,
    /// The owner's uid.
    pub uid: Name,
}

impl Owner {
    /// A daemonset of this name, which is the only owner that dsrules makes.
    #[must_use]
    pub fn daemonset(name: &Name, uid: &Uid) -> Self {
        Owner { kind: "DaemonSet".into(), name: name.clone(), uid: uid.name() }
    }

    /// The owner reference by which it controls an object.
    #[must_use]
    pub fn reference(&self) -> Value {
        json!({
            // Every other owner stands in the manifest of what it owns.
            "apiVersion": "apps/v1",
            "kind": &*self.kind,
            "name": &*self.name,
            "uid": &*self.uid,
            "controller": true,
            "blockOwnerDeletion": true,
        })
    }
}

/// The owner reference of the owner that controls an object, as the object says it.
#[must_use]
pub fn controlling(object: &Value) -> Option<&Value> {
    let owners = object["metadata"]["ownerReferences"].as_array();
    owners.into_iter().flatten().find(|owner| owner["controller"] == true)
}

/// What every object's metadata says, as the API server keeps it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Meta {
    /// Namespace and name.
    pub key: ObjectKey,
    /// The uid: given with the manifest, or a UUIDv5 that the world gives.
    pub uid: Uid,
    /// Grows with every write of any object.
    pub resource_version: u64,
    /// The `resource_version` that the store has of it, which the next write of it expects
    /// to find there; 0 where the store has none.
    pub stored: u64,
    /// What it has in common with others.
    pub common: Arc<Common>,
}

/// What many objects may say alike: all pods of one revision of a daemonset that were made at
/// once. It is read as if it stood in [`Meta`] itself, and becomes the object's own where it is
/// changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Common {
    /// Grows when the spec changes.
    pub generation: i64,
    /// Creation, in seconds of Unix time.
    pub created: i64,
    /// `deletionTimestamp`, in seconds of Unix time.
    pub deleting: Option<i64>,
    /// The labels.
    pub labels: Labels,
    /// The controlling owner.
    pub controller: Option<Arc<Owner>>,
    /// What the manifest said that wrote it last; empty where none did.
    pub written: Written,
}

/// Fingerprints of a manifest: tells whether it says something new without keeping it.
///
/// Each is the first half of a SHA-256 of the JSON with sorted keys, as an API server
/// would keep it, without the object's key; 0 stands for nothing written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Written {
    /// Of the whole object.
    pub object: u64,
    /// Of its `spec`.
    pub spec: u64,
}

impl Deref for Meta {
    type Target = Common;

    fn deref(&self) -> &Common {
        &self.common
    }
}

impl DerefMut for Meta {
    fn deref_mut(&mut self) -> &mut Common {
        Arc::make_mut(&mut self.common)
    }
}

impl Meta {
    /// Reads `metadata`; what the manifest does not say is empty or 0.
    #[must_use]
    pub fn from_value(key: ObjectKey, value: &Value) -> Self {
        let meta = &value["metadata"];
        let text = |name: &str| meta[name].as_str().unwrap_or("");
        Meta {
            key,
            uid: text("uid").into(),
            resource_version: 0,
            stored: 0,
            common: Arc::new(Common {
                generation: meta["generation"].as_i64().unwrap_or(0),
                created: seconds(&meta["creationTimestamp"]).unwrap_or(0),
                deleting: seconds(&meta["deletionTimestamp"]),
                labels: Arc::new(labels_of(&meta["labels"])),
                controller: controlling(value).map(|owner| {
                    let text = |name: &str| Name::from(owner[name].as_str().unwrap_or(""));
                    Arc::new(Owner { kind: text("kind"), name: text("name"), uid: text("uid") })
                }),
                written: Written::default(),
            }),
        }
    }
}
