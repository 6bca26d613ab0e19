//! The parser of what has braces: `sum Amount : { request(Pod, Amount) }`, and `first`.

use super::aggregate::Aggregate;
use super::lexer::Token;
use super::parser::Parser;
use super::source::Span;
use super::syntax::{RawBraces, RawExpression, RawLiteral, Takes};

impl Parser<'_> {
    /// The aggregate whose word comes next.
    pub(super) fn aggregate_here(&self) -> Option<Aggregate> {
        let Token::Name(word) = self.token() else { return None };
        Aggregate::ALL.into_iter().find(|(name, _)| name == word).map(|(_, aggregate)| aggregate)
    }

    /// `count : { a(X), b(X) }`, `sum Amount : { a(X, Amount) }`
    pub(super) fn aggregate(
        &mut self,
        aggregate: Aggregate,
        depth: usize,
        values: &mut usize,
    ) -> Option<RawExpression> {
        let start = self.span();
        self.deep(depth)?;
        self.at += 1;
        let value = if aggregate == Aggregate::Count && *self.token() == Token::Mark(":") {
            None
        } else if aggregate == Aggregate::Count {
            self.expected("`:` behind `count`");
            return None;
        } else {
            Some(self.joined(1, depth + 1, values)?)
        };
        let value =
            RawExpression::Aggregate(Box::new(self.braces(Takes::One(aggregate, value), start, depth)?));
        Some(value)
    }

    /// Whether `first` comes next, with how many.
    pub(super) fn first_here(&self) -> bool {
        matches!(self.token(), Token::Name(word) if word == "first")
            && matches!(self.tokens.get(self.at + 1), Some((Token::Number(_) | Token::Name(_), _)))
    }

    /// `first 2 Node by Created desc : { … }`, `first 1 (Node, Rack) : { … }`
    pub(super) fn first(&mut self, depth: usize) -> Option<RawLiteral> {
        let start = self.span();
        self.at += 1;
        let most = self.term(false)?;
        let mut values = Vec::new();
        if self.take("(") {
            while !self.take(")") {
                if !values.is_empty() {
                    self.need(",", "`,` or `)`")?;
                }
                values.push(self.taken()?);
            }
        } else {
            values.push(self.taken()?);
        }
        let mut keys = Vec::new();
        if self.take_word("by") {
            loop {
                let key = self.joined(1, depth + 1, &mut 0)?;
                let is_last = self.take_word("desc");
                if !is_last {
                    self.take_word("asc");
                }
                keys.push((key, is_last));
                if !self.take(",") {
                    break;
                }
            }
        }
        Some(RawLiteral::First(Box::new(self.braces(Takes::First { most, values, keys }, start, depth)?)))
    }

    /// A variable whose values are taken.
    fn taken(&mut self) -> Option<(String, Span)> {
        let what = "how many and a variable: `first 2 Node by Created : { … }`";
        let (name, span) = self.name(what)?;
        if name.starts_with(|c: char| c.is_ascii_uppercase()) {
            return Some((name, span));
        }
        self.at -= 1;
        self.expected(what);
        None
    }

    fn take_word(&mut self, wanted: &str) -> bool {
        let found = matches!(self.token(), Token::Name(word) if word == wanted);
        self.at += usize::from(found);
        found
    }

    /// `: { a(X), b(X) }`, behind what is taken of it.
    fn braces(&mut self, takes: Takes, start: Span, depth: usize) -> Option<RawBraces> {
        self.need(":", "`:` and what is looked at in `{` and `}`")?;
        self.need("{", "`{` and what is looked at")?;
        let ways = self.either(depth + 1)?;
        self.need("}", "`,`, `;` or `}`")?;
        let span = start.to(self.last_span());
        let text = self.slice(span).split_whitespace().collect::<Vec<_>>().join(" ");
        Some(RawBraces { takes, ways, text, span })
    }
}
