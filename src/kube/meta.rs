//! Objects as they were written, and what their metadata says.

use std::sync::Arc;

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::kept::kept;
use super::kind::Kind;
use super::names::{Labels, Name, ObjectKey, Origin};
use super::views::{labels_of, seconds};

/// One object as it was written: nothing added, nothing lost.
#[derive(Debug, Clone)]
pub struct Object {
    /// Its kind.
    pub kind: Kind,
    /// Its key; the namespace is already defaulted.
    pub key: ObjectKey,
    /// The whole object.
    pub value: Value,
    /// Where it was written.
    pub origin: Origin,
}

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

/// What every object's metadata says, as the API server keeps it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Meta {
    /// Namespace and name.
    pub key: ObjectKey,
    /// The uid: given with the manifest, or a UUIDv5 that the world gives.
    pub uid: Name,
    /// Grows with every write of any object.
    pub resource_version: u64,
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

impl Written {
    /// The fingerprints of a manifest.
    #[must_use]
    pub fn of(kind: Kind, value: &Value) -> Self {
        let mut kept = kept(kind, value);
        if let Some(meta) = kept.get_mut("metadata").and_then(Value::as_object_mut) {
            meta.remove("name");
            meta.remove("namespace");
        }
        Written { object: digest(&kept), spec: kept.get("spec").map_or(0, digest) }
    }
}

fn digest(value: &Value) -> u64 {
    let digest = Sha256::digest(value.to_string().as_bytes());
    digest.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}

impl Meta {
    /// Reads `metadata`; what the manifest does not say is empty or 0.
    #[must_use]
    pub fn from_value(key: ObjectKey, value: &Value) -> Self {
        let meta = &value["metadata"];
        let text = |name: &str| meta[name].as_str().unwrap_or("");
        let controller = meta["ownerReferences"]
            .as_array()
            .into_iter()
            .flatten()
            .find(|owner| owner["controller"] == true);
        Meta {
            key,
            uid: text("uid").into(),
            resource_version: 0,
            generation: meta["generation"].as_i64().unwrap_or(0),
            created: seconds(&meta["creationTimestamp"]).unwrap_or(0),
            deleting: seconds(&meta["deletionTimestamp"]),
            labels: Arc::new(labels_of(&meta["labels"])),
            controller: controller.map(|owner| {
                let text = |name: &str| Name::from(owner[name].as_str().unwrap_or(""));
                Arc::new(Owner { kind: text("kind"), name: text("name"), uid: text("uid") })
            }),
            written: Written::default(),
        }
    }
}
