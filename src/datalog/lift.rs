//! Bodies with braces into bodies of atoms: what is behind knows of none.
//!
//! ```text
//!  full(Node) :- node(Node), N = count : { pod_on(Pod, Node) }, N > 9.
//!
//!  ways(Node, Pod) :- pod_on(Pod, Node).                what it looks at
//!  value(Node, N)  :- ways(Node, Pod), folded.          one row a group
//!  full(Node)      :- node(Node), value(Node, N), N > 9.
//!  full(Node)      :- node(Node), !value(Node, _), N = 0, N > 9.
//!
//!  old(Rack, Node) :- rack(Rack), first 2 Node by Time : { at(Node, Rack, Time) }.
//!
//!  ways(Rack, Time, Node)   :- at(Node, Rack, Time).
//!  place(Rack, Node, Place) :- ways(Rack, Time, Node), folded.
//!  old(Rack, Node)          :- rack(Rack), place(Rack, Node, Place), Place <= 2.
//! ```
//!
//! So the planner, updates and explanations see only atoms, and an aggregate is as fast, and
//! as incremental, as those. How the relations are made is `inner`'s matter.

use super::apart::{Braces, Part, inside, without};
use super::define::bound;
use super::expression::{Expression, Term, Variable};
use super::inner::Lifted;
use super::program::{Literal, Rule};
use super::resolve::{Names, Resolver};
use super::source::Span;
use super::syntax::{RawBraces, RawLiteral, RawTerm, Takes};
use super::ways::joined;
use crate::diagnostic::Diagnostic;

/// So many ways may a rule hold by whether the groups of its aggregates have rows.
const MAX_WAYS: usize = 16;

impl Resolver {
    /// A body with its braces apart.
    pub(super) fn parts(&mut self, way: &[RawLiteral], names: &mut Names) -> Option<Vec<Part>> {
        let mut found = Vec::new();
        for raw in way {
            if let RawLiteral::First(raw) = raw {
                found.push(first(raw, names).map(Part::Braces));
                continue;
            }
            let mut aggregates = Vec::new();
            let rest = without(raw, &mut aggregates);
            for (name, raw) in aggregates {
                let result = names.variable(&name);
                found.push(Some(Part::Braces(Braces { raw, result, most: None, taken: Vec::new() })));
            }
            if let Some(rest) = rest {
                found.push(self.literal(&rest, names).map(Part::Literal));
            }
        }
        found.into_iter().collect()
    }

    /// The bodies that a body with braces stands for. `outer` is the rule it is of.
    pub(super) fn lifted(
        &mut self,
        parts: Vec<Part>,
        names: &Names,
        outer: &Rule,
    ) -> Option<Vec<Vec<Literal>>> {
        let mut lifted: Vec<Option<Lifted>> = parts.iter().map(|_| None).collect();
        // One may need the value of another one.
        loop {
            let is_open = |(at, part): (usize, &Part)| match part {
                Part::Braces(_) if lifted[at].is_none() => Some(at),
                _ => None,
            };
            let open: Vec<usize> = parts.iter().enumerate().filter_map(is_open).collect();
            let Some(first) = open.first() else { break };
            let known = known(&parts, &lifted);
            let bound = bound(&known[0]);
            let is_ready = |at: &&usize| matches!(&parts[**at], Part::Braces(it) if unbound(&it.raw, names, bound).is_none());
            let at = *open.iter().find(is_ready).unwrap_or(first);
            let Part::Braces(braces) = &parts[at] else { break };
            if let Some((name, span)) = unbound(&braces.raw, names, bound) {
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
            lifted[at] = Some(self.relations(braces, names, &known, outer)?);
            let ways = lifted.iter().flatten().fold(1, |ways, it| ways * it.alternatives().len());
            if ways > MAX_WAYS {
                let message = "a rule has more than 4 aggregates that may be 0";
                let error =
                    Diagnostic::error("rule-too-long", message).help("split it with a relation of its own");
                self.report(error, outer.head.span);
                return None;
            }
        }
        if lifted.iter().all(Option::is_none) {
            return Some(vec![parts.into_iter().filter_map(Part::literal).collect()]);
        }
        Some(known(&parts, &lifted))
    }
}

/// What of a body has no braces any more, in each way in which it may hold.
fn known(parts: &[Part], lifted: &[Option<Lifted>]) -> Vec<Vec<Literal>> {
    let mut ways: Vec<Vec<Literal>> = vec![Vec::new()];
    for (part, lifted) in parts.iter().zip(lifted) {
        let next = match (part, lifted) {
            (Part::Literal(literal), _) => vec![vec![literal.clone()]],
            (_, Some(lifted)) => lifted.alternatives(),
            (Part::Braces(_), None) => continue,
        };
        ways = joined(ways, &next);
    }
    ways
}

fn first(raw: &RawBraces, names: &mut Names) -> Option<Braces> {
    let Takes::First { most, values, .. } = &raw.takes else { return None };
    let result = names.variable(&raw.text);
    let taken = values.iter().map(|(name, _)| names.variable(name)).collect();
    let most = Some(Expression::Term(names.term(most), raw.span));
    Some(Braces { raw: raw.clone(), result, most, taken })
}

impl Names {
    /// The variable of that name.
    pub fn variable(&mut self, name: &str) -> Variable {
        match self.term(&RawTerm::Variable(name.to_owned())) {
            Term::Variable(variable) => variable,
            // A variable stays one.
            _ => Variable(0),
        }
    }
}

/// A variable that stands in braces and outside, and has no value there.
fn unbound(raw: &RawBraces, names: &Names, bound: u64) -> Option<(String, Span)> {
    inside(raw).into_iter().find(|(name, _)| names.known.get(name).is_some_and(|it| bound & 1 << it.0 == 0))
}
