//! Rules that can be evaluated and cannot be meant: one that stands there twice, and
//! comparisons that hold always or never.
//!
//! It is asked for, and not a part of loading: a command that plans has no time for it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::budget::{Budget, Limits};
use super::compare::compare;
use super::program::{Atom, Comparison, Expression, Literal, Operator, Program, Rule, Term, Variable};
use super::source::Span;
use super::symbols::Symbols;
use crate::diagnostic::Diagnostic;

impl Program {
    /// What is odd about the rules that are no part of the tool, by place.
    #[must_use]
    pub fn oddities(&self) -> Vec<Diagnostic> {
        let mut found = Vec::new();
        let rules = self.body.rules.iter();
        let own: Vec<&Rule> = rules.filter(|rule| !rule.builtin && rule.fold.is_none()).collect();
        duplicates(self, &own, &mut found);
        for rule in own {
            comparisons(self, rule, &mut found);
        }
        Diagnostic::sort(&mut found);
        // A comparison in several ways of a rule is one.
        found.dedup();
        found
    }
}

/// Rules that say the same of one relation, whatever their variables are called and in
/// whatever order their parts stand.
fn duplicates(program: &Program, rules: &[&Rule], found: &mut Vec<Diagnostic>) {
    let mut known: BTreeMap<String, &Rule> = BTreeMap::new();
    // What an aggregate is about has relations of its own.
    let is_written = |rule: &&&Rule| program.declaration(rule.head.relation).within.is_none();
    for rule in rules.iter().filter(is_written) {
        let Some(first) = known.get(&shape(program, rule)) else {
            known.insert(shape(program, rule), rule);
            continue;
        };
        let (message, here) = if first.span == rule.span {
            ("two ways of this rule say the same", rule.span)
        } else {
            ("this rule stands there twice", rule.head.span)
        };
        let mut warning = Diagnostic::warning("duplicate-rule", message).at(program.body.place(here));
        if first.span != rule.span {
            warning = warning.related(program.body.place(first.head.span), "the first one");
        }
        found.push(warning.help("take one of them out"));
    }
}

/// A rule as text in which names of variables and the order of parts do not matter.
fn shape(program: &Program, rule: &Rule) -> String {
    let mut names: BTreeMap<Variable, usize> = BTreeMap::new();
    for variable in rule.head.variables() {
        let next = names.len();
        names.entry(variable).or_insert(next);
    }
    let text = |literal: &Literal, names: &BTreeMap<Variable, usize>| {
        let term = |term: &Term| match term {
            Term::Variable(variable) => names.get(variable).map_or("?".to_owned(), |name| format!("${name}")),
            Term::Any => "_".to_owned(),
            Term::Text(text) => format!("{text:?}"),
            Term::Number(number) => number.to_string(),
        };
        let atom = |atom: &Atom| {
            let terms: Vec<String> = atom.terms.iter().map(term).collect();
            // An aggregate is named by its text.
            format!("{}({})", program.declaration(atom.relation).name, terms.join(","))
        };
        match literal {
            Literal::Positive(it) => atom(it),
            Literal::Negative(it) => format!("!{}", atom(it)),
            Literal::Comparison(it) => it.shown(&term),
        }
    };
    // Parts are named in the order of what they look like without names.
    let mut parts: Vec<&Literal> = rule.body.iter().collect();
    parts.sort_by_key(|part| text(part, &names));
    for part in &parts {
        let variables: Vec<Variable> = match part {
            Literal::Positive(atom) | Literal::Negative(atom) => atom.variables().collect(),
            Literal::Comparison(comparison) => comparison.variables().collect(),
        };
        for variable in variables {
            let next = names.len();
            names.entry(variable).or_insert(next);
        }
    }
    let mut parts: Vec<String> = parts.into_iter().map(|part| text(part, &names)).collect();
    parts.sort();
    parts.dedup();
    let head = Literal::Positive(rule.head.clone());
    format!("{} :- {}", text(&head, &names), parts.join(", "))
}

