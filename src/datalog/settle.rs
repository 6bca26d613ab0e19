//! What parameters are: their values, checked against their types, in place of their names.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::expression::{Operator, Term, quoted};
use super::functions::{Pattern, TextTest};
use super::modules::ModuleId;
use super::parameter::{Parameter, Setting};
use super::program::{Body, Type};
use super::resolve::Resolver;
use super::source::Span;
use super::syntax::{RawAtom, RawBraces, RawExpression, RawLiteral, RawParameter, RawRule, RawTerm, Takes};
use super::units::{Wrong, literal};
use crate::diagnostic::{Diagnostic, nearest};

impl Resolver {
    /// Declares a parameter with the value that it has.
    pub(super) fn parameter(&mut self, raw: RawParameter, settings: &[Setting]) {
        let Some(of) = self.body.module(raw.span) else { return };
        let text = &self.body.texts[raw.span.source as usize];
        let (file, line) = (text.file.clone(), text.line(raw.span.start));
        let module = self.body.modules.name(of).clone();
        if let Some(first) = own(&self.body, Some(of), &raw.name).map(|at| self.body.parameters[at].span) {
            let message = format!("the parameter `{}` is declared twice", raw.name);
            let error = Diagnostic::error("redefinition", message)
                .related(self.body.place(first), "first declared here")
                .help("take this line out; a parameter is known in all rule files of its folder");
            return self.report(error, raw.name_span);
        }
        let known = self.known_type(&raw.ty, raw.ty_span);
        let Some((ty, default)) = known.and_then(|ty| Some((ty.clone(), self.default(&raw, &ty)?))) else {
            self.broken.insert((raw.name, of));
            return;
        };
        let setting = settings.iter().rev().find(|it| it.is_for(&module, &raw.name));
        let (value, written) = match (setting, default.clone()) {
            (Some(setting), _) => match of_type(&raw.name, &ty, &setting.value) {
                Ok(value) => {
                    let shown = &setting.value;
                    (value, if ty.is_number() { shown.clone() } else { quoted(shown) })
                }
                Err(error) => {
                    let declared = self.body.place(raw.span);
                    self.tell(error.at(setting.place.clone()).related(declared, "declared here"));
                    self.broken.insert((raw.name, of));
                    return;
                }
            },
            (None, Some(default)) => default,
            (None, None) => {
                let message = format!("the parameter `{}` has no value", raw.name);
                let error = Diagnostic::error("parameter-not-set", message)
                    .because("it is declared without a default")
                    .help(format!(
                        "set it with `--param {}=VALUE` or under `params:` in dsrules.yaml, or write a default",
                        raw.name
                    ));
                self.report(error, raw.span);
                self.broken.insert((raw.name, of));
                return;
            }
        };
        self.body.parameters.push(Parameter {
            module,
            name: raw.name.as_str().into(),
            ty,
            value,
            written: written.into(),
            default: default.map(|(_, written)| written.into()),
            set: setting.map(|setting| setting.place.clone()),
            doc: raw.doc.join("\n").trim().to_owned(),
            file,
            line,
            of,
            span: raw.span,
        });
    }

    /// The default of a parameter and how it was written, if it has one; not if it is wrong.
    fn default(&mut self, raw: &RawParameter, ty: &Type) -> Option<Option<(Term, String)>> {
        let Some((default, span)) = &raw.default else { return Some(None) };
        let text = &self.body.texts[span.source as usize];
        let written = text.slice(*span);
        let value = match default {
            Term::Text(text) => of_type(&raw.name, ty, text),
            Term::Number(_) if ty.is_number() => of_type(&raw.name, ty, written),
            Term::Number(_) => {
                let message = format!("the parameter `{}` takes a `{}`, not a number", raw.name, raw.ty);
                let error = Diagnostic::error("type-mismatch", message);
                Err(error.help("put it in quotes, or declare the parameter as `number`"))
            }
            default => Ok(default.clone()),
        };
        match value {
            Ok(value) => Some(Some((value, written.to_owned()))),
            Err(error) => {
                self.report(error, *span);
                None
            }
        }
    }

