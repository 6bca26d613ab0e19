//! A rule body asked as a question: `eligible(D, "gpu-1"), !has_pod(D, "gpu-1")`.
//!
//! It is read and checked as in a rule file, so its errors look the same; its answer is
//! the values of its variables. Those whose name starts with `_` are left out. Rules may stand
//! before it, and `?-` between: `far(N) :- node_label(N, "x", _). ?- far(N)`. These are a text
//! of the program, loaded as the source [`QUERY`].

use std::collections::BTreeSet;
use std::sync::Arc;

use super::answers::{Answers, Gathered};
use super::budget::{Stop, worked_out};
use super::check::{check_rules, is_variable};
use super::evaluation::Evaluation;
use super::headless::check_query;
use super::modules::QUERY;
use super::overload::choose;
use super::parser::parse_body;
use super::program::{Atom, Literal, MAX_VARIABLES, Program, RelationId, Rule};
use super::resolve::{Names, Resolver, diagnostic};
use super::settle::Fill;
use super::source::{MAX_SOURCE, Source, Span, Text};
use super::strata::stratify;
use super::symbols::{Sym, Symbols};
use super::times::read_times;
use crate::diagnostic::{Diagnostic, Place};

/// A checked query.
#[derive(Debug, Clone)]
pub struct Query {
    variables: Vec<Arc<str>>,
    /// The ways in which it may hold.
    ways: Vec<Vec<Literal>>,
    /// The program with the relations of the query's own braces, if it has any.
    program: Option<Program>,
    /// How many declarations and rules it had before.
    known: (usize, usize),
    text: Arc<str>,
}

