//! Aggregates into relations: what is behind knows of none.
//!
//! ```text
//!  full(Node) :- node(Node), N = count : { pod_on(Pod, Node) }, N > 9.
//!
//!  ways(Node, Pod) :- pod_on(Pod, Node).                what it looks at
//!  value(Node, N)  :- ways(Node, Pod), folded.          one row a group
//!  full(Node)      :- node(Node), value(Node, N), N > 9.
//!  full(Node)      :- node(Node), !value(Node, _), N = 0, N > 9.
//! ```
//!
//! So the planner, updates and explanations see only atoms, and an aggregate is as fast, and
//! as incremental, as those. The group is what also stands outside. Where the body does not
//! say which groups there are (`Other != Node`), what stands outside does.

use std::borrow::Cow;
use std::sync::Arc;

use super::aggregate::Aggregate;
use super::define::{definitions, in_atoms};
use super::expression::{Comparison, Expression, Operator, Term, Variable};
use super::program::{
    Atom, Body, Column, Declaration, Kind, Literal, MAX_VARIABLES, NUMBER, RelationId, Rule,
};
use super::resolve::{Names, Resolver};
use super::rows::MAX_COLUMNS;
use super::source::Span;
use super::syntax::{RawAggregate, RawAtom, RawExpression, RawLiteral, RawTerm};
use super::ways::joined;
use crate::diagnostic::Diagnostic;

/// So many ways may a rule hold by whether the groups of its aggregates have rows.
const MAX_WAYS: usize = 16;

/// A part of a body.
pub(super) enum Part {
    Literal(Literal),
    /// The variable that gets its value.
    Aggregate(Variable, RawAggregate),
}

/// An aggregate as a relation.
struct Lifted {
    value: Atom,
    result: Variable,
    aggregate: Aggregate,
}

impl Resolver {
    /// A body with its aggregates apart.
    pub(super) fn parts(&mut self, way: &[RawLiteral], names: &mut Names) -> Option<Vec<Part>> {
        let mut found = Vec::new();
        for raw in way {
            let mut aggregates = Vec::new();
            let rest = without(raw, &mut aggregates);
            for (name, aggregate) in aggregates {
                if let Term::Variable(variable) = names.term(&RawTerm::Variable(name)) {
                    found.push(Some(Part::Aggregate(variable, aggregate)));
                }
            }
            if let Some(rest) = rest {
                found.push(self.literal(&rest, names).map(Part::Literal));
            }
        }
        found.into_iter().collect()
    }

    /// The bodies that a body with aggregates stands for. `outer` is the rule it is of.
    pub(super) fn lifted(
        &mut self,
        parts: Vec<Part>,
        names: &Names,
        outer: &Rule,
    ) -> Option<Vec<Vec<Literal>>> {
        let literals = |parts: &[Part]| -> Vec<Literal> {
            let literal = |part: &Part| match part {
                Part::Literal(literal) => Some(literal.clone()),
                Part::Aggregate(..) => None,
            };
            parts.iter().filter_map(literal).collect()
        };
        let mut known = literals(&parts);
        let mut lifted: Vec<Option<Lifted>> = parts.iter().map(|_| None).collect();
        // One may need the value of another one.
        loop {
            let open = parts.iter().enumerate().filter(|(at, _)| lifted[*at].is_none());
            let mut open = open.filter_map(|(at, part)| match part {
                Part::Aggregate(variable, raw) => Some((at, *variable, raw)),
                Part::Literal(_) => None,
            });
            let Some(first) = open.next() else { break };
            let bound = bound(&known);
            let is_ready = |raw: &RawAggregate| unbound(raw, names, bound).is_none();
            let next = open.find(|(.., raw)| is_ready(raw));
            let (at, result, raw) = if is_ready(first.2) { first } else { next.unwrap_or(first) };
            if let Some((name, span)) = unbound(raw, names, bound) {
                let message =
                    format!("`{name}` stands outside of the aggregate too, and gets no value there");
                let error = Diagnostic::error("local-variable", message)
                    .because("an aggregate is about all values of the variables that stand in it alone")
                    .help(
                        "bind the variable in a positive atom outside, or give the one outside another name",
                    );
                self.report(error, span);
                return None;
            }
            let found = self.relations(raw, result, names, &known, outer)?;
            known.push(Literal::Positive(found.value.clone()));
            lifted[at] = Some(found);
        }
        let mut ways: Vec<Vec<Literal>> = vec![Vec::new()];
        for (part, lifted) in parts.into_iter().zip(lifted) {
            let next = match (part, lifted) {
                (Part::Literal(literal), _) => vec![vec![literal]],
                (_, Some(lifted)) => lifted.alternatives(),
                (Part::Aggregate(..), None) => return None,
            };
            ways = joined(ways, &next);
        }
        if ways.len() > MAX_WAYS {
            let error = Diagnostic::error("rule-too-long", "a rule has more than 4 aggregates that may be 0")
                .help("split it with a relation of its own");
            self.report(error, outer.head.span);
            return None;
        }
        Some(ways)
    }

