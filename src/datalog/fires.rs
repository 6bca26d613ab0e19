//! Whether rules fire: are there values that make the body of one true?

use std::collections::BTreeSet;

use super::evaluation::Evaluation;
use super::program::{Literal, Program, Rule};
use super::source::Span;
use super::symbols::Symbols;
use crate::diagnostic::Place;

/// A rule as it was written: the ways in which it may hold, several where it has a `;`.
pub struct Written<'a> {
    /// Its ways, at least one.
    pub ways: &'a [Rule],
}

impl Program {
    /// The rules as they were written, in their order, without what stands behind aggregates.
    pub fn written(&self) -> impl Iterator<Item = Written<'_>> {
        let ways = self.body.rules.chunk_by(|one, other| one.span == other.span);
        let is_own = |ways: &&[Rule]| self.declaration(ways[0].head.relation).within.is_none();
        ways.filter(is_own).map(|ways| Written { ways })
    }

    /// The ways that a rule's `;` leaves, each with where it differs from the others: an aggregate
    /// that may be 0 makes two rules of one way.
    #[must_use]
    pub fn clauses<'a>(&self, rule: &Written<'a>) -> Vec<(Place, Vec<&'a Rule>)> {
        let mut clauses: Vec<(BTreeSet<Span>, Vec<&Rule>)> = Vec::new();
        for way in rule.ways {
            let spans: BTreeSet<Span> = way.body.iter().map(span).collect();
            match clauses.iter_mut().find(|(known, _)| *known == spans) {
                Some((_, ways)) => ways.push(way),
                None => clauses.push((spans, vec![way])),
            }
        }
        let all: Vec<BTreeSet<Span>> = clauses.iter().map(|(spans, _)| spans.clone()).collect();
        let own = |spans: &BTreeSet<Span>| {
            spans.iter().find(|it| !all.iter().all(|other| other.contains(it))).copied()
        };
        let place = |spans: &BTreeSet<Span>| own(spans).unwrap_or(rule.ways[0].head.span);
        clauses.into_iter().map(|(spans, ways)| (self.body.place(place(&spans)), ways)).collect()
    }
}

fn span(literal: &Literal) -> Span {
    match literal {
        Literal::Positive(atom) | Literal::Negative(atom) => atom.span,
        Literal::Comparison(comparison) => comparison.span,
    }
}

impl Evaluation {
    /// Whether a rule derives something from the rows that are here, of relations that were
    /// evaluated.
    #[must_use]
    pub fn fires(&self, rule: &Rule, symbols: &Symbols) -> bool {
        let mut found = false;
        let stopped = self.solve(&rule.body, rule.variables.len(), symbols, &mut |_| {
            found = true;
            false
        });
        // What was stopped before it found something is not known not to fire.
        found || stopped.is_some()
    }
}
