//! Whether an object's fields exist and have the right types.
//!
//! The field table (`kube::shape`) is data, so one walk over an object finds every
//! unknown field and every wrong type, where typed deserialisation stops at the first.
//! Whether a value of the right type is also allowed is `validate`'s business.

use serde_json::Value;

use super::problem::Problem;
use crate::diagnostic::nearest;
use crate::kube::shape::{self, Shape};
use crate::kube::{Kind, time};
use crate::validate::is_quantity;
use crate::validate::path::Part;
use crate::validate::path::{Cursor, FieldPath};

/// A problem and the field that has it.
#[derive(Debug)]
pub(super) struct Finding {
    pub(super) path: FieldPath,
    pub(super) part: Part,
    pub(super) problem: Problem,
}

/// What is wrong with an object: so many findings at most, the others are counted.
#[derive(Debug)]
pub(super) struct Findings {
    pub(super) list: Vec<Finding>,
    most: usize,
    /// How many unknown fields are not in the list.
    pub(super) hidden_unknown: usize,
    /// How many other findings are not in the list.
    pub(super) hidden: usize,
}

impl Findings {
    pub(super) fn new(most: usize) -> Self {
        Findings { list: Vec::new(), most, hidden_unknown: 0, hidden: 0 }
    }

    /// Adds a finding; it is not even made if there are enough.
    pub(super) fn push(&mut self, make: impl FnOnce() -> Finding) {
        if self.list.len() < self.most {
            self.list.push(make());
        } else {
            self.hidden += 1;
        }
    }

    /// Adds what is no error, if there is room for it.
    pub(super) fn push_note(&mut self, make: impl FnOnce() -> Finding) {
        if self.list.len() < self.most {
            self.list.push(make());
        }
    }

    fn push_unknown(&mut self, make: impl FnOnce() -> Finding) {
        if self.list.len() < self.most {
            self.list.push(make());
        } else {
            self.hidden_unknown += 1;
        }
    }
}

/// Finds every unknown field and wrong type of an object.
pub(super) fn check(kind: Kind, value: &Value, findings: &mut Findings) {
    let root = Cursor::root(value);
    object(root, kind.name(), Where::Spec, findings);
}

/// What the server writes may have fields of newer versions; what people write may not.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Where {
    Spec,
    Status,
}

fn object(at: Cursor<'_, '_>, type_name: &str, part: Where, findings: &mut Findings) {
    let Some(of_type) = shape::of_name(type_name) else { return };
    for (name, entry) in at.fields() {
        match of_type.fields.get(name).map(|field| &field.shape) {
            Some(shape) => {
                let part = if name == "status" && at.is_root() { Where::Status } else { part };
                check_shape(entry, shape, part, findings);
            }
            None if part == Where::Status => {}
            None => findings.push_unknown(|| unknown(entry, name, type_name)),
        }
    }
}