impl Query {
    /// Reads and checks a query against a program.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn compile(program: &Program, text: &str) -> Result<Query, Vec<Diagnostic>> {
        if text.len() > MAX_SOURCE {
            let error = Diagnostic::error("source-too-large", "a query is larger than a rule file may be");
            return Err(vec![error.at(Place::file(QUERY))]);
        }
        // The query's text stands beside the program's, so that spans find it.
        let mut body = (*program.body).clone();
        let source = u32::try_from(body.texts.len()).unwrap_or(u32::MAX);
        let mut asked = Text::new(&Source { file: QUERY, text, builtin: false, folder: QUERY });
        asked.module = body.modules.of_query();
        body.texts.push(asked);
        let (mut raw, faults) = parse_body(source, text);
        let mut found: Vec<Diagnostic> = faults.iter().map(|fault| diagnostic(&body, fault)).collect();
        let mut fill = Fill::new(&body);
        raw.iter_mut().flatten().for_each(|literal| fill.literal(literal));
        found.extend(fill.wrong.into_iter().chain(fill.unknown.into_iter().map(|(_, error)| error)));
        body.uses.extend(fill.uses);
        let unsettled = choose(&body, &[], &mut raw);
        if !unsettled.is_empty() {
            return Err(unsettled);
        }
        let mut resolver = Resolver::new(body);
        let mut names = Names::default();
        let parts: Vec<_> = raw.iter().map(|way| resolver.parts(way, &mut names)).collect();
        if names.names.len() > MAX_VARIABLES {
            found.push(
                Diagnostic::error(
                    "rule-too-long",
                    format!("a query has more than {MAX_VARIABLES} variables"),
                )
                .at(Place::file(QUERY))
                .help("write `_` for what does not matter"),
            );
        }
        let mut ways = Vec::new();
        if found.is_empty() {
            let outer = asking(source, text);
            for parts in parts.into_iter().flatten() {
                ways.extend(resolver.lifted(parts, &names, &outer).unwrap_or_default());
            }
        }
        let Resolver { mut body, mut lifted, found: wrong, .. } = resolver;
        found.extend(wrong);
        ways.iter_mut()
            .chain(lifted.iter_mut().map(|rule| &mut rule.body))
            .for_each(|way| read_times(&body, way));
        if found.is_empty() {
            check_query(&body, &ways, &names.names, &mut found);
            lifted.chunk_by(|one, other| one.span == other.span).for_each(|rules| {
                check_rules(&body, rules, false, &mut found);
            });
        }
        let has_more = !lifted.is_empty();
        body.rules.extend(lifted);
        if has_more && found.is_empty() {
            match stratify(&body) {
                Ok(strata) => body.strata = strata,
                Err(error) => found.push(error),
            }
        }
        if !found.is_empty() {
            Diagnostic::sort(&mut found);
            found.dedup();
            return Err(found);
        }
        let known = (program.body.declarations.len(), program.body.rules.len());
        let program = has_more.then(|| Program { body: Arc::new(body), asked: program.asked.clone() });
        Ok(Query { variables: names.names, ways, program, known, text: text.into() })
    }

    /// The atoms in it, negated or not, also in braces.
    pub fn atoms(&self) -> impl Iterator<Item = &Atom> {
        let (declarations, rules) = self.known;
        let in_braces = self.program.iter().flat_map(move |program| &program.body.rules[rules..]);
        let literals = self.ways.iter().flatten().chain(in_braces.flat_map(|rule| &rule.body));
        literals.filter_map(Literal::atom).filter(move |atom| atom.relation.index() < declarations)
    }

    /// Where the terms of an atom stand.
    pub fn places<'a>(&'a self, atom: &'a Atom) -> impl Iterator<Item = Place> + 'a {
        atom.spans.iter().map(|span| self.place(*span))
    }

    fn place(&self, span: Span) -> Place {
        Place::of_span(QUERY, &self.text, span.start as usize, span.end as usize)
    }

    /// The relations that must be evaluated to answer it.
    #[must_use]
    pub fn relations(&self) -> Vec<RelationId> {
        let relations: BTreeSet<RelationId> = self.atoms().map(|atom| atom.relation).collect();
        relations.into_iter().collect()
    }

    /// The ways in which it may hold, if it has no braces.
    pub(super) fn ways(&self) -> Option<&[Vec<Literal>]> {
        self.program.is_none().then_some(&*self.ways)
    }

    /// The atom, negated or not, if it asks for no more than that.
    #[must_use]
    pub fn atom(&self) -> Option<&Atom> {
        match self.ways.as_slice() {
            [way] if way.len() == 1 => way[0].atom(),
            _ => None,
        }
    }

    /// The names of the values in each answer. If there are none, the query is one of yes
    /// or no, and yes is one empty answer.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.asked().map(|at| &*self.variables[at])
    }

    fn asked(&self) -> impl Iterator<Item = usize> {
        let is_asked = |name: &str| is_variable(name) && !name.starts_with('_');
        (0..self.variables.len()).filter(move |at| is_asked(&self.variables[*at]))
    }

    /// All answers, each once, sorted by their values.
    ///
    /// # Errors
    /// When it passes the limits of the evaluation, or needs a relation that was not
    /// evaluated.
    pub fn run(&self, evaluation: &Evaluation, symbols: &Symbols) -> Result<Answers, Diagnostic> {
        if let Some(missing) = self.relations().into_iter().find(|id| !evaluation.has(*id)) {
            let name = &evaluation.program().declaration(missing).name;
            return Err(Diagnostic::error(
                "not-evaluated",
                format!("the relation `{name}` was not evaluated"),
            ));
        }
        let extended =
            self.program.as_ref().map(|program| evaluation.extended(program, symbols)).transpose()?;
        let evaluation = extended.as_ref().unwrap_or(evaluation);
        let asked: Vec<usize> = self.asked().collect();
        let limits = &evaluation.limits;
        let mut found = Gathered::new(asked.len(), limits.rows_per_relation, limits.bytes_per_relation);
        let (mut too_many, mut is_yes) = (false, false);
        let mut take = |binding: &[Sym]| {
            too_many = !found.push(asked.iter().map(|slot| binding[*slot]));
            // One way in which it holds is enough for a yes.
            is_yes = asked.is_empty();
            !too_many && !is_yes
        };
        let mut stopped = None;
        for way in &self.ways {
            stopped = evaluation.answer(way, self.variables.len(), &asked, symbols, &mut take);
            if stopped.is_some() {
                break;
            }
        }
        match stopped {
            Some(stop) if !is_yes => Err(self.refused(stop)),
            _ => Ok(found.sorted(symbols)),
        }
    }

    fn refused(&self, stop: Stop) -> Diagnostic {
        let range = |span: Span| span.start as usize..span.end as usize;
        let text = |span| self.text.get(range(span)).unwrap_or("");
        if let Some(error) = worked_out(stop, "the query", text) {
            return match stop {
                Stop::Overflow(_, span) => error.at(self.place(span)),
                _ => error,
            };
        }
        let (code, why) = match stop {
            Stop::Late => ("rules-too-slow", "is not done in the time it has"),
            Stop::Looked => ("too-many-rows", "looks at too many rows"),
            _ => ("too-many-rows", "has too many answers"),
        };
        Diagnostic::error(code, format!("the query `{}` {why}", self.text))
            .help("join its parts with common variables, or name a value")
    }
}

