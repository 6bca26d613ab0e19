//! Objects of kinds without a view of their own: their facts are what the list of their
//! kind says, a relation and the field that fills it.

use serde_json::Value;

use super::encoder::Encoder;
use crate::datalog::Sym;
use crate::kube::{Kind, Plain, Rows};

impl Encoder {
    /// The facts about one object.
    pub(super) fn plain(&mut self, kind: Kind, object: &Plain) {
        let it = self.subject(kind, &object.meta.key);
        for fact in kind.info().facts.iter() {
            let relation = fact.relation;
            if !self.uses(relation) {
                continue;
            }
            match fact.rows {
                Rows::Itself => self.row(relation, &[it]),
                Rows::Field(path) => self.value_row(relation, it, at(&object.value, path)),
                Rows::Entries(path) => self.pairs(relation, it, at(&object.value, path)),
                Rows::Items(path) => {
                    for item in at(&object.value, path).as_array().into_iter().flatten() {
                        self.value_row(relation, it, item);
                    }
                }
            }
        }
    }

    /// A row of an object and a value, where that is text or a whole number.
    fn value_row(&mut self, relation: &'static str, it: Sym, value: &Value) {
        let symbol = match value {
            Value::String(text) => self.symbols.text(text),
            Value::Number(number) => match number.as_i64() {
                Some(number) => self.symbols.number(number),
                None => return,
            },
            _ => return,
        };
        self.row(relation, &[it, symbol]);
    }
}

/// The field at a path; null where there is none.
fn at<'v>(value: &'v Value, path: &[&str]) -> &'v Value {
    path.iter().fold(value, |value, field| &value[*field])
}
