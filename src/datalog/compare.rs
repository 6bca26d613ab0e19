//! Comparisons as a run evaluates them.

use std::sync::Arc;

use super::program::{Comparison, Operator, Sum, Term};
use super::symbols::{Sym, Symbols, Value};

/// A comparison ready to be evaluated.
#[derive(Debug, Clone)]
pub(super) struct Compare {
    left: Vec<(bool, Operand)>,
    operator: Operator,
    right: Vec<(bool, Operand)>,
}

#[derive(Debug, Clone)]
enum Operand {
    Slot(usize),
    Text(Arc<str>),
    Number(i64),
}

pub(super) fn compare(comparison: &Comparison) -> Compare {
    let side = |sum: &Sum| {
        let operand = |term: &Term| match term {
            Term::Variable(variable) => Operand::Slot(variable.0),
            Term::Text(text) => Operand::Text(text.clone()),
            Term::Number(number) => Operand::Number(*number),
            Term::Any => Operand::Number(0),
        };
        sum.parts.iter().map(|(minus, term)| (*minus, operand(term))).collect()
    };
    Compare { left: side(&comparison.left), operator: comparison.operator, right: side(&comparison.right) }
}

impl Compare {
    /// Whether it holds. Sums are exact: they are added up in 128 bits. What is no number
    /// makes a sum, and so the comparison, false.
    pub fn holds(&self, binding: &[Sym], symbols: &Symbols) -> bool {
        if let ([(_, Operand::Slot(left))], [(_, Operand::Slot(right))]) = (&self.left[..], &self.right[..]) {
            match self.operator {
                Operator::Equal => return binding[*left] == binding[*right],
                Operator::NotEqual => return binding[*left] != binding[*right],
                _ => {}
            }
        }
        if let ([(_, left)], [(_, right)]) = (&self.left[..], &self.right[..]) {
            return self.ordered(&value(left, binding, symbols), &value(right, binding, symbols));
        }
        match (sum(&self.left, binding, symbols), sum(&self.right, binding, symbols)) {
            (Some(left), Some(right)) => self.ordered(&left, &right),
            _ => false,
        }
    }

    fn ordered<T: Ord>(&self, left: &T, right: &T) -> bool {
        match self.operator {
            Operator::Equal => left == right,
            Operator::NotEqual => left != right,
            Operator::Less => left < right,
            Operator::AtMost => left <= right,
            Operator::Greater => left > right,
            Operator::AtLeast => left >= right,
        }
    }
}

fn value<'a>(operand: &'a Operand, binding: &[Sym], symbols: &'a Symbols) -> Value<'a> {
    match operand {
        Operand::Slot(slot) => symbols.value(binding[*slot]),
        Operand::Text(text) => Value::Text(text),
        Operand::Number(number) => Value::Number(*number),
    }
}

fn sum(parts: &[(bool, Operand)], binding: &[Sym], symbols: &Symbols) -> Option<i128> {
    let mut total = 0;
    for (minus, operand) in parts {
        let Value::Number(number) = value(operand, binding, symbols) else { return None };
        total += if *minus { -i128::from(number) } else { i128::from(number) };
    }
    Some(total)
}
