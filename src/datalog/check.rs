//! What makes a rule one that can be evaluated: types, safety; and what makes it odd:
//! variables that stand alone.
//!
//! It works on resolved rules, so a rule that was changed after loading is checked by
//! the same code. Stratification is not here: it is a matter of all rules together.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::define::{definitions, in_atoms};
use super::functions::{Function, Sort};
use super::program::{
    Atom, Body, Comparison, Expression, Literal, MAX_VARIABLES, Operator, Parameter, Rule, Term, Type,
    Variable,
};
use super::source::{MAX_DIAGNOSTICS, Span};
use crate::diagnostic::{Diagnostic, nearest};

/// What is said of a variable that is to be a version.
const A_VERSION: &str = "a version is no value of a variable: bind the variable to a text in a positive atom, and compare \
    `version(Text)` with the version";

/// All checks of the rules that one text with `;` stands for, or of one rule. `style` adds
/// what only matters in a text a person wrote: singletons and sentences.
pub(super) fn check_rules(body: &Body, ways: &[Rule], style: bool, found: &mut Vec<Diagnostic>) {
    let mut safe = true;
    for rule in ways {
        let mut checker = Checker::new(body, rule, found, ways.len());
        checker.types();
        safe &= checker.safety();
        if style {
            checker.zero_divisors();
        }
        if style && std::ptr::eq(rule, &ways[0]) {
            checker.placeholders();
        }
    }
    if style && safe {
        singletons(body, ways, found);
    }
}

/// What the parser and the resolver see to, for a rule that was put together by code: its
/// relations, columns and variables exist.
pub(super) fn check_shape(body: &Body, rule: &Rule, found: &mut Vec<Diagnostic>) -> bool {
    let known = rule.variables.len();
    let atom = |atom: &Atom| {
        let columns =
            body.declarations.get(atom.relation.index()).map(|declaration| declaration.columns.len());
        columns == Some(atom.terms.len()) && atom.variables().all(|variable| variable.0 < known)
    };
    let literal = |literal: &Literal| match literal {
        Literal::Positive(found) | Literal::Negative(found) => atom(found),
        Literal::Comparison(comparison) => comparison.variables().all(|variable| variable.0 < known),
    };
    let right = known <= MAX_VARIABLES && atom(&rule.head) && rule.body.iter().all(literal);
    if !right {
        let message = "a rule has a relation, a column or a variable that does not exist";
        found.push(Diagnostic::error("malformed-rule", message).at(body.place(rule.span)));
    }
    right
}

/// The type of a text that has none of its own yet.
const TEXT: &str = "text";

pub(super) struct Checker<'a> {
    pub(super) body: &'a Body,
    rule: &'a Rule,
    found: &'a mut Vec<Diagnostic>,
    /// For each variable its type and where it got it.
    pub(super) types: Vec<Option<(Type, Span)>>,
    /// How many ways its text has to hold, this one among them.
    one_of: usize,
}

impl<'a> Checker<'a> {
    pub(super) fn new(body: &'a Body, rule: &'a Rule, found: &'a mut Vec<Diagnostic>, one_of: usize) -> Self {
        Checker { body, rule, found, types: vec![None; rule.variables.len()], one_of }
    }

    pub(super) fn report(&mut self, diagnostic: Diagnostic, span: Span) {
        if self.found.len() < MAX_DIAGNOSTICS {
            self.found.push(diagnostic.at(self.body.place(span)));
        }
    }

    pub(super) fn name(&self, variable: Variable) -> Arc<str> {
        self.rule.variables.get(variable.0).cloned().unwrap_or_else(|| "_".into())
    }

    pub(super) fn types(&mut self) {
        let rule = self.rule;
        // Positive atoms come first, as they are what gives a variable its type.
        for literal in &rule.body {
            if let Literal::Positive(atom) = literal {
                self.atom_types(atom);
            }
        }
        for (at, variable) in definitions(&rule.body) {
            self.defined_type(&rule.body[at], variable);
        }
        for literal in &rule.body {
            match literal {
                Literal::Positive(_) => {}
                Literal::Negative(atom) => self.atom_types(atom),
                Literal::Comparison(comparison) => self.comparison_types(comparison),
            }
        }
        self.atom_types(&rule.head);
    }

