//! An object as an API server keeps it: two that say the same are the same bytes.
//!
//! What decides is the shape of Kubernetes' own types. Defaults are filled in, quantities
//! and times are written canonically, and null is "not set". The zero of a field that is
//! no pointer cannot be told from a field that is not set, so both are left out; a
//! pointer that is set stays, even if it is `false`, `0` or `{}`. Fields that Kubernetes
//! does not have are dropped, as it does. Beside an API server's own bytes only that is
//! missing which stands in each of them: empty parts that are always there.

use serde_json::{Map, Value, json};

use super::defaults::{fill, says_nothing};
use super::quantity::{Precision, canonical};
use super::shape::{self, Field, Shape};

/// A pod template of a daemonset, or of its revision, as an API server keeps it.
#[must_use]
pub fn kept_template(template: &Value) -> Value {
    const TEMPLATE: &str = "PodTemplateSpec";
    let mut template = template.clone();
    if template.is_null() {
        template = json!({});
    }
    if let Some(object) = template.as_object_mut() {
        fill(TEMPLATE, object);
    }
    keep_value(&Shape::Object(TEMPLATE), &template)
}

fn keep_object(type_name: &str, object: &Map<String, Value>) -> Map<String, Value> {
    let Some(of_type) = shape::of_name(type_name) else { return object.clone() };
    let mut kept = Map::new();
    for (name, value) in object {
        if let Some(field) = of_type.fields.get(name.as_str())
            && let Some(value) = keep_field(field, value)
        {
            kept.insert(name.clone(), value);
        }
    }
    convert(type_name, &mut kept);
    kept
}

/// The value of a field; `None` where it says nothing.
fn keep_field(field: &Field, value: &Value) -> Option<Value> {
    if value.is_null() {
        return None;
    }
    let value = keep_value(&field.shape, value);
    let is_empty = match &field.shape {
        Shape::List(_) | Shape::Map(_) => says_nothing(&value),
        Shape::Any => false,
        // Always there, as its default is the empty one.
        Shape::Object(_) if field.pointer => field.default.is_some() && says_nothing(&value),
        _ if field.pointer => false,
        shape => value == zero(shape) || *shape == Shape::Time && value == "0001-01-01T00:00:00Z",
    };
    (!is_empty).then_some(value)
}

pub(super) fn keep_value(shape: &Shape, value: &Value) -> Value {
    match (shape, value) {
        (Shape::List(inner), Value::Array(items)) => {
            items.iter().map(|item| keep_item(inner, item, Precision::Nano)).collect()
        }
        (Shape::Map(inner), Value::Object(entries)) => entries
            .iter()
            .map(|(name, entry)| (name.clone(), keep_item(inner, entry, Precision::Milli)))
            .collect::<Map<_, _>>()
            .into(),
        (Shape::Object(name), Value::Object(object)) => keep_object(name, object).into(),
        (Shape::Quantity, value) => quantity(value, Precision::Nano),
        (Shape::Time, Value::String(text)) => json!(time(text)),
        // What is of another type than it should be is none of ours.
        (_, value) => value.clone(),
    }
}

/// One of a list or map: null is the zero of its type, and the zero is kept.
fn keep_item(shape: &Shape, value: &Value, precision: Precision) -> Value {
    match (shape, value) {
        (_, Value::Null) => zero(shape),
        (Shape::Quantity, value) => quantity(value, precision),
        (shape, value) => keep_value(shape, value),
    }
}

/// What a field of this type holds that is not set.
fn zero(shape: &Shape) -> Value {
    match shape {
        Shape::Text => json!(""),
        Shape::Int32 | Shape::Int64 | Shape::Float | Shape::IntOrString => json!(0),
        Shape::Truth => json!(false),
        Shape::Quantity => json!("0"),
        Shape::Object(_) => json!({}),
        Shape::Time | Shape::Any | Shape::List(_) | Shape::Map(_) => Value::Null,
    }
}

fn quantity(value: &Value, precision: Precision) -> Value {
    let written = match value {
        Value::String(text) => canonical(text.trim(), precision),
        Value::Number(number) => canonical(&number.to_string(), precision),
        _ => None,
    };
    written.map_or_else(|| value.clone(), Value::from)
}

/// A time as Kubernetes writes it: UTC, whole seconds.
fn time(text: &str) -> String {
    let kept = super::time(text).map(super::timestamp);
    // An offset may lead beyond the years that can be read again.
    kept.filter(|kept| super::time(kept).is_some()).unwrap_or_else(|| text.to_owned())
}

/// What an API server changes on the way to its own types and back.
fn convert(type_name: &str, object: &mut Map<String, Value>) {
    match type_name {
        "PodSpec" => {
            // The deprecated name of the field; the new one wins.
            let name = object.get("serviceAccountName").or_else(|| object.get("serviceAccount")).cloned();
            if let Some(name) = name {
                object.insert("serviceAccountName".to_owned(), name.clone());
                object.insert("serviceAccount".to_owned(), name);
            }
        }
        "Pod" | "PodTemplateSpec" => {
            if let Some(meta) = object.get_mut("metadata").and_then(Value::as_object_mut)
                && let Some(annotations) = meta.get_mut("annotations").and_then(Value::as_object_mut)
            {
                annotations.retain(|name, _| !is_of_init_containers(name));
                if annotations.is_empty() {
                    meta.remove("annotations");
                }
                if meta.is_empty() {
                    object.remove("metadata");
                }
            }
        }
        // A volume without a source is an empty directory.
        "Volume" if object.get("emptyDir").is_some_and(says_nothing) => {
            let others = object.keys().filter(|name| *name != "name" && *name != "emptyDir").count();
            if others == 0 {
                object.remove("emptyDir");
            }
        }
        _ => {}
    }
}