/// The rule that a query would be.
fn asking(source: u32, text: &str) -> Rule {
    let span = Span { source, start: 0, end: u32::try_from(text.len()).unwrap_or(u32::MAX) };
    Rule {
        head: Atom { relation: RelationId(u32::MAX), terms: Vec::new(), span, spans: Vec::new() },
        body: Vec::new(),
        variables: Vec::new(),
        sentence: "".into(),
        text: text.into(),
        file: "<query>".into(),
        line: 1,
        builtin: false,
        fold: None,
        span,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::{Facts, Limits};
    use super::*;

    const TEXT: &str = ".type N\n.decl edge(a: N, b: N) input\n.decl far(a: N, b: N) output\n\
        far(A, B) :- edge(A, B).\nfar(A, C) :- far(A, B), edge(B, C).\n";

    #[test]
    fn a_query_has_names_and_sorted_answers() {
        let source = Source { file: "t.dl", text: TEXT, builtin: true, folder: "" };
        let program = Program::load(&[source]).program.unwrap();
        let mut symbols = Symbols::new();
        let mut facts = Facts::new();
        for (a, b) in [("c", "d"), ("b", "c"), ("a", "b")] {
            facts.insert(program.relation("edge").unwrap(), &[symbols.text(a), symbols.text(b)]);
        }
        let ask = |text: &str| {
            let query = Query::compile(&program, text).unwrap();
            let done = Evaluation::new(
                &program,
                &mut symbols.clone(),
                facts.clone(),
                &query.relations(),
                &Limits::default(),
            );
            let answers = query.run(&done.unwrap(), &symbols).unwrap();
            let names: Vec<&str> = query.variables().collect();
            let shown: Vec<String> =
                answers.rows().map(|row| row.map(|sym| symbols.value(sym).to_string()).collect()).collect();
            format!("{}: {}", names.join(","), shown.join(" "))
        };
        assert_eq!(ask("far(X, Y), !edge(X, Y)"), "X,Y: ac ad bd");
        assert_eq!(ask("far(\"a\", Y), far(_Z, Y), Y != \"c\"."), "Y: b d");
        assert_eq!(ask("far(\"a\", \"nowhere\")"), ": ");
        assert_eq!(ask("N = count : { far(X, _) }"), "N: 6");
        assert_eq!(ask("edge(X, _), N = count : { far(X, _Y) }"), "X,N: a3 b2 c1");
        assert_eq!(ask("edge(_, X), count : { far(X, _) } < 1"), "X: d");
        assert_eq!(ask("count : { far(_, _) } > 5, edge(\"a\", X); edge(_, X), X = \"d\""), "X: b d");
        assert_eq!(ask("first 1 (X, Y) by Y desc : { edge(X, Y) }"), "X,Y: cd");
        assert_eq!(ask("N = count : { X = \"new\", far(_, \"new\") }"), "N: 0");
        assert_eq!(ask("!far(\"a\", \"nowhere\")"), ": ");
        assert_eq!(Query::compile(&program, "fa(X, Y), far(X)").unwrap_err().len(), 2);
        let wrong = |text: &str| Query::compile(&program, text).unwrap_err()[0].code;
        assert_eq!(wrong("N = count : { far(X, Y, Z) }"), "wrong-arity");
        assert_eq!(wrong("N = sum X : { far(X, Y) }"), "type-mismatch");
        assert_eq!(wrong("X = \"a\", N = count : { edge(Y, _), !far(X, Z) }"), "unsafe-variable");
        assert_eq!(Query::compile(&program, "far(X, Y), ").unwrap_err()[0].code, "syntax");
        assert_eq!(Query::compile(&program, "!far(X, Y)").unwrap_err()[0].code, "unsafe-variable");
        assert_eq!(Query::compile(&program, "far(X, X) :- edge(X, _).").unwrap_err()[0].code, "no-query");
    }

    #[test]
    fn rules_before_a_query_see_all_names_and_theirs_go_first() {
        let private = ".type N export\n.decl a(x: N) input export\n.decl far(x: N)\nfar(X) :- a(X).\n";
        let typed = ".decl far(x: N)\nfar(X) :- dsrules::far(X), X != \"b\". ?- far(X)";
        let program = Program::load(&[
            Source { file: "t.dl", text: private, builtin: true, folder: "" },
            Source { file: QUERY, text: typed, builtin: false, folder: QUERY },
        ]);
        let program = program.program.unwrap_or_else(|| panic!("{:#?}", program.diagnostics));
        let query = Query::compile(&program, typed).unwrap();
        let (mut symbols, mut facts) = (Symbols::new(), Facts::new());
        for text in ["a", "b"] {
            facts.insert(program.relation("a").unwrap(), &[symbols.text(text)]);
        }
        let limits = Limits::default();
        let done = Evaluation::new(&program, &mut symbols, facts, &query.relations(), &limits).unwrap();
        let answers = query.run(&done, &symbols).unwrap();
        let found: Vec<Vec<Sym>> = answers.rows().map(Iterator::collect).collect();
        assert_eq!(found, [[symbols.text("a")]]);
    }
}
