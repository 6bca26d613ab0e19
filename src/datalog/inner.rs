//! What stands in braces as relations: the ways in which it holds, and what is taken of them.
//!
//! The group is what also stands outside. Where the braces do not say which groups there are
//! (`Other != Node`), what stands outside does. What tells one way from another are the
//! variables that stand in the braces alone.

use std::collections::BTreeSet;

use super::aggregate::{Aggregate, First, Fold};
use super::apart::{Braces, Part, inside, leaves, named, variable};
use super::check::is_variable;
use super::define::{bound, definitions, in_atoms};
use super::expression::{Comparison, Expression, Operator, Term, Variable};
use super::headless::unit_in;
use super::modules::ModuleId;
use super::program::{Atom, Body, Column, Declaration, Kind, Literal, MAX_VARIABLES, RelationId, Rule, Type};
use super::resolve::{Names, Resolver};
use super::rows::MAX_COLUMNS;
use super::source::Span;
use super::syntax::{RawBraces, RawExpression, RawLiteral, RawTerm, Takes};
use crate::diagnostic::Diagnostic;

/// Braces as relations.
pub(super) struct Lifted {
    /// What the rule asks of them: a group, what is taken, and the value or the place.
    row: Atom,
    result: Variable,
    fold: Fold,
    /// Of the first, how many.
    most: Option<Expression>,
}

impl Lifted {
    /// The group has a value, or a row that is among the first; or it has no rows, and the
    /// value is 0.
    pub fn alternatives(&self) -> Vec<Vec<Literal>> {
        let span = self.row.span;
        let compared = |operator, right| {
            let left = Expression::Term(Term::Variable(self.result), span);
            Literal::Comparison(Comparison { left, operator, right, span })
        };
        let mut some = vec![Literal::Positive(self.row.clone())];
        some.extend(self.most.clone().map(|most| compared(Operator::AtMost, most)));
        let mut found = vec![some];
        if self.fold.of_nothing() {
            let mut nothing = self.row.clone();
            if let Some(last) = nothing.terms.last_mut() {
                *last = Term::Any;
            }
            let zero = Expression::Term(Term::Number(0), span);
            found.push(vec![Literal::Negative(nothing), compared(Operator::Equal, zero)]);
        }
        found
    }
}

/// Braces in the making.
struct Inner<'a> {
    raw: &'a RawBraces,
    /// The names outside.
    names: &'a Names,
    own: Names,
    /// The variables that say the group: the first ones inside.
    groups: Vec<(String, Span)>,
    /// What each way says at its end: the value; or the keys and what is taken.
    last: Vec<String>,
    /// How values are worked out, and put in order.
    equations: Vec<RawLiteral>,
    keys: Vec<(String, bool)>,
    /// The bodies, and for each which one of those joined with `;` it is of.
    bodies: Vec<(usize, Vec<Literal>)>,
    /// The variables whose values follow from those of others.
    determined: BTreeSet<Variable>,
}