    /// Says which settings are for nothing that was declared.
    pub(super) fn settings(&mut self, settings: &[Setting]) {
        for setting in settings.iter().filter(|setting| !setting.kept) {
            let parameters = &self.body.parameters;
            let known = parameters.iter().any(|it| setting.is_for(&it.module, &it.name));
            if known || self.is_broken_somewhere(&setting.name) {
                continue;
            }
            let shown = setting.shown();
            let name = |it: &Parameter| match &setting.module {
                Some(_) => format!("{}::{}", it.module, it.name),
                None => it.name.to_string(),
            };
            let names: BTreeSet<String> = parameters.iter().map(name).collect();
            let error = Diagnostic::error(
                "unknown-parameter",
                format!("no rule file declares the parameter `{shown}`"),
            );
            let listed = names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            let error = match nearest(&shown, names.iter().map(String::as_str)) {
                Some(near) if names.len() == 1 => error.help(format!("did you mean `{near}`?")),
                Some(near) => {
                    error.because(format!("there are {listed}")).help(format!("did you mean `{near}`?"))
                }
                None if names.is_empty() => {
                    error.help(format!("declare it: `.param {}: number = 1`", setting.name))
                }
                None => error.help(format!("the parameters are {listed}")),
            };
            self.tell(error.at(setting.place.clone()));
        }
    }

    /// A rule with the values of its parameters; not if one of them is unknown.
    pub(super) fn filled(&mut self, mut raw: RawRule) -> Option<RawRule> {
        if !raw.words {
            return Some(raw);
        }
        let module = self.body.module(raw.span);
        let mut fill = Fill::new(&self.body);
        fill.atom(&mut raw.head);
        raw.ways.iter_mut().flatten().for_each(|literal| fill.literal(literal));
        let Fill { uses, wrong, unknown, .. } = fill;
        self.body.uses.extend(uses);
        let failed = !wrong.is_empty() || !unknown.is_empty();
        wrong.into_iter().for_each(|error| self.tell(error));
        // Of a line with a mistake, or a parameter that is declared with one, enough is said.
        let is_news =
            |(name, error): &(String, Diagnostic)| !self.is_broken_in(module, name) && !self.has_told(error);
        for (_, error) in unknown.into_iter().filter(is_news).collect::<Vec<_>>() {
            self.tell(error);
        }
        (!failed).then_some(raw)
    }

    /// Whether something is said of the line already.
    fn has_told(&self, error: &Diagnostic) -> bool {
        let line = |it: &Diagnostic| it.place.as_ref().map(|place| (place.file.clone(), place.line));
        self.found.iter().any(|told| line(told) == line(error))
    }

    /// A sentence with the values of the parameters that it names: `more than {quota} pods`.
    pub(super) fn said(&self, sentence: String, span: Span) -> Arc<str> {
        let module = self.body.module(span);
        let own = self.body.parameters.iter().filter(|it| Some(it.of) == module);
        own.fold(sentence, |said, it| match said.contains('{') {
            true => said.replace(&format!("{{{}}}", it.name), it.written.trim_matches('"')),
            false => said,
        })
        .into()
    }
}

/// Puts values in place of the names of parameters, and says which names are none.
pub(super) struct Fill<'a> {
    body: &'a Body,
    /// The parameters by where they are used.
    pub uses: BTreeMap<Span, usize>,
    pub wrong: Vec<Diagnostic>,
    /// Names that nothing declares, with what to say of them.
    pub unknown: Vec<(String, Diagnostic)>,
}

impl<'a> Fill<'a> {
    pub fn new(body: &'a Body) -> Self {
        Fill { body, uses: BTreeMap::new(), wrong: Vec::new(), unknown: Vec::new() }
    }

    fn atom(&mut self, atom: &mut RawAtom) {
        atom.terms.iter_mut().for_each(|(term, span)| self.term(term, *span));
    }

    fn term(&mut self, term: &mut RawTerm, span: Span) {
        if let RawTerm::Parameter(name) = term
            && let Some(parameter) = self.parameter(name, span)
        {
            *term = constant(&parameter.value);
        }
    }

    pub fn literal(&mut self, literal: &mut RawLiteral) {
        match literal {
            RawLiteral::Positive(atom) | RawLiteral::Negative(atom) => self.atom(atom),
            RawLiteral::First(braces) => self.braces(braces),
            RawLiteral::Comparison { left, operator, right, .. } => {
                self.expression(left);
                match right {
                    RawExpression::Term(RawTerm::Parameter(name), span)
                        if matches!(operator, Operator::Text(TextTest::Matches, _)) =>
                    {
                        let (name, span) = (name.clone(), *span);
                        if let Some(pattern) = self.pattern(&name, span) {
                            *right = RawExpression::Pattern(pattern);
                        }
                    }
                    right => self.expression(right),
                }
            }
        }
    }

    fn expression(&mut self, expression: &mut RawExpression) {
        match expression {
            RawExpression::Term(RawTerm::Parameter(name), span) => {
                let span = *span;
                let Some(parameter) = self.parameter(name, span) else { return };
                *expression = match &parameter.value {
                    // In an explanation the name says where the number is from.
                    Term::Number(number) => {
                        let shown = format!("{} ({})", parameter.name, parameter.written);
                        RawExpression::Written(*number, shown, span)
                    }
                    value => RawExpression::Term(constant(value), span),
                };
            }
            RawExpression::Term(..) | RawExpression::Written(..) | RawExpression::Pattern(_) => {}
            RawExpression::Negate(inner) => self.expression(inner),
            RawExpression::Binary(left, _, right) => {
                self.expression(left);
                self.expression(right);
            }
            RawExpression::Call(_, items, _) | RawExpression::List(items) => {
                items.iter_mut().for_each(|item| self.expression(item));
            }
            RawExpression::Aggregate(braces) => self.braces(braces),
        }
    }

