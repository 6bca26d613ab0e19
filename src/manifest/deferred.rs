//! What JSON has no text for, found before it is known whether JSON will be asked for it.
//!
//! kubectl reads a whole document before it writes it as JSON. So `.inf`, or a key that is
//! nothing, is refused only if it is still there at the end, and not where a later value
//! of the same key took its place. Until then something stands for it that no text can
//! hold: a key with the hash of the text itself.

use serde_json::{Map, Value};

use super::grammar::Span;
use super::scalar::Refusal;
use crate::hash::sha256;

/// The refusals of one document that may come to nothing.
#[derive(Debug)]
pub(super) struct Deferred<'t> {
    text: &'t str,
    /// How the keys begin that stand for one; made when the first one comes.
    mark: Option<String>,
    found: Vec<Found>,
}

#[derive(Debug)]
struct Found {
    refusal: Refusal,
    span: Span,
    /// What it is as a key.
    name: Option<String>,
}

impl<'t> Deferred<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Deferred { text, mark: None, found: Vec::new() }
    }

    /// A key that stands for one that JSON does not have.
    pub(super) fn key(&mut self, refusal: Refusal, span: Span) -> String {
        self.keep(Found { refusal, span, name: None })
    }

    /// A value that stands for one that JSON does not have; as a key it is this `name`.
    pub(super) fn value(&mut self, name: String, span: Span) -> Value {
        let key = self.keep(Found { refusal: Refusal::NotANumber, span, name: Some(name) });
        Value::Object(Map::from_iter([(key, Value::Null)]))
    }

    fn keep(&mut self, found: Found) -> String {
        let text = self.text;
        let mark = self.mark.get_or_insert_with(|| sha256(text));
        self.found.push(found);
        format!("{mark}{}", self.found.len() - 1)
    }

    fn find(&self, key: &str) -> Option<&Found> {
        let number = key.strip_prefix(self.mark.as_deref()?)?;
        self.found.get(number.parse::<usize>().ok()?)
    }

    /// The name as a key, if the value stands for one that JSON does not have.
    pub(super) fn name(&self, value: &Value) -> Option<&str> {
        let key = value.as_object().filter(|map| map.len() == 1)?.keys().next()?;
        self.find(key)?.name.as_deref()
    }

    /// The first in the text of those that are still there.
    pub(super) fn left(&self, root: &Value) -> Option<(Refusal, Span)> {
        self.mark.as_ref()?;
        let mut first: Option<&Found> = None;
        let mut open = vec![root];
        while let Some(value) = open.pop() {
            match value {
                Value::Array(list) => open.extend(list),
                Value::Object(map) => {
                    for (key, value) in map {
                        let earlier =
                            |found: &&Found| first.is_none_or(|first| found.span.start < first.span.start);
                        first = self.find(key).filter(earlier).or(first);
                        open.push(value);
                    }
                }
                _ => {}
            }
        }
        first.map(|found| (found.refusal, found.span))
    }
}