impl Resolver {
    /// Declares the relations of braces, with their rules. `known` is what is known outside,
    /// in each way in which it may hold.
    pub(super) fn relations(
        &mut self,
        braces: &Braces,
        names: &Names,
        known: &[Vec<Literal>],
        outer: &Rule,
    ) -> Option<Lifted> {
        let raw = &braces.raw;
        let mut inner = Inner::new(raw, names);
        self.orders(&inner)?;
        // The names of all sides are known before any braces in them are looked at.
        let ways: Vec<_> = raw.ways.iter().map(|way| self.way(&mut inner, way)).collect();
        for (at, parts) in ways.into_iter().enumerate() {
            self.bodies(&mut inner, at, parts?, known, outer)?;
        }
        let columns = inner.columns();
        let taken = match &raw.takes {
            Takes::One(..) => 0,
            Takes::First { values, .. } => values.len(),
        };
        let groups = inner.groups.len();
        if columns.len().max(groups + taken + 1) > MAX_COLUMNS {
            let message =
                format!("an aggregate has more than {MAX_COLUMNS} variables, those outside among them");
            let error = Diagnostic::error("too-many-columns", message)
                .help("give what stands in the braces a relation of its own, with the columns that matter");
            self.report(error, raw.span);
            return None;
        }
        let fold = inner.fold(&columns, braces.most.as_ref());
        let types = inner.types(&self.body, &columns);
        let place = |name: &str, ty: &Type| Column { name: name.into(), ty: ty.clone() };
        let of_column = |at: usize| match columns[at] {
            Some(variable) => place(&inner.own.names[variable.0], &types[at]),
            None => place("side", &types[at]),
        };
        let ways_columns: Vec<Column> = (0..columns.len()).map(of_column).collect();
        let first_taken = columns.len() - taken;
        let mut value_columns = [&ways_columns[..groups], &ways_columns[first_taken..]].concat();
        let value = types.last().filter(|_| matches!(raw.takes, Takes::One(_, Some(_))));
        value_columns.push(place("value", value.unwrap_or(&Type::number())));
        let ways = self.declared(raw, ways_columns, outer);
        let relation = self.declared(raw, value_columns, outer);
        let spans = vec![raw.span; columns.len()];
        let rule = Rule { sentence: "".into(), variables: inner.own.names.clone(), ..outer.clone() };
        let line = self.body.texts[raw.span.source as usize].line(raw.span.start);
        for (side, body) in &inner.bodies {
            let terms = inner.row(&columns, *side, body);
            let head = Atom { relation: ways, terms, span: raw.span, spans: spans.clone() };
            let (text, body) = (raw.text.as_str().into(), body.clone());
            self.lifted.push(Rule { head, body, text, line, span: raw.span, ..rule.clone() });
        }
        let term = |column: &Option<Variable>| column.map_or(Term::Any, Term::Variable);
        let terms: Vec<Term> = columns.iter().map(term).collect();
        let mut folded = [&terms[..groups], &terms[first_taken..]].concat();
        folded.push(match raw.takes {
            Takes::One(Aggregate::Count, _) | Takes::First { .. } => Term::Number(0),
            Takes::One(..) => terms[terms.len() - 1].clone(),
        });
        let row = Atom { relation: ways, terms, span: raw.span, spans };
        let spans = vec![raw.span; folded.len()];
        let head = Atom { relation, terms: folded, span: raw.span, spans };
        let body = vec![Literal::Positive(row)];
        self.lifted.push(Rule { head, body, fold: Some(fold.clone()), ..rule });
        let outside = inner.groups.iter().map(|(name, _)| names.known[name]);
        let terms: Vec<Variable> =
            outside.chain(braces.taken.iter().copied()).chain([braces.result]).collect();
        let spans = inner.groups.iter().map(|(_, span)| *span);
        let spans = spans.chain(vec![raw.span; taken + 1]).collect();
        let terms = terms.into_iter().map(Term::Variable).collect();
        let row = Atom { relation, terms, span: raw.span, spans };
        Some(Lifted { row, result: braces.result, fold, most: braces.most.clone() })
    }

    /// What stands between two `;`, with what is worked out beside it.
    fn way(&mut self, inner: &mut Inner<'_>, way: &[RawLiteral]) -> Option<Vec<Part>> {
        let written = way.iter().map(|literal| named(literal).into_owned());
        let way: Vec<RawLiteral> = written.chain(inner.equations.iter().cloned()).collect();
        let parts = self.parts(&way, &mut inner.own)?;
        let results = parts.iter().filter_map(|part| match part {
            Part::Braces(braces) => Some(braces.result),
            Part::Literal(_) => None,
        });
        inner.determined.extend(results);
        self.few_variables(inner)?;
        Some(parts)
    }

    /// Adds the bodies that it stands for.
    fn bodies(
        &mut self,
        inner: &mut Inner<'_>,
        at: usize,
        parts: Vec<Part>,
        known: &[Vec<Literal>],
        outer: &Rule,
    ) -> Option<()> {
        let literals: Vec<Literal> = parts.iter().cloned().filter_map(Part::literal).collect();
        for outside in self.outside(inner, &literals, known) {
            self.few_variables(inner)?;
            let parts = outside.into_iter().map(Part::Literal).chain(parts.iter().cloned()).collect();
            let bodies = self.lifted(parts, &inner.own, outer)?;
            for body in bodies {
                self.has_values(inner, bound(&body))?;
                inner.determined.extend(definitions(&body).into_iter().map(|(_, variable)| variable));
                inner.bodies.push((at, body));
            }
        }
        Some(())
    }