    /// Declares the relations of an aggregate, with their rules.
    fn relations(
        &mut self,
        raw: &RawAggregate,
        result: Variable,
        names: &Names,
        known: &[Literal],
        outer: &Rule,
    ) -> Option<Lifted> {
        let mut own = Names::default();
        let groups: Vec<(String, Span)> =
            inside(raw).into_iter().filter(|(name, _)| names.known.contains_key(name)).collect();
        let groups = groups.into_iter().fold(Vec::new(), |mut all: Vec<(String, Span)>, one| {
            if all.iter().all(|(name, _)| *name != one.0) {
                all.push(one);
            }
            all
        });
        for (name, _) in &groups {
            own.term(&RawTerm::Variable(name.clone()));
        }
        let mut anything = 0;
        let body: Vec<_> =
            raw.body.iter().map(|raw| self.literal(&named(raw, &mut anything), &mut own)).collect();
        let mut body = body.into_iter().collect::<Option<Vec<_>>>()?;
        if let Some(nested) = raw.value.as_ref().and_then(RawExpression::aggregate) {
            let error = Diagnostic::error("aggregate-here", "an aggregate stands in another one")
                .help("give the inner one a relation of its own");
            self.report(error, nested.span);
            return None;
        }
        let value = raw.value.as_ref().map(|value| own.expression(value));
        let lacks_groups = |known: u64| (0..groups.len()).any(|at| known & 1 << at == 0);
        if lacks_groups(in_atoms(&body)) {
            // What stands outside says which groups there are: atoms, and if need be equations.
            // Not other aggregates: one of nothing is 0 and has no row.
            let is_plain = |literal: &&Literal| match literal {
                Literal::Positive(atom) => self.body.declaration(atom.relation).within.is_none(),
                _ => true,
            };
            let plain: Vec<Literal> = known.iter().filter(is_plain).cloned().collect();
            let in_plain = bound(&plain);
            let mut outside = |is_it: &dyn Fn(&Literal) -> bool| -> Vec<Literal> {
                plain.iter().filter(|it| is_it(it)).map(|it| renamed(it, names, &mut own)).collect()
            };
            let mut all = outside(&|literal| matches!(literal, Literal::Positive(_)));
            if lacks_groups(in_atoms(&all) | in_atoms(&body)) {
                all.extend(outside(&|literal| match literal {
                    Literal::Comparison(it) => it.variables().all(|it| in_plain & 1 << it.0 != 0),
                    _ => false,
                }));
            }
            body.splice(0..0, all);
            if lacks_groups(bound(&body)) {
                let error = Diagnostic::error(
                    "aggregate-here",
                    "an aggregate compares with the value of another one",
                )
                .help("give the other one a relation of its own, and use its value from there");
                self.report(error, raw.span);
                return None;
            }
        }
        let known = bound(&body);
        if let Some(value) = &value
            && let Some(open) = value.variables().find(|variable| known & 1 << variable.0 == 0)
        {
            let name = &own.names[open.0];
            let message = format!("`{name}` has no value in the braces of the aggregate");
            let error = Diagnostic::error("unsafe-variable", message)
                .help("what is added up or compared stands in a relation between `{` and `}`");
            self.report(error, raw.span);
            return None;
        }
        // What tells one way from another: the variables that stand in the braces alone.
        let defined = definitions(&body);
        let is_own = |at: &usize| {
            !names.known.contains_key(&*own.names[*at]) && defined.iter().all(|(_, defined)| defined.0 != *at)
        };
        let direct = value.as_ref().and_then(Expression::variable).filter(|it| it.0 >= groups.len());
        let own_ones = (groups.len()..own.names.len()).filter(is_own).map(Variable);
        let mut columns: Vec<Variable> = (0..groups.len()).map(Variable).collect();
        columns.extend(own_ones.filter(|variable| Some(*variable) != direct));
        match (value, direct) {
            (None, _) => {}
            (Some(_), Some(direct)) => columns.push(direct),
            (Some(value), None) => {
                let Term::Variable(variable) = own.term(&RawTerm::Variable(" value".to_owned())) else {
                    return None;
                };
                let left = Expression::Term(Term::Variable(variable), raw.span);
                body.push(Literal::Comparison(Comparison {
                    left,
                    operator: Operator::Equal,
                    right: value,
                    span: raw.span,
                }));
                columns.push(variable);
            }
        }
        if columns.len().max(groups.len() + 1) > MAX_COLUMNS || own.names.len() > MAX_VARIABLES {
            let message =
                format!("an aggregate has more than {MAX_COLUMNS} variables, those outside among them");
            let error = Diagnostic::error("too-many-columns", message)
                .help("give what stands in the braces a relation of its own, with the columns that matter");
            self.report(error, raw.span);
            return None;
        }
        let spans = vec![raw.span; columns.len()];
        let has_value = raw.aggregate != Aggregate::Count;
        let types = columns.iter().enumerate().map(|(at, variable)| {
            if has_value && at + 1 == columns.len() {
                NUMBER.into()
            } else {
                type_of(&self.body, &body, *variable)
            }
        });
        let types: Vec<Arc<str>> = types.collect();
        let column = |at: usize| Column { name: own.names[columns[at].0].clone(), ty: types[at].clone() };
        let within = outer.head.relation;
        let (ways_columns, mut value_columns): (Vec<Column>, Vec<Column>) =
            ((0..columns.len()).map(column).collect(), (0..groups.len()).map(column).collect());
        value_columns.push(Column { name: "value".into(), ty: NUMBER.into() });
        let ways = self.declared(raw, ways_columns, within, outer);
        let relation = self.declared(raw, value_columns, within, outer);
        let term = |variable: &Variable| Term::Variable(*variable);
        let row = Atom { relation: ways, terms: columns.iter().map(term).collect(), span: raw.span, spans };
        let mut folded: Vec<Term> = columns[..groups.len()].iter().map(term).collect();
        // What is counted has no value that could stand here.
        folded.push(if has_value { term(&columns[columns.len() - 1]) } else { Term::Number(0) });
        let spans = vec![raw.span; folded.len()];
        let head = Atom { relation, terms: folded, span: raw.span, spans };
        let variables = own.names;
        let rule = Rule { body: Vec::new(), sentence: "".into(), variables, ..outer.clone() };
        let line = self.body.texts[raw.span.source as usize].line(raw.span.start);
        let text = raw.text.as_str().into();
        self.lifted.push(Rule { head: row.clone(), body, text, line, span: raw.span, ..rule.clone() });
        let fold = Some(raw.aggregate);
        self.lifted.push(Rule { head, body: vec![Literal::Positive(row)], fold, ..rule });
        let mut terms: Vec<Term> = groups.iter().map(|(name, _)| Term::Variable(names.known[name])).collect();
        terms.push(Term::Variable(result));
        let mut spans: Vec<Span> = groups.iter().map(|(_, span)| *span).collect();
        spans.push(raw.span);
        let value = Atom { relation, terms, span: raw.span, spans };
        Some(Lifted { value, result, aggregate: raw.aggregate })
    }

