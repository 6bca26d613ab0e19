//! Paths that name fields of an object: `spec.template.spec.containers[0].image`.
//!
//! `[0]` is an element of a list, `[*]` each of a list or a map; a key that is no plain word
//! stands in quotes: `metadata.annotations['a.b/c']`. What a path leads to is told as a text,
//! as rules compare it.

use serde_json::Value;

use super::kinds::Kind;
use super::shape::{self, Shape};

/// A path to the fields of an object that have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path(Vec<Step>);

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A field, or an entry of a map.
    Field(String),
    /// An element of a list.
    Index(usize),
    /// Each element of a list, or entry of a map.
    Each,
}

/// A field that the objects of a type do not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    /// The type, as Kubernetes names it.
    pub of: &'static str,
    /// The field.
    pub field: String,
    /// The fields that it has.
    pub known: Vec<&'static str>,
}

/// What is wrong with the text of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadPath {
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: &'static str,
}

const IN_QUOTES: &str = "a key that is no plain word stands in quotes: `metadata.annotations['a.b/c']`";

impl Path {
    /// Reads a path.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(text: &str) -> Result<Path, BadPath> {
        let wrong = |message: String, help| BadPath { message, help };
        let mut steps = Vec::new();
        let mut rest = text;
        while !rest.is_empty() || steps.is_empty() {
            if let Some(inside) = rest.strip_prefix('[') {
                let (step, behind) = bracket(inside)?;
                steps.push(step);
                rest = behind;
                continue;
            }
            if !steps.is_empty() {
                rest = rest.strip_prefix('.').ok_or_else(|| {
                    let what = rest.chars().next().unwrap_or(' ');
                    wrong(format!("`{what}` follows `]`"), "a field below it begins with a dot: `[0].image`")
                })?;
            }
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            let (name, behind) = rest.split_at(end);
            if name.is_empty() {
                return Err(wrong("a name is missing in it".to_owned(), IN_QUOTES));
            }
            if let Some(odd) = name.chars().find(|it| !is_plain(*it)) {
                return Err(wrong(format!("`{odd}` stands in the name `{name}`"), IN_QUOTES));
            }
            steps.push(Step::Field(name.to_owned()));
            rest = behind;
        }
        Ok(Path(steps))
    }

    /// What it leads to: one field, or more where it has `[*]`.
    #[must_use]
    pub fn values<'v>(&self, value: &'v Value) -> Vec<&'v Value> {
        let mut found = vec![value];
        for step in &self.0 {
            found = match step {
                Step::Field(name) => found.into_iter().filter_map(|it| it.get(name)).collect(),
                Step::Index(at) => found.into_iter().filter_map(|it| it.get(at)).collect(),
                Step::Each => found.into_iter().flat_map(each).collect(),
            };
        }
        found
    }

    /// Its steps.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.0
    }

    /// The first field in it that no object of the kind can have.
    #[must_use]
    pub fn unknown_in(&self, kind: Kind) -> Option<Unknown> {
        let mut shape = if kind.is_other() { Shape::Any } else { Shape::Object(kind.name()) };
        for step in &self.0 {
            shape = match (shape, step) {
                (Shape::Object(name), Step::Field(field)) => {
                    let fields = &shape::of_name(name)?.fields;
                    match fields.get(field.as_str()) {
                        Some(found) => found.shape.clone(),
                        None => {
                            let mut known: Vec<&'static str> = fields.keys().copied().collect();
                            known.sort_unstable();
                            return Some(Unknown { of: name, field: field.clone(), known });
                        }
                    }
                }
                (Shape::List(inner), Step::Index(_) | Step::Each)
                | (Shape::Map(inner), Step::Field(_) | Step::Each) => *inner,
                _ => return None,
            };
        }
        None
    }
}

/// What stands in brackets, and what follows them.
fn bracket(inside: &str) -> Result<(Step, &str), BadPath> {
    let open = || BadPath { message: "a `]` is missing in it".to_owned(), help: IN_QUOTES };
    if let Some(quote) = inside.chars().next().filter(|it| matches!(it, '\'' | '"')) {
        let (key, behind) = inside[1..].split_once(quote).ok_or_else(open)?;
        let behind = behind.strip_prefix(']').ok_or_else(open)?;
        return Ok((Step::Field(key.to_owned()), behind));
    }
    let (inner, behind) = inside.split_once(']').ok_or_else(open)?;
    if inner == "*" {
        return Ok((Step::Each, behind));
    }
    match inner.parse() {
        Ok(at) => Ok((Step::Index(at), behind)),
        Err(_) => Err(BadPath {
            message: format!("`[{inner}]` is no element of a list"),
            help: "the first is `[0]`, `[*]` is each, and a key stands in quotes: `['a.b/c']`",
        }),
    }
}