    /// What is in order by a value that is one in each group is in no order.
    fn orders(&mut self, inner: &Inner<'_>) -> Option<()> {
        let Takes::First { keys, .. } = &inner.raw.takes else { return Some(()) };
        for (key, _) in keys {
            let names = leaves(key);
            let is_outside = |name: &String| inner.groups.iter().any(|(group, _)| group == name);
            if let Some(name) = names.first().filter(|_| names.iter().all(is_outside)) {
                let message =
                    format!("`{name}` stands outside of `first` too, so that it puts nothing in order");
                let error = Diagnostic::error("local-variable", message)
                    .because("what stands outside says what the first are of: of those there it is one value")
                    .help("give the one outside, or the one in the braces, another name");
                self.report(error, inner.raw.span);
                return None;
            }
        }
        Some(())
    }

    fn few_variables(&mut self, inner: &Inner<'_>) -> Option<()> {
        if inner.own.names.len() <= MAX_VARIABLES {
            return Some(());
        }
        let message =
            format!("an aggregate has more than {MAX_VARIABLES} variables, those outside among them");
        let error = Diagnostic::error("rule-too-long", message)
            .help("give what stands in the braces a relation of its own, with the columns that matter");
        self.report(error, inner.raw.span);
        None
    }

    /// What is taken must have a value in the braces.
    fn has_values(&mut self, inner: &Inner<'_>, bound: u64) -> Option<()> {
        let wanted: Vec<String> = match &inner.raw.takes {
            Takes::One(_, value) => value.iter().flat_map(leaves).collect(),
            Takes::First { values, keys, .. } => {
                let keys = keys.iter().flat_map(|(key, _)| leaves(key));
                values.iter().map(|(name, _)| name.clone()).chain(keys).collect()
            }
        };
        let is_known = |name: &&String| inner.own.known.get(*name).is_some_and(|it| bound & 1 << it.0 != 0);
        let Some(name) = wanted.iter().find(|name| !is_known(name)) else { return Some(()) };
        let message = format!("`{name}` has no value in the braces of the aggregate");
        let error = Diagnostic::error("unsafe-variable", message).help(match inner.raw.ways.len() {
            1 => "what is added up, compared or taken stands in a relation between `{` and `}`",
            _ => "what is added up, compared or taken stands in a relation on each side of `;`",
        });
        self.report(error, inner.raw.span);
        None
    }

    /// What of the rule outside says which groups there are, if the braces do not: atoms, and
    /// if need be equations and the values of other aggregates. In each way in which those
    /// may hold, of which there is one at least.
    fn outside(
        &self,
        inner: &mut Inner<'_>,
        literals: &[Literal],
        known: &[Vec<Literal>],
    ) -> Vec<Vec<Literal>> {
        let groups = inner.groups.len();
        let lacks = |known: u64| (0..groups).any(|at| known & 1 << at == 0);
        let inside = in_atoms(literals);
        if !lacks(inside) {
            return vec![Vec::new()];
        }
        let is_plain = |literal: &&Literal| {
            literal.atom().is_none_or(|atom| self.body.declaration(atom.relation).within.is_none())
        };
        let plain: Vec<Literal> = known[0].iter().filter(is_plain).cloned().collect();
        let mut all = inner.renamed(&plain, |literal| matches!(literal, Literal::Positive(_)));
        if lacks(in_atoms(&all) | inside) {
            let bound = bound(&plain);
            all.extend(inner.renamed(&plain, |literal| is_test_of(literal, bound)));
        }
        let together: Vec<Literal> = all.iter().chain(literals).cloned().collect();
        if !lacks(bound(&together)) {
            return vec![all];
        }
        let all = |way: &Vec<Literal>| {
            let bound = bound(way);
            inner.renamed(way, |literal| match literal {
                Literal::Positive(_) => true,
                Literal::Negative(_) => !is_plain(&literal),
                Literal::Comparison(_) => is_test_of(literal, bound),
            })
        };
        known.iter().map(all).collect()
    }

    /// A relation that nobody can name.
    fn declared(&mut self, raw: &RawBraces, columns: Vec<Column>, outer: &Rule) -> RelationId {
        let id = RelationId(u32::try_from(self.body.declarations.len()).unwrap_or(u32::MAX));
        self.body.declarations.push(Declaration {
            id,
            name: raw.text.as_str().into(),
            columns,
            kind: Kind::Internal,
            open: false,
            exported: false,
            constraint: None,
            unique: Vec::new(),
            doc: String::new(),
            file: outer.file.clone(),
            line: outer.line,
            builtin: outer.builtin,
            within: Some(outer.head.relation),
            module: self.body.module(raw.span).unwrap_or(ModuleId::BUILTIN),
            span: raw.span,
        });
        id
    }
}

