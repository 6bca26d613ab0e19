//! What the rules derive of how pods are reached, row by row.

use crate::datalog::{Evaluation, Handle, Program, Row, Sym, Symbols};
use crate::kube::ObjectKey;

/// A program, what it derives, and what the values of that are.
#[derive(Clone, Copy)]
pub struct Derived<'a> {
    /// The program, asked for [`REACHED`](crate::policy::relations::REACHED).
    pub program: &'a Program,
    /// What was derived.
    pub evaluation: &'a Evaluation,
    /// The values.
    pub symbols: &'a Symbols,
}

impl<'a> Derived<'a> {
    /// The rows of a relation that begin with these symbols.
    pub(super) fn rows<'p>(self, relation: Handle, prefix: &'p [Sym]) -> impl Iterator<Item = Row> + 'p
    where
        'a: 'p,
    {
        self.evaluation.rows_with_prefix(self.program.id(relation), prefix)
    }

    /// Whether there is a row.
    pub(super) fn has(self, relation: Handle, row: &[Sym]) -> bool {
        self.evaluation.contains(self.program.id(relation), row)
    }

    /// The symbol of an object that rules know.
    pub(super) fn subject(self, key: &ObjectKey) -> Option<Sym> {
        self.symbols.find_text(&key.to_string())
    }

    /// The text of a symbol; empty for a number.
    pub(super) fn text(self, symbol: Sym) -> &'a str {
        self.symbols.text_of(symbol)
    }

    /// The number of a symbol; 0 for a text.
    pub(super) fn number(self, symbol: Sym) -> i64 {
        self.symbols.number_of(symbol)
    }

    /// The key that a symbol of a namespaced object stands for.
    pub(super) fn key(self, symbol: Sym) -> ObjectKey {
        let (namespace, name) = self.text(symbol).split_once('/').unwrap_or(("", self.text(symbol)));
        ObjectKey::new(namespace, name)
    }

    /// The addresses in rows `(…, address, family, place)` that begin with these symbols, in
    /// order, each with its family.
    pub(super) fn addresses(self, relation: Handle, prefix: &[Sym]) -> Vec<(&'a str, &'a str)> {
        let at = prefix.len();
        let mut found: Vec<_> = self
            .rows(relation, prefix)
            .map(|row| (self.number(row[at + 2]), self.text(row[at]), self.text(row[at + 1])))
            .collect();
        found.sort_unstable();
        found.into_iter().map(|(_, address, family)| (address, family)).collect()
    }
}
