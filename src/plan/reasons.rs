//! Reasons: which rule of an action's relation made it, and its sentence with the names.
//!
//! A relation that several rules derive, `delete` for one, has in each of them a single
//! atom: the rows of that atom's relation are what the rule fires on. So the rule of a
//! row is found by looking, and what its sentence names is a column of that row. Where
//! this does not hold (a user's `blocked` or `hold`) the derivation is asked for.

use std::sync::Arc;

use super::action::Because;
use crate::datalog::{Handle, Literal, Program, RelationId, Row, Rule, Sym, Term, Value};
use crate::kube::timestamp;
use crate::reason::Reasoner;

/// A rule that asks for an action, and the relation whose rows are its reasons.
pub(super) struct Cause {
    /// The relation of its only atom.
    pub relation: RelationId,
    /// For each column of that atom its variable, and how its values are shown.
    columns: Vec<Option<(Arc<str>, Shown)>>,
    because: Arc<Because>,
    /// Whether the sentence names more than an action knows of itself.
    names_more: bool,
}

/// How a value is shown to a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shown {
    /// A key without its namespace.
    Key,
    /// Seconds of Unix time as RFC 3339.
    Time,
    /// As it is.
    Plain,
}

/// What an action knows of itself.
const OWN: [&str; 4] = ["DaemonSet", "Node", "Pod", "Revision"];

/// The rules with this head, each with the relation its atom reads.
pub(super) fn causes(program: &Program, head: Handle) -> Vec<Cause> {
    program.rules_for(program.id(head)).filter_map(|rule| Cause::new(program, rule)).collect()
}

/// A rule as the reason of an action.
pub(super) fn because(rule: &Rule) -> Arc<Because> {
    Arc::new(Because { sentence: rule.sentence.clone(), rule: format!("{}:{}", rule.file, rule.line) })
}

impl Cause {
    fn new(program: &Program, rule: &Rule) -> Option<Self> {
        let atom = rule.body.iter().find_map(|literal| match literal {
            Literal::Positive(atom) => Some(atom),
            _ => None,
        })?;
        let declared = &program.declaration(atom.relation).columns;
        let column = |(term, column): (&Term, &crate::datalog::Column)| match term {
            Term::Variable(variable) => {
                let shown = match (&*column.name, &*column.ty) {
                    ("time", _) => Shown::Time,
                    (_, "DaemonSet" | "Pod" | "Revision") => Shown::Key,
                    _ => Shown::Plain,
                };
                Some((rule.variables[variable.0].clone(), shown))
            }
            _ => None,
        };
        let columns: Vec<_> = atom.terms.iter().zip(declared).map(column).collect();
        let more = |name: &str| !OWN.contains(&name) && rule.sentence.contains(&format!("{{{name}}}"));
        let names_more = columns.iter().flatten().any(|(name, _)| more(name));
        Some(Cause { relation: atom.relation, columns, because: because(rule), names_more })
    }

    /// The value of a variable in a row.
    pub fn value(&self, variable: &str, row: &Row) -> Option<Sym> {
        let at = self.columns.iter().position(|it| it.as_ref().is_some_and(|(name, _)| **name == *variable));
        at.map(|at| row[at])
    }

    /// The rule, as `rules/pods.dl:120`.
    pub fn rule(&self) -> &str {
        &self.because.rule
    }

    /// The reason of an action that a row asks for: what the action does not know of
    /// itself is filled in.
    pub fn because(&self, reasoner: &Reasoner, row: &Row) -> Arc<Because> {
        if !self.names_more {
            return self.because.clone();
        }
        let sentence = self.filled(reasoner, row, |name| !OWN.contains(&name)).into();
        Arc::new(Because { sentence, rule: self.because.rule.clone() })
    }

    /// The sentence with all names.
    pub fn sentence(&self, reasoner: &Reasoner, row: &Row) -> String {
        self.filled(reasoner, row, |_| true)
    }

    fn filled(&self, reasoner: &Reasoner, row: &Row, fills: impl Fn(&str) -> bool) -> String {
        let mut text = self.because.sentence.to_string();
        for (column, sym) in self.columns.iter().zip(row.iter()) {
            let Some((name, shown)) = column.as_ref().filter(|(name, _)| fills(name)) else { continue };
            let value = match shown {
                Shown::Key => reasoner.key(*sym).name.to_string(),
                Shown::Time => timestamp(reasoner.number(*sym)),
                Shown::Plain => match reasoner.symbols().value(*sym) {
                    Value::Text(text) => text.to_owned(),
                    Value::Number(number) => number.to_string(),
                },
            };
            text = text.replace(&format!("{{{name}}}"), &value);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::policy::relations;

    #[test]
    fn every_rule_of_an_action_rests_on_one_atom() {
        let program = crate::policy::builtin::load(&[]).program.unwrap();
        for head in relations::CAUSED {
            for rule in program.rules_for(program.id(*head)) {
                assert!(matches!(rule.body.as_slice(), [Literal::Positive(_)]), "{}", rule.text);
            }
        }
    }
}