/// Comparisons of a rule whose answer is known before any row is.
fn comparisons(program: &Program, rule: &Rule, found: &mut Vec<Diagnostic>) {
    // What says that an aggregate of nothing is 0 was written by nobody.
    let aggregates: Vec<Span> = rule
        .body
        .iter()
        .filter_map(Literal::atom)
        .filter(|atom| program.declaration(atom.relation).within.is_some())
        .map(|atom| atom.span)
        .collect();
    let mut bounds: BTreeMap<Variable, Bounds<'_>> = BTreeMap::new();
    for literal in &rule.body {
        let Literal::Comparison(comparison) = literal else { continue };
        if aggregates.contains(&comparison.span) {
            continue;
        }
        let place = program.body.place(comparison.span);
        match answer(comparison) {
            Some(true) => found
                .push(Diagnostic::warning("always-true", "this holds always").at(place).help("take it out")),
            Some(false) => found.push(
                Diagnostic::warning("always-false", "this never holds, and so the rule derives nothing")
                    .at(place)
                    .help("mend it, or take the rule out"),
            ),
            None => {
                let bound = sided(comparison).and_then(|(variable, operator, value)| {
                    let bounds = bounds.entry(variable).or_default();
                    bounds.add(operator, value, comparison)
                });
                if let Some(other) = bound {
                    let warning = Diagnostic::warning("always-false", "these two never hold together")
                        .at(place)
                        .related(program.body.place(other), "with this");
                    found.push(warning.help("mend one of them, or part them with `;`"));
                }
            }
        }
    }
}

/// Whether a comparison holds whatever its variables are; `None` if that depends.
fn answer(comparison: &Comparison) -> Option<bool> {
    if comparison.variables().next().is_none() {
        let meter = Budget::new(&Limits::default(), 1).meter(0);
        return Some(compare(comparison).holds(&[], &Symbols::new(), &meter));
    }
    let same =
        comparison.left.variable().is_some() && comparison.left.variable() == comparison.right.variable();
    match comparison.operator {
        _ if !same => None,
        Operator::Equal | Operator::AtMost | Operator::AtLeast => Some(true),
        Operator::NotEqual | Operator::Less | Operator::Greater => Some(false),
        _ => None,
    }
}

/// A constant that a variable is compared with.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Constant<'a> {
    Number(i64),
    Text(&'a Arc<str>),
}

/// A comparison as one of a variable with a constant.
fn sided(comparison: &Comparison) -> Option<(Variable, Operator, Constant<'_>)> {
    let constant = |side: &'_ Expression| -> Option<Constant<'_>> {
        match side {
            Expression::Term(Term::Number(number), _) | Expression::Written(number, ..) => {
                Some(Constant::Number(*number))
            }
            _ => None,
        }
    };
    let text = |side| match side {
        &Expression::Term(Term::Text(ref text), _) => Some(Constant::Text(text)),
        _ => None,
    };
    let (left, right) = (&comparison.left, &comparison.right);
    if let Some((variable, value)) = left.variable().zip(constant(right).or_else(|| text(right))) {
        return Some((variable, comparison.operator, value));
    }
    let (variable, value) = right.variable().zip(constant(left).or_else(|| text(left)))?;
    let turned = match comparison.operator {
        Operator::Less => Operator::Greater,
        Operator::AtMost => Operator::AtLeast,
        Operator::Greater => Operator::Less,
        Operator::AtLeast => Operator::AtMost,
        other => other,
    };
    Some((variable, turned, value))
}

