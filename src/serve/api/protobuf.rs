//! Bodies in protobuf, as typed clients send them (`kubectl create namespace NAME`, a controller's
//! leases and events): the few kinds in [`messages`](super::messages) as JSON values.
//!
//! `k8s\0`, then a runtime.Unknown, which says what its raw bytes are. What is not read is passed
//! over, and what is not sent, or is as it would be without, is not there, as in JSON.

use serde_json::{Map, Value, json};

use super::messages::{Field, Type, fields_of};
use crate::kube::timestamp;

/// How such bodies are named.
pub const PROTOBUF: &str = "application/vnd.kubernetes.protobuf";

const MAGIC: &[u8] = b"k8s\0";

/// The kinds of objects that are read.
const KINDS: [&str; 11] = [
    "DeleteOptions",
    "Event",
    "Eviction",
    "Lease",
    "Namespace",
    "PodDisruptionBudget",
    "PriorityClass",
    "SelfSubjectAccessReview",
    "SelfSubjectReview",
    "SelfSubjectRulesReview",
    "Service",
];

/// Why a body is not read.
#[derive(Debug, PartialEq, Eq)]
pub enum Unread {
    /// It is none, or ends in the middle.
    Broken,
    /// It is of a kind that is read in other forms only.
    Unknown(String),
}

/// The object in a body.
///
/// # Errors
/// When it is broken, or of a kind of which no more is known.
pub fn read(bytes: &[u8]) -> Result<Value, Unread> {
    let rest = bytes.strip_prefix(MAGIC).ok_or(Unread::Broken)?;
    let envelope = message(rest, fields_of("Unknown").ok_or(Unread::Broken)?)?;
    let text = |field: &str| envelope["typeMeta"][field].as_str().unwrap_or("").to_owned();
    let (version, kind) = (text("apiVersion"), text("kind"));
    let fields = fields_of(&kind).filter(|_| KINDS.contains(&&*kind));
    let fields = fields.ok_or_else(|| Unread::Unknown(kind.clone()))?;
    let raw = raw(rest)?;
    let mut object = message(raw, fields)?;
    object["apiVersion"] = json!(version);
    object["kind"] = json!(kind);
    Ok(object)
}

/// The bytes of what is in the envelope.
fn raw(mut rest: &[u8]) -> Result<&[u8], Unread> {
    let mut found: &[u8] = &[];
    while let Some((number, part)) = next(&mut rest)? {
        if let (2, Part::Bytes(bytes)) = (number, part) {
            found = bytes;
        }
    }
    Ok(found)
}

/// What a field has.
enum Part<'b> {
    Number(u64),
    Bytes(&'b [u8]),
    /// Of a form that no field here has.
    Other,
}

/// The next field of a message.
fn next<'b>(rest: &mut &'b [u8]) -> Result<Option<(u64, Part<'b>)>, Unread> {
    if rest.is_empty() {
        return Ok(None);
    }
    let tag = varint(rest)?;
    let part = match tag & 7 {
        0 => Part::Number(varint(rest)?),
        1 => take(rest, 8).map(|_| Part::Other)?,
        5 => take(rest, 4).map(|_| Part::Other)?,
        2 => {
            let count = varint(rest)?;
            Part::Bytes(take(rest, usize::try_from(count).map_err(|_| Unread::Broken)?)?)
        }
        _ => return Err(Unread::Broken),
    };
    Ok(Some((tag >> 3, part)))
}

fn take<'b>(rest: &mut &'b [u8], count: usize) -> Result<&'b [u8], Unread> {
    let (taken, after) = rest.split_at_checked(count).ok_or(Unread::Broken)?;
    *rest = after;
    Ok(taken)
}

fn varint(rest: &mut &[u8]) -> Result<u64, Unread> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (first, after) = rest.split_first().ok_or(Unread::Broken)?;
        *rest = after;
        value |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(Unread::Broken)
}

/// A message as an object.
fn message(mut rest: &[u8], fields: &[Field]) -> Result<Value, Unread> {
    let mut object = Map::new();
    while let Some((number, part)) = next(&mut rest)? {
        let Some(field) = fields.iter().find(|it| it.number == number) else { continue };
        if let (Type::Map, Part::Bytes(entry)) = (&field.of, &part) {
            let (key, value) = entry_of(entry)?;
            let map = object.entry(field.name).or_insert_with(|| json!({}));
            map[key] = value;
            continue;
        }
        let value = value(&field.of, part)?;
        if field.repeated {
            let items = object.entry(field.name).or_insert_with(|| json!([]));
            items.as_array_mut().ok_or(Unread::Broken)?.push(value);
        } else if field.pointer || !is_nothing(&value) {
            object.insert(field.name.to_owned(), value);
        }
    }
    Ok(object.into())
}

/// Whether a value is what is there without it.
fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Number(number) => number.as_i64() == Some(0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
    }
}