impl<'a> Inner<'a> {
    fn new(raw: &'a RawBraces, names: &'a Names) -> Self {
        let mut own = Names::default();
        let mut groups: Vec<(String, Span)> = Vec::new();
        for (name, span) in inside(raw) {
            if names.known.contains_key(&name) && !own.known.contains_key(&name) {
                own.variable(&name);
                groups.push((name, span));
            }
        }
        let mut inner = Inner {
            raw,
            names,
            own,
            groups,
            last: Vec::new(),
            equations: Vec::new(),
            keys: Vec::new(),
            bodies: Vec::new(),
            determined: BTreeSet::new(),
        };
        match &raw.takes {
            Takes::One(_, value) => {
                inner.last = value.iter().map(|value| inner.worked_out(value, 0)).collect()
            }
            Takes::First { values, keys, .. } => {
                for (at, (key, is_last)) in keys.iter().enumerate() {
                    let is_taken = |name: &str| values.iter().any(|(value, _)| value == name);
                    let name = match variable(key).filter(|name| is_taken(name)) {
                        Some(name) => name.to_owned(),
                        None => inner.worked_out(key, at),
                    };
                    if !is_taken(&name) && !inner.last.contains(&name) {
                        inner.last.push(name.clone());
                    }
                    inner.keys.push((name, *is_last));
                }
                inner.last.extend(values.iter().map(|(name, _)| name.clone()));
            }
        }
        inner
    }

    /// The variable that an expression is, or one that gets its value.
    fn worked_out(&mut self, value: &RawExpression, at: usize) -> String {
        if let Some(name) = variable(value).filter(|name| !self.own.known.contains_key(*name)) {
            return name.to_owned();
        }
        let span = self.raw.span;
        let name = format!(" value {} {at}", span.start);
        let left = RawExpression::Term(RawTerm::Variable(name.clone()), span);
        let (operator, right) = (Operator::Equal, value.clone());
        self.equations.push(RawLiteral::Comparison { left, operator, right, span });
        name
    }

    /// The columns of the ways: the group, what tells ways apart, and what is taken. One
    /// without a variable says of which side of `;` a way is that lacks what others have.
    fn columns(&self) -> Vec<Option<Variable>> {
        let groups = (0..self.groups.len()).map(Variable);
        let last: Vec<Variable> = self.last.iter().map(|name| self.own.known[name]).collect();
        let is_one_way = self.raw.ways.len() == 1;
        let is_own = |variable: &Variable| {
            let name = &*self.own.names[variable.0];
            // What two sides of `;` work out may differ, and nothing else of them.
            let tells = if is_one_way {
                !self.determined.contains(variable)
            } else {
                is_variable(name) || name.starts_with("_ ")
            };
            tells && !self.names.known.contains_key(name) && !last.contains(variable)
        };
        let own: Vec<Variable> = match self.raw.takes {
            Takes::One(..) => {
                (self.groups.len()..self.own.names.len()).map(Variable).filter(is_own).collect()
            }
            Takes::First { .. } => Vec::new(),
        };
        let has = |body: &[Literal]| own.iter().map(|it| bound(body) & 1 << it.0 != 0).collect::<Vec<_>>();
        let differ = self.bodies.windows(2).any(|pair| has(&pair[0].1) != has(&pair[1].1));
        let side = differ.then_some(None);
        groups.map(Some).chain(side).chain(own.into_iter().chain(last).map(Some)).collect()
    }

    /// The row of a way.
    fn row(&self, columns: &[Option<Variable>], side: usize, body: &[Literal]) -> Vec<Term> {
        let bound = bound(body);
        let term = |column: &Option<Variable>| match column {
            Some(variable) if bound & 1 << variable.0 != 0 => Term::Variable(*variable),
            Some(_) => Term::Number(0),
            None => Term::Number(i64::try_from(self.like(columns, side)).unwrap_or(0)),
        };
        columns.iter().map(term).collect()
    }