/// What the comparisons seen so far leave for a variable.
#[derive(Default)]
struct Bounds<'a> {
    least: Option<(i64, Span)>,
    most: Option<(i64, Span)>,
    is: Option<(&'a Arc<str>, Span)>,
    is_not: Vec<(&'a Arc<str>, Span)>,
}

impl<'a> Bounds<'a> {
    /// Adds a comparison; gives the place of one that it never holds with.
    fn add(&mut self, operator: Operator, value: Constant<'a>, comparison: &Comparison) -> Option<Span> {
        let here = comparison.span;
        match value {
            Constant::Number(number) => {
                let (least, most) = match operator {
                    Operator::Equal => (Some(number), Some(number)),
                    Operator::Less => (None, Some(number.saturating_sub(1))),
                    Operator::AtMost => (None, Some(number)),
                    Operator::Greater => (Some(number.saturating_add(1)), None),
                    Operator::AtLeast => (Some(number), None),
                    _ => (None, None),
                };
                if let Some(least) = least {
                    self.least = self.least.filter(|(it, _)| *it >= least).or(Some((least, here)));
                }
                if let Some(most) = most {
                    self.most = self.most.filter(|(it, _)| *it <= most).or(Some((most, here)));
                }
                let ((least, one), (most, other)) = self.least.zip(self.most)?;
                (least > most).then_some(if one == here { other } else { one })
            }
            Constant::Text(text) => match operator {
                Operator::Equal => {
                    let other = self.is.filter(|(it, _)| *it != text);
                    let not = self.is_not.iter().find(|(it, _)| *it == text).copied();
                    self.is = self.is.or(Some((text, here)));
                    other.or(not).map(|(_, span)| span)
                }
                Operator::NotEqual => {
                    self.is_not.push((text, here));
                    self.is.filter(|(it, _)| *it == text).map(|(_, span)| span)
                }
                _ => None,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Source;
    use super::*;

    fn odd(rules: &str) -> Vec<String> {
        let text = format!(
            ".type N\n.decl n(a: N, b: number) input\n.decl t(a: N) input\n.decl r(a: N) output\n{rules}\n"
        );
        let loaded = Program::load(&[Source { file: "t", text: &text, builtin: false, folder: "" }]);
        let program = loaded.program.unwrap_or_else(|| panic!("{:#?}", loaded.diagnostics));
        program
            .oddities()
            .iter()
            .map(|it| {
                let place = it.place.as_ref().map_or((0, 0), |place| (place.line - 4, place.column));
                format!("{} {}:{}", it.code, place.0, place.1)
            })
            .collect()
    }

    #[test]
    fn rules_that_say_the_same_are_found_whatever_they_are_called() {
        let twice = "r(A) :- n(A, B), t(A), B > 1.\nr(X) :- t(X), n(X, Y), Y > 1.";
        assert_eq!(odd(twice), ["duplicate-rule 2:1"]);
        assert!(odd("r(A) :- n(A, B), B > 1.\nr(A) :- n(A, B), B > 2.").is_empty());
        assert!(odd("r(A) :- n(A, _), !t(A).\nr(A) :- n(A, _), t(A).").is_empty());
        assert_eq!(odd("r(A) :- n(A, _), (t(A); t(A))."), ["duplicate-rule 1:1"]);
        let count = |most: u32| format!("r(A) :- t(A), count : {{ n(A, B), B < {most} }} > 1.");
        assert_eq!(odd(&format!("{}\n{}", count(3), count(3))), ["duplicate-rule 2:1"]);
        assert!(odd(&format!("{}\n{}", count(3), count(4))).is_empty());
    }

    #[test]
    fn comparisons_whose_answer_is_known_are_found() {
        for (body, found) in [
            ("n(A, B), B > B", "always-false 1:18"),
            ("n(A, B), B = B", "always-true 1:18"),
            ("t(A), 1 + 1 > 2", "always-false 1:15"),
            ("t(A), \"a\" in [\"a\", \"b\"]", "always-true 1:15"),
            ("n(A, B), B > 5, 3 >= B", "always-false 1:25"),
            ("n(A, B), B = 5, B > 4", ""),
            ("n(A, B), B > 4, B < 6", ""),
            ("n(A, B), B > 5, B < 6", "always-false 1:25"),
            ("t(A), A = \"a\", A = \"b\"", "always-false 1:24"),
            ("t(A), A != \"a\", A = \"a\"", "always-false 1:25"),
            ("t(A), A != \"a\", A != \"b\"", ""),
            ("n(A, B), (B > 5; B < 3)", ""),
            ("t(A), count : { n(A, _) } > 10", ""),
            ("t(A), N = count : { n(A, _) }, N > 10", ""),
        ] {
            assert_eq!(odd(&format!("r(A) :- {body}.")).join(" "), found, "{body}");
        }
    }
}
