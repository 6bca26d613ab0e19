//! What stands on a side of a comparison: values, and what is worked out from them.
//!
//! An expression is data. What it is worth for a binding is `compare`'s matter.

use std::sync::Arc;

use super::functions::{Function, Pattern, TextTest};
use super::source::Span;
use super::symbols::Value;

/// A variable of a rule: its place in [`super::Rule::variables`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Variable(pub usize);

/// An argument of an atom, or a value in an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Term {
    /// A variable.
    Variable(Variable),
    /// `_`: any value.
    Any,
    /// A quoted text.
    Text(Arc<str>),
    /// An integer.
    Number(i64),
}

impl Term {
    /// The value of a constant.
    #[must_use]
    pub fn constant(&self) -> Option<Value<'_>> {
        match self {
            Term::Text(text) => Some(Value::Text(text)),
            Term::Number(number) => Some(Value::Number(*number)),
            Term::Variable(_) | Term::Any => None,
        }
    }

    /// A constant.
    pub(super) fn of(value: Value<'_>) -> Self {
        match value {
            Value::Text(text) => Term::Text(text.into()),
            Value::Number(number) => Term::Number(number),
        }
    }

    /// The variable that it is.
    #[must_use]
    pub fn variable(&self) -> Option<Variable> {
        if let Term::Variable(variable) = self { Some(*variable) } else { None }
    }
}

/// How two numbers make one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arithmetic {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`, cut off towards zero.
    Divide,
    /// `%`, what `/` leaves, with the sign of the left side.
    Modulo,
}

impl Arithmetic {
    /// As it is written.
    #[must_use]
    pub fn sign(self) -> &'static str {
        match self {
            Arithmetic::Add => "+",
            Arithmetic::Subtract => "-",
            Arithmetic::Multiply => "*",
            Arithmetic::Divide => "/",
            Arithmetic::Modulo => "%",
        }
    }

    /// How tightly it binds its sides.
    pub(super) fn strength(self) -> u8 {
        match self {
            Arithmetic::Add | Arithmetic::Subtract => 1,
            Arithmetic::Multiply | Arithmetic::Divide | Arithmetic::Modulo => 2,
        }
    }
}

/// A value, or how it is worked out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expression {
    /// A variable or a constant.
    Term(Term, Span),
    /// `-x`
    Negate(Box<Expression>),
    /// `a + b`
    Binary(Box<Expression>, Arithmetic, Box<Expression>),
    /// A number with how it was written: `64Mi`, `"2026-12-24T18:00Z"`.
    Written(i64, Arc<str>, Span),
    /// A function of the language with what it takes, and where its name stands.
    Call(Function, Vec<Expression>, Span),
    /// A regular expression, behind `matches` alone.
    Pattern(Pattern),
    /// `[a, b, c]`, behind `in` alone.
    List(Vec<Expression>),
}

impl Expression {
    /// The variable or the constant that it is, if it is no more than that.
    #[must_use]
    pub fn term(&self) -> Option<&Term> {
        match self {
            Expression::Term(term, _) => Some(term),
            _ => None,
        }
    }

    /// What the type is called that it is cast to, if it is, and where.
    pub(super) fn cast(&self) -> Option<(&str, Span)> {
        match self {
            Expression::Call(Function::As, items, _) => match items.get(1)? {
                Expression::Term(Term::Text(ty), span) => Some((ty, *span)),
                _ => None,
            },
            _ => None,
        }
    }

    /// The variable that it is, if it is no more than that.
    pub(super) fn variable(&self) -> Option<Variable> {
        match self {
            Expression::Term(Term::Variable(variable), _) => Some(*variable),
            _ => None,
        }
    }

    /// The expressions that it is made of.
    fn parts(&self) -> Vec<&Expression> {
        match self {
            Expression::Term(..) | Expression::Written(..) | Expression::Pattern(_) => Vec::new(),
            Expression::Negate(inner) => vec![inner],
            Expression::Binary(left, _, right) => vec![left, right],
            Expression::List(items) | Expression::Call(_, items, _) => items.iter().collect(),
        }
    }

    /// Its values with their places, from left to right.
    pub(super) fn leaves(&self) -> Vec<(&Term, Span)> {
        match self {
            Expression::Term(term, span) => vec![(term, *span)],
            _ => self.parts().into_iter().flat_map(Expression::leaves).collect(),
        }
    }

    /// The places where it divides by a zero that stands there.
    pub(super) fn zero_divisors(&self) -> Vec<Span> {
        let mut found: Vec<Span> = self.parts().into_iter().flat_map(Expression::zero_divisors).collect();
        if let Expression::Binary(_, Arithmetic::Divide | Arithmetic::Modulo, right) = self
            && let Expression::Term(Term::Number(0), span) = **right
        {
            found.push(span);
        }
        found
    }

    /// Its variables, as often as they stand there.
    pub fn variables(&self) -> impl Iterator<Item = Variable> {
        self.leaves()
            .into_iter()
            .filter_map(|(term, _)| match term {
                Term::Variable(variable) => Some(*variable),
                _ => None,
            })
            .collect::<Vec<_>>()
            .into_iter()
    }