/// Annotations that held init containers before they were a field; they are dropped.
fn is_of_init_containers(annotation: &str) -> bool {
    let rest = annotation
        .strip_prefix("pod.beta.kubernetes.io/")
        .or_else(|| annotation.strip_prefix("pod.alpha.kubernetes.io/"));
    matches!(rest, Some("init-containers" | "init-container-statuses"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::kube::{Kind, kept};

    /// A value of this shape: often empty, null or zero, now and then of another type.
    fn value_of(shape: &Shape, dice: &mut impl FnMut(usize) -> usize, deep: usize) -> Value {
        const QUANTITIES: [&str; 10] =
            ["0", "1000m", "1.5Gi", "1e3", "100u", "0.5", "-1", "1x", "99999999999999999999", "512Ki"];
        const TIMES: [&str; 4] =
            ["2026-01-01T01:00:00+01:00", "0001-01-01T00:00:00Z", "2026-01-01T00:00:00.9Z", "then"];
        match dice(12) {
            0 => return Value::Null,
            1 => return json!("1"),
            2 => return json!({}),
            3 => return json!([]),
            _ => {}
        }
        match shape {
            Shape::Text => json!(["", "a:latest", "RollingUpdate"][dice(3)]),
            Shape::Int32 | Shape::Int64 | Shape::Float => json!(dice(3)),
            Shape::Truth => json!(dice(2) == 0),
            Shape::Quantity => json!(QUANTITIES[dice(QUANTITIES.len())]),
            Shape::IntOrString => [json!(0), json!(""), json!("10%")][dice(3)].clone(),
            Shape::Time => json!(TIMES[dice(TIMES.len())]),
            Shape::Any => json!({ "a": [null, {}] }),
            Shape::List(inner) => (0..dice(3)).map(|_| value_of(inner, dice, deep)).collect(),
            Shape::Map(inner) => (0..dice(3))
                .map(|at| (format!("k{at}"), value_of(inner, dice, deep)))
                .collect::<Map<_, _>>()
                .into(),
            Shape::Object(name) => object_of(name, dice, deep).into(),
        }
    }

    fn object_of(name: &str, dice: &mut impl FnMut(usize) -> usize, deep: usize) -> Map<String, Value> {
        let mut object = Map::new();
        let fields = shape::of_name(name).into_iter().flat_map(|it| &it.fields);
        let mut fields: Vec<_> = fields.collect();
        fields.sort_by_key(|(name, _)| *name);
        for (name, field) in fields {
            // Few of them where there are many below.
            if deep < 9 && dice(3) == 0 {
                object.insert((*name).to_owned(), value_of(&field.shape, dice, deep + 1));
            }
        }
        if dice(4) == 0 {
            object.insert("noSuchField".to_owned(), json!(1));
        }
        object
    }

    /// A small generator of numbers: the same ones for the same seed.
    fn dice(mut seed: u64) -> impl FnMut(usize) -> usize {
        move |sides| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(seed >> 33).unwrap_or(0) % sides
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_is_kept_is_kept_as_it_is(seed: u64) {
            let mut dice = dice(seed);
            for kind in Kind::ALL {
                let once = kept(kind, &object_of(kind.name(), &mut dice, 0).into());
                prop_assert_eq!(kept(kind, &once).to_string(), once.to_string());
            }
            let once = kept_template(&object_of("PodTemplateSpec", &mut dice, 0).into());
            prop_assert_eq!(kept_template(&once).to_string(), once.to_string());
        }
    }

    /// Every field under a template: set to the zero of its type or to its default, and
    /// not set.
    #[test]
    fn every_field_is_kept_as_its_type_says() {
        let mut seen = std::collections::BTreeSet::new();
        let mut todo = vec!["PodTemplateSpec"];
        let mut checked = 0;
        while let Some(name) = todo.pop() {
            if !seen.insert(name) {
                continue;
            }
            let kept = |object: Value| {
                let mut object = object.as_object().cloned().unwrap_or_default();
                fill(name, &mut object);
                keep_object(name, &object)
            };
            let absent = kept(json!({}));
            for (field, it) in shape::of_name(name).into_iter().flat_map(|it| &it.fields) {
                checked += 1;
                let mut inner = &it.shape;
                while let Shape::List(deeper) | Shape::Map(deeper) = inner {
                    inner = deeper;
                }
                if let Shape::Object(inner) = inner {
                    todo.push(inner);
                }
                if let Some(default) = &it.default {
                    assert_eq!(kept(json!({ (*field): default })), absent, "{name}.{field}");
                }
                assert_eq!(kept(json!({ (*field): null })), absent, "{name}.{field}");
                let empty = match &it.shape {
                    Shape::List(_) => json!([]),
                    Shape::Map(_) => json!({}),
                    shape => zero(shape),
                };
                let by_itself = (name, *field) == ("Volume", "emptyDir");
                let is_default = it.default.as_ref() == Some(&empty);
                let is_same = !it.pointer || is_default || by_itself;
                let same = kept(json!({ (*field): empty })) == absent;
                assert!(same == is_same || empty.is_null(), "{name}.{field}");
            }
        }
        assert!(checked > 400, "{checked}");
    }
}
