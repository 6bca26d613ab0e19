//! Paths to fields, as Kubernetes writes them: `spec.template.spec.containers[0].image`.
//!
//! A [`FieldPath`] is owned and printable; a [`Cursor`] is a value together with the
//! path that led to it, linked on the stack so that walking costs nothing until an
//! error needs the path. Neither knows about texts or places.

use std::fmt;

use serde_json::Value;

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// A field of a typed object: `.image`.
    Field(String),
    /// An element of a list: `[0]`.
    Index(usize),
    /// A key of a map whose keys are data: `[nvidia.com/gpu]`.
    Key(String),
}

/// A path from an object's root to one of its fields.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldPath(pub Vec<Step>);

impl FieldPath {
    /// The path to a field below this one.
    #[must_use]
    pub fn field(mut self, name: &str) -> Self {
        self.0.push(Step::Field(name.to_owned()));
        self
    }

    /// The path to an element of this list.
    #[must_use]
    pub fn index(mut self, index: usize) -> Self {
        self.0.push(Step::Index(index));
        self
    }

    /// The path to an entry of this map.
    #[must_use]
    pub fn key(mut self, key: &str) -> Self {
        self.0.push(Step::Key(key.to_owned()));
        self
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (nth, step) in self.0.iter().enumerate() {
            match step {
                Step::Field(name) if nth == 0 => f.write_str(name)?,
                Step::Field(name) => write!(f, ".{name}")?,
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Key(key) => write!(f, "[{key}]")?,
            }
        }
        Ok(())
    }
}

/// What of a field is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Its key: an unknown field, a wrong label key.
    Key,
    /// Its value.
    Value,
}

/// A value and how it was reached. A field that is not there is `null`, as Kubernetes
/// makes no difference between the two.
#[derive(Debug, Clone, Copy)]
pub struct Cursor<'v, 'p> {
    /// What is there.
    pub value: &'v Value,
    parent: Option<&'p Cursor<'v, 'p>>,
    step: Link<'p>,
}

#[derive(Debug, Clone, Copy)]
enum Link<'p> {
    Root,
    Field(&'p str),
    Index(usize),
    Key(&'p str),
}

static NULL: Value = Value::Null;

impl<'v> Cursor<'v, '_> {
    /// The root of an object.
    #[must_use]
    pub fn root(value: &'v Value) -> Self {
        Cursor { value, parent: None, step: Link::Root }
    }

    /// The field `name`, there or not.
    #[must_use]
    pub fn field<'s>(&'s self, name: &'s str) -> Cursor<'v, 's> {
        let value = self.value.get(name).unwrap_or(&NULL);
        Cursor { value, parent: Some(self), step: Link::Field(name) }
    }

    /// The entry `key` of a map whose keys are data.
    #[must_use]
    pub fn key<'s>(&'s self, key: &'s str) -> Cursor<'v, 's> {
        let value = self.value.get(key).unwrap_or(&NULL);
        Cursor { value, parent: Some(self), step: Link::Key(key) }
    }

    /// The element `index` of a list.
    #[must_use]
    pub fn index<'s>(&'s self, index: usize) -> Cursor<'v, 's> {
        let value = self.value.get(index).unwrap_or(&NULL);
        Cursor { value, parent: Some(self), step: Link::Index(index) }
    }

    /// The elements of a list; none where there is no list.
    pub fn items<'s>(&'s self) -> impl Iterator<Item = Cursor<'v, 's>> + 's {
        let count = self.value.as_array().map_or(0, Vec::len);
        (0..count).map(move |index| self.index(index))
    }

    /// The entries of a map, in key order; none where there is no map.
    pub fn entries<'s>(&'s self) -> impl Iterator<Item = (&'v str, Cursor<'v, 's>)> + 's
    where
        'v: 's,
    {
        let map = self.value.as_object();
        map.into_iter().flatten().map(move |(key, value)| {
            (key.as_str(), Cursor { value, parent: Some(self), step: Link::Key(key) })
        })
    }

    /// The fields of a typed object, in name order; none where there is no object.
    pub fn fields<'s>(&'s self) -> impl Iterator<Item = (&'v str, Cursor<'v, 's>)> + 's
    where
        'v: 's,
    {
        let map = self.value.as_object();
        map.into_iter().flatten().map(move |(name, value)| {
            (name.as_str(), Cursor { value, parent: Some(self), step: Link::Field(name) })
        })
    }

    /// Whether it is the root of an object.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.parent.is_none()
    }

    /// How many elements or entries there are.
    #[must_use]
    pub fn len(&self) -> usize {
        match self.value {
            Value::Array(list) => list.len(),
            Value::Object(map) => map.len(),
            _ => 0,
        }
    }

    /// No elements, no entries.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the field is there (a Go pointer that is not nil).
    #[must_use]
    pub fn is_set(&self) -> bool {
        !self.value.is_null()
    }

    /// The text, or the empty one.
    #[must_use]
    pub fn text(&self) -> &'v str {
        self.value.as_str().unwrap_or("")
    }

    /// The integer, if it is one.
    #[must_use]
    pub fn int(&self) -> Option<i64> {
        self.value.as_i64()
    }

    /// Whether it is `true`.
    #[must_use]
    pub fn truth(&self) -> bool {
        self.value.as_bool().unwrap_or(false)
    }

    /// The path from the root.
    #[must_use]
    pub fn path(&self) -> FieldPath {
        let mut steps = Vec::new();
        let mut at = Some(self);
        while let Some(cursor) = at {
            match cursor.step {
                Link::Root => {}
                Link::Field(name) => steps.push(Step::Field(name.to_owned())),
                Link::Index(index) => steps.push(Step::Index(index)),
                Link::Key(key) => steps.push(Step::Key(key.to_owned())),
            }
            at = cursor.parent;
        }
        steps.reverse();
        FieldPath(steps)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_knows_its_way() {
        let value = serde_json::json!({"spec": {"list": [{"a": 1}], "map": {"x/y": "z"}}});
        let root = Cursor::root(&value);
        let spec = root.field("spec");
        let list = spec.field("list");
        let paths: Vec<String> = list.items().map(|item| item.field("a").path().to_string()).collect();
        assert_eq!(paths, ["spec.list[0].a"]);
        let map = spec.field("map");
        let paths: Vec<String> = map.entries().map(|(_, entry)| entry.path().to_string()).collect();
        assert_eq!(paths, ["spec.map[x/y]"]);
        assert!(!spec.field("none").field("deeper").is_set());
        assert_eq!(spec.field("none").field("deeper").path().to_string(), "spec.none.deeper");
    }
}
