//! All rows of the wanted relations, stratum by stratum.
//!
//! Strata that do not depend on each other are evaluated on all cores. One without
//! recursion is one pass over its rules (`derive`). A recursive one starts with its rules
//! that do not need the stratum itself, and grows from there (`fixpoint`).

use std::sync::Arc;

use super::budget::{Budget, Limits, Stop};
use super::define::definitions;
use super::evaluation::{Evaluation, Found, Plans, Round, Work};
use super::facts::Facts;
use super::plan::{Start, Tables, head_values};
use super::program::{Declaration, Program, RelationId, Stratum};
use super::rows::RowSet;
use super::strata::{levels, needed};
use super::symbols::Symbols;
use super::table::Table;
use crate::cores;
use crate::diagnostic::Diagnostic;

/// Strata that use fewer rows than this are not worth a thread.
const SHARED: usize = 1 << 16;

impl Evaluation {
    /// Evaluates what `wanted` needs. Constants of the rules are interned on the way.
    ///
    /// # Errors
    /// When facts do not fit the program, or a limit is passed; the error names the rule.
    pub fn new(
        program: &Program,
        symbols: &mut Symbols,
        facts: Facts,
        wanted: &[RelationId],
        limits: &Limits,
    ) -> Result<Evaluation, Diagnostic> {
        let budget = Budget::new(limits, program.body.rules.len());
        Evaluation::within(program, symbols, facts, wanted, &budget)
    }

    /// The same within a budget that somebody counts.
    pub(super) fn within(
        program: &Program,
        symbols: &mut Symbols,
        facts: Facts,
        wanted: &[RelationId],
        budget: &Budget,
    ) -> Result<Evaluation, Diagnostic> {
        let limits = &budget.limits;
        let needed = needed(program, wanted);
        let heads =
            program.rules().map(|rule| head_values(&rule.head, |value| symbols.intern(value))).collect();
        let mut tables: Tables = program
            .body
            .declarations
            .iter()
            .map(|declaration| {
                let columns = declaration.columns.len();
                needed[declaration.id.index()].then(|| Arc::new(Table::new(columns, RowSet::new(columns))))
            })
            .collect();
        for (id, mut rows) in facts.with_given(program, symbols).checked(program)? {
            if needed[id.index()] {
                rows.sort();
                rows.shrink();
                let columns = program.declaration(id).columns.len();
                if rows.len() > limits.rows_per_relation {
                    return Err(too_many_facts(program, id, rows.len(), limits));
                }
                tables[id.index()] = Some(Arc::new(Table::new(columns, rows)));
            }
        }
        let mut evaluation =
            Evaluation { program: program.clone(), tables, limits: *limits, heads, plans: Plans::default() };
        let program = program.clone();
        let work = Work { symbols, budget };
        for level in levels(&program, &needed) {
            let (recursive, plain): (Vec<&Stratum>, Vec<&Stratum>) =
                level.into_iter().partition(|stratum| stratum.recursive);
            let rows_of = |nth: usize| evaluation.rows_of(plain[nth], work);
            // What is worked out gets its symbols in an order that is always the same.
            let rules = &program.body.rules;
            let computes = |stratum: &&&Stratum| {
                stratum
                    .rules
                    .iter()
                    .any(|at| rules[*at].fold.is_some() || !definitions(&rules[*at].body).is_empty())
            };
            let in_turn = plain.iter().filter(computes).nth(1).is_some();
            let found = match evaluation.used(&plain) {
                _ if in_turn => cores::on_one(plain.len(), rows_of),
                0..SHARED => cores::on_one(plain.len(), rows_of),
                _ => cores::on_all(plain.len(), rows_of),
            };
            for rows in found {
                evaluation.install(rows?);
            }
            for stratum in &recursive {
                evaluation.stratum(stratum, work, None)?;
            }
            for id in plain.iter().chain(&recursive).flat_map(|stratum| &stratum.relations) {
                evaluation.check_unique(*id, None, work)?;
            }
            evaluation.check_all(work)?;
        }
        Ok(evaluation)
    }

