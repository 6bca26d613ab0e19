//! Names into what they mean: types, relations, variables, and who may define what.
//!
//! All declarations of all texts are known before any rule is looked at, so order never
//! matters. A rule with a mistake in it is left out and the next one is read.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::check::placeholders;
use super::functions::TextTest;
use super::lexer::Fault;
use super::modules::{Entry, ModuleId, QUERY, Seen};
use super::naming;
use super::overload::{choose, declare};
use super::parser::{declared_tests, parse};
use super::program::{
    Atom, Body, Comparison, Expression, Kind, Literal, MAX_VARIABLES, RelationId, Rule, Setting, Term,
    Variable,
};
use super::source::{MAX_DIAGNOSTICS, MAX_SOURCE, Source, Span, Text};
use super::syntax::{Items, RawAtom, RawExpression, RawLiteral, RawRule, RawTerm};
use super::versions::versions;
use crate::cores;
use crate::diagnostic::{Diagnostic, Place};

/// Texts of fewer bytes together than this are not worth a thread.
const SHARED: usize = 1 << 16;

/// Everything but the strata, and what is wrong with it.
pub(super) fn resolve(sources: &[Source<'_>], settings: &[Setting]) -> (Body, Vec<Diagnostic>) {
    let mut found = Vec::new();
    let mut body = Body::default();
    let mut parsed = Vec::new();
    for (source, items) in sources.iter().zip(read(sources)) {
        let mut kept = *source;
        if source.text.len() > MAX_SOURCE {
            found.push(
                Diagnostic::error(
                    "source-too-large",
                    format!("a rule text of {} bytes is over the limit of {MAX_SOURCE}", source.text.len()),
                )
                .at(Place::file(source.file))
                .help("split it, or load its facts as an input relation"),
            );
            kept.text = "";
        }
        let mut text = Text::new(&kept);
        let module = if source.builtin { ModuleId::BUILTIN } else { body.modules.of_folder(source.folder) };
        text.module = Some(module);
        text.doc = items.doc.join("\n");
        body.texts.push(text);
        found.extend(items.faults.iter().map(|fault| diagnostic(&body, fault)));
        for span in items.stray.iter().take(MAX_DIAGNOSTICS) {
            found.push(
                Diagnostic::warning("stray-sentence", "a `///` comment stands over nothing")
                    .at(body.place(*span))
                    .help("put it directly over a rule or a `.decl`, or make it a `//` comment"),
            );
        }
        parsed.push((module, items));
    }
    let mut resolver = Resolver { found, ..Resolver::new(body) };
    resolver.all(parsed, settings);
    (resolver.body, resolver.found)
}

/// What each text says. Long ones are read on all cores, as none knows of another.
fn read(sources: &[Source<'_>]) -> Vec<Items> {
    let taken = taken(sources);
    let read = |at: usize| {
        let source = &sources[at];
        let text = if source.text.len() > MAX_SOURCE { "" } else { source.text };
        let of_module = taken.iter().filter(|(folder, _)| !source.builtin && *folder == source.folder);
        let taken = of_module.map(|(_, test)| *test).collect();
        parse(u32::try_from(at).unwrap_or(u32::MAX), text, taken, source.folder == QUERY)
    };
    match sources.iter().map(|source| source.text.len()).sum() {
        0..SHARED => cores::on_one(sources.len(), read),
        _ => cores::on_all(sources.len(), read),
    }
}

/// The questions about texts that are relations in a folder, as that is what it calls them.
fn taken<'a>(sources: &[Source<'a>]) -> Vec<(&'a str, TextTest)> {
    let mut found = Vec::new();
    for source in sources.iter().filter(|source| !source.builtin) {
        found.extend(declared_tests(source.text).map(|test| (source.folder, test)));
    }
    found
}

/// A fault of the lexer or parser as a diagnostic.
pub(super) fn diagnostic(body: &Body, fault: &Fault) -> Diagnostic {
    fault.told(body.place(fault.span))
}

pub(super) struct Resolver {
    pub(super) body: Body,
    /// The rules of aggregates, which stand behind all that were written: who looks for the
    /// rule on a line finds that one.
    pub(super) lifted: Vec<Rule>,
    pub(super) found: Vec<Diagnostic>,
    /// Relations and parameters whose declaration is wrong: rules that use them are passed over.
    pub(super) broken: BTreeSet<(String, ModuleId)>,
}

