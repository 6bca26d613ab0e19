//! A comparison with the values that it had, as one would write it and in words.

use std::sync::Arc;

use serde::Serialize;

use super::super::define::{defined, definitions};
use super::super::expression::quoted;
use super::super::functions::{Function, TextTest};
use super::super::program::{Comparison, Expression, Literal, Operator, Rule, Term, Variable};
use super::super::source::Span;
use super::super::symbols::Value;
use super::explainer::{Binding, Explainer};

/// A comparison with its values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Compared {
    /// As one would write it: `90 + 10 > 60`.
    pub text: String,
    /// Whether it holds.
    pub holds: bool,
    /// The variable that has its value by it.
    #[serde(skip)]
    gives: Option<Arc<str>>,
    /// The variable that is compared, where it is one alone.
    #[serde(skip)]
    of: Option<Arc<str>>,
    #[serde(skip)]
    left: Side,
    #[serde(skip)]
    operator: Operator,
    /// Several for `in`.
    #[serde(skip)]
    right: Vec<Side>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Side {
    /// With the values of its variables.
    expression: Expression,
    /// None if it has none: it divides by zero, or a text is not what it should be.
    value: Option<Known>,
    is_worked_out: bool,
    is_version: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Known {
    Text(String),
    Number(i64),
}

/// How a number is written; what it is compared with may say that it is a time.
pub type Shown<'a> = &'a dyn Fn(i64, bool) -> String;

impl Compared {
    /// The name of the variable that is compared with something, if it is one alone.
    #[must_use]
    pub fn of(&self) -> Option<&str> {
        self.of.as_deref()
    }

    /// In words; none if it says nothing, as that a text is itself.
    #[must_use]
    pub fn said(&self, number: Shown<'_>) -> Option<String> {
        if let Some(open) = [&self.left].into_iter().chain(&self.right).find(|side| side.value.is_none()) {
            return Some(open.without_value(number));
        }
        let right = self.right.first()?;
        let is_number = matches!(self.left.value, Some(Known::Number(_)));
        // What is compared with a time is one.
        let is_time = [&self.left, right].iter().any(|side| side.is_time(number));
        let forced = |value, is_it| number(value, is_it || is_time);
        let said = |side: &Side| side.said(&forced, number);
        if self.holds && self.operator == Operator::Equal {
            let worked_out = if right.is_worked_out { right } else { &self.left };
            return match &self.gives {
                _ if !worked_out.is_worked_out => None,
                Some(name) => Some(format!("{name} = {}", said(worked_out))),
                None => Some(said(worked_out)),
            };
        }
        let (left, first) = (said(&self.left), said(right));
        let all = || self.right.iter().map(said).collect::<Vec<_>>().join(", ");
        let is = if self.holds { "is" } else { "is not" };
        let as_it_is = |operator: Operator| if self.holds { operator } else { operator.opposite() };
        Some(match self.operator {
            Operator::In | Operator::NotIn => {
                let within = as_it_is(self.operator) == Operator::In;
                format!("{left} is {} of {}", if within { "one" } else { "none" }, all())
            }
            Operator::Text(test, wanted) => format!("{left} {} {first}", verb(test, wanted == self.holds)),
            Operator::NotEqual if !self.holds => format!("{left} is the same"),
            Operator::Equal | Operator::NotEqual => {
                let not = if as_it_is(self.operator) == Operator::Equal { "" } else { " not" };
                let what = if right.is_version { " the version" } else { "" };
                format!("{left} is{not}{what} {first}")
            }
            operator if right.is_version || self.left.is_version => match operator {
                Operator::Less => format!("{left} {is} earlier than {first}"),
                Operator::AtMost => format!("{left} {is} {first} or earlier"),
                Operator::Greater => format!("{left} {is} later than {first}"),
                _ => format!("{left} {is} {first} or later"),
            },
            operator if is_number && self.holds => format!("{left} {} {first}", operator.sign()),
            operator if is_number => match operator {
                Operator::Less => format!("{left} is not less than {first}"),
                Operator::AtMost => format!("{left} is more than {first}"),
                Operator::Greater => format!("{left} is not more than {first}"),
                _ => format!("{left} is less than {first}"),
            },
            operator => match as_it_is(operator) {
                Operator::Less => format!("{left} comes before {first}"),
                Operator::AtMost => format!("{left} does not come behind {first}"),
                Operator::Greater => format!("{left} comes behind {first}"),
                _ => format!("{left} does not come before {first}"),
            },
        })
    }
}

/// What one text does to the other, or does not.
fn verb(test: TextTest, does: bool) -> &'static str {
    match (test, does) {
        (TextTest::StartsWith, true) => "starts with",
        (TextTest::StartsWith, false) => "does not start with",
        (TextTest::EndsWith, true) => "ends with",
        (TextTest::EndsWith, false) => "does not end with",
        (TextTest::Contains, true) => "contains",
        (TextTest::Contains, false) => "does not contain",
        (TextTest::Matches, true) => "matches",
        (TextTest::Matches, false) => "does not match",
    }
}