    /// The same with more relations and rules, behind those that it has: what they need is there.
    pub(super) fn extended(&self, program: &Program, symbols: &Symbols) -> Result<Evaluation, Diagnostic> {
        let mut evaluation = self.clone();
        evaluation.program = program.clone();
        let known = self.tables.len();
        for declaration in &program.body.declarations[known..] {
            let columns = declaration.columns.len();
            evaluation.tables.push(Some(Arc::new(Table::new(columns, RowSet::new(columns)))));
        }
        let budget = Budget::new(&self.limits, program.body.rules.len());
        let work = Work { symbols, budget: &budget };
        for rule in &program.body.rules[self.heads.len()..] {
            let mut is_full = false;
            let values = head_values(&rule.head, |value| {
                let sym = symbols.worked_out(value);
                is_full |= sym.is_none();
                sym.unwrap_or(0)
            });
            if is_full {
                return Err(budget.error(Stop::Values, program, rule.head.relation, Some(rule)));
            }
            evaluation.heads.push(values);
        }
        for stratum in &program.body.strata {
            if stratum.relations.iter().any(|id| id.index() >= known) {
                evaluation.stratum(stratum, work, None)?;
            }
        }
        evaluation.check_all(work)?;
        Ok(evaluation)
    }

    /// How many rows the rules of some strata use.
    fn used(&self, strata: &[&Stratum]) -> usize {
        strata.iter().flat_map(|stratum| stratum.uses.keys()).map(|id| self.len(*id)).sum()
    }

    /// Fills the relations of a stratum, which are empty. Of a recursive one, `rounds` gets
    /// the rows that were new in each round.
    pub(super) fn stratum(
        &mut self,
        stratum: &Stratum,
        work: Work<'_>,
        rounds: Option<&mut Vec<Round>>,
    ) -> Result<(), Diagnostic> {
        let found = self.rows_of(stratum, work)?;
        if !stratum.recursive {
            self.install(found);
            return Ok(());
        }
        self.grow(stratum, found, work, rounds)
    }

    /// What the rules of a stratum derive that do not need the stratum itself; sorted.
    fn rows_of(&self, stratum: &Stratum, work: Work<'_>) -> Result<Found, Diagnostic> {
        let rules = &self.program.body.rules;
        let mut found = Found::new();
        self.fold(stratum, work, &mut found)?;
        for at in stratum.rules.iter().filter(|at| rules[**at].fold.is_none()) {
            if stratum.own(&rules[*at].body).next().is_none() {
                self.derive(*at, Start::Nothing, None, None, work, &mut found)?;
            }
        }
        for (id, rows) in &mut found {
            rows.sort();
            self.check(*id, rows.len(), work)?;
        }
        Ok(found)
    }

    fn install(&mut self, found: Found) {
        for (id, mut rows) in found {
            rows.shrink();
            let mut table = Table::new(self.columns(id), rows);
            // Whoever runs is live, and whoever is live counts: of very many rows, mostly the same.
            let _ = self.tables.iter().flatten().any(|other| table.share(other));
            self.tables[id.index()] = Some(Arc::new(table));
        }
    }

    /// Refuses what all rows and indexes take, naming the largest relation.
    fn check_all(&self, work: Work<'_>) -> Result<(), Diagnostic> {
        let bytes = self.bytes();
        if bytes <= self.limits.bytes {
            return Ok(());
        }
        let held = |declaration: &&Declaration| self.table(declaration.id).map_or(0, Table::bytes);
        let largest = self.program.body.declarations.iter().max_by_key(held);
        largest.map_or(Ok(()), |largest| {
            Err(work.budget.error(Stop::All(bytes), &self.program, largest.id, None))
        })
    }
}