impl Resolver {
    /// One that knows what is declared.
    pub(super) fn new(body: Body) -> Self {
        Resolver { body, lifted: Vec::new(), found: Vec::new(), broken: BTreeSet::new() }
    }

    fn all(&mut self, parsed: Vec<(ModuleId, Items)>, settings: &[Setting]) {
        let (mut rules, mut parameters, mut declarations) = (Vec::new(), Vec::new(), Vec::new());
        let (mut types, mut overloads) = (Vec::new(), Vec::new());
        for (module, items) in parsed {
            types.extend(items.types.into_iter().map(|ty| (module, ty)));
            self.broken.extend(items.broken.into_iter().map(|name| (name, module)));
            parameters.extend(items.parameters);
            declarations.extend(items.declarations);
            overloads.extend(items.overloads.into_iter().map(|raw| (module, raw)));
            rules.extend(items.rules);
        }
        self.types(types);
        for raw in parameters {
            self.parameter(raw, settings);
        }
        self.settings(settings);
        for raw in declarations {
            self.declaration(raw);
        }
        for (module, raw) in overloads {
            if let Some(overload) = self.noted(declare(&self.body, module, &raw)) {
                let it = self.body.overloaded.len();
                let entry = Entry { module, exported: module == ModuleId::BUILTIN, it };
                self.body.overloaded.push(overload);
                self.body.overloads.add(raw.name.into(), entry);
            }
        }
        for mut raw in rules {
            // Many warnings are no reason to leave a rule out.
            if self.found.len() >= MAX_DIAGNOSTICS && self.found.iter().any(Diagnostic::is_error) {
                break;
            }
            let unsettled = choose(&self.body, &[&raw.head], &mut raw.ways);
            if !unsettled.is_empty() {
                self.found.extend(unsettled);
                continue;
            }
            let rules = self.rule(raw).unwrap_or_default();
            self.body.rules.extend(rules);
        }
        self.body.rules.append(&mut self.lifted);
    }

    pub(super) fn report(&mut self, diagnostic: Diagnostic, span: Span) {
        self.tell(diagnostic.at(self.body.place(span)));
    }

    pub(super) fn tell(&mut self, diagnostic: Diagnostic) {
        let is_first = diagnostic.is_error() && !self.found.iter().any(Diagnostic::is_error);
        if is_first || self.found.len() < MAX_DIAGNOSTICS {
            self.found.push(diagnostic);
        }
    }

    /// One rule for each way in which it may hold; all of them know the variables of all.
    fn rule(&mut self, raw: RawRule) -> Option<Vec<Rule>> {
        let raw = self.filled(raw)?;
        let mut names = Names::default();
        let head = self.atom(&raw.head, &mut names);
        let ways: Vec<_> = raw.ways.iter().map(|way| self.parts(way, &mut names)).collect();
        let head = head?;
        let ways = ways.into_iter().collect::<Option<Vec<_>>>()?;
        if names.names.len() > MAX_VARIABLES {
            let error = Diagnostic::error(
                "rule-too-long",
                format!("a rule has {} variables, the limit is {MAX_VARIABLES}", names.names.len()),
            )
            .help("split it with a relation of its own, or write `_` for what does not matter");
            self.report(error, raw.head.span);
            return None;
        }
        self.permitted(&raw.head, head.relation, ways.iter().all(Vec::is_empty))?;
        let text = &self.body.texts[raw.span.source as usize];
        let sentence: Vec<&str> = raw.sentence.iter().map(|(line, _)| line.trim()).collect();
        let sentence = match sentence.join(" ").trim() {
            "" => self.declared_sentence(head.relation, &names),
            own => own.to_owned(),
        };
        let first = Rule {
            head,
            body: Vec::new(),
            variables: names.names.clone(),
            sentence: self.said(sentence, raw.span),
            text: text.slice(raw.span).into(),
            file: text.file.clone(),
            line: text.line(raw.span.start),
            builtin: text.builtin,
            fold: None,
            span: raw.span,
        };
        let ways: Vec<_> = ways.into_iter().map(|way| self.lifted(way, &names, &first)).collect();
        let ways = ways.into_iter().collect::<Option<Vec<_>>>()?.concat();
        Some(ways.into_iter().map(|body| Rule { body, ..first.clone() }).collect())
    }