    fn atom_types(&mut self, atom: &Atom) {
        let Some(declaration) = self.body.declarations.get(atom.relation.index()) else { return };
        for ((column, term), span) in declaration.columns.iter().zip(&atom.terms).zip(&atom.spans) {
            let wrong = match term {
                // What an aggregate is about may have a type that is known outside alone.
                _ if column.ty.is_empty() => None,
                Term::Any => None,
                Term::Text(_) if column.ty.is_number() => Some("a text".to_owned()),
                Term::Number(_) if !column.ty.is_number() => Some("a number".to_owned()),
                Term::Text(_) | Term::Number(_) => self
                    .constant_type(term, *span)
                    .filter(|it| !it.meets(&column.ty))
                    .map(|it| it.with_article()),
                Term::Variable(variable) => match self.types.get(variable.0).cloned().flatten() {
                    // A text that is worked out is of the type that it is used as first.
                    Some((ty, _)) if &*ty == TEXT && !column.ty.is_number() => {
                        self.types[variable.0] = Some((column.ty.clone(), *span));
                        None
                    }
                    Some((ty, first)) if !ty.meets(&column.ty) => {
                        let error = self.mismatch(&declaration.name, &column.name, &column.ty);
                        let error = error
                            .labelled(format!("`{}` is {}", self.name(*variable), ty.with_article()))
                            .related(self.body.place(first), format!("it is {} from here", ty.with_article()))
                            .help(match ty.is_number() && column.ty.is_number() {
                                true => "numbers of two units are never the same; `Y = as(X, number)` takes the unit away",
                                false => "use two variables and compare them with `=` if their texts may be equal, or make one of the other: `Y = as(X, Value)`",
                            });
                        self.report(error, *span);
                        None
                    }
                    // What else it is says more than that it is a number.
                    Some((ty, _)) if ty.unit().is_some() || column.ty.unit().is_none() => None,
                    _ => {
                        if let Some(slot) = self.types.get_mut(variable.0) {
                            *slot = Some((column.ty.clone(), *span));
                        }
                        None
                    }
                },
            };
            if let Some(what) = wrong {
                let error = self.mismatch(&declaration.name, &column.name, &column.ty).labelled(what);
                let error = match self.parameter(*span) {
                    Some(it) => error
                        .related(self.body.place(it.span), "the parameter")
                        .help(format!("declare the parameter as `{}`", column.ty)),
                    None if column.ty.unit().is_some() => error.help(column.ty.example()),
                    None if column.ty.is_number() => error.help("write a number without quotes"),
                    None => error.help("put it in quotes"),
                };
                self.report(error.related(self.body.place(declaration.span), "declared here"), *span);
            }
        }
    }

    /// The parameter whose value stands here.
    pub(super) fn parameter(&self, span: Span) -> Option<&Parameter> {
        self.body.parameters.get(*self.body.uses.get(&span)?)
    }

    fn mismatch(&self, relation: &str, column: &str, ty: &str) -> Diagnostic {
        Diagnostic::error(
            "type-mismatch",
            format!("the column `{column}` of `{relation}` takes `{ty}`, not what stands here"),
        )
    }

    /// Whether a part of a comparison is a number; `None` if that is not known.
    fn is_number(&self, term: &Term) -> Option<bool> {
        match term {
            Term::Number(_) => Some(true),
            Term::Text(_) => Some(false),
            Term::Any => None,
            Term::Variable(variable) => {
                self.types.get(variable.0).and_then(Option::as_ref).map(|(ty, _)| ty.is_number())
            }
        }
    }

    /// A variable that a comparison defines has the type of what it is equal to.
    fn defined_type(&mut self, literal: &Literal, variable: Variable) {
        let Literal::Comparison(comparison) = literal else { return };
        let (own, value) = if comparison.left.variable() == Some(variable) {
            (&comparison.left, &comparison.right)
        } else {
            (&comparison.right, &comparison.left)
        };
        let ty = match value.term() {
            Some(Term::Variable(other)) => self.types[other.0].clone().map(|(ty, _)| ty),
            Some(Term::Text(_)) => Some(Type::texts(TEXT)),
            _ => match self.expression_type(value) {
                Some(_) if let Some(ty) = self.cast_type(value) => Some(ty),
                Some(Sort::Text) => Some(Type::texts(TEXT)),
                Some(Sort::Version) => {
                    let error = Diagnostic::error("type-mismatch", "a version is no value of a variable")
                        .help("name the text, and compare `version(Text)` where it is needed");
                    self.report(error, comparison.span);
                    Some(Type::texts(TEXT))
                }
                _ => Some(Type::of_unit(self.unit(value))),
            },
        };
        let span = own.leaves().first().map(|(_, span)| *span);
        self.types[variable.0] = ty.zip(span);
    }

