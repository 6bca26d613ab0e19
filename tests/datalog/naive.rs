//! Datalog by brute force: every rule over every combination of rows, again and again
//! until nothing is new. No index, no plan, no symbols, nothing shared with the engine.

use std::collections::{BTreeMap, BTreeSet};

use super::random::{Atom, Comparison, Literal, Rule, Rules, Term};

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Val {
    Text(String),
    Number(i64),
}

pub type Row = Vec<Val>;
pub type Data = BTreeMap<String, BTreeSet<Row>>;
type Binding = BTreeMap<String, Val>;

/// All rows of all relations, without the empty ones.
pub fn evaluate(rules: &Rules, input: &Data) -> Data {
    let mut data = input.clone();
    for level in 0..=rules.levels() {
        loop {
            let mut new = Vec::new();
            for rule in rules.rules.iter().filter(|rule| rules.level(&rule.head.relation) == level) {
                bindings(rule, 0, Binding::new(), &data, &mut |binding| {
                    let row: Row = rule.head.terms.iter().filter_map(|term| value(term, binding)).collect();
                    new.push((rule.head.relation.clone(), row));
                });
            }
            let before = count(&data);
            for (relation, row) in new {
                data.entry(relation).or_default().insert(row);
            }
            if count(&data) == before {
                break;
            }
        }
    }
    data.retain(|_, rows| !rows.is_empty());
    data
}

fn count(data: &Data) -> usize {
    data.values().map(BTreeSet::len).sum()
}

fn value(term: &Term, binding: &Binding) -> Option<Val> {
    match term {
        Term::Any => None,
        Term::Variable(name) => binding.get(name).cloned(),
        Term::Constant(value) => Some(value.clone()),
    }
}

/// All ways in which the body holds from the literal `at` on.
fn bindings(rule: &Rule, at: usize, binding: Binding, data: &Data, each: &mut dyn FnMut(&Binding)) {
    let none = BTreeSet::new();
    match rule.body.get(at) {
        None => each(&binding),
        Some(Literal::Positive(atom)) => {
            for row in data.get(&atom.relation).unwrap_or(&none) {
                if let Some(binding) = matched(atom, row, &binding) {
                    bindings(rule, at + 1, binding, data, each);
                }
            }
        }
        Some(Literal::Negative(atom)) => {
            let rows = data.get(&atom.relation).unwrap_or(&none);
            if !rows.iter().any(|row| matched(atom, row, &binding).is_some()) {
                bindings(rule, at + 1, binding, data, each);
            }
        }
        Some(Literal::Comparison(comparison)) => {
            if holds(comparison, &binding) {
                bindings(rule, at + 1, binding, data, each);
            }
        }
    }
}

fn matched(atom: &Atom, row: &Row, binding: &Binding) -> Option<Binding> {
    let mut binding = binding.clone();
    for (term, found) in atom.terms.iter().zip(row) {
        match value(term, &binding) {
            Some(known) if known != *found => return None,
            Some(_) => {}
            None => {
                if let Term::Variable(name) = term {
                    binding.insert(name.clone(), found.clone());
                }
            }
        }
    }
    Some(binding)
}

fn holds(comparison: &Comparison, binding: &Binding) -> bool {
    let left = value(&comparison.left, binding).unwrap();
    let right = value(&comparison.right, binding).unwrap();
    match (&left, &right, comparison.plus) {
        // A sum is exact, also where it is no 64-bit number.
        (Val::Number(left), Val::Number(right), Some(plus)) => {
            ordered(comparison.operator, &i128::from(*left), &(i128::from(*right) + i128::from(plus)))
        }
        _ => ordered(comparison.operator, &left, &right),
    }
}

fn ordered<T: Ord>(operator: &str, left: &T, right: &T) -> bool {
    match operator {
        "=" => left == right,
        "!=" => left != right,
        "<" => left < right,
        "<=" => left <= right,
        ">" => left > right,
        _ => left >= right,
    }
}