    /// A relation that nobody can name.
    fn declared(
        &mut self,
        raw: &RawAggregate,
        columns: Vec<Column>,
        within: RelationId,
        outer: &Rule,
    ) -> RelationId {
        let id = RelationId(u32::try_from(self.body.declarations.len()).unwrap_or(u32::MAX));
        self.body.declarations.push(Declaration {
            id,
            name: raw.text.as_str().into(),
            columns,
            kind: Kind::Internal,
            open: false,
            constraint: None,
            doc: String::new(),
            file: outer.file.clone(),
            line: outer.line,
            builtin: outer.builtin,
            within: Some(within),
            span: raw.span,
        });
        id
    }
}

impl Lifted {
    /// The group has a value; or it has no rows, and the value is 0.
    fn alternatives(self) -> Vec<Vec<Literal>> {
        let span = self.value.span;
        let mut nothing = self.value.clone();
        if let Some(last) = nothing.terms.last_mut() {
            *last = Term::Any;
        }
        let mut found = vec![vec![Literal::Positive(self.value)]];
        if self.aggregate.of_nothing() {
            let left = Expression::Term(Term::Variable(self.result), span);
            let right = Expression::Term(Term::Number(0), span);
            let zero = Comparison { left, operator: Operator::Equal, right, span };
            found.push(vec![Literal::Negative(nothing), Literal::Comparison(zero)]);
        }
        found
    }
}

/// The variables that have a value, as bits.
fn bound(literals: &[Literal]) -> u64 {
    definitions(literals).into_iter().fold(in_atoms(literals), |known, (_, variable)| known | 1 << variable.0)
}

/// A variable that stands in an aggregate and outside, and has no value there.
fn unbound(raw: &RawAggregate, names: &Names, bound: u64) -> Option<(String, Span)> {
    inside(raw).into_iter().find(|(name, _)| names.known.get(name).is_some_and(|it| bound & 1 << it.0 == 0))
}

