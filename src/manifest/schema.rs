//! Whether an object's fields exist and have the right types.
//!
//! The field table (`schema.txt`) is data, so one walk over an object finds every
//! unknown field and every wrong type, where typed deserialisation stops at the first.
//! Whether a value of the right type is also allowed is `validate`'s business.

use std::sync::OnceLock;

use rustc_hash::FxHashMap;
use serde_json::Value;

use super::locate::Part;
use super::path::{Cursor, FieldPath};
use super::problem::Problem;
use crate::diagnostic::nearest;
use crate::model::Kind;

/// A problem and the field that has it.
#[derive(Debug)]
pub(super) struct Finding {
    pub(super) path: FieldPath,
    pub(super) part: Part,
    pub(super) problem: Problem,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Shape {
    Text,
    Int32,
    Int64,
    Truth,
    Float,
    Quantity,
    IntOrString,
    Time,
    Any,
    List(Box<Shape>),
    Map(Box<Shape>),
    Object(&'static str),
}

type Fields = FxHashMap<&'static str, Shape>;

fn table() -> &'static FxHashMap<&'static str, Fields> {
    static TABLE: OnceLock<FxHashMap<&'static str, Fields>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let mut table = FxHashMap::default();
        let mut current = "";
        for line in include_str!("schema.txt").lines().filter(|line| !line.starts_with('#')) {
            match line.strip_prefix("  ").and_then(|field| field.split_once(' ')) {
                Some((name, shape)) => {
                    let fields: &mut Fields = table.entry(current).or_default();
                    fields.insert(name, shape_of(shape));
                }
                None => {
                    current = line;
                    table.entry(current).or_default();
                }
            }
        }
        table
    })
}

fn shape_of(text: &'static str) -> Shape {
    if let Some(inner) = text.strip_prefix("[]") {
        return Shape::List(Box::new(shape_of(inner)));
    }
    if let Some(inner) = text.strip_prefix("{}") {
        return Shape::Map(Box::new(shape_of(inner)));
    }
    match text {
        "string" | "bytes" => Shape::Text,
        "int32" => Shape::Int32,
        "int64" => Shape::Int64,
        "bool" => Shape::Truth,
        "float" => Shape::Float,
        "quantity" => Shape::Quantity,
        "int-or-string" => Shape::IntOrString,
        "time" | "microtime" => Shape::Time,
        "any" => Shape::Any,
        name => Shape::Object(name),
    }
}

/// Finds every unknown field and wrong type of an object.
pub(super) fn check(kind: Kind, value: &Value, findings: &mut Vec<Finding>) {
    let root = Cursor::root(value);
    object(root, kind.name(), Where::Spec, findings);
}

/// What the server writes may have fields of newer versions; what people write may not.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Where {
    Spec,
    Status,
}

fn object(at: Cursor<'_, '_>, type_name: &str, part: Where, findings: &mut Vec<Finding>) {
    let Some(fields) = table().get(type_name) else { return };
    for (name, _) in at.entries() {
        let entry = at.field(name);
        match fields.get(name) {
            Some(shape) => {
                let part = if name == "status" && at.path().0.is_empty() { Where::Status } else { part };
                check_shape(entry, shape, part, findings);
            }
            None if part == Where::Status => {}
            None => findings.push(unknown(entry, name, fields)),
        }
    }
}

fn check_shape(at: Cursor<'_, '_>, shape: &Shape, part: Where, findings: &mut Vec<Finding>) {
    let fits = match (shape, at.value) {
        // Kubernetes reads null as "not set", whatever the type.
        (_, Value::Null)
        | (Shape::Any, _)
        | (Shape::Text, Value::String(_))
        | (Shape::Truth, Value::Bool(_)) => true,
        (Shape::Int32, Value::Number(number)) => {
            number.as_i64().is_some_and(|int| i32::try_from(int).is_ok())
        }
        (Shape::Int64, Value::Number(number)) => number.is_i64(),
        (Shape::Float, Value::Number(_)) | (Shape::Quantity, Value::Number(_) | Value::String(_)) => true,
        (Shape::IntOrString, Value::String(_)) => true,
        (Shape::IntOrString, Value::Number(number)) => {
            number.as_i64().is_some_and(|int| i32::try_from(int).is_ok())
        }
        (Shape::Time, Value::String(text)) => {
            if !is_time(text) {
                findings.push(bad_time(at, text));
            }
            true
        }
        (Shape::List(inner), Value::Array(_)) => {
            at.items().for_each(|item| check_shape(item, inner, part, findings));
            true
        }
        (Shape::Map(inner), Value::Object(_)) => {
            at.entries().for_each(|(_, entry)| check_shape(entry, inner, part, findings));
            true
        }
        (Shape::Object(name), Value::Object(_)) => {
            object(at, name, part, findings);
            true
        }
        _ => false,
    };
    if !fits {
        findings.push(wrong(at, shape));
    }
}

fn unknown(at: Cursor<'_, '_>, name: &str, fields: &Fields) -> Finding {
    let path = at.path();
    let mut known: Vec<&str> = fields.keys().copied().collect();
    known.sort_unstable();
    let problem = Problem::new("unknown-field", format!("unknown field `{path}`"))
        .labelled("not a field that Kubernetes has here");
    let problem = match nearest(name, known.iter().copied()) {
        Some(near) => problem.help(format!("did you mean `{near}`?")),
        None => problem.help(format!("the fields here are {}", listed(&known))),
    };
    Finding { path, part: Part::Key, problem }
}

