//! What the keys and values of a shared store mean, to whoever reads or writes one.
//!
//! ```text
//!   meta                                whose keys these are, and of which form
//!   restoring                           that they are being filled in from a snapshot
//!   pods/NODE/NAMESPACE/NAME            daemonsets/NAMESPACE/NAME   nodes//NAME   …
//!   members/ID   term                   the controllers; written by whoever comes, and writes beside them
//!   pauses/ID                           who has the controllers wait for as long as it writes, in turns
//!   beats/NODE   agents/NODE            an agent's lease; that the node has had one
//!   attempts/NODE/NAMESPACE/DAEMONSET   how many pods the node has had of it
//!   rows/TABLE/…                        what is known beside the objects
//! ```
//! Keys are below the prefix of the store and its version. A value is an object in JSON, with the
//! fingerprints of the manifest that wrote it: `{"v":1,"written":[…,…],"object":{…}}`; or a row:
//! `{"v":1,"row":{…}}`.

use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::kube::{Kind, Name, ObjectKey, Written, node_of};

/// What a key stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    /// An object.
    Object(Kind, ObjectKey),
    /// A controller, for as long as its lease lives.
    Member(Name),
    /// Written by each controller that comes, and by whoever writes beside them.
    Term,
    /// Somebody for whom controllers wait, for as long as its lease lives.
    Pause(Name),
    /// An agent, for as long as its lease lives; by its node.
    Beat(Name),
    /// That a node has had an agent.
    Agent(Name),
    /// How many pods a node has had of a daemonset.
    Attempts(ObjectKey, Name),
    /// What is known beside the objects, by the path of its row.
    Row(String),
    /// Nothing that is known here.
    Other,
}

/// The version of values that is written.
const VERSION: i64 = 1;
/// The version of keys.
const KEYS: &str = "v1";

/// What all keys of a prefix begin with.
#[must_use]
pub fn base(prefix: &str) -> String {
    format!("{prefix}/{KEYS}/")
}

/// An object as a value; the store counts versions by itself.
#[must_use]
pub fn encode(mut object: Value, written: Written) -> Vec<u8> {
    if let Some(metadata) = object["metadata"].as_object_mut() {
        metadata.remove("resourceVersion");
    }
    json!({ "v": VERSION, "written": [written.object, written.spec], "object": object })
        .to_string()
        .into_bytes()
}

/// Reads a value.
///
/// # Errors
/// When it is none, or one of a newer version: with why.
pub fn decode(value: &[u8]) -> Result<(Value, Written), String> {
    let mut read: Value = serde_json::from_slice(value).map_err(|error| error.to_string())?;
    match read["v"].as_i64() {
        Some(VERSION) => {}
        Some(other) => return Err(newer(other)),
        None => return Err("it says no version".to_owned()),
    }
    let of = |at: usize| read["written"][at].as_u64().unwrap_or(0);
    let written = Written { object: of(0), spec: of(1) };
    let object = read["object"].take();
    if !object.is_object() {
        return Err("it has no object".to_owned());
    }
    // Whoever changes a part of it goes by that.
    let wrong = ["metadata", "spec", "status"].into_iter().find(|part| {
        let part = &object[*part];
        !part.is_object() && !part.is_null()
    });
    match wrong {
        Some(part) => Err(format!("its `{part}` is no object")),
        None => Ok((object, written)),
    }
}

/// A row as a value, of its JSON.
#[must_use]
pub fn encode_row(json: &str) -> Vec<u8> {
    format!(r#"{{"v":{VERSION},"row":{json}}}"#).into_bytes()
}

/// Reads the value of a row: its JSON.
///
/// # Errors
/// When it is none, or one of a newer version: with why.
pub fn decode_row(value: &[u8]) -> Result<&str, String> {
    #[derive(serde::Deserialize)]
    struct Read<'v> {
        v: i64,
        #[serde(borrow)]
        row: Option<&'v RawValue>,
    }
    let read: Read<'_> = serde_json::from_slice(value).map_err(|error| error.to_string())?;
    if read.v != VERSION {
        return Err(newer(read.v));
    }
    read.row.map(RawValue::get).ok_or_else(|| "it has no row".to_owned())
}

fn newer(version: i64) -> String {
    format!("it is of version {version}, and this dsrules knows {VERSION}")
}

/// The key that says whose keys these are.
pub const META: &str = "meta";
/// The key of a prefix that is being filled from a snapshot.
pub const FILLING: &str = "restoring";
/// The key that controllers write when they come.
pub const TERM: &str = "term";
/// What the keys of those begin with who write beside controllers.
pub const PAUSES: &str = "pauses/";
/// What the keys of controllers begin with.
pub const MEMBERS: &str = "members/";
/// Where a pod is kept that is on no node.
const NOWHERE: &str = "-";
/// What the keys of rows begin with.
const ROWS: &str = "rows/";