    /// The first side that has the same variables.
    fn like(&self, columns: &[Option<Variable>], side: usize) -> usize {
        let has = |side: usize| {
            let body = self.bodies.iter().find(|(at, _)| *at == side);
            let bound = body.map_or(0, |(_, body)| bound(body));
            columns.iter().flatten().map(|it| bound & 1 << it.0 != 0).collect::<Vec<_>>()
        };
        (0..side).find(|other| has(*other) == has(side)).unwrap_or(side)
    }

    /// The types of the columns, as far as atoms say them; empty where they do not.
    fn types(&self, body: &Body, columns: &[Option<Variable>]) -> Vec<Type> {
        let unknown = || Type::texts("");
        let is_summed = matches!(&self.raw.takes, Takes::One(_, Some(_)));
        let of = |(at, column): (usize, &Option<Variable>)| match column {
            Some(variable) if is_summed && at + 1 == columns.len() => {
                let unit = |(_, it): &(usize, Vec<Literal>)| unit_in(body, it, &self.own.names, *variable);
                Type::of_unit(self.bodies.iter().find_map(unit))
            }
            Some(variable) => {
                let is_everywhere = self.bodies.iter().all(|(_, it)| bound(it) & 1 << variable.0 != 0);
                let found = self.bodies.iter().find_map(|(_, literals)| type_of(body, literals, *variable));
                found.filter(|_| is_everywhere).unwrap_or_else(unknown)
            }
            None => unknown(),
        };
        columns.iter().enumerate().map(of).collect()
    }

    fn fold(&self, columns: &[Option<Variable>], most: Option<&Expression>) -> Fold {
        match &self.raw.takes {
            Takes::One(aggregate, _) => Fold::One(*aggregate),
            Takes::First { values, .. } => {
                let place = |(name, is_last): &(String, bool)| {
                    let variable = Some(self.own.known[name]);
                    Some((columns.iter().position(|column| *column == variable)?, *is_last))
                };
                let most = match most.and_then(Expression::term) {
                    Some(Term::Number(most)) => Some(usize::try_from(*most).unwrap_or(0)),
                    _ => None,
                };
                Fold::First(First {
                    keys: self.keys.iter().filter_map(place).collect(),
                    values: values.len(),
                    most,
                })
            }
        }
    }

    /// Parts of the rule outside, with the names that their variables have inside.
    fn renamed(&mut self, literals: &[Literal], is_it: impl Fn(&Literal) -> bool) -> Vec<Literal> {
        literals.iter().filter(|literal| is_it(literal)).map(|literal| self.rename(literal)).collect()
    }

    fn rename(&mut self, literal: &Literal) -> Literal {
        let variables: Vec<Variable> = match literal {
            Literal::Positive(atom) | Literal::Negative(atom) => atom.variables().collect(),
            Literal::Comparison(comparison) => comparison.variables().collect(),
        };
        for variable in variables {
            self.own.variable(&self.names.names[variable.0]);
        }
        let term = |term: &Term| match term {
            Term::Variable(variable) => match self.own.known.get(&*self.names.names[variable.0]) {
                Some(known) => Term::Variable(*known),
                None => Term::Any,
            },
            other => other.clone(),
        };
        let atom = |atom: &Atom| Atom { terms: atom.terms.iter().map(term).collect(), ..atom.clone() };
        match literal {
            Literal::Positive(found) => Literal::Positive(atom(found)),
            Literal::Negative(found) => Literal::Negative(atom(found)),
            Literal::Comparison(comparison) => {
                let (left, right) = (comparison.left.map(&term), comparison.right.map(&term));
                Literal::Comparison(Comparison { left, right, ..comparison.clone() })
            }
        }
    }
}

/// Whether a part is a comparison of what is known.
fn is_test_of(literal: &Literal, bound: u64) -> bool {
    matches!(literal, Literal::Comparison(it) if it.variables().all(|it| bound & 1 << it.0 != 0))
}

/// The type of a variable, if an atom says it.
fn type_of(body: &Body, literals: &[Literal], variable: Variable) -> Option<Type> {
    let found = literals.iter().find_map(|literal| {
        let at = literal.positive()?.terms.iter().position(|term| *term == Term::Variable(variable))?;
        let columns = &body.declarations.get(literal.positive()?.relation.index())?.columns;
        columns.get(at).map(|column| column.ty.clone())
    });
    found.filter(|ty| !ty.is_empty())
}
