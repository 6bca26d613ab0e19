//! Rows, parts of rules and sentences as text.

use super::super::check::is_variable;
use super::super::expression::written;
use super::super::program::{Atom, Comparison, RelationId, Rule, Term};
use super::super::symbols::{Sym, Value};
use super::explainer::{Binding, Explainer, Pattern};

impl Explainer<'_> {
    /// A row as one would write it, with `_` for what is not known.
    pub fn fact(&self, relation: RelationId, row: &Pattern) -> String {
        let value = |sym| written(self.symbols.value(sym));
        let values: Vec<String> = row.iter().map(|cell| cell.sym().map_or("_".to_owned(), value)).collect();
        format!("{}({})", self.program.declaration(relation).name, values.join(", "))
    }

    /// An atom with the values that are known; constants are shown also if no row has them.
    /// A variable without a value that stands there twice keeps its name.
    pub fn atom(&self, rule: &Rule, atom: &Atom, way: &Binding) -> String {
        let is_twice = |variable| atom.variables().filter(|it| *it == variable).nth(1).is_some();
        let shown = |term: &Term| match self.filled_term(term, way) {
            Term::Variable(variable) if is_twice(variable) => rule.variables[variable.0].to_string(),
            term => self.term(&term, way),
        };
        let terms: Vec<String> = atom.terms.iter().map(shown).collect();
        format!("{}({})", self.program.declaration(atom.relation).name, terms.join(", "))
    }

    pub fn comparison(&self, comparison: &Comparison, way: &Binding) -> String {
        comparison.shown(&|term| self.term(term, way))
    }

    /// A value as it is written in a rule.
    pub fn quoted(&self, sym: Sym) -> String {
        written(self.symbols.value(sym))
    }

    pub(super) fn term(&self, term: &Term, way: &Binding) -> String {
        match self.filled_term(term, way) {
            Term::Text(text) => written(Value::Text(&text)),
            Term::Number(number) => number.to_string(),
            Term::Variable(_) | Term::Any => "_".to_owned(),
        }
    }

    /// The sentence over a rule with the values of its variables; what is not known
    /// keeps its name.
    pub fn sentence(&self, rule: &Rule, way: &Binding) -> Option<String> {
        if rule.sentence.is_empty() {
            return None;
        }
        let mut text = String::new();
        let mut rest = &*rule.sentence;
        while let Some((before, behind)) = rest.split_once('{') {
            text.push_str(before);
            let Some((name, after)) = behind.split_once('}').filter(|(name, _)| is_variable(name)) else {
                text.push('{');
                rest = behind;
                continue;
            };
            let at = rule.variables.iter().position(|variable| **variable == *name);
            match at.and_then(|at| way.get(at).copied().flatten()) {
                Some(sym) => text.push_str(&self.symbols.value(sym).to_string()),
                None => text.push_str(name),
            }
            rest = after;
        }
        text.push_str(rest);
        Some(text)
    }
}
