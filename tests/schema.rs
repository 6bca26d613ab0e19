//! Whether the field table of `src/kube/schema.txt` is Kubernetes' own.
//!
//! The types of k8s-openapi are asked for their fields by reading them from a
//! deserializer that has no data: it notes what each type asks it for. What is added by
//! hand (pointers, defaults) stays with its field. Set `DSRULES_UPDATE` to write the table
//! anew.
#![allow(clippy::unwrap_used, missing_docs)]

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::rc::Rc;

use k8s_openapi::api::apps::v1::{ControllerRevision, DaemonSet};
use k8s_openapi::api::core::v1::{Namespace, Node, Pod, Service};
use serde::de::value::Error;
use serde::de::{DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, forward_to_deserialize_any};
use serde_json::json;

type Types = Rc<RefCell<BTreeMap<String, Vec<(String, String)>>>>;

/// A deserializer that notes what it is asked for.
#[derive(Clone)]
struct Probe {
    types: Types,
    /// What it was asked for, as the table writes it.
    shape: Rc<RefCell<String>>,
    /// The text that it gives out, where a type wants a certain one.
    text: &'static str,
}

impl Probe {
    fn inner(&self) -> Probe {
        Probe { shape: Rc::default(), text: "", ..self.clone() }
    }

    fn is(&self, shape: &str) {
        self.shape.borrow_mut().push_str(shape);
    }
}

impl<'de> Deserializer<'de> for Probe {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if Expected(&visitor).to_string() == "IntOrString" {
            self.is("int-or-string");
            return visitor.visit_i64(1);
        }
        self.is("any");
        visitor.visit_unit()
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.is("bool");
        visitor.visit_bool(true)
    }

    fn deserialize_i32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.is("int32");
        visitor.visit_i32(1)
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.is("int64");
        visitor.visit_i64(1)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.is("float");
        visitor.visit_f64(1.0)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.is("string");
        visitor.visit_str(self.text)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.is("?");
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        let (shape, value) = match name {
            "Quantity" => ("quantity", json!("1")),
            "Time" => ("time", json!("2020-01-01T00:00:00Z")),
            "MicroTime" => ("microtime", json!("2020-01-01T00:00:00.000000Z")),
            "ByteString" => ("string", json!("")),
            "FieldsV1" | "RawExtension" => ("any", json!({})),
            _ => panic!("the table has no word for {name}"),
        };
        self.is(shape);
        let value = value.into_deserializer();
        visitor.visit_newtype_struct::<serde_json::Value>(value).map_err(serde::de::Error::custom)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.is("[]");
        visitor.visit_seq(Once(Some(self)))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.is("{}");
        visitor.visit_map(Once(Some(self)))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.is(name);
        let is_new = !self.types.borrow().contains_key(name);
        let fields = if is_new { fields.to_vec() } else { Vec::new() };
        if is_new {
            self.types.borrow_mut().insert(name.to_owned(), Vec::new());
        }
        let walk = Fields { probe: self, name, fields, last: None };
        visitor.visit_map(walk)
    }

    forward_to_deserialize_any! {
        i8 i16 i128 u8 u16 u32 u64 u128 f32 char bytes byte_buf unit unit_struct tuple tuple_struct enum
        identifier ignored_any
    }
}

/// What a visitor says that it expects.
struct Expected<'v, V>(&'v V);

impl<'de, V: Visitor<'de>> std::fmt::Display for Expected<'_, V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.expecting(f)
    }
}

/// A list or map with one entry.
struct Once(Option<Probe>);

impl<'de> SeqAccess<'de> for Once {
    type Error = Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Error> {
        self.0.take().map(|probe| seed.deserialize(probe)).transpose()
    }
}

