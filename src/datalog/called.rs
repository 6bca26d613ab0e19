//! What is checked of functions: that they get what they take, that a time zone is one, and
//! that a cast leads from one type to another.

use super::check::Checker;
use super::expression::{Expression, Term};
use super::functions::{Function, Sort};
use super::naming;
use super::program::NUMBER;
use super::source::Span;
use super::types::Type;
use super::units::TIME;
use super::zones::{is_zone, zones};
use crate::diagnostic::{Diagnostic, nearest};

fn text(expression: &Expression) -> Option<&str> {
    match expression.term() {
        Some(Term::Text(text)) => Some(text),
        _ => None,
    }
}

impl Checker<'_> {
    /// The type that a value is cast to, if there is such a type.
    pub(super) fn cast_type(&self, value: &Expression) -> Option<Type> {
        let (name, span) = value.cast()?;
        self.type_called(name, span).ok()
    }

    /// The type that the text of the rule calls so.
    fn type_called(&self, name: &str, span: Span) -> Result<Type, Box<Diagnostic>> {
        if name == NUMBER {
            return Ok(Type::number());
        }
        naming::ty(self.body, name, span).map(|it| self.body.ty(it).ty.clone())
    }

    /// What kind of value a function has.
    pub(super) fn called(&mut self, function: Function, items: &[Expression], span: Span) -> Option<Sort> {
        if function == Function::As {
            return self.cast_to(items, span);
        }
        for (item, wanted) in items.iter().zip(function.takes()) {
            if self.expression_type(item).is_some_and(|sort| sort != *wanted) {
                let what = if *wanted == Sort::Text { "a text" } else { "a number" };
                let message = format!("`{}` takes {what} here", function.name());
                let error = Diagnostic::error("type-mismatch", message);
                self.report(error.help(format!("it takes {}", function.written())), span);
            }
        }
        let unit = items.first().filter(|_| function.has_zone()).and_then(|item| self.unit(item));
        if let Some(unit) = unit.filter(|unit| **unit != *TIME) {
            let message = format!("`{}` takes a time here, not `{unit}`", function.name());
            let error = Diagnostic::error("units-mixed", message);
            self.report(error.help(format!("it takes {}", function.written())), span);
        }
        if let Some(name) = items.get(1).and_then(text).filter(|name| function.has_zone() && !is_zone(name)) {
            let error = Diagnostic::error("unknown-zone", format!("there is no time zone `{name}`"));
            let known = zones();
            self.report(
                match nearest(name, known.iter().map(String::as_str)) {
                    Some(near) => error.help(format!("did you mean `{near}`?")),
                    None => error.help(
                        "write it as the tz database has it: `Europe/Berlin`, `America/New_York`, `UTC`",
                    ),
                },
                span,
            );
        }
        Some(function.gives())
    }

    fn cast_to(&mut self, items: &[Expression], span: Span) -> Option<Sort> {
        let [value, ty] = items else { return None };
        let Expression::Term(Term::Text(ty), ty_span) = ty else { return None };
        let given = self.expression_type(value);
        let wanted = match self.type_called(ty, *ty_span) {
            Ok(known) if known.is_number() => Sort::Number,
            Ok(_) => Sort::Text,
            Err(error) => {
                self.report(*error, *ty_span);
                Sort::Text
            }
        };
        if given.is_some_and(|given| given != wanted) {
            let (message, help) = match wanted {
                Sort::Number => (
                    "`as` makes no number of a text",
                    "`to_number(Text)` reads one; `to_cpu`, `to_amount`, `to_seconds` and `to_time` read units",
                ),
                _ => (
                    "`as` makes no text of a number",
                    "it takes a text of one type to be one of another; numbers are compared as they are",
                ),
            };
            self.report(Diagnostic::error("type-mismatch", message).help(help), span);
        }
        Some(wanted)
    }
}