    fn comparison_types(&mut self, comparison: &Comparison) {
        let left = self.expression_type(&comparison.left);
        let items = match &comparison.right {
            Expression::List(items) => items.iter().collect(),
            right => vec![right],
        };
        let mut types: Vec<Option<Sort>> = items.into_iter().map(|item| self.expression_type(item)).collect();
        if let Operator::Text(test, _) = comparison.operator {
            types.push(left);
            if types.into_iter().flatten().any(|sort| sort != Sort::Text) {
                let message = format!("`{}` asks about texts, here is a number", test.name());
                let error =
                    Diagnostic::error("type-mismatch", message).help("compare numbers with `=`, `<`, …");
                self.report(error, comparison.span);
            }
        } else if let Some(left) = left
            && types.into_iter().flatten().any(|right| right != left)
        {
            let error = Diagnostic::error("type-mismatch", "a number is compared with a text")
                .because("a number and a text are never equal, and neither comes before the other");
            let is_date =
                |(term, _): &(&Term, Span)| matches!(term, Term::Text(text) if text.get(4..5) == Some("-"));
            let leaves = comparison.left.leaves().into_iter().chain(comparison.right.leaves());
            let error = error.help(if leaves.into_iter().any(|leaf| is_date(&leaf)) {
                "a time is written `\"2026-12-24T18:00Z\"`, `\"2026-12-24T18:00[Europe/Berlin]\"` or `\"2026-12-24\"`"
            } else {
                "compare numbers with numbers, written without quotes, and texts with texts; `7` and `\"7\"` are two values"
            });
            self.report(error, comparison.span);
        } else {
            self.mixed(comparison);
        }
    }

    /// What kind of value an expression has; `None` if that is not known.
    pub(super) fn expression_type(&mut self, expression: &Expression) -> Option<Sort> {
        match expression {
            Expression::Term(term, _) => {
                self.is_number(term).map(|number| if number { Sort::Number } else { Sort::Text })
            }
            Expression::Written(..) => Some(Sort::Number),
            Expression::Pattern(_) => Some(Sort::Text),
            Expression::List(_) => None,
            Expression::Call(function, items, span) => self.called(*function, items, *span),
            Expression::Negate(inner) => self.added(inner).then_some(Sort::Number),
            Expression::Binary(left, _, right) => {
                (self.added(left) && self.added(right)).then_some(Sort::Number)
            }
        }
    }

    /// Whether a part of a sum or a product may be one.
    fn added(&mut self, part: &Expression) -> bool {
        let wrong = self.expression_type(part).is_some_and(|sort| sort != Sort::Number);
        if wrong {
            let span = match part {
                Expression::Term(_, span) | Expression::Call(_, _, span) => *span,
                _ => self.rule.span,
            };
            let error = Diagnostic::error("type-mismatch", "arithmetic takes numbers, here is a text")
                .help("only columns of type `number` can be added; `to_number(Text)` reads a text as one");
            self.report(error, span);
        }
        !wrong
    }

    pub(super) fn safety(&mut self) -> bool {
        let rule = self.rule;
        let before = self.found.len();
        let defined = definitions(&rule.body).into_iter().fold(0, |all, (_, it)| all | 1u64 << it.0);
        let bound = Bound(in_atoms(&rule.body) | defined);
        let mut told = BTreeSet::new();
        for literal in &rule.body {
            match literal {
                Literal::Positive(_) => {}
                Literal::Negative(atom) => {
                    for (variable, span) in variables(atom) {
                        if !bound.contains(&variable) && told.insert(variable) {
                            self.unsafe_variable(
                                variable,
                                span,
                                "in a negated atom only",
                                "`!` asks about known values: bind it in a positive atom, or write `_` for \"there is none at all\"",
                            );
                        }
                    }
                }
                Literal::Comparison(comparison) => {
                    let help = if [&comparison.left, &comparison.right].into_iter().any(is_version) {
                        A_VERSION
                    } else {
                        "a comparison tests known values: bind the variable in a positive atom, or say with `=` what it is"
                    };
                    for (variable, span) in compared(comparison) {
                        if !bound.contains(&variable) && told.insert(variable) {
                            self.unsafe_variable(variable, span, "in a comparison only", help);
                        }
                    }
                }
            }
        }
        for (term, span) in rule.head.terms.iter().zip(&rule.head.spans) {
            match term {
                Term::Variable(variable) if !bound.contains(variable) && told.insert(*variable) => {
                    let (stands, help) = if self.one_of > 1 {
                        (
                            "in some of the ways only that `;` leaves open",
                            "bind it on each side of `;`, or in a part that all of them share",
                        )
                    } else {
                        (
                            "in the head only",
                            "a rule can only derive values that a positive atom of its body gives, or a `=` with known values",
                        )
                    };
                    self.unsafe_variable(*variable, *span, stands, help);
                }
                Term::Any => {
                    let error = Diagnostic::error("unsafe-variable", "`_` stands in the head of a rule")
                        .because("the rule would hold for every value there is")
                        .help("name it and bind it in a positive atom of the body");
                    self.report(error, *span);
                }
                _ => {}
            }
        }
        self.found.len() == before
    }

