//! The parser of what is asked about texts: `starts_with(T, "a")`, `matches(T, "a.*")`.

use super::expression::Operator;
use super::functions::{Pattern, TextTest};
use super::lexer::Token;
use super::parser::Parser;
use super::syntax::{RawExpression, RawLiteral};

impl Parser<'_> {
    /// `starts_with(T, "a")` and its kin.
    pub(super) fn text_test(&mut self, test: TextTest, holds: bool, depth: usize) -> Option<RawLiteral> {
        let start = self.span();
        self.at += 1;
        self.need("(", "`(` and two texts")?;
        let mut values = 0;
        let left = self.joined(1, depth + 1, &mut values)?;
        self.need(",", "`,` and a second text")?;
        let right = match test {
            TextTest::Matches => self.pattern()?,
            _ => self.joined(1, depth + 1, &mut values)?,
        };
        self.need(")", "`)`")?;
        let span = start.to(self.last_span());
        Some(RawLiteral::Comparison { left, operator: Operator::Text(test, holds), right, span })
    }

    fn pattern(&mut self) -> Option<RawExpression> {
        let span = self.span();
        let text = match self.token().clone() {
            Token::Text(text) => text,
            Token::Name(name) if name.starts_with(|c: char| c.is_ascii_lowercase()) => {
                return Some(RawExpression::Term(self.term(false)?, span));
            }
            _ => {
                self.expected("a regular expression in quotes");
                return None;
            }
        };
        self.at += 1;
        match Pattern::new(&text) {
            Ok(pattern) => Some(RawExpression::Pattern(pattern)),
            Err(reason) => {
                self.fault(
                    "bad-pattern",
                    format!("this is no regular expression: {reason}"),
                    "`\\\\` in a text is one backslash; `.` is any character, `\\\\.` a full stop",
                    span,
                );
                None
            }
        }
    }
}