    /// What a rule of a constraint says that has no sentence of its own: what stands over the
    /// declaration, if that names values, and all of them are values of the rule.
    fn declared_sentence(&self, relation: RelationId, names: &Names) -> String {
        let declared = self.body.declaration(relation);
        let has = |name: &str| names.names.iter().any(|known| **known == *name);
        let mut named = placeholders(&declared.doc).peekable();
        if declared.constraint.is_none() || named.peek().is_none() || !named.all(has) {
            return String::new();
        }
        declared.doc.lines().map(str::trim).collect::<Vec<_>>().join(" ")
    }

    /// Whether a rule may stand where it stands.
    fn permitted(&mut self, raw: &RawAtom, id: RelationId, is_fact: bool) -> Option<()> {
        let head = self.body.declaration(id);
        let by_user = !self.body.texts[raw.span.source as usize].builtin;
        let is_elsewhere = self.body.module(raw.span) != Some(head.module);
        let name = &raw.name;
        let error = if head.kind == Kind::Input && (head.builtin || !is_fact) {
            let error =
                Diagnostic::error("rule-for-input", format!("a rule derives `{name}`, which is an input"))
                    .because("the rows of an input are facts; no rule adds to them");
            error.help(if head.builtin {
                "derive a relation of your own and use it beside the input"
            } else {
                "take `input` away from its declaration, or state it as a fact without a body"
            })
        } else if by_user && head.builtin && !head.open {
            let open: Vec<String> = self
                .body
                .declarations
                .iter()
                .filter(|declaration| declaration.open && declaration.builtin)
                .map(|declaration| format!("`{}`", declaration.name))
                .collect();
            let error = Diagnostic::error(
                "closed-relation",
                format!("a user's rule derives `{name}`, which is built in and not open"),
            );
            if open.is_empty() {
                error.help("declare a relation of your own")
            } else {
                error.help(format!(
                    "declare a relation of your own, or add to an open one: {}",
                    open.join(", ")
                ))
            }
        } else if is_elsewhere && !head.open {
            let folder = self.body.modules.name(head.module);
            let message = format!("a rule derives `{name}`, which the folder `{folder}` has declared");
            Diagnostic::error("closed-relation", message)
                .help("derive a relation of your own, or write `open` behind its declaration")
        } else {
            return Some(());
        };
        let error = error.related(self.body.place(head.span), "declared here");
        self.report(error, raw.span);
        None
    }

    pub(super) fn literal(&mut self, raw: &RawLiteral, names: &mut Names) -> Option<Literal> {
        if let RawLiteral::Positive(atom) | RawLiteral::Negative(atom) = raw
            && self.is_broken(atom)
        {
            return None;
        }
        let found = resolve_literal(&self.body, raw, names);
        self.noted(found)
    }

    fn atom(&mut self, raw: &RawAtom, names: &mut Names) -> Option<Atom> {
        if self.is_broken(raw) {
            return None;
        }
        let found = resolve_atom(&self.body, raw, names);
        self.noted(found)
    }

    /// Whether an atom names a relation whose declaration was refused.
    fn is_broken(&self, raw: &RawAtom) -> bool {
        if self.broken.is_empty() {
            return false;
        }
        let module = self.body.module(raw.span);
        if module.is_some_and(|module| self.body.names.of(module, &raw.name).is_some()) {
            return false;
        }
        let seen = || matches!(self.body.names.seen(&self.body.modules, module, &raw.name), Seen::One(_));
        self.is_broken_in(module, &raw.name) || self.is_broken_somewhere(&raw.name) && !seen()
    }

    pub(super) fn is_broken_in(&self, module: Option<ModuleId>, name: &str) -> bool {
        module.is_some_and(|module| self.broken.contains(&(name.to_owned(), module)))
    }

    pub(super) fn is_broken_somewhere(&self, name: &str) -> bool {
        let mut from = self.broken.range((name.to_owned(), ModuleId::BUILTIN)..);
        from.next().is_some_and(|(found, _)| found == name)
    }