fn each(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(items) => items.iter().collect(),
        Value::Object(entries) => entries.values().collect(),
        _ => Vec::new(),
    }
}

/// Whether a name with it needs no quotes.
fn is_plain(it: char) -> bool {
    it.is_alphanumeric() || matches!(it, '-' | '_' | '$')
}

/// A field as a text: a number and a truth as they are written, a list and a map as JSON.
/// Null is no value.
#[must_use]
pub fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// All fields that hold no others, each with its path.
#[must_use]
pub fn leaves(value: &Value) -> Vec<(String, &Value)> {
    fn below<'v>(at: &mut String, value: &'v Value, out: &mut Vec<(String, &'v Value)>) {
        let length = at.len();
        match value {
            Value::Object(entries) if !entries.is_empty() => {
                for (name, value) in entries {
                    if name.is_empty() || !name.chars().all(is_plain) {
                        let quote = if name.contains('\'') { '"' } else { '\'' };
                        at.extend(["[", name].iter().flat_map(|part| part.chars().chain([quote])));
                        at.push(']');
                    } else {
                        if length > 0 {
                            at.push('.');
                        }
                        at.push_str(name);
                    }
                    below(at, value, out);
                    at.truncate(length);
                }
            }
            Value::Array(items) if !items.is_empty() => {
                for (nth, value) in items.iter().enumerate() {
                    at.push_str(&format!("[{nth}]"));
                    below(at, value, out);
                    at.truncate(length);
                }
            }
            value => out.push((at.clone(), value)),
        }
    }
    let mut out = Vec::new();
    below(&mut String::new(), value, &mut out);
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    fn object() -> Value {
        json!({ "metadata": { "annotations": { "a.b/c": "x", "it's": "y" } }, "spec": {
            "on": true, "replicas": 3, "none": null, "empty": {},
            "list": [{ "image": "a" }, { "image": "b" }, {}] } })
    }

    #[test]
    fn a_path_leads_to_what_it_names() {
        let object = object();
        let at = |path: &str| {
            let values = Path::parse(path).unwrap().values(&object).into_iter();
            values.filter_map(text_of).collect::<Vec<_>>().join(" ")
        };
        for (path, found) in [
            ("spec.on", "true"),
            ("spec.replicas", "3"),
            ("spec.none", ""),
            ("spec.nothing.at.all", ""),
            ("spec.empty", "{}"),
            ("spec.list[1].image", "b"),
            ("spec.list[7].image", ""),
            ("spec.list[*].image", "a b"),
            ("spec.list[0]", "{\"image\":\"a\"}"),
            ("metadata.annotations['a.b/c']", "x"),
            ("metadata.annotations[\"it's\"]", "y"),
            ("metadata.annotations[*]", "x y"),
            ("spec.on.deeper", ""),
        ] {
            assert_eq!(at(path), found, "{path}");
        }
    }

    #[test]
    fn each_leaf_is_found_by_its_path() {
        let object = object();
        let leaves = leaves(&object);
        assert_eq!(leaves.len(), 9);
        for (path, value) in leaves {
            assert_eq!(Path::parse(&path).unwrap().values(&object), [value], "{path}");
        }
    }

    #[test]
    fn what_is_no_path_is_told() {
        for (path, told) in [
            ("", "a name is missing in it"),
            ("spec..x", "a name is missing in it"),
            (".spec", "a name is missing in it"),
            ("spec.", "a name is missing in it"),
            ("spec.a/b", "`/` stands in the name `a/b`"),
            ("spec[0", "a `]` is missing in it"),
            ("spec[x]", "`[x]` is no element of a list"),
            ("spec['x]", "a `]` is missing in it"),
            ("spec[0]x", "`x` follows `]`"),
            ("spec]", "`]` stands in the name `spec]`"),
        ] {
            assert_eq!(Path::parse(path).unwrap_err().message, told, "{path}");
        }
    }
}