fn too_many_facts(program: &Program, id: RelationId, rows: usize, limits: &Limits) -> Diagnostic {
    let name = &program.declaration(id).name;
    let limit = limits.rows_per_relation;
    Diagnostic::error("too-many-rows", format!("the input `{name}` has {rows} rows, the limit is {limit}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::Source;
    use super::*;

    fn load(text: &str) -> Program {
        let loaded = Program::load(&[Source { file: "test.dl", text, builtin: true, folder: "" }]);
        loaded.program.unwrap_or_else(|| panic!("{:#?}", loaded.diagnostics))
    }

    const REACH: &str = r#"
        .type N
        .decl edge(a: N, b: N) input
        .decl far(a: N, b: N) output
        .decl no_way(a: N, b: N) output
        .decl node(a: N)
        far(A, B) :- edge(A, B).
        far(A, C) :- far(A, B), edge(B, C).
        node(A) :- edge(A, _).
        node(B) :- edge(_, B).
        no_way(A, B) :- node(A), node(B), A < B, !far(A, B).
    "#;

    #[test]
    fn recursion_and_negation() {
        let program = load(REACH);
        let mut symbols = Symbols::new();
        let edge = program.relation("edge").unwrap();
        let mut facts = Facts::new();
        for (a, b) in [("a", "b"), ("b", "c"), ("c", "b"), ("d", "a")] {
            let row = [symbols.text(a), symbols.text(b)];
            facts.insert(edge, &row);
        }
        let wanted = [program.relation("no_way").unwrap()];
        let done = Evaluation::new(&program, &mut symbols, facts, &wanted, &Limits::default()).unwrap();
        let shown = |name: &str| {
            let rows = done.rows(program.relation(name).unwrap());
            let mut rows: Vec<String> =
                rows.map(|row| format!("{}{}", symbols.value(row[0]), symbols.value(row[1]))).collect();
            rows.sort();
            rows.join(" ")
        };
        assert_eq!(shown("far"), "ab ac bb bc cb cc da db dc");
        assert_eq!(shown("no_way"), "ad bd cd");
    }

    #[test]
    fn strata_that_are_shared_out_derive_the_same() {
        let program = load(
            ".type N\n.decl next(a: N, b: N) input\n.decl from(a: N)\n.decl to(a: N)\n\
            .decl inner(a: N) output\n.decl first(a: N) output\n.decl last(a: N) output\n\
            from(A) :- next(A, _).\nto(B) :- next(_, B).\ninner(A) :- from(A), to(A).\n\
            first(A) :- from(A), !to(A).\nlast(A) :- to(A), !from(A).\n",
        );
        let (mut symbols, mut facts) = (Symbols::new(), Facts::new());
        let next = program.relation("next").unwrap();
        let number = i64::try_from(SHARED).unwrap();
        for at in 0..number {
            facts.insert(next, &[symbols.number(at), symbols.number(at + 1)]);
        }
        let wanted = ["inner", "first", "last"].map(|name| program.relation(name).unwrap());
        let done = Evaluation::new(&program, &mut symbols, facts, &wanted, &Limits::default()).unwrap();
        assert_eq!(wanted.map(|relation| done.len(relation)), [SHARED - 1, 1, 1]);
        let only = |at: usize| done.rows(wanted[at]).map(|row| symbols.value(row[0]).to_string()).next();
        assert_eq!([only(1), only(2)], [Some("0".to_owned()), Some(number.to_string())]);
    }

    #[test]
    fn what_is_not_wanted_is_not_evaluated() {
        let program = load(REACH);
        let node = program.relation("node").unwrap();
        let facts = Facts::new();
        let done =
            Evaluation::new(&program, &mut Symbols::new(), facts, &[node], &Limits::default()).unwrap();
        assert!(done.has(node));
        assert!(!done.has(program.relation("far").unwrap()));
    }

    #[test]
    fn a_product_over_the_limit_is_refused_by_name() {
        let program =
            load(".type N\n.decl n(n: N) input\n.decl p(a: N, b: N) output\np(A, B) :- n(A), n(B).\n");
        let mut symbols = Symbols::new();
        let n = program.relation("n").unwrap();
        let mut facts = Facts::new();
        (0..100).for_each(|number| facts.insert(n, &[symbols.text(&format!("n{number}"))]));
        let wanted = [program.relation("p").unwrap()];
        for limits in [
            Limits { rows_per_relation: 9_999, ..Limits::default() },
            Limits { rows_per_rule: 9_999, ..Limits::default() },
        ] {
            let refused = Evaluation::new(&program, &mut symbols, facts.clone(), &wanted, &limits);
            let error = refused.err().unwrap();
            assert_eq!(error.code, "too-many-rows");
            assert!(error.message.contains("`p`"), "{error}");
        }
        assert!(Evaluation::new(&program, &mut symbols, facts, &wanted, &Limits::default()).is_ok());
    }
}