/// The variables of an aggregate, as often as they stand there.
fn inside(raw: &RawAggregate) -> Vec<(String, Span)> {
    let mut found = Vec::new();
    for literal in &raw.body {
        match literal {
            RawLiteral::Positive(atom) | RawLiteral::Negative(atom) => {
                found.extend(atom.terms.iter().filter_map(|(term, span)| Some((name(term)?, *span))));
            }
            RawLiteral::Comparison { left, right, .. } => {
                leaves(left, &mut found);
                leaves(right, &mut found);
            }
        }
    }
    raw.value.iter().for_each(|value| leaves(value, &mut found));
    found
}

fn leaves(expression: &RawExpression, found: &mut Vec<(String, Span)>) {
    if let RawExpression::Term(term, span) = expression {
        found.extend(name(term).map(|name| (name, *span)));
    }
    expression.parts().into_iter().for_each(|part| leaves(part, found));
}

fn name(term: &RawTerm) -> Option<String> {
    match term {
        RawTerm::Variable(name) => Some(name.clone()),
        _ => None,
    }
}

/// With a name for each `_` that gives a value: rows that differ there are different ones.
fn named(raw: &RawLiteral, anything: &mut usize) -> RawLiteral {
    let RawLiteral::Positive(atom) = raw else { return raw.clone() };
    let mut term = |(term, span): &(RawTerm, Span)| {
        let term = if *term == RawTerm::Any {
            *anything += 1;
            RawTerm::Variable(format!("_ {anything}"))
        } else {
            term.clone()
        };
        (term, *span)
    };
    RawLiteral::Positive(RawAtom { terms: atom.terms.iter().map(&mut term).collect(), ..atom.clone() })
}

/// A comparison without its aggregates, which get a variable each; none if it says no more
/// than which variable that is.
fn without<'r>(raw: &'r RawLiteral, found: &mut Vec<(String, RawAggregate)>) -> Option<Cow<'r, RawLiteral>> {
    let RawLiteral::Comparison { left, operator, right, span } = raw else {
        return Some(Cow::Borrowed(raw));
    };
    let mut named = |one: &RawExpression, other: &RawExpression| match (one, other) {
        (RawExpression::Term(RawTerm::Variable(name), _), RawExpression::Aggregate(aggregate)) => {
            found.push((name.clone(), (**aggregate).clone()));
            true
        }
        _ => false,
    };
    if *operator == Operator::Equal && (named(left, right) || named(right, left)) {
        return None;
    }
    let (left, right) = (replaced(left, found), replaced(right, found));
    Some(Cow::Owned(RawLiteral::Comparison { left, operator: *operator, right, span: *span }))
}

fn replaced(expression: &RawExpression, found: &mut Vec<(String, RawAggregate)>) -> RawExpression {
    let mut all = |items: &[RawExpression]| items.iter().map(|item| replaced(item, found)).collect();
    match expression {
        RawExpression::Aggregate(aggregate) => {
            let term = RawExpression::Term(RawTerm::Variable(aggregate.text.clone()), aggregate.span);
            if found.iter().all(|(name, _)| *name != aggregate.text) {
                found.push((aggregate.text.clone(), (**aggregate).clone()));
            }
            term
        }
        RawExpression::Negate(inner) => RawExpression::Negate(Box::new(replaced(inner, found))),
        RawExpression::Binary(left, sign, right) => {
            let (left, right) = (replaced(left, found), replaced(right, found));
            RawExpression::Binary(Box::new(left), *sign, Box::new(right))
        }
        RawExpression::Call(function, items, span) => RawExpression::Call(*function, all(items), *span),
        RawExpression::List(items) => RawExpression::List(all(items)),
        other => other.clone(),
    }
}

/// A part of the rule outside, with the names that its variables have inside.
fn renamed(literal: &Literal, outer: &Names, own: &mut Names) -> Literal {
    let variables: Vec<Variable> = match literal {
        Literal::Positive(atom) | Literal::Negative(atom) => atom.variables().collect(),
        Literal::Comparison(comparison) => comparison.variables().collect(),
    };
    for variable in variables {
        own.term(&RawTerm::Variable(outer.names[variable.0].to_string()));
    }
    let term = |term: &Term| match term {
        Term::Variable(variable) => match own.known.get(&*outer.names[variable.0]) {
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

/// The type of a variable as far as atoms say it; empty if they do not.
fn type_of(body: &Body, literals: &[Literal], variable: Variable) -> Arc<str> {
    let found = literals.iter().find_map(|literal| {
        let Literal::Positive(atom) = literal else { return None };
        let at = atom.terms.iter().position(|term| *term == Term::Variable(variable))?;
        body.declarations.get(atom.relation.index())?.columns.get(at).map(|column| column.ty.clone())
    });
    found.unwrap_or_else(|| "".into())
}