    fn unsafe_variable(&mut self, variable: Variable, span: Span, stands: &str, help: &str) {
        let message = format!("the variable `{}` stands {stands}", self.name(variable));
        self.report(Diagnostic::error("unsafe-variable", message).help(help), span);
    }

    fn zero_divisors(&mut self) {
        let rule = self.rule;
        for literal in &rule.body {
            let Literal::Comparison(comparison) = literal else { continue };
            let spans = [&comparison.left, &comparison.right].map(Expression::zero_divisors);
            for span in spans.into_iter().flatten() {
                let warning = Diagnostic::warning("division-by-zero", "this divides by zero")
                    .because("what divides by zero has no value, so the rule never holds")
                    .help("take the part out, or divide by something else");
                self.report(warning, span);
            }
        }
    }

    fn placeholders(&mut self) {
        let rule = self.rule;
        for name in placeholders(&rule.sentence) {
            if rule.variables.iter().any(|variable| **variable == *name) {
                continue;
            }
            let error = Diagnostic::error(
                "unknown-placeholder",
                format!("`{{{name}}}` in the sentence over a rule is no variable of it"),
            );
            let error = match nearest(name, rule.variables.iter().map(|variable| &**variable)) {
                Some(near) => error.help(format!("did you mean `{{{near}}}`?")),
                None => error.help("name a variable of the rule; an explanation fills its value in"),
            };
            self.report(error, rule.head.span);
        }
    }
}

/// Warns about variables that stand at one place alone, in all ways of a rule.
fn singletons(body: &Body, ways: &[Rule], found: &mut Vec<Diagnostic>) {
    let Some(first) = ways.first() else { return };
    let mut uses: Vec<BTreeSet<Span>> = vec![BTreeSet::new(); first.variables.len()];
    let bodies = ways.iter().flat_map(|way| &way.body).flat_map(places);
    for (variable, span) in bodies.chain(variables(&first.head)) {
        if let Some(uses) = uses.get_mut(variable.0) {
            uses.insert(span);
        }
    }
    let told: BTreeSet<&str> = placeholders(&first.sentence).collect();
    for (name, uses) in first.variables.iter().zip(uses) {
        if uses.len() == 1
            && !name.starts_with('_')
            && is_variable(name)
            && !told.contains(&**name)
            && found.len() < MAX_DIAGNOSTICS
        {
            let warning =
                Diagnostic::warning("singleton-variable", format!("the variable `{name}` is used only once"))
                    .help(format!("write `_` or `_{name}` if any value will do; else it may be a typo"));
            found.extend(uses.first().map(|span| warning.at(body.place(*span))));
        }
    }
}

/// The variables of a part of a body, with their places.
pub(super) fn places(literal: &Literal) -> Vec<(Variable, Span)> {
    match literal {
        Literal::Positive(atom) | Literal::Negative(atom) => variables(atom).collect(),
        Literal::Comparison(comparison) => compared(comparison).collect(),
    }
}

fn is_version(side: &Expression) -> bool {
    matches!(side, Expression::Call(Function::Version, ..))
}

fn compared(comparison: &Comparison) -> impl Iterator<Item = (Variable, Span)> + '_ {
    let leaves = comparison.left.leaves().into_iter().chain(comparison.right.leaves());
    leaves.filter_map(|(term, span)| match term {
        Term::Variable(variable) => Some((*variable, span)),
        _ => None,
    })
}

/// Variables that have a value, as bits.
struct Bound(u64);

impl Bound {
    fn contains(&self, variable: &Variable) -> bool {
        self.0 & 1 << variable.0 != 0
    }
}

fn variables(atom: &Atom) -> impl Iterator<Item = (Variable, Span)> + '_ {
    atom.terms.iter().zip(&atom.spans).filter_map(|(term, span)| match term {
        Term::Variable(variable) => Some((*variable, *span)),
        _ => None,
    })
}

/// The names in `{Name}` of a sentence, where they look like variables; other braces
/// are just text.
pub(super) fn placeholders(sentence: &str) -> impl Iterator<Item = &str> {
    sentence.split('{').skip(1).filter_map(|rest| {
        let name = rest.split_once('}')?.0;
        is_variable(name).then_some(name)
    })
}

pub(super) fn is_variable(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_uppercase() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}
