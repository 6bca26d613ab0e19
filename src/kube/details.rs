//! What a node says beside what placement needs: annotations, conditions, amounts.
//!
//! A world keeps it only where some rule asks for it: ten thousand nodes say a lot, and
//! the built-in rules need none of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::views::{labels_of, list, seconds, text};
use super::{Labels, Name};

/// The rest of a Node, as its last manifest and its last status say it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Details {
    /// `metadata.annotations`.
    pub annotations: Labels,
    /// `status.conditions`.
    pub conditions: Vec<Condition>,
    /// `status.capacity`, as written.
    pub capacity: BTreeMap<Name, Name>,
    /// `status.allocatable`, as written; what there is of all, where nothing is said of it.
    pub allocatable: BTreeMap<Name, Name>,
    /// `status.nodeInfo`.
    pub info: BTreeMap<Name, Name>,
    /// `status.addresses`: type and address.
    pub addresses: Vec<(Name, Name)>,
    /// The whole object, where some rule asks for it.
    pub whole: Option<Arc<Value>>,
}

/// One of a node's conditions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// Its type, as `MemoryPressure`.
    pub kind: Name,
    /// `True`, `False` or `Unknown`.
    pub status: Name,
    /// `lastTransitionTime`, in seconds of Unix time.
    pub since: Option<i64>,
}

impl Details {
    /// Reads them from a manifest; one without a status keeps the `old` one's.
    #[must_use]
    pub fn from_value(value: &Value, old: Option<&Details>) -> Self {
        let new = Details::new(&value["metadata"]["annotations"], &value["status"]);
        match old {
            Some(old) if value["status"].is_null() => Details { annotations: new.annotations, ..old.clone() },
            _ => new,
        }
    }

    /// The same with the whole object; where its manifest has no status, with the old one's.
    #[must_use]
    pub fn with_whole(self, value: &Arc<Value>, old: Option<&Details>) -> Self {
        let mut whole = value.clone();
        if value["status"].is_null()
            && let Some(status) = old.and_then(|old| old.whole.as_ref()?.get("status"))
            && let Some(fields) = Arc::make_mut(&mut whole).as_object_mut()
        {
            fields.insert("status".to_owned(), status.clone());
        }
        Details { whole: Some(whole), ..self }
    }

    /// Reads them from the two parts of an object that say them.
    #[must_use]
    pub fn new(annotations: &Value, status: &Value) -> Self {
        Details {
            annotations: labels_of(annotations).into(),
            conditions: list(status, "conditions")
                .map(|it| Condition {
                    kind: text(it, "type"),
                    status: text(it, "status"),
                    since: seconds(&it["lastTransitionTime"]),
                })
                .collect(),
            capacity: quantities(&status["capacity"]),
            allocatable: quantities(allocatable(status)),
            info: labels_of(&status["nodeInfo"]),
            addresses: list(status, "addresses").map(|it| (text(it, "type"), text(it, "address"))).collect(),
            whole: None,
        }
    }
}

/// What a node has for pods: all that it has, where it says nothing else (SetDefaults_NodeStatus).
pub(super) fn allocatable(status: &Value) -> &Value {
    let said =
        |field: &str| Some(&status[field]).filter(|it| it.as_object().is_some_and(|it| !it.is_empty()));
    said("allocatable").or_else(|| said("capacity")).unwrap_or(&Value::Null)
}

/// Quantities by resource: a whole number may be written without quotes.
pub(super) fn quantities(value: &Value) -> BTreeMap<Name, Name> {
    let written = |value: &Value| match value {
        Value::String(text) => Some(Name::from(text.as_str())),
        Value::Number(number) => Some(number.to_string().into()),
        _ => None,
    };
    let entries = value.as_object().into_iter().flatten();
    entries.filter_map(|(key, value)| Some((key.as_str().into(), written(value)?))).collect()
}
