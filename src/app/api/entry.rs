//! An object as it is served: its text, with what lists and watches are asked for beside it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use crate::kube::{Labels, Name, labels_of};

/// An object that is served.
#[derive(Debug)]
pub struct Entry {
    /// Its resourceVersion.
    pub version: u64,
    /// Its uid.
    pub uid: Name,
    /// Its labels.
    pub labels: Labels,
    /// Its node, where it has one.
    pub node: Name,
    /// Its phase, where it has one.
    pub phase: Name,
    /// The whole object, as JSON.
    pub text: Box<str>,
}

impl Entry {
    /// The entry of an object.
    #[must_use]
    pub fn of(object: &Value) -> Self {
        let text = |value: &Value| Name::from(value.as_str().unwrap_or(""));
        let labels: BTreeMap<Name, Name> = labels_of(&object["metadata"]["labels"]);
        Entry {
            version: object["metadata"]["resourceVersion"]
                .as_str()
                .and_then(|it| it.parse().ok())
                .unwrap_or(0),
            uid: text(&object["metadata"]["uid"]),
            labels: Arc::new(labels),
            node: text(&object["spec"]["nodeName"]),
            phase: text(&object["status"]["phase"]),
            text: object.to_string().into_boxed_str(),
        }
    }

    /// The bytes that it takes, roughly: what stands beside its text is of the text.
    #[must_use]
    pub fn size(&self) -> usize {
        size_of::<Self>() + 2 * self.text.len()
    }

    /// The whole object.
    #[must_use]
    pub fn value(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }
}