    /// The same with other values.
    pub(super) fn map(&self, change: &dyn Fn(&Term) -> Term) -> Expression {
        let boxed = |inner: &Expression| Box::new(inner.map(change));
        match self {
            Expression::Term(term, span) => Expression::Term(change(term), *span),
            Expression::Negate(inner) => Expression::Negate(boxed(inner)),
            Expression::Binary(left, sign, right) => Expression::Binary(boxed(left), *sign, boxed(right)),
            Expression::Written(..) | Expression::Pattern(_) => self.clone(),
            Expression::Call(function, items, span) => {
                Expression::Call(*function, items.iter().map(|item| item.map(change)).collect(), *span)
            }
            Expression::List(items) => Expression::List(items.iter().map(|item| item.map(change)).collect()),
        }
    }

    /// As one would write it, with `term` for what its values are.
    #[must_use]
    pub fn shown(&self, term: &dyn Fn(&Term) -> String) -> String {
        match self {
            Expression::Term(it, _) => term(it),
            Expression::Negate(inner) => format!("-{}", inner.within(3, term)),
            Expression::Binary(left, sign, right) => {
                let strength = sign.strength();
                let (left, right) = (left.within(strength, term), right.within(strength + 1, term));
                format!("{left} {} {right}", sign.sign())
            }
            Expression::Written(_, text, _) => text.to_string(),
            Expression::Pattern(pattern) => quoted(&pattern.written),
            Expression::Call(Function::Version, items, _)
                if items.iter().all(|item| is_constant(item, term)) =>
            {
                items.iter().map(|item| format!("v{}", item.shown(term))).collect()
            }
            // A type is a name.
            Expression::Call(Function::As, items, _) => {
                let value = items.first().map_or_else(String::new, |value| value.shown(term));
                format!("as({value}, {})", self.cast().map_or("", |(ty, _)| ty))
            }
            Expression::Call(function, items, _) => {
                let items: Vec<String> = items.iter().map(|item| item.shown(term)).collect();
                format!("{}({})", function.name(), items.join(", "))
            }
            Expression::List(items) => {
                let items: Vec<String> = items.iter().map(|item| item.shown(term)).collect();
                format!("[{}]", items.join(", "))
            }
        }
    }

    /// As a part of what binds so tightly.
    fn within(&self, strength: u8, term: &dyn Fn(&Term) -> String) -> String {
        match self {
            Expression::Binary(_, sign, _) if sign.strength() < strength => format!("({})", self.shown(term)),
            _ => self.shown(term),
        }
    }
}

/// How two sides are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    Greater,
    /// `>=`
    AtLeast,
    /// `in`: it is one of a list.
    In,
    /// `not in`: it is none of a list.
    NotIn,
    /// A question about texts, and whether it is to hold.
    Text(TextTest, bool),
}

impl Operator {
    /// As it is written.
    #[must_use]
    pub fn sign(self) -> &'static str {
        match self {
            Operator::Equal => "=",
            Operator::NotEqual => "!=",
            Operator::Less => "<",
            Operator::AtMost => "<=",
            Operator::Greater => ">",
            Operator::AtLeast => ">=",
            Operator::In => "in",
            Operator::NotIn => "not in",
            Operator::Text(test, _) => test.name(),
        }
    }

    /// What holds where this does not.
    #[must_use]
    pub fn opposite(self) -> Operator {
        match self {
            Operator::Equal => Operator::NotEqual,
            Operator::NotEqual => Operator::Equal,
            Operator::Less => Operator::AtLeast,
            Operator::AtMost => Operator::Greater,
            Operator::Greater => Operator::AtMost,
            Operator::AtLeast => Operator::Less,
            Operator::In => Operator::NotIn,
            Operator::NotIn => Operator::In,
            Operator::Text(test, holds) => Operator::Text(test, !holds),
        }
    }
}

/// Two sides compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// The left side.
    pub left: Expression,
    /// How.
    pub operator: Operator,
    /// The right side.
    pub right: Expression,
    pub(super) span: Span,
}

impl Comparison {
    /// The variables of both sides.
    pub fn variables(&self) -> impl Iterator<Item = Variable> {
        self.left.variables().chain(self.right.variables())
    }

    /// As one would write it, with `term` for what its values are.
    #[must_use]
    pub fn shown(&self, term: &dyn Fn(&Term) -> String) -> String {
        let (left, right, sign) = (self.left.shown(term), self.right.shown(term), self.operator.sign());
        match self.operator {
            Operator::Text(_, holds) => format!("{}{sign}({left}, {right})", if holds { "" } else { "!" }),
            _ => format!("{left} {sign} {right}"),
        }
    }
}

/// Whether it is shown as a text, and not as a variable without a value.
fn is_constant(expression: &Expression, term: &dyn Fn(&Term) -> String) -> bool {
    expression.term().is_some_and(|it| term(it).starts_with('"'))
}

/// A text as it is written in a rule.
#[must_use]
pub fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

/// A value as it is written in a rule.
pub(super) fn written(value: Value<'_>) -> String {
    match value {
        Value::Number(number) => number.to_string(),
        Value::Text(text) => quoted(text),
    }
}