impl Key {
    /// Reads a key.
    #[must_use]
    pub fn parse(text: &str) -> Key {
        if let Some(path) = text.strip_prefix(ROWS) {
            return Key::Row(path.to_owned());
        }
        let parts: Vec<&str> = text.split('/').collect();
        match *parts.as_slice() {
            [TERM] => Key::Term,
            ["members", id] => Key::Member(id.into()),
            ["pauses", id] => Key::Pause(id.into()),
            ["beats", node] => Key::Beat(node.into()),
            ["agents", node] => Key::Agent(node.into()),
            ["attempts", node, namespace, name] => {
                Key::Attempts(ObjectKey::new(namespace, name), node.into())
            }
            ["pods", _, namespace, name] => Key::Object(Kind::Pod, ObjectKey::new(namespace, name)),
            [kind, namespace, name] => {
                let known = Kind::ALL.into_iter().find(|it| it.info().plural == kind);
                let kind = known.or_else(|| Kind::known_as(kind)).filter(|it| *it != Kind::Pod);
                kind.map_or(Key::Other, |kind| Key::Object(kind, ObjectKey::new(namespace, name)))
            }
            _ => Key::Other,
        }
    }
}

/// The key of an object that is no pod.
#[must_use]
pub fn object(kind: Kind, key: &ObjectKey) -> String {
    let segment = if kind.is_other() { kind.name() } else { kind.info().plural };
    format!("{segment}/{}/{}", key.namespace, key.name)
}

/// The key of a pod that is on a node, or meant for it.
#[must_use]
pub fn pod(node: Option<&str>, key: &ObjectKey) -> String {
    format!("pods/{}/{}/{}", node.unwrap_or(NOWHERE), key.namespace, key.name)
}

/// The key of an object, by what it says.
#[must_use]
pub fn of_value(kind: Kind, key: &ObjectKey, value: &Value) -> String {
    if kind == Kind::Pod { pod(node_of(value).as_deref(), key) } else { object(kind, key) }
}

/// The key of a member.
#[must_use]
pub fn member(id: &str) -> String {
    format!("{MEMBERS}{id}")
}

/// The key of somebody for whom controllers wait.
#[must_use]
pub fn pause(id: &str) -> String {
    format!("{PAUSES}{id}")
}

/// The key of a row.
#[must_use]
pub fn row(path: &str) -> String {
    format!("{ROWS}{path}")
}

/// The key that an agent keeps while it lives.
#[must_use]
pub fn beat(node: &str) -> String {
    format!("beats/{node}")
}

/// The key that says that a node has had an agent.
#[must_use]
pub fn agent(node: &str) -> String {
    format!("agents/{node}")
}

/// The key of a number of attempts.
#[must_use]
pub fn attempts(daemonset: &ObjectKey, node: &str) -> String {
    format!("attempts/{node}/{}/{}", daemonset.namespace, daemonset.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_read_as_it_was_written_and_no_other() {
        let written = Written { object: u64::MAX, spec: 7 };
        let object = json!({ "metadata": { "name": "a" } });
        assert_eq!(decode(&encode(object.clone(), written)), Ok((object, written)));
        for wrong in ["", "{}", "[]", "1", r#"{"v":2,"object":{}}"#, r#"{"v":1}"#, r#"{"v":1,"object":3}"#] {
            assert!(decode(wrong.as_bytes()).is_err(), "{wrong}");
        }
        for part in ["metadata", "spec", "status"] {
            let wrong = format!(r#"{{"v":1,"object":{{"{part}":[]}}}}"#);
            assert_eq!(decode(wrong.as_bytes()), Err(format!("its `{part}` is no object")));
        }
    }

    #[test]
    fn a_row_is_read_as_it_was_written_and_no_other() {
        assert_eq!(decode_row(&encode_row(r#"{"a": 1}"#)), Ok(r#"{"a": 1}"#));
        for wrong in ["", "{}", r#"{"v":2,"row":{}}"#, r#"{"v":1,"object":{}}"#, "x"] {
            assert!(decode_row(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let key = ObjectKey::new("kube-system", "proxy-x2b");
        for (text, meant) in [
            (pod(Some("n1"), &key), Key::Object(Kind::Pod, key.clone())),
            (pod(None, &key), Key::Object(Kind::Pod, key.clone())),
            (object(Kind::DaemonSet, &key), Key::Object(Kind::DaemonSet, key.clone())),
            (
                object(Kind::Node, &ObjectKey::new("", "n1")),
                Key::Object(Kind::Node, ObjectKey::new("", "n1")),
            ),
            (member("a"), Key::Member("a".into())),
            (TERM.to_owned(), Key::Term),
            (beat("n1"), Key::Beat("n1".into())),
            (agent("n1"), Key::Agent("n1".into())),
            (pause("x"), Key::Pause("x".into())),
            (row("files/a/b"), Key::Row("files/a/b".to_owned())),
            (attempts(&key, "n1"), Key::Attempts(key.clone(), "n1".into())),
            ("meta".to_owned(), Key::Other),
        ] {
            assert_eq!(Key::parse(&text), meant, "{text}");
        }
        let secret = Kind::other("v1", "Secret").unwrap_or(Kind::Pod);
        assert_eq!(Key::parse(&object(secret, &key)), Key::Object(secret, key));
    }
}
