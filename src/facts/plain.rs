//! Objects of kinds without a view of their own: their facts are what the list of their
//! kind says, a relation and the field that fills it.

use serde_json::Value;

use super::encoder::Encoder;
use crate::datalog::{Sym, Symbols};
use crate::kube::{Kind, Plain, Rows, labels_of};

impl Encoder {
    /// The facts about one object.
    pub(super) fn plain(&mut self, kind: Kind, object: &Plain) {
        if kind.is_other() {
            if self.asks_for_others() {
                self.other(kind, object);
            }
            self.budget(kind, object);
            self.scaled(kind, object);
            return;
        }
        if kind == Kind::Service {
            self.service(object);
        }
        let it = self.subject(kind, &object.meta.key);
        if kind == Kind::Namespace {
            self.namespace_fields(object, it);
        }
        for (id, rows) in self.plain.get(&kind).into_iter().flatten() {
            match rows {
                Rows::Itself => self.out.insert(*id, &[it]),
                Rows::Field(path) => {
                    if let Some(value) = symbol(&mut self.symbols, at(&object.value, path)) {
                        self.out.insert(*id, &[it, value]);
                    }
                }
                Rows::Entries(path) => {
                    for (key, value) in labels_of(at(&object.value, path)) {
                        self.out.insert(*id, &[it, self.symbols.text(&key), self.symbols.text(&value)]);
                    }
                }
                Rows::Items(path) => {
                    for item in at(&object.value, path).as_array().into_iter().flatten() {
                        if let Some(item) = symbol(&mut self.symbols, item) {
                            self.out.insert(*id, &[it, item]);
                        }
                    }
                }
            }
        }
    }
}

/// The symbol of a value, where that is text or a whole number.
fn symbol(symbols: &mut Symbols, value: &Value) -> Option<Sym> {
    match value {
        Value::String(text) => Some(symbols.text(text)),
        Value::Number(number) => number.as_i64().map(|number| symbols.number(number)),
        _ => None,
    }
}

/// The field at a path; null where there is none.
fn at<'v>(value: &'v Value, path: &[&str]) -> &'v Value {
    path.iter().fold(value, |value, field| &value[*field])
}