/// The first few of a list, in backticks.
fn listed(names: &[&str]) -> String {
    const SHOWN: usize = 12;
    let shown: Vec<String> = names.iter().take(SHOWN).map(|name| format!("`{name}`")).collect();
    let more = names.len().saturating_sub(SHOWN);
    if more == 0 { shown.join(", ") } else { format!("{} and {more} more", shown.join(", ")) }
}

fn wrong(at: Cursor<'_, '_>, shape: &Shape) -> Finding {
    let path = at.path();
    let (expected, example) = match shape {
        Shape::Text | Shape::Time => ("a string", None),
        Shape::Int32 => ("a whole number of 32 bits", None),
        Shape::Int64 => ("a whole number", None),
        Shape::Truth => ("`true` or `false`", None),
        Shape::Float => ("a number", None),
        Shape::Quantity => ("a quantity", Some("write it like `500m`, `2` or `1.5Gi`")),
        Shape::IntOrString => ("a whole number or a string like `10%`", None),
        Shape::Any => ("any value", None),
        Shape::List(_) => ("a list", Some("each element stands on a line of its own, after `- `")),
        Shape::Map(_) => {
            ("a mapping of strings", Some("each entry stands on a line of its own, as `key: value`"))
        }
        Shape::Object(_) => {
            ("a mapping", Some("its fields stand on lines of their own, indented, as `field: value`"))
        }
    };
    let found = match at.value {
        Value::Null => "nothing",
        Value::Bool(_) => "a boolean",
        Value::Number(number) if number.is_f64() => "a number with a fraction",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "a mapping",
    };
    let message = match (shape, at.value) {
        (Shape::Int32 | Shape::IntOrString, Value::Number(number)) if number.is_i64() => {
            format!("`{path}` must fit into 32 bits, `{number}` does not")
        }
        _ => format!("`{path}` must be {expected}, not {found}"),
    };
    let mut problem = Problem::new("wrong-type", message).labelled(format!("expected {expected}"));
    problem.help = match (shape, at.value) {
        (Shape::Text | Shape::Time, Value::Bool(_) | Value::Number(_)) => Some(QUOTE.to_owned()),
        (Shape::Int32 | Shape::Int64 | Shape::Float, Value::String(text))
            if text.trim().parse::<f64>().is_ok() =>
        {
            Some("write the number without quotes".to_owned())
        }
        (Shape::Truth, Value::String(text)) if matches!(text.as_str(), "true" | "false") => {
            Some("write it without quotes".to_owned())
        }
        _ => example.map(str::to_owned),
    };
    Finding { path, part: Part::Value, problem }
}

/// Stands for "quote it", until the text that is to be quoted is known.
pub(super) const QUOTE: &str = "quote it";

fn bad_time(at: Cursor<'_, '_>, text: &str) -> Finding {
    let path = at.path();
    let problem = Problem::new("wrong-type", format!("`{path}` is no time: `{text}`"))
        .labelled("expected a time")
        .help("write it as RFC 3339 has it, like `2026-01-31T12:00:00Z`");
    Finding { path, part: Part::Value, problem }
}

/// RFC 3339 as Go reads it: four digits of year, seconds, an offset.
fn is_time(text: &str) -> bool {
    let bytes = text.as_bytes();
    let shape = b"dddd-dd-ddTdd:dd:dd";
    let starts = bytes.len() > shape.len()
        && shape
            .iter()
            .zip(bytes)
            .all(|(want, have)| if *want == b'd' { have.is_ascii_digit() } else { want == have });
    starts && text.parse::<jiff::Timestamp>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn messages(kind: Kind, value: &Value) -> Vec<String> {
        let mut findings = Vec::new();
        check(kind, value, &mut findings);
        findings
            .into_iter()
            .map(|finding| format!("{}: {:?}", finding.problem.message, finding.problem.help))
            .collect()
    }

    #[test]
    fn every_type_that_the_table_names_is_in_it() {
        fn named(shape: &Shape) -> Option<&'static str> {
            match shape {
                Shape::List(inner) | Shape::Map(inner) => named(inner),
                Shape::Object(name) => Some(name),
                _ => None,
            }
        }
        for (owner, fields) in table() {
            for (field, shape) in fields {
                let missing = named(shape).filter(|name| !table().contains_key(name));
                assert_eq!(missing, None, "{owner}.{field}");
            }
        }
        for kind in Kind::ALL {
            assert!(table().contains_key(kind.name()), "{kind}");
        }
    }

    #[test]
    fn all_unknown_fields_and_wrong_types_are_found() {
        let found = messages(
            Kind::DaemonSet,
            &json!({
                "kind": "DaemonSet",
                "metadata": {"labels": {"on": true}, "creationTimestamp": "99999-01-01T00:00:00Z"},
                "spec": {"minReadySeconds": "5", "selector": {"matchlabels": {}}, "template": {"spec": {"containers": {}}}},
                "status": {"newField": 1, "currentNumberScheduled": 3_000_000_000_i64},
            }),
        );
        assert_eq!(
            found,
            [
                "`metadata.creationTimestamp` is no time: `99999-01-01T00:00:00Z`: Some(\"write it as RFC 3339 has it, like `2026-01-31T12:00:00Z`\")",
                "`metadata.labels[on]` must be a string, not a boolean: Some(\"quote it\")",
                "`spec.minReadySeconds` must be a whole number of 32 bits, not a string: Some(\"write the number without quotes\")",
                "unknown field `spec.selector.matchlabels`: Some(\"did you mean `matchLabels`?\")",
                "`spec.template.spec.containers` must be a list, not a mapping: Some(\"each element stands on a line of its own, after `- `\")",
                "`status.currentNumberScheduled` must fit into 32 bits, `3000000000` does not: None",
            ]
        );
    }
}
