//! Units of numbers in what is worked out and compared.
//!
//! ```text
//!  Time - Time = Seconds      Time ± Seconds = Time     Seconds ± Seconds = Seconds
//!  number * T = T             T / T = number            T / number = T
//! ```
//! A number without a unit goes with all of them, and what comes to nothing sensible (the
//! square of a duration, the sum of two times) has no unit, so that nothing is said of it.

use std::sync::Arc;

use super::check::Checker;
use super::expression::{Arithmetic, Comparison, Expression, Operator, Term};
use super::functions::Function;
use super::source::Span;
use super::types::Type;
use super::units::{self, AMOUNT, MINUTE, SECONDS, TIME};
use crate::diagnostic::Diagnostic;

/// Two sides of different units, and what is done with them.
struct Mixed<'a> {
    done: &'static str,
    sides: [(&'a Expression, Arc<str>); 2],
}

impl Function {
    /// The unit of the number that it gives.
    fn unit(self) -> Option<&'static str> {
        match self {
            Function::ToSeconds => Some(SECONDS),
            Function::ToTime => Some(TIME),
            Function::MinuteIn => Some(MINUTE),
            Function::ToCpu | Function::ToAmount => Some(AMOUNT),
            _ => None,
        }
    }
}

impl Checker<'_> {
    /// The unit of an expression, if it is a number that has one.
    pub(super) fn unit(&self, expression: &Expression) -> Option<Arc<str>> {
        self.unit_of(expression, &mut Vec::new())
    }

    /// Says of a comparison where it mixes units.
    pub(super) fn mixed(&mut self, comparison: &Comparison) {
        let mut found = Vec::new();
        let left = self.unit_of(&comparison.left, &mut found);
        let items = match &comparison.right {
            Expression::List(items) => items.iter().collect(),
            right => vec![right],
        };
        for item in items {
            let right = self.unit_of(item, &mut found);
            if let (Some(left), Some(right), false) =
                (&left, right, matches!(comparison.operator, Operator::Text(..)))
                && *left != right
            {
                let sides = [(&comparison.left, left.clone()), (item, right)];
                found.push(Mixed { done: "compared", sides });
            }
        }
        let errors: Vec<Diagnostic> = found.iter().map(|mixed| self.told(mixed)).collect();
        errors.into_iter().for_each(|error| self.report(error, comparison.span));
    }

    /// The type of a constant of an atom, as far as it is known: it is a parameter, or has a
    /// unit.
    pub(super) fn constant_type(&self, term: &Term, span: Span) -> Option<Type> {
        let text = || self.body.texts.get(span.source as usize).map(|text| text.slice(span));
        match (self.parameter(span), term) {
            (Some(parameter), _) => Some(parameter.ty.clone()),
            (None, Term::Number(_)) => Some(Type::of_unit(Some(units::unit(text()?)?.into()))),
            _ => None,
        }
    }

    fn unit_of<'a>(&self, expression: &'a Expression, found: &mut Vec<Mixed<'a>>) -> Option<Arc<str>> {
        match expression {
            Expression::Term(Term::Variable(variable), _) => {
                self.types.get(variable.0)?.as_ref()?.0.unit().cloned()
            }
            Expression::Written(_, text, span) => match self.parameter(*span) {
                Some(parameter) => parameter.ty.unit().cloned(),
                None => units::unit(text).map(Arc::from),
            },
            Expression::Negate(inner) => self.unit_of(inner, found),
            Expression::Binary(left, sign, right) => {
                let sides = [self.unit_of(left, found), self.unit_of(right, found)];
                let [one, other] = sides.each_ref().map(Option::as_deref);
                match made(one, *sign, other) {
                    Ok(unit) => unit.map(Arc::from),
                    Err(done) => {
                        let [one, other] = sides;
                        found.extend(
                            one.zip(other).map(|(one, other)| Mixed {
                                done,
                                sides: [(&**left, one), (&**right, other)],
                            }),
                        );
                        None
                    }
                }
            }
            Expression::Call(function, items, _) => {
                for item in items {
                    self.unit_of(item, found);
                }
                match function {
                    Function::As => self.cast_type(expression)?.unit().cloned(),
                    function => function.unit().map(Arc::from),
                }
            }
            Expression::Term(..) | Expression::Pattern(_) | Expression::List(_) => None,
        }
    }

    fn told(&self, mixed: &Mixed<'_>) -> Diagnostic {
        let shown = |side: &Expression| {
            side.shown(&|term| match term {
                Term::Variable(variable) => self.name(*variable).to_string(),
                Term::Number(number) => number.to_string(),
                Term::Text(text) => super::expression::quoted(text),
                Term::Any => "_".to_owned(),
            })
        };
        let said = |(side, unit): &(&Expression, Arc<str>)| format!("`{}` is `{unit}`", shown(side));
        let [one, other] = &mixed.sides;
        let error = Diagnostic::error("units-mixed", format!("numbers of two units are {}", mixed.done))
            .labelled(format!("{}, {}", said(one), said(other)));
        let error = mixed.sides.iter().fold(error, |error, (side, unit)| {
            let from = side.variable().and_then(|variable| self.types.get(variable.0)?.as_ref());
            match from {
                Some((_, span)) => {
                    error.related(self.body.place(*span), format!("`{}` is `{unit}` from here", shown(side)))
                }
                None => error,
            }
        });
        let is = |name: &str| mixed.sides.iter().any(|(_, unit)| **unit == *name);
        error.help(match (is(SECONDS), is(TIME), is(MINUTE)) {
            (true, true, _) => "a time is no duration: how long ago it was is `Now - Time`, with `now(Now)`; `as(X, number)` takes a unit away",
            (true, _, true) => "minutes of a day are no seconds: 8 in the morning is `8 * 60`",
            _ => "`as(X, number)` takes a unit away, if that is meant",
        })
    }
}

