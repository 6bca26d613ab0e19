//! Comparisons, and values that are worked out, as a run evaluates them.
//!
//! On the way numbers have 128 bits. One that is to go into a row and does not fit becomes
//! [`BEYOND`], which is in no row and passes every comparison: what comes of it is an error
//! if all else holds (see `run`), whatever the order in which a plan asks.

use std::sync::Arc;

use super::budget::{Meter, Stop};
use super::program::{Arithmetic, Comparison, Expression, Operator, Term, Variable};
use super::symbols::{Sym, Symbols, Value};

/// The symbol of a number that no row can hold.
pub(super) const BEYOND: Sym = Sym::MAX;

/// A value that is worked out for a slot.
#[derive(Debug, Clone)]
pub(super) struct Compute {
    slot: usize,
    value: Operand,
    /// Whether it may be a value that no row has: if not, an atom asks for it.
    pub is_new: bool,
}

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

/// Why an operand is worth nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Nothing {
    /// It is not defined, as what divides by zero.
    Undefined,
    /// It comes from a number that no row can hold.
    Beyond,
    /// It does not even fit 128 bits.
    Overflow,
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
    pub fn holds(&self, binding: &[Sym], symbols: &Symbols, meter: &Meter) -> bool {
        if let (Operand::Slot(left), [Operand::Slot(right)]) = (&self.left, &self.right[..])
            && binding[*left] != BEYOND
            && binding[*right] != BEYOND
        {
            match self.operator {
                Operator::Equal => return binding[*left] == binding[*right],
                Operator::NotEqual => return binding[*left] != binding[*right],
                _ => {}
            }
        }
        let holds = |right: &Operand| {
            let ordered = self.left.worth(binding, symbols).and_then(|left| {
                let right = right.worth(binding, symbols)?;
                Ok(self.ordered(&left, &right))
            });
            ordered.unwrap_or_else(|nothing| {
                if nothing == Nothing::Overflow {
                    meter.stop(Stop::Overflow);
                }
                nothing == Nothing::Beyond
            })
        };
        let mut right = self.right.iter();
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

impl Compute {
    pub fn new(variable: Variable, value: &Expression, is_new: bool) -> Self {
        Compute { slot: variable.0, value: operand(value), is_new }
    }

    /// Works the value out; not if there is none.
    pub fn fill(&self, binding: &mut [Sym], symbols: &Symbols, meter: &Meter) -> bool {
        let worth = match self.value.worth(binding, symbols) {
            Ok(Worth::Text(text)) => Some(Value::Text(text)),
            Ok(Worth::Number(number)) => i64::try_from(number).ok().map(Value::Number),
            Err(Nothing::Undefined) => return false,
            Err(Nothing::Beyond | Nothing::Overflow) => None,
        };
        let sym = match worth {
            Some(Value::Text(text)) if !self.is_new => symbols.find_text(text),
            Some(Value::Number(number)) if !self.is_new => symbols.find_number(number),
            Some(value) => {
                let sym = symbols.worked_out(value);
                if sym.is_none() {
                    meter.stop(Stop::Values);
                }
                sym
            }
            None => self.is_new.then_some(BEYOND),
        };
        sym.is_some_and(|sym| {
            binding[self.slot] = sym;
            true
        })
    }
}

impl Operand {
    fn worth<'a>(&'a self, binding: &[Sym], symbols: &'a Symbols) -> Result<Worth<'a>, Nothing> {
        let number = |operand: &'a Operand| match operand.worth(binding, symbols)? {
            Worth::Number(number) => Ok(number),
            Worth::Text(_) => Err(Nothing::Undefined),
        };
        Ok(match self {
            Operand::Slot(slot) if binding[*slot] == BEYOND => return Err(Nothing::Beyond),
            Operand::Slot(slot) => match symbols.value(binding[*slot]) {
                Value::Text(text) => Worth::Text(text),
                Value::Number(number) => Worth::Number(number.into()),
            },
            Operand::Text(text) => Worth::Text(text),
            Operand::Number(number) => Worth::Number((*number).into()),
            Operand::Negate(inner) => Worth::Number(number(inner)?.checked_neg().ok_or(Nothing::Overflow)?),
            Operand::Binary(left, sign, right) => {
                let (left, right) = (number(left)?, number(right)?);
                let result = match sign {
                    Arithmetic::Divide | Arithmetic::Modulo if right == 0 => return Err(Nothing::Undefined),
                    Arithmetic::Add => left.checked_add(right),
                    Arithmetic::Subtract => left.checked_sub(right),
                    Arithmetic::Multiply => left.checked_mul(right),
                    Arithmetic::Divide => left.checked_div(right),
                    Arithmetic::Modulo => left.checked_rem(right),
                };
                Worth::Number(result.ok_or(Nothing::Overflow)?)
            }
        })
    }
}
