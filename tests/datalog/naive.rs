//! Datalog by brute force: every rule over every combination of rows, again and again
//! until nothing is new. No index, no plan, no symbols, nothing shared with the engine.

use std::collections::{BTreeMap, BTreeSet};

use super::random::{Atom, Comparison, Expression, Literal, Rules, Term};

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
                let mut ways: Vec<Vec<Literal>> =
                    rule.ways.iter().map(|way| [rule.body.clone(), way.clone()].concat()).collect();
                if ways.is_empty() {
                    ways.push(rule.body.clone());
                }
                for way in ways {
                    bindings(&way, 0, Binding::new(), &data, &mut |binding| {
                        let row: Row =
                            rule.head.terms.iter().filter_map(|term| value(term, binding)).collect();
                        new.push((rule.head.relation.clone(), row));
                    });
                }
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
fn bindings(body: &[Literal], at: usize, binding: Binding, data: &Data, each: &mut dyn FnMut(&Binding)) {
    let none = BTreeSet::new();
    match body.get(at) {
        None => each(&binding),
        Some(Literal::Positive(atom)) => {
            for row in data.get(&atom.relation).unwrap_or(&none) {
                if let Some(binding) = matched(atom, row, &binding) {
                    bindings(body, at + 1, binding, data, each);
                }
            }
        }
        Some(Literal::Negative(atom)) => {
            let rows = data.get(&atom.relation).unwrap_or(&none);
            if !rows.iter().any(|row| matched(atom, row, &binding).is_some()) {
                bindings(body, at + 1, binding, data, each);
            }
        }
        Some(Literal::Comparison(comparison)) => {
            if holds(comparison, &binding) {
                bindings(body, at + 1, binding, data, each);
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
    let Some(left) = worth(&comparison.left, binding) else { return false };
    let mut right = comparison.right.iter().map(|right| worth(right, binding));
    match comparison.operator {
        "in" => right.any(|right| right.as_ref() == Some(&left)),
        "not in" | "!in" => right.all(|right| right.is_some_and(|right| right != left)),
        operator => right.next().flatten().is_some_and(|right| ordered(operator, &left, &right)),
    }
}

/// A number is exact, also where it is no 64-bit number.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Worth {
    Text(String),
    Number(i128),
}

/// What an expression is worth; nothing where it divides by zero.
fn worth(expression: &Expression, binding: &Binding) -> Option<Worth> {
    let number = |it: &Expression| match worth(it, binding) {
        Some(Worth::Number(number)) => Some(number),
        _ => None,
    };
    Some(match expression {
        Expression::Term(term) => match value(term, binding).unwrap() {
            Val::Text(text) => Worth::Text(text),
            Val::Number(number) => Worth::Number(number.into()),
        },
        Expression::Negate(inner) => Worth::Number(-number(inner)?),
        Expression::Binary(left, sign, right) => {
            let (left, right) = (number(left)?, number(right)?);
            if right == 0 && matches!(*sign, "/" | "%") {
                return None;
            }
            Worth::Number(match *sign {
                "+" => left + right,
                "-" => left - right,
                "*" => left.checked_mul(right)?,
                "/" => left / right,
                _ => left % right,
            })
        }
    })
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
