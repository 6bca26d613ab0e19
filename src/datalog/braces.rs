//! The parser of aggregates: `sum Amount : { request(Pod, Amount) }`.

use super::aggregate::Aggregate;
use super::lexer::Token;
use super::parser::Parser;
use super::syntax::{RawAggregate, RawExpression};

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
        self.need(":", "`:` and what is looked at in `{` and `}`")?;
        self.need("{", "`{` and what is looked at")?;
        let mut ways = self.either(depth + 1)?;
        self.need("}", "`,` or `}`")?;
        let span = start.to(self.last_span());
        let (Some(body), true) = (ways.pop(), ways.is_empty()) else {
            self.fault(
                "or-in-aggregate",
                "`;` stands in an aggregate".to_owned(),
                "give the parts with `;` a relation of their own and use it here",
                span,
            );
            return None;
        };
        let text = self.slice(span).split_whitespace().collect::<Vec<_>>().join(" ");
        Some(RawExpression::Aggregate(Box::new(RawAggregate { aggregate, value, body, text, span })))
    }
}