impl<'de> MapAccess<'de> for Once {
    type Error = Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Error> {
        if self.0.is_none() {
            return Ok(None);
        }
        seed.deserialize("key".into_deserializer()).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Error> {
        seed.deserialize(self.0.take().unwrap())
    }
}

/// All fields of a type, one after the other.
struct Fields {
    probe: Probe,
    name: &'static str,
    fields: Vec<&'static str>,
    last: Option<&'static str>,
}

impl<'de> MapAccess<'de> for Fields {
    type Error = Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Error> {
        if self.fields.is_empty() {
            return Ok(None);
        }
        let field = self.fields.remove(0);
        self.last = Some(field);
        seed.deserialize(field.into_deserializer()).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Error> {
        let field = self.last.take().unwrap();
        let mut probe = self.probe.inner();
        let is_apps = matches!(self.name, "DaemonSet" | "ControllerRevision");
        probe.text = match field {
            "apiVersion" if is_apps => "apps/v1",
            "apiVersion" => "v1",
            "kind" => self.name,
            _ => "",
        };
        let shape = probe.shape.clone();
        let value = seed.deserialize(probe)?;
        self.probe
            .types
            .borrow_mut()
            .get_mut(self.name)
            .unwrap()
            .push((field.to_owned(), shape.borrow().clone()));
        Ok(value)
    }
}

fn ask<'de, T: Deserialize<'de>>(types: &Types) {
    let probe = Probe { types: types.clone(), shape: Rc::default(), text: "" };
    let read = T::deserialize(probe).map(drop);
    assert_eq!(read, Ok(()));
}

#[test]
fn the_field_table_is_that_of_kubernetes() {
    let types = Types::default();
    ask::<ControllerRevision>(&types);
    ask::<DaemonSet>(&types);
    ask::<Namespace>(&types);
    ask::<Node>(&types);
    ask::<Pod>(&types);
    ask::<Service>(&types);
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/kube/schema.txt");
    let table = std::fs::read_to_string(path).unwrap();
    let by_hand = by_hand(&table);
    let mut expected = String::new();
    for (name, fields) in types.borrow().iter() {
        writeln!(expected, "{name}").unwrap();
        for (field, shape) in fields {
            let (pointer, default) =
                by_hand.get(&(name.as_str(), field.as_str())).copied().unwrap_or_default();
            let required = shape.strip_prefix('?').is_none();
            let shape = shape.trim_start_matches('?');
            assert!(!pointer.contains('*') || !shape.starts_with(['[', '{']), "{name}.{field} is no pointer");
            let is_object = shape.starts_with(|c: char| c.is_ascii_uppercase());
            assert!(pointer.is_empty() || !required || is_object, "{name}.{field} is required: no pointer");
            writeln!(expected, "  {field} {pointer}{shape}{default}").unwrap();
        }
    }
    let comment: String =
        table.lines().filter(|line| line.starts_with('#')).map(|line| format!("{line}\n")).collect();
    if std::env::var_os("DSRULES_UPDATE").is_some() {
        std::fs::write(path, comment + &expected).unwrap();
        return;
    }
    let have: String =
        table.lines().filter(|line| !line.starts_with('#')).map(|line| format!("{line}\n")).collect();
    assert_eq!(types.borrow().len(), 176);
    similar_asserted(&expected, &have);
}

/// What the table says of a field by hand: `*` where it is a pointer, ` = VALUE` where it
/// has a default.
fn by_hand(table: &str) -> BTreeMap<(&str, &str), (&str, &str)> {
    let mut owner = "";
    let mut found = BTreeMap::new();
    for line in table.lines().filter(|line| !line.starts_with('#')) {
        let Some((field, rest)) = line.strip_prefix("  ").and_then(|line| line.split_once(' ')) else {
            owner = line;
            continue;
        };
        let default = rest.find(" = ").map_or("", |at| &rest[at..]);
        let pointer = if rest.starts_with('*') { &rest[..1] } else { "" };
        found.insert((owner, field), (pointer, default));
    }
    found
}

/// Shows the first lines that differ.
fn similar_asserted(expected: &str, have: &str) {
    let difference = expected.lines().zip(have.lines()).enumerate().find(|(_, (a, b))| a != b);
    assert_eq!(difference, None, "(line, (k8s-openapi, table)); DSRULES_UPDATE writes the table anew");
    assert_eq!(expected.lines().count(), have.lines().count());
}