/// The unit of what two numbers make; or, if they do not go together, what is done with them.
fn made<'u>(
    left: Option<&'u str>,
    sign: Arithmetic,
    right: Option<&'u str>,
) -> Result<Option<&'u str>, &'static str> {
    Ok(match (left, sign, right) {
        (Some(TIME), Arithmetic::Add, Some(TIME)) => None,
        (Some(TIME), Arithmetic::Add, Some(SECONDS)) | (Some(SECONDS), Arithmetic::Add, Some(TIME)) => {
            Some(TIME)
        }
        (Some(TIME), Arithmetic::Subtract, Some(TIME)) => Some(SECONDS),
        (Some(TIME), Arithmetic::Subtract, Some(SECONDS)) => Some(TIME),
        (Some(TIME), Arithmetic::Modulo, Some(SECONDS)) => Some(SECONDS),
        // What a plain number means here, a time or a duration, is not known.
        (Some(TIME), Arithmetic::Subtract, None) | (None, Arithmetic::Subtract, Some(TIME)) => None,
        (Some(TIME), Arithmetic::Multiply | Arithmetic::Divide | Arithmetic::Modulo, _)
        | (_, Arithmetic::Multiply, Some(TIME)) => None,
        (one, Arithmetic::Divide, None) => one,
        (_, Arithmetic::Divide, _) => None,
        (one, _, None) | (None, _, one) => one,
        (Some(_), Arithmetic::Multiply, Some(_)) => None,
        (Some(one), _, Some(other)) if one == other => Some(one),
        (_, Arithmetic::Add, _) => return Err("added"),
        (_, Arithmetic::Subtract, _) => return Err("subtracted"),
        (_, Arithmetic::Modulo, _) => return Err("divided"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_two_numbers_make_has_a_unit() {
        let [time, seconds, amount] = [Some(TIME), Some(SECONDS), Some(AMOUNT)];
        for (left, sign, right, unit) in [
            (time, Arithmetic::Subtract, time, Ok(seconds)),
            (time, Arithmetic::Add, seconds, Ok(time)),
            (seconds, Arithmetic::Add, time, Ok(time)),
            (time, Arithmetic::Subtract, seconds, Ok(time)),
            (seconds, Arithmetic::Subtract, time, Err("subtracted")),
            (time, Arithmetic::Add, None, Ok(time)),
            (time, Arithmetic::Subtract, None, Ok(None)),
            (time, Arithmetic::Modulo, seconds, Ok(seconds)),
            (time, Arithmetic::Divide, seconds, Ok(None)),
            (time, Arithmetic::Add, time, Ok(None)),
            (seconds, Arithmetic::Add, seconds, Ok(seconds)),
            (seconds, Arithmetic::Subtract, None, Ok(seconds)),
            (None, Arithmetic::Multiply, amount, Ok(amount)),
            (amount, Arithmetic::Multiply, amount, Ok(None)),
            (amount, Arithmetic::Divide, amount, Ok(None)),
            (amount, Arithmetic::Divide, None, Ok(amount)),
            (None, Arithmetic::Divide, amount, Ok(None)),
            (amount, Arithmetic::Divide, seconds, Ok(None)),
            (amount, Arithmetic::Modulo, amount, Ok(amount)),
            (amount, Arithmetic::Modulo, seconds, Err("divided")),
            (amount, Arithmetic::Add, seconds, Err("added")),
            (time, Arithmetic::Add, amount, Err("added")),
            (None, Arithmetic::Add, None, Ok(None)),
        ] {
            assert_eq!(made(left, sign, right), unit, "{left:?} {} {right:?}", sign.sign());
        }
    }
}
