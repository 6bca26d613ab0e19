//! Comparisons, and values that are worked out, as a run evaluates them.
//!
//! On the way numbers have 128 bits. One that is to go into a row and does not fit becomes
//! [`BEYOND`], which is in no row and passes every comparison: what comes of it is an error
//! if all else holds (see `run`), whatever the order in which a plan asks.

use std::borrow::Cow;
use std::sync::Arc;

use super::budget::{Bits, Meter, Stop};
use super::functions::{Function, Pattern, TextTest, Version, lower, read, split};
use super::program::{Arithmetic, Comparison, Expression, Operator, Term, Variable};
use super::source::Span;
use super::symbols::{Sym, Symbols, Value};
use super::zones::{Shown, shown};

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
    span: Span,
}

#[derive(Debug, Clone)]
enum Operand {
    Slot(usize),
    Text(Arc<str>),
    Number(i64),
    Negate(Box<Operand>),
    Binary(Box<Operand>, Arithmetic, Box<Operand>),
    Call(Function, Vec<Operand>),
    Pattern(Pattern),
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
    Text(Cow<'a, str>),
    Number(i128),
    Version(Version),
}

pub(super) fn compare(comparison: &Comparison) -> Compare {
    let right = match &comparison.right {
        Expression::List(items) => items.iter().map(operand).collect(),
        right => vec![operand(right)],
    };
    Compare { left: operand(&comparison.left), operator: comparison.operator, right, span: comparison.span }
}

/// The text that an expression is worth, if it is one.
pub(super) fn text(expression: &Expression, binding: &[Sym], symbols: &Symbols) -> Option<String> {
    match operand(expression).worth(binding, symbols) {
        Ok(Worth::Text(text)) => Some(text.into_owned()),
        _ => None,
    }
}

/// The number that an expression is worth for a binding; nothing where it is none.
pub(super) fn number(expression: &Expression, binding: &[Sym], symbols: &Symbols) -> Option<i128> {
    match operand(expression).worth(binding, symbols) {
        Ok(Worth::Number(number)) => Some(number),
        _ => None,
    }
}

fn operand(expression: &Expression) -> Operand {
    let boxed = |inner: &Expression| Box::new(operand(inner));
    match expression {
        Expression::Term(Term::Variable(variable), _) => Operand::Slot(variable.0),
        Expression::Term(Term::Text(text), _) => Operand::Text(text.clone()),
        Expression::Term(Term::Number(number), _) => Operand::Number(*number),
        // Refused when the program was checked.
        Expression::Term(Term::Any, _) | Expression::List(_) => Operand::Number(0),
        Expression::Written(number, ..) => Operand::Number(*number),
        Expression::Call(function, items, _) => Operand::Call(*function, items.iter().map(operand).collect()),
        Expression::Pattern(pattern) => Operand::Pattern(pattern.clone()),
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
            let left = self.left.worth(binding, symbols);
            let ordered = if let Operator::Text(test, wanted) = self.operator {
                left.and_then(|left| Ok(asked(test, &left, right, binding, symbols)? == wanted))
            } else {
                match (left, right.worth(binding, symbols)) {
                    (Ok(left), Ok(right)) => Ok(self.ordered(&left, &right)),
                    // What is not defined is so whatever the other side is.
                    (Err(Nothing::Undefined), _) | (_, Err(Nothing::Undefined)) => Err(Nothing::Undefined),
                    (Err(nothing), _) | (_, Err(nothing)) => Err(nothing),
                }
            };
            ordered.unwrap_or_else(|nothing| {
                if nothing == Nothing::Overflow {
                    meter.stop(Stop::Overflow(Bits::Way, self.span));
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
            // Asked otherwise.
            Operator::Text(..) => false,
        }
    }
}

impl Compute {
    pub fn new(variable: Variable, value: &Expression, is_new: bool) -> Self {
        Compute { slot: variable.0, value: operand(value), is_new }
    }

    /// How many bits its number, that no row can hold, is beyond.
    pub fn beyond(&self, binding: &[Sym], symbols: &Symbols) -> Bits {
        match self.value.worth(binding, symbols) {
            Err(Nothing::Overflow) => Bits::Way,
            _ => Bits::Row,
        }
    }

    /// The slot that gets it.
    pub fn slot(&self) -> usize {
        self.slot
    }

    /// Works the value out; not if there is none.
    pub fn fill(&self, binding: &mut [Sym], symbols: &Symbols, meter: &Meter) -> bool {
        let found = self.value.worth(binding, symbols);
        let worth = match &found {
            Ok(Worth::Text(text)) => Some(Value::Text(text)),
            Ok(Worth::Version(_)) => return false,
            Ok(Worth::Number(number)) => i64::try_from(*number).ok().map(Value::Number),
            Err(Nothing::Undefined) => return false,
            Err(Nothing::Beyond | Nothing::Overflow) => None,
        };
        let sym = match worth {
            Some(Value::Text(text)) if !self.is_new => symbols.find_text(text),
            Some(Value::Number(number)) if !self.is_new => symbols.find(Value::Number(number)),
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

/// Whether what is asked of a text holds.
fn asked(
    test: TextTest,
    left: &Worth<'_>,
    right: &Operand,
    binding: &[Sym],
    symbols: &Symbols,
) -> Result<bool, Nothing> {
    let Worth::Text(text) = left else { return Err(Nothing::Undefined) };
    if let Operand::Pattern(pattern) = right {
        return Ok(pattern.finds(text));
    }
    match right.worth(binding, symbols)? {
        Worth::Text(other) => Ok(test.holds(text, &other)),
        _ => Err(Nothing::Undefined),
    }
}

fn called<'a>(
    function: Function,
    items: &'a [Operand],
    binding: &[Sym],
    symbols: &'a Symbols,
) -> Result<Worth<'a>, Nothing> {
    let mut worths = items.iter().map(|item| item.worth(binding, symbols));
    let mut next = || worths.next().unwrap_or(Err(Nothing::Undefined));
    let first = next()?;
    let text = match first {
        _ if function == Function::As => return Ok(first),
        Worth::Number(time) if function.has_zone() => {
            let Worth::Text(zone) = next()? else { return Err(Nothing::Undefined) };
            let shown = shown(function, time, &zone).ok_or(Nothing::Undefined)?;
            return Ok(match shown {
                Shown::Minute(minute) => Worth::Number(minute.into()),
                Shown::Text(text) => Worth::Text(text.into()),
            });
        }
        Worth::Text(text) => text,
        _ => return Err(Nothing::Undefined),
    };
    let worth = match function {
        Function::Lower => Some(Worth::Text(lower(text))),
        Function::Split => match (next()?, next()?) {
            (Worth::Text(by), Worth::Number(at)) => {
                split(&text, &by, at).map(|part| Worth::Text(part.to_owned().into()))
            }
            _ => None,
        },
        Function::Version => Version::read(&text).map(Worth::Version),
        _ => read(function, &text).map(|number| Worth::Number(number.into())),
    };
    worth.ok_or(Nothing::Undefined)
}

impl Operand {
    fn worth<'a>(&'a self, binding: &[Sym], symbols: &'a Symbols) -> Result<Worth<'a>, Nothing> {
        let number = |operand: &'a Operand| match operand.worth(binding, symbols)? {
            Worth::Number(number) => Ok(number),
            Worth::Text(_) | Worth::Version(_) => Err(Nothing::Undefined),
        };
        Ok(match self {
            Operand::Slot(slot) if binding[*slot] == BEYOND => return Err(Nothing::Beyond),
            Operand::Slot(slot) => match symbols.value(binding[*slot]) {
                Value::Text(text) => Worth::Text(text.into()),
                Value::Number(number) => Worth::Number(number.into()),
            },
            Operand::Text(text) => Worth::Text(Cow::Borrowed(text)),
            Operand::Call(function, items) => called(*function, items, binding, symbols)?,
            // Used by `matches` alone.
            Operand::Pattern(_) => return Err(Nothing::Undefined),
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
