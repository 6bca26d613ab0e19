//! Whole objects of a kind: as they were written, with their defaults, as they are kept.

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::defaults::{fill, made};
use super::kept::keep_value;
use super::kinds::Kind;
use super::meta::Written;
use super::names::{ObjectKey, Origin};
use super::shape::Shape;

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

/// Fills in the defaults of an object.
pub fn defaults(kind: Kind, value: &mut Value, namespace: &str) {
    let Some(object) = value.as_object_mut() else { return };
    if kind.is_other() {
        return;
    }
    if kind.namespaced()
        && let Some(meta) = made(object, "metadata")
        && meta.get("namespace").is_none_or(|it| it.is_null() || it == "")
    {
        meta.insert("namespace".to_owned(), namespace.into());
    }
    fill(kind.name(), object);
    (kind.info().defaults)(object);
}

/// An object as an API server keeps it.
#[must_use]
pub fn kept(kind: Kind, value: &Value) -> Value {
    let mut value = value.clone();
    if kind.is_other() {
        return value;
    }
    // Where it names no namespace, its key says which it is in.
    defaults(kind, &mut value, "");
    keep_value(&Shape::Object(kind.name()), &value)
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
