//! Braces apart from the body that they stand in, and the names in them.
//!
//! ```text
//!  2 * (count : { a(X) }) > N      ->      count : { a(X) } = C, 2 * C > N
//! ```
//! `C` is a variable that nobody can write: it is named as the text of the aggregate.

use std::borrow::Cow;

use super::expression::{Expression, Operator, Variable};
use super::program::Literal;
use super::source::Span;
use super::syntax::{RawAtom, RawBraces, RawExpression, RawLiteral, RawTerm, Takes};

/// A part of a body.
#[derive(Clone)]
pub(super) enum Part {
    Literal(Literal),
    Braces(Braces),
}

/// Braces whose relations are not made yet.
#[derive(Clone)]
pub(super) struct Braces {
    pub raw: RawBraces,
    /// The variable that gets the value, or the place of what is taken.
    pub result: Variable,
    /// Of `first`, how many, and the variables that get what is taken.
    pub most: Option<Expression>,
    pub taken: Vec<Variable>,
}

impl Part {
    pub fn literal(self) -> Option<Literal> {
        match self {
            Part::Literal(literal) => Some(literal),
            Part::Braces(_) => None,
        }
    }
}

/// The variables that stand in braces and before them, as often as they stand there.
pub(super) fn inside(raw: &RawBraces) -> Vec<(String, Span)> {
    let mut found = Vec::new();
    raw.ways.iter().flatten().for_each(|literal| in_literal(literal, &mut found));
    match &raw.takes {
        Takes::One(_, value) => value.iter().for_each(|value| all_leaves(value, &mut found)),
        // What is taken is known outside by being taken.
        Takes::First { values, keys, .. } => {
            keys.iter().for_each(|(key, _)| all_leaves(key, &mut found));
            found.retain(|(name, _)| values.iter().all(|(value, _)| value != name));
        }
    }
    found
}

fn in_literal(literal: &RawLiteral, found: &mut Vec<(String, Span)>) {
    match literal {
        RawLiteral::Positive(atom) | RawLiteral::Negative(atom) => {
            found.extend(atom.terms.iter().filter_map(|(term, span)| Some((name(term)?, *span))));
        }
        RawLiteral::Comparison { left, right, .. } => {
            all_leaves(left, found);
            all_leaves(right, found);
        }
        RawLiteral::First(braces) => {
            found.extend(inside(braces));
            if let Takes::First { most, values, .. } = &braces.takes {
                found.extend(values.iter().cloned());
                found.extend(name(most).map(|name| (name, braces.span)));
            }
        }
    }
}

/// The variables of an expression, with those of its aggregates.
fn all_leaves(expression: &RawExpression, found: &mut Vec<(String, Span)>) {
    match expression {
        RawExpression::Term(term, span) => found.extend(name(term).map(|name| (name, *span))),
        RawExpression::Aggregate(braces) => found.extend(inside(braces)),
        other => other.parts().into_iter().for_each(|part| all_leaves(part, found)),
    }
}

/// The variables of an expression, without those of its aggregates.
pub(super) fn leaves(expression: &RawExpression) -> Vec<String> {
    match expression {
        RawExpression::Term(term, _) => name(term).into_iter().collect(),
        other => other.parts().into_iter().flat_map(leaves).collect(),
    }
}

/// The variable that an expression is, if it is no more than that.
pub(super) fn variable(expression: &RawExpression) -> Option<&str> {
    match expression {
        RawExpression::Term(RawTerm::Variable(name), _) => Some(name),
        _ => None,
    }
}

fn name(term: &RawTerm) -> Option<String> {
    match term {
        RawTerm::Variable(name) => Some(name.clone()),
        _ => None,
    }
}

/// With a name for each `_` that gives a value: rows that differ there are different ones.
pub(super) fn named(raw: &RawLiteral) -> Cow<'_, RawLiteral> {
    let RawLiteral::Positive(atom) = raw else { return Cow::Borrowed(raw) };
    let term = |(term, span): &(RawTerm, Span)| match term {
        RawTerm::Any => (RawTerm::Variable(format!("_ {}", span.start)), *span),
        term => (term.clone(), *span),
    };
    Cow::Owned(RawLiteral::Positive(RawAtom { terms: atom.terms.iter().map(term).collect(), ..atom.clone() }))
}

/// A comparison without its aggregates, which get a variable each; none if it says no more
/// than which variable that is.
pub(super) fn without<'r>(
    raw: &'r RawLiteral,
    found: &mut Vec<(String, RawBraces)>,
) -> Option<Cow<'r, RawLiteral>> {
    let RawLiteral::Comparison { left, operator, right, span } = raw else {
        return Some(Cow::Borrowed(raw));
    };
    if left.aggregate().or(right.aggregate()).is_none() {
        return Some(Cow::Borrowed(raw));
    }
    let mut named = |one: &RawExpression, other: &RawExpression| match (variable(one), other) {
        (Some(name), RawExpression::Aggregate(aggregate)) => {
            found.push((name.to_owned(), (**aggregate).clone()));
            true
        }
        _ => false,
    };
    if *operator == Operator::Equal && (named(left, right) || named(right, left)) {
        return None;
    }
    let (left, right) = (replaced(left, found), replaced(right, found));
    Some(Cow::Owned(RawLiteral::Comparison { left, operator: *operator, right, span: *span }))
}

fn replaced(expression: &RawExpression, found: &mut Vec<(String, RawBraces)>) -> RawExpression {
    let mut all = |items: &[RawExpression]| items.iter().map(|item| replaced(item, found)).collect();
    match expression {
        RawExpression::Aggregate(aggregate) => {
            let term = RawExpression::Term(RawTerm::Variable(aggregate.text.clone()), aggregate.span);
            if found.iter().all(|(name, _)| *name != aggregate.text) {
                found.push((aggregate.text.clone(), (**aggregate).clone()));
            }
            term
        }
        RawExpression::Negate(inner) => RawExpression::Negate(Box::new(replaced(inner, found))),
        RawExpression::Binary(left, sign, right) => {
            let (left, right) = (replaced(left, found), replaced(right, found));
            RawExpression::Binary(Box::new(left), *sign, Box::new(right))
        }
        RawExpression::Call(function, items, span) => RawExpression::Call(*function, all(items), *span),
        RawExpression::List(items) => RawExpression::List(all(items)),
        other => other.clone(),
    }
}
