//! Rule texts into a program: read, resolved, checked, put in order.

use std::sync::Arc;

use super::check::{check_rules, check_shape};
use super::parameter::Setting;
use super::program::{Body, Given, Kind, Program, Rule};
use super::resolve::resolve;
use super::source::{MAX_DIAGNOSTICS, Source};
use super::strata::stratify;
use super::times::read_times;
use super::unused::check_unused;
use crate::diagnostic::Diagnostic;

/// What loading gives: a program if there were no errors, and all that was found.
#[derive(Debug)]
pub struct Loaded {
    /// The program, unless there was an error.
    pub program: Option<Program>,
    /// Errors and warnings, by place.
    pub diagnostics: Vec<Diagnostic>,
}

impl Program {
    /// Reads and checks texts that make one program. Their order does not matter.
    #[must_use]
    pub fn load(sources: &[Source<'_>]) -> Loaded {
        Program::load_with(sources, &[])
    }

    /// The same with values for parameters; of two for one parameter the last counts.
    #[must_use]
    pub fn load_with(sources: &[Source<'_>], settings: &[Setting]) -> Loaded {
        Program::loaded(sources, settings, true)
    }

    /// The same where the built-in texts are known to be sound, as a test has checked them: only
    /// the rules of a user are looked at.
    #[must_use]
    pub fn load_trusting(sources: &[Source<'_>], settings: &[Setting]) -> Loaded {
        Program::loaded(sources, settings, false)
    }

    fn loaded(sources: &[Source<'_>], settings: &[Setting], with_builtin: bool) -> Loaded {
        let (mut body, mut diagnostics) = resolve(sources, settings);
        let mut rules = std::mem::take(&mut body.rules);
        rules.iter_mut().for_each(|rule| read_times(&body, &mut rule.body));
        body.rules = rules;
        let ways = body.rules.chunk_by(|one, other| one.span == other.span);
        for ways in ways.filter(|ways| with_builtin || !ways[0].builtin) {
            let lifted = body.declaration(ways[0].head.relation).within.is_some();
            if diagnostics.len() < MAX_DIAGNOSTICS || !diagnostics.iter().any(Diagnostic::is_error) {
                check_rules(&body, ways, !lifted, &mut diagnostics);
            }
        }
        if !diagnostics.iter().any(Diagnostic::is_error) {
            check_unused(&body, &mut diagnostics);
        }
        finish(body, diagnostics)
    }

    /// The same declarations with other rules, checked again. Made for tests that ask
    /// whether any example notices a changed rule: clone a rule, take a part out of its
    /// body or turn a `Positive` into a `Negative`, and evaluate what comes out.
    #[must_use]
    pub fn with_rules(&self, rules: Vec<Rule>) -> Loaded {
        let body = Body { rules, ..(*self.body).clone() };
        let mut diagnostics = Vec::new();
        for rule in &body.rules {
            if check_shape(&body, rule, &mut diagnostics) {
                check_rules(&body, std::slice::from_ref(rule), false, &mut diagnostics);
            }
        }
        diagnostics.retain(Diagnostic::is_error);
        finish(body, diagnostics)
    }
}

fn finish(mut body: Body, mut diagnostics: Vec<Diagnostic>) -> Loaded {
    // Facts for an input are rows like those that come from outside, not rules.
    let inputs: Vec<bool> = body.declarations.iter().map(|it| it.kind == Kind::Input).collect();
    let facts =
        body.rules.extract_if(.., |rule| inputs.get(rule.head.relation.index()) == Some(&true)).map(given);
    body.given.extend(facts.collect::<Vec<_>>());
    if !diagnostics.iter().any(Diagnostic::is_error) {
        match stratify(&body) {
            Ok(strata) => body.strata = strata,
            Err(error) => diagnostics.push(error),
        }
    }
    Diagnostic::sort(&mut diagnostics);
    // Two ways of one rule may have one and the same mistake.
    diagnostics.dedup();
    let failed = diagnostics.iter().any(Diagnostic::is_error);
    Loaded { program: (!failed).then(|| Program { body: Arc::new(body), asked: Vec::new() }), diagnostics }
}

fn given(fact: Rule) -> Given {
    Given { relation: fact.head.relation, values: fact.head.terms, file: fact.file, line: fact.line }
}
