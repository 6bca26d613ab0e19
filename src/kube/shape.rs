//! The shape of Kubernetes' objects: every type, its fields, and how each is kept.
//!
//! The table (`schema.txt`) is data. It says which fields there are and of which type,
//! which of them are pointers in Kubernetes' own source, and what an API server fills in
//! where nothing is said. Manifests are checked against it, defaults are read from it,
//! and what an API server would keep of an object follows from it.

use std::sync::OnceLock;

use rustc_hash::{FxHashMap, FxHashSet};
use serde_json::Value;

/// The type of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Shape {
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

/// One field of a type.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) shape: Shape,
    /// Whether it tells "set, but empty" from "not set".
    pub(super) pointer: bool,
    /// What is filled in where nothing is said.
    pub(super) default: Option<Value>,
}

/// The fields of a type.
#[derive(Debug, Default)]
pub(crate) struct Type {
    pub(crate) fields: FxHashMap<&'static str, Field>,
    /// The fields that have a default, or under which some have one.
    pub(super) filled: Vec<&'static str>,
}

type Table = FxHashMap<&'static str, Type>;

/// Types with defaults that depend on another field, which the table cannot say.
pub(super) const DEPENDENT: [&str; 5] =
    ["Container", "DaemonSetUpdateStrategy", "EphemeralContainer", "ImageVolumeSource", "Volume"];

/// The type of this name.
pub(crate) fn of_name(name: &str) -> Option<&'static Type> {
    table().get(name)
}

fn table() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| {
        let mut table = Table::default();
        let mut current = "";
        for line in include_str!("schema.txt").lines().filter(|line| !line.starts_with('#')) {
            match line.strip_prefix("  ").and_then(|field| field.split_once(' ')) {
                Some((name, field)) => {
                    table.entry(current).or_default().fields.insert(name, field_of(field));
                }
                None => {
                    current = line;
                    table.entry(current).or_default();
                }
            }
        }
        fill_in(&mut table);
        table
    })
}

fn field_of(text: &'static str) -> Field {
    let (shape, default) = text.split_once(" = ").map_or((text, None), |(shape, value)| (shape, Some(value)));
    let (shape, pointer) = shape.strip_prefix('*').map_or((shape, false), |shape| (shape, true));
    let default = default.and_then(|value| serde_json::from_str(value).ok());
    Field { shape: shape_of(shape), pointer, default }
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

/// Finds the fields that are to be looked at when defaults are filled in.
fn fill_in(table: &mut Table) {
    let has_default = |it: &Type| it.fields.values().any(|field| field.default.is_some());
    let mut with: FxHashSet<&str> =
        table.iter().filter(|(_, it)| has_default(it)).map(|(name, _)| *name).chain(DEPENDENT).collect();
    loop {
        let leads = |it: &Type| it.fields.values().any(|field| leads_to(&field.shape, &with));
        let more: Vec<&str> = table
            .iter()
            .filter(|(name, it)| !with.contains(*name) && leads(it))
            .map(|(name, _)| *name)
            .collect();
        if more.is_empty() {
            break;
        }
        with.extend(more);
    }
    for it in table.values_mut() {
        let is_filled = |field: &Field| field.default.is_some() || leads_to(&field.shape, &with);
        it.filled = it.fields.iter().filter(|(_, field)| is_filled(field)).map(|(name, _)| *name).collect();
        it.filled.sort_unstable();
    }
}

fn leads_to(shape: &Shape, types: &FxHashSet<&str>) -> bool {
    match shape {
        Shape::List(inner) | Shape::Map(inner) => leads_to(inner, types),
        Shape::Object(name) => types.contains(name),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kube::Kind;

    #[test]
    fn every_type_that_the_table_names_is_in_it() {
        fn named(shape: &Shape) -> Option<&'static str> {
            match shape {
                Shape::List(inner) | Shape::Map(inner) => named(inner),
                Shape::Object(name) => Some(name),
                _ => None,
            }
        }
        for (owner, it) in table() {
            for (field, it) in &it.fields {
                let missing = named(&it.shape).filter(|name| !table().contains_key(name));
                assert_eq!(missing, None, "{owner}.{field}");
            }
        }
        for kind in Kind::ALL {
            assert!(table().contains_key(kind.name()), "{kind}");
        }
        assert!(DEPENDENT.iter().all(|name| table().contains_key(name)));
    }

    #[test]
    fn defaults_are_read_and_found() {
        let pod = of_name("PodSpec").map(|it| &it.fields["terminationGracePeriodSeconds"]);
        assert!(pod.is_some_and(|it| it.pointer && it.default == Some(30.into())));
        let filled = |name| of_name(name).map(|it| it.filled.clone()).unwrap_or_default();
        assert_eq!(filled("DaemonSetSpec"), ["revisionHistoryLimit", "template", "updateStrategy"]);
        assert_eq!(filled("ObjectMeta"), [""; 0]);
    }
}