fn check_shape(at: Cursor<'_, '_>, shape: &Shape, part: Where, findings: &mut Findings) {
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
        (Shape::Float, Value::Number(_)) => true,
        (Shape::Quantity, value @ (Value::Number(_) | Value::String(_))) => {
            if !is_quantity(value) {
                findings.push(|| bad_quantity(at));
            }
            true
        }
        (Shape::IntOrString, Value::String(_)) => true,
        (Shape::IntOrString, Value::Number(number)) => {
            number.as_i64().is_some_and(|int| i32::try_from(int).is_ok())
        }
        (Shape::Time, Value::String(text)) => {
            if time(text).is_none() {
                findings.push(|| bad_time(at, text));
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
        findings.push(|| wrong(at, shape));
    }
}

fn unknown(at: Cursor<'_, '_>, name: &str, type_name: &str) -> Finding {
    let path = at.path();
    let mut known: Vec<&str> =
        shape::of_name(type_name).into_iter().flat_map(|it| it.fields.keys()).copied().collect();
    known.sort_unstable();
    let problem = Problem::new("unknown-field", format!("unknown field `{path}`"))
        .labelled("not a field that Kubernetes has here");
    let problem = match (nearest(name, known.iter().copied()), elsewhere(name, type_name)) {
        (Some(near), _) => problem.help(format!("did you mean `{near}`?")),
        (None, Some(place)) => problem.help(place),
        (None, None) if known.len() <= SHOWN => {
            problem.help(format!("the fields here are {}", listed(&known)))
        }
        (None, None) => problem.help("look at its indentation: it may belong to another part"),
    };
    Finding { path, part: Part::Key, problem }
}

/// Where else a field of this name is known: nearby below, or in the type around.
fn elsewhere(name: &str, type_name: &str) -> Option<String> {
    match (type_name, name) {
        ("DaemonSetSpec", "replicas") => {
            return Some("remove it: a daemonset has one pod on every node that it fits".to_owned());
        }
        ("DaemonSetSpec", "strategy") => return Some("a daemonset has `updateStrategy`".to_owned()),
        _ => {}
    }
    let object_of = |shape: &Shape| match shape {
        Shape::Object(inner) => Some((*inner, false)),
        Shape::List(inner) => match **inner {
            Shape::Object(inner) => Some((inner, true)),
            _ => None,
        },
        _ => None,
    };
    let has = |type_name: &str| shape::of_name(type_name).is_some_and(|it| it.fields.contains_key(name));
    let sorted = |type_name: &str| {
        let fields = shape::of_name(type_name).into_iter().flat_map(|it| &it.fields);
        let mut fields: Vec<(&str, &Shape)> = fields.map(|(name, field)| (*name, &field.shape)).collect();
        fields.sort_unstable_by_key(|(name, _)| *name);
        fields
    };
    let mut below: Vec<(String, bool)> = Vec::new();
    for (field, shape) in sorted(type_name) {
        let Some((inner, listed)) = object_of(shape) else { continue };
        if has(inner) {
            below.push((field.to_owned(), listed));
        } else if field == "template" || field == "spec" {
            for (deeper, shape) in sorted(inner) {
                if let Some((innermost, listed)) = object_of(shape)
                    && has(innermost)
                {
                    below.push((format!("{field}.{deeper}"), listed));
                }
            }
        }
    }
    // In many places means that the name says little.
    const FEW: usize = 4;
    if below.is_empty() || below.len() > FEW || name == "name" {
        let around = ["PodSpec", "DaemonSetSpec"].into_iter().find(|outer| {
            *outer != type_name
                && has(outer)
                && sorted(outer)
                    .iter()
                    .any(|(_, shape)| object_of(shape).is_some_and(|(inner, _)| inner == type_name))
        });
        return around.map(|outer| {
            let place = if outer == "PodSpec" { "the pod's `spec`" } else { "the daemonset's `spec`" };
            format!("`{name}` belongs into {place}, with less indentation")
        });
    }
    let (place, in_list) = below.iter().find(|(place, _)| place == "containers").or_else(|| below.first())?;
    Some(if *in_list {
        format!("`{name}` belongs into an element of `{place}`")
    } else {
        format!("`{name}` belongs into `{place}`")
    })
}

/// As many fields are worth listing.
const SHOWN: usize = 14;

/// Names in backticks.
fn listed(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
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

fn bad_quantity(at: Cursor<'_, '_>) -> Finding {
    let path = at.path();
    let text = at.value.as_str().map_or_else(|| at.value.to_string(), str::to_owned);
    let problem = Problem::new("wrong-type", format!("`{path}` is no quantity: `{text}`"))
        .labelled("expected a quantity")
        .help("write a number with a unit or without: `500m`, `2`, `1.5Gi`, `200M`; there are k, M, G, T and Ki, Mi, Gi, Ti");
    Finding { path, part: Part::Value, problem }
}

fn bad_time(at: Cursor<'_, '_>, text: &str) -> Finding {
    let path = at.path();
    let problem = Problem::new("wrong-type", format!("`{path}` is no time: `{text}`"))
        .labelled("expected a time")
        .help("write it as RFC 3339 has it, like `2026-01-31T12:00:00Z`");
    Finding { path, part: Part::Value, problem }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn messages(kind: Kind, value: &Value) -> Vec<String> {
        let mut findings = Findings::new(100);
        check(kind, value, &mut findings);
        findings
            .list
            .into_iter()
            .map(|finding| format!("{}: {:?}", finding.problem.message, finding.problem.help))
            .collect()
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