    pub(super) fn noted<T>(&mut self, found: Result<T, Box<Diagnostic>>) -> Option<T> {
        found.map_err(|error| self.tell(*error)).ok()
    }
}

/// The variables of the rule at hand, numbered as they come.
#[derive(Default)]
pub(super) struct Names {
    pub names: Vec<Arc<str>>,
    pub known: BTreeMap<String, Variable>,
}

impl Names {
    pub fn expression(&mut self, raw: &RawExpression) -> Expression {
        match raw {
            RawExpression::Term(term, span) => Expression::Term(self.term(term), *span),
            RawExpression::Negate(inner) => Expression::Negate(Box::new(self.expression(inner))),
            RawExpression::Binary(left, sign, right) => {
                let (left, right) = (self.expression(left), self.expression(right));
                Expression::Binary(Box::new(left), *sign, Box::new(right))
            }
            RawExpression::Written(number, text, span) => {
                Expression::Written(*number, text.as_str().into(), *span)
            }
            // Taken out before.
            RawExpression::Aggregate(aggregate) => Expression::Term(Term::Any, aggregate.span),
            RawExpression::Pattern(pattern) => Expression::Pattern(pattern.clone()),
            RawExpression::Call(function, items, span) => {
                let items = items.iter().map(|item| self.expression(item)).collect();
                Expression::Call(*function, items, *span)
            }
            RawExpression::List(items) => {
                Expression::List(items.iter().map(|item| self.expression(item)).collect())
            }
        }
    }

    pub fn term(&mut self, raw: &RawTerm) -> Term {
        match raw {
            // A parameter has got its value before.
            RawTerm::Any | RawTerm::Parameter(_) => Term::Any,
            RawTerm::Number(number) => Term::Number(*number),
            RawTerm::Text(text) => Term::Text(text.as_str().into()),
            RawTerm::Variable(name) => {
                if let Some(variable) = self.known.get(name) {
                    return Term::Variable(*variable);
                }
                let variable = Variable(self.names.len());
                self.names.push(name.as_str().into());
                self.known.insert(name.clone(), variable);
                Term::Variable(variable)
            }
        }
    }
}

/// An atom whose relation exists and has that many columns.
pub(super) fn resolve_atom(body: &Body, raw: &RawAtom, names: &mut Names) -> Result<Atom, Box<Diagnostic>> {
    let relation = naming::relation(body, &raw.name, raw.name_span)?;
    let declaration = body.declaration(relation);
    if declaration.columns.len() != raw.terms.len() {
        let wanted = declaration.columns.len();
        let error = Diagnostic::error(
            "wrong-arity",
            format!(
                "`{}` has {wanted} column{}, here are {}",
                raw.name,
                if wanted == 1 { "" } else { "s" },
                raw.terms.len()
            ),
        );
        return Err(Box::new(
            error
                .at(body.place(raw.span))
                .related(body.place(declaration.span), "declared here")
                .help(format!("write `{declaration}`; `_` stands for a column that does not matter")),
        ));
    }
    let terms = raw.terms.iter().map(|(term, _)| names.term(term)).collect();
    Ok(Atom { relation, terms, span: raw.span, spans: raw.terms.iter().map(|(_, span)| *span).collect() })
}

/// A part of a body with the relations and variables that it names.
fn resolve_literal(body: &Body, raw: &RawLiteral, names: &mut Names) -> Result<Literal, Box<Diagnostic>> {
    match raw {
        RawLiteral::Positive(atom) => resolve_atom(body, atom, names).map(Literal::Positive),
        RawLiteral::Negative(atom) => resolve_atom(body, atom, names).map(Literal::Negative),
        // Taken out before.
        RawLiteral::First(braces) => {
            let error = Diagnostic::error("aggregate-here", "`first` stands where it cannot");
            Err(Box::new(error.at(body.place(braces.span))))
        }
        RawLiteral::Comparison { left, operator, right, span } => {
            let (left, right) = versions(names.expression(left), names.expression(right));
            Ok(Literal::Comparison(Comparison { left, operator: *operator, right, span: *span }))
        }
    }
}