    fn braces(&mut self, braces: &mut RawBraces) {
        match &mut braces.takes {
            Takes::One(_, value) => value.iter_mut().for_each(|value| self.expression(value)),
            Takes::First { most, keys, .. } => {
                self.term(most, braces.span);
                keys.iter_mut().for_each(|(key, _)| self.expression(key));
            }
        }
        braces.ways.iter_mut().flatten().for_each(|literal| self.literal(literal));
    }

    fn pattern(&mut self, name: &str, span: Span) -> Option<Pattern> {
        let parameter = self.parameter(name, span)?;
        let Term::Text(text) = &parameter.value else {
            let error = Diagnostic::error("type-mismatch", format!("the parameter `{name}` is a number"))
                .because("`matches` takes a text with a regular expression")
                .help("declare it with a text type: `.param images: Value = \"^registry/\"`");
            self.wrong.push(error.at(self.body.place(span)));
            return None;
        };
        Pattern::new(text)
            .map_err(|reason| {
                let message = format!("the parameter `{name}` is no regular expression: {reason}");
                let place = parameter.set.clone().unwrap_or_else(|| self.body.place(parameter.span));
                let error = Diagnostic::error("bad-pattern", message)
                    .at(place)
                    .related(self.body.place(span), "used here")
                    .help("`.` is any character, `\\.` a full stop");
                self.wrong.push(error);
            })
            .ok()
    }

    /// The parameter that a name stands for: one of the module it stands in; in a query of
    /// any, if there is but one.
    fn parameter(&mut self, name: &str, span: Span) -> Option<&'a Parameter> {
        let module = self.body.module(span);
        let with_name = || self.body.parameters.iter().enumerate().filter(|(_, it)| &*it.name == name);
        let mut all = with_name();
        let at = own(self.body, module, name)
            .or_else(|| all.next().filter(|_| module.is_none() && all.next().is_none()).map(|(at, _)| at));
        if let Some(at) = at {
            self.uses.insert(span, at);
            return Some(&self.body.parameters[at]);
        }
        let error = match with_name().next() {
            Some((_, other)) => Diagnostic::error(
                "unknown-parameter",
                format!("`{name}` is a parameter of the module `{}`", other.module),
            )
            .because("a parameter is known to the rules of its own module alone")
            .related(self.body.place(other.span), "declared here")
            .help("declare it here as well; `--param` sets both"),
            None => {
                let message = format!("`{name}` is neither a variable nor a constant");
                let error = Diagnostic::error("unknown-name", message);
                let known = self.body.parameters.iter().map(|it| &*it.name);
                match nearest(name, known) {
                    Some(near) => error.help(format!("did you mean the parameter `{near}`?")),
                    None => error.help(
                        "variables start with a capital letter, texts stand in quotes; a parameter is declared (`.param quota: number = 2`)",
                    ),
                }
            }
        };
        self.unknown.push((name.to_owned(), error.at(self.body.place(span))));
        None
    }
}

/// The parameter of that name that a module has.
fn own(body: &Body, module: Option<ModuleId>, name: &str) -> Option<usize> {
    body.parameters.iter().position(|it| Some(it.of) == module && *it.name == *name)
}

fn constant(value: &Term) -> RawTerm {
    match value {
        Term::Number(number) => RawTerm::Number(*number),
        Term::Text(text) => RawTerm::Text(text.to_string()),
        Term::Variable(_) | Term::Any => RawTerm::Any,
    }
}

/// What a person wrote, as a value of a parameter's type.
fn of_type(name: &str, ty: &Type, text: &str) -> Result<Term, Diagnostic> {
    if !ty.is_number() {
        return Ok(Term::Text(text.into()));
    }
    ty.read(text).map(Term::Number).ok_or_else(|| {
        let message = format!("the parameter `{name}` takes `{ty}`, not `{text}`");
        let error = Diagnostic::error("type-mismatch", message).help(ty.example());
        match literal(text) {
            Err(Wrong::Large) => error.because(format!("the largest number is {}", i64::MAX)),
            Err(Wrong::Fraction) => error.because("it is no whole number of its unit"),
            Err(Wrong::Unit | Wrong::Digits) => error,
            Ok(_) => error.because("it has a unit of another kind"),
        }
    })
}
