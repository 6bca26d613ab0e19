//! Comparisons as a run evaluates them.

use std::sync::Arc;

use super::program::{Arithmetic, Comparison, Expression, Operator, Term};
use super::symbols::{Sym, Symbols, Value};

/// A comparison ready to be evaluated.
#[derive(Debug, Clone)]
pub(super) struct Compare {
    left: Operand,
    operator: Operator,
    /// Several for `in`.
    right: Vec<Operand>,
}

#[derive(Debug, Clone)]
enum Operand {
    Slot(usize),
    Text(Arc<str>),
    Number(i64),
    Negate(Box<Operand>),
    Binary(Box<Operand>, Arithmetic, Box<Operand>),
}

/// What an operand is worth. Numbers are wider than those of rows, so that what is worked
/// out on the way need not fit a row.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Worth<'a> {
    Text(&'a str),
    Number(i128),
}

pub(super) fn compare(comparison: &Comparison) -> Compare {
    let right = match &comparison.right {
        Expression::List(items) => items.iter().map(operand).collect(),
        right => vec![operand(right)],
    };
    Compare { left: operand(&comparison.left), operator: comparison.operator, right }
}

fn operand(expression: &Expression) -> Operand {
    let boxed = |inner: &Expression| Box::new(operand(inner));
    match expression {
        Expression::Term(Term::Variable(variable), _) => Operand::Slot(variable.0),
        Expression::Term(Term::Text(text), _) => Operand::Text(text.clone()),
        Expression::Term(Term::Number(number), _) => Operand::Number(*number),
        // Refused when the program was checked.
        Expression::Term(Term::Any, _) | Expression::List(_) => Operand::Number(0),
        Expression::Negate(inner) => Operand::Negate(boxed(inner)),
        Expression::Binary(left, sign, right) => Operand::Binary(boxed(left), *sign, boxed(right)),
    }
}

impl Compare {
    /// Whether it holds. What is no number makes an expression, and so the comparison, false.
    pub fn holds(&self, binding: &[Sym], symbols: &Symbols) -> bool {
        if let (Operand::Slot(left), [Operand::Slot(right)]) = (&self.left, &self.right[..]) {
            match self.operator {
                Operator::Equal => return binding[*left] == binding[*right],
                Operator::NotEqual => return binding[*left] != binding[*right],
                _ => {}
            }
        }
        let Some(left) = self.left.worth(binding, symbols) else { return false };
        let mut right = self.right.iter().map(|right| right.worth(binding, symbols));
        let holds = |right: Option<Worth<'_>>| right.is_some_and(|right| self.ordered(&left, &right));
        // Only a list has several.
        if self.operator == Operator::NotIn { right.all(holds) } else { right.any(holds) }
    }

    fn ordered<T: Ord>(&self, left: &T, right: &T) -> bool {
        match self.operator {
            Operator::Equal | Operator::In => left == right,
            Operator::NotEqual | Operator::NotIn => left != right,
            Operator::Less => left < right,
            Operator::AtMost => left <= right,
            Operator::Greater => left > right,
            Operator::AtLeast => left >= right,
        }
    }
}

impl Operand {
    fn worth<'a>(&'a self, binding: &[Sym], symbols: &'a Symbols) -> Option<Worth<'a>> {
        let number = |operand: &'a Operand| match operand.worth(binding, symbols)? {
            Worth::Number(number) => Some(number),
            Worth::Text(_) => None,
        };
        Some(match self {
            Operand::Slot(slot) => match symbols.value(binding[*slot]) {
                Value::Text(text) => Worth::Text(text),
                Value::Number(number) => Worth::Number(number.into()),
            },
            Operand::Text(text) => Worth::Text(text),
            Operand::Number(number) => Worth::Number((*number).into()),
            Operand::Negate(inner) => Worth::Number(number(inner)?.checked_neg()?),
            Operand::Binary(left, sign, right) => {
                let (left, right) = (number(left)?, number(right)?);
                Worth::Number(match sign {
                    Arithmetic::Add => left.checked_add(right)?,
                    Arithmetic::Subtract => left.checked_sub(right)?,
                    Arithmetic::Multiply => left.checked_mul(right)?,
                    Arithmetic::Divide => left.checked_div(right)?,
                    Arithmetic::Modulo => left.checked_rem(right)?,
                })
            }
        })
    }
}