fn value(of: &Type, part: Part<'_>) -> Result<Value, Unread> {
    // A number that is below nothing is sent as one of 64 bits that is above all.
    let signed = |number: u64| number.cast_signed();
    Ok(match (of, part) {
        (Type::Text, Part::Bytes(bytes)) => json!(text(bytes)?),
        (Type::Number, Part::Number(number)) => json!(signed(number)),
        (Type::Bool, Part::Number(number)) => json!(number != 0),
        (Type::Message(name), Part::Bytes(bytes)) => message(bytes, fields_of(name).ok_or(Unread::Broken)?)?,
        (Type::Json, Part::Bytes(bytes)) => {
            let inner = message(bytes, fields_of("FieldsV1").ok_or(Unread::Broken)?)?;
            let text = inner["Raw"].as_str().unwrap_or("null");
            serde_json::from_str(text).map_err(|_| Unread::Broken)?
        }
        (Type::IntOrString, Part::Bytes(bytes)) => {
            let inner = message(bytes, fields_of("IntOrString").ok_or(Unread::Broken)?)?;
            match inner["type"].as_i64() {
                Some(1) => inner.get("strVal").cloned().unwrap_or_else(|| json!("")),
                _ => inner.get("intVal").cloned().unwrap_or_else(|| json!(0)),
            }
        }
        (Type::Time | Type::MicroTime, Part::Bytes(bytes)) => {
            let inner = message(bytes, fields_of("Time").ok_or(Unread::Broken)?)?;
            let Some(seconds) = inner["seconds"].as_i64() else { return Ok(Value::Null) };
            let whole = timestamp(seconds);
            match of {
                Type::MicroTime => {
                    let micros = inner["nanos"].as_i64().unwrap_or(0) / 1000;
                    json!(format!("{}.{micros:06}Z", whole.trim_end_matches('Z')))
                }
                _ => json!(whole),
            }
        }
        _ => return Err(Unread::Broken),
    })
}

/// An entry of a map of texts.
fn entry_of(entry: &[u8]) -> Result<(String, Value), Unread> {
    let inner = message(entry, fields_of("Entry").ok_or(Unread::Broken)?)?;
    let part = |name: &str| inner[name].as_str().unwrap_or("").to_owned();
    Ok((part("key"), json!(part("value"))))
}

fn text(bytes: &[u8]) -> Result<&str, Unread> {
    std::str::from_utf8(bytes).map_err(|_| Unread::Broken)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// A field of bytes.
    fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
        [&[number << 3 | 2, u8::try_from(bytes.len()).unwrap()], bytes].concat()
    }

    fn body(version: &str, kind: &str, raw: &[u8]) -> Vec<u8> {
        let meta = [field(1, version.as_bytes()), field(2, kind.as_bytes())].concat();
        [MAGIC, &field(1, &meta), &field(2, raw), &field(3, b""), &field(4, b"")].concat()
    }

    #[test]
    fn what_kubectl_sends_is_read() {
        let label = [field(1, b"a"), field(2, b"b")].concat();
        let meta = [field(1, b"n"), field(2, b""), field(8, b""), field(11, &label)].concat();
        let read_of = |kind: &str, raw: &[u8]| read(&body("v1", kind, raw)).unwrap();
        let namespace = read_of("Namespace", &[field(1, &meta), field(2, b""), field(3, b"")].concat());
        let expected = json!({ "apiVersion": "v1", "kind": "Namespace",
            "metadata": { "name": "n", "labels": { "a": "b" } } });
        assert_eq!(namespace, expected);
        let value: &[u8] = &[2 << 3, 0xf6, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 3 << 3, 0];
        let class = read_of("PriorityClass", value);
        assert_eq!((&class["value"], class.get("globalDefault")), (&json!(-10), None));
        let number: &[u8] = &[1 << 3, 0, 2 << 3, 80, 3 << 3 | 2, 0];
        let port = [&[3 << 3, 80][..], &field(4, number)].concat();
        let service = read_of("Service", &field(2, &field(1, &port)));
        assert_eq!(service["spec"]["ports"], json!([{ "port": 80, "targetPort": 80 }]));
        let share: &[u8] = &[&[1 << 3, 1, 2 << 3, 0][..], &field(3, b"5%")].concat();
        let budget = read_of("PodDisruptionBudget", &field(2, &field(1, share)));
        assert_eq!(budget["spec"], json!({ "minAvailable": "5%" }));
        let time: &[u8] = &[1 << 3, 1, 2 << 3, 0xe8, 7];
        let lease = read_of("Lease", &field(2, &[field(1, b""), field(4, time)].concat()));
        assert_eq!(
            lease["spec"],
            json!({ "holderIdentity": "", "renewTime": "1970-01-01T00:00:01.000001Z" })
        );
    }

    #[test]
    fn what_is_broken_is_refused() {
        let whole = body("v1", "Namespace", &field(1, &field(1, b"name")));
        assert!(read(&whole).is_ok());
        for end in 0..whole.len() {
            // Where it ends between two fields it is whole by chance, and then of no kind or no name.
            if let Ok(object) = read(&whole[..end]) {
                assert!(object["metadata"]["name"].is_null() || end > 20, "{end}: {object}");
            }
        }
        assert_eq!(read(&body("v1", "Pod", b"")), Err(Unread::Unknown("Pod".to_owned())));
        assert_eq!(read(b"{}"), Err(Unread::Broken));
        let endless: Vec<u8> = [MAGIC, &[0xff; 20]].concat();
        assert_eq!(read(&endless), Err(Unread::Broken));
        assert_eq!(read(&body("v1", "Namespace", &field(1, &field(1, &[0xff])))), Err(Unread::Broken));
    }
}
