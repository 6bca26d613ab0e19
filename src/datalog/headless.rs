//! Bodies that stand under no head: what a query asks, and what an aggregate looks at.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::check::{Checker, is_variable, places};
use super::program::{Atom, Body, Literal, RelationId, Rule, Term, Variable};
use super::source::Span;
use crate::diagnostic::Diagnostic;

/// Checks a query: bodies without a head, each of which must bind what is asked for.
pub(super) fn check_query(
    body: &Body,
    ways: &[Vec<Literal>],
    variables: &[Arc<str>],
    found: &mut Vec<Diagnostic>,
) {
    let span = Span { source: 0, start: 0, end: 0 };
    let places = ways.iter().flatten().flat_map(places);
    let places: Vec<(Variable, Span)> =
        places.filter(|(it, _)| is_variable(&variables[it.0]) && !variables[it.0].starts_with('_')).collect();
    let asked: BTreeMap<Variable, Span> = places.into_iter().rev().collect();
    let terms = asked.keys().map(|variable| Term::Variable(*variable)).collect();
    let head = Atom { relation: RelationId(u32::MAX), terms, span, spans: asked.into_values().collect() };
    for way in ways {
        let rule = put_together(head.clone(), way, variables);
        let mut checker = Checker::new(body, &rule, found, ways.len());
        checker.types();
        checker.safety();
    }
}

/// The unit of a variable in a body, as far as that is right.
pub(super) fn unit_in(
    body: &Body,
    literals: &[Literal],
    variables: &[Arc<str>],
    variable: Variable,
) -> Option<Arc<str>> {
    let span = Span { source: 0, start: 0, end: 0 };
    let head = Atom { relation: RelationId(u32::MAX), terms: Vec::new(), span, spans: Vec::new() };
    let rule = put_together(head, literals, variables);
    let mut found = Vec::new();
    let mut checker = Checker::new(body, &rule, &mut found, 1);
    checker.types();
    checker.types.get(variable.0)?.as_ref()?.0.unit().cloned()
}

/// A rule that nobody wrote.
fn put_together(head: Atom, body: &[Literal], variables: &[Arc<str>]) -> Rule {
    Rule {
        span: head.span,
        head,
        body: body.to_vec(),
        variables: variables.to_vec(),
        sentence: "".into(),
        text: "".into(),
        file: "".into(),
        line: 0,
        builtin: false,
        fold: None,
    }
}