impl Side {
    /// Its value, behind how it is worked out, with the numbers of that in their own way.
    fn said(&self, number: Shown<'_>, inside: Shown<'_>) -> String {
        let value = match &self.value {
            Some(Known::Text(text)) if text.is_empty() => "\"\"".to_owned(),
            Some(Known::Text(text)) => text.clone(),
            Some(Known::Number(value)) => number(*value, false),
            None => String::new(),
        };
        if self.is_worked_out { format!("{} = {value}", self.written(inside)) } else { value }
    }

    fn without_value(&self, number: Shown<'_>) -> String {
        let what = if self.is_version { "is no version" } else { "has no value" };
        format!("{} {what}", self.written(number))
    }

    fn written(&self, number: Shown<'_>) -> String {
        self.expression.shown(&|term| match term {
            Term::Text(text) => quoted(text),
            Term::Number(value) => number(*value, false),
            Term::Variable(_) | Term::Any => "_".to_owned(),
        })
    }

    /// Whether it is a value that is known as a time.
    fn is_time(&self, number: Shown<'_>) -> bool {
        match self.value {
            Some(Known::Number(value)) => !self.is_worked_out && number(value, false) != value.to_string(),
            _ => false,
        }
    }
}

impl Explainer<'_> {
    /// The comparison at a place of a body; none where its values are not known, so that
    /// nothing can be said of it.
    pub fn compared(&self, rule: &Rule, body: &[Literal], at: usize, way: &Binding) -> Option<Compared> {
        let literal = body.get(at)?;
        let Literal::Comparison(comparison) = literal else { return None };
        let is_known = |variable: Variable| way[variable.0].is_some();
        let open = comparison.variables().find(|variable| !is_known(*variable));
        let gives = definitions(body).into_iter().find(|(place, _)| *place == at);
        let gives = gives.map(|(_, variable)| rule.variables[variable.0].clone());
        let of = comparison.left.variable().map(|variable| rule.variables[variable.0].clone());
        let shown = |left, right: Vec<Side>, holds| {
            let text = self.comparison(comparison, way);
            Compared { text, holds, gives, of, left, operator: comparison.operator, right }
        };
        if open.is_some() {
            let (_, value) = defined(comparison, is_known)?;
            let side = self.side(value, comparison.span, way);
            // It has a value, if only one that no row can hold: what is open is another matter.
            let has_value = side.value.is_some() || self.is_beyond(literal, way);
            return if has_value { None } else { Some(shown(side, Vec::new(), false)) };
        }
        let holds = !self.ways(std::slice::from_ref(literal), way, 1, &mut |_| true).is_empty();
        let right = match &comparison.right {
            Expression::List(items) => {
                items.iter().map(|item| self.side(item, comparison.span, way)).collect()
            }
            right => vec![self.side(right, comparison.span, way)],
        };
        Some(shown(self.side(&comparison.left, comparison.span, way), right, holds))
    }

    fn side(&self, expression: &Expression, span: Span, way: &Binding) -> Side {
        let filled = expression.map(&|term| self.filled_term(term, way));
        let value = match &filled {
            Expression::Term(term, _) => term.constant().map(Known::new),
            Expression::Written(_, text, _) => Some(Known::Text(text.to_string())),
            Expression::Pattern(pattern) => Some(Known::Text(pattern.written.to_string())),
            Expression::Call(Function::Version, items, _) if items.len() == 1 => {
                let inner = self.side(&items[0], span, way);
                let value = inner.value.filter(|_| self.is_worth(&filled, span));
                return Side { value, is_version: true, ..inner };
            }
            _ => self.worth(&filled, span),
        };
        let is_worked_out =
            !matches!(filled, Expression::Term(..) | Expression::Written(..) | Expression::Pattern(_));
        Side { expression: filled, value, is_worked_out, is_version: false }
    }

    /// What an expression comes to.
    fn worth(&self, expression: &Expression, span: Span) -> Option<Known> {
        let result = Expression::Term(Term::Variable(Variable(0)), span);
        let found = self.ways(&[equal(result, expression, span)], &[None], 1, &mut |_| true).pop()?;
        Some(Known::new(self.symbols.value(found[0]?)))
    }

    /// Whether an expression comes to anything.
    fn is_worth(&self, expression: &Expression, span: Span) -> bool {
        let itself = equal(expression.clone(), expression, span);
        !self.ways(&[itself], &[], 1, &mut |_| true).is_empty()
    }
}

impl Known {
    fn new(value: Value<'_>) -> Self {
        match value {
            Value::Text(text) => Known::Text(text.to_owned()),
            Value::Number(number) => Known::Number(number),
        }
    }
}

fn equal(left: Expression, right: &Expression, span: Span) -> Literal {
    Literal::Comparison(Comparison { left, operator: Operator::Equal, right: right.clone(), span })
}
