//! The derivation of a row that is there.
//!
//! A row of a recursive relation could be explained by itself in a circle. So its
//! stratum is evaluated once more on the side, round by round, and a row is explained
//! by rows of earlier rounds only.

use std::sync::Arc;

use super::super::budget::Budget;
use super::super::evaluate::Work;
use super::super::program::{Atom, Kind, Literal, RelationId, Rule};
use super::super::rows::RowSet;
use super::super::symbols::Sym;
use super::super::table::Table;
use super::{Derivation, Explainer, Pattern, Subgoal};

impl Explainer<'_> {
    /// A row without its reasons.
    pub(super) fn bare(&self, relation: RelationId, row: &[Sym]) -> Derivation {
        let pattern: Vec<Option<Sym>> = row.iter().copied().map(Some).collect();
        Derivation {
            relation: self.program.declaration(relation).name.to_string(),
            values: row.iter().map(|sym| self.symbols.value(*sym).to_string()).collect(),
            fact: self.fact(relation, &pattern),
            sentence: None,
            rule: None,
            because: Vec::new(),
            note: None,
        }
    }

    pub(super) fn why(&mut self, relation: RelationId, row: &[Sym], depth: usize) -> Derivation {
        let mut derivation = self.bare(relation, row);
        if self.program.declaration(relation).kind == Kind::Input {
            derivation.note = Some("input".to_owned());
            return derivation;
        }
        if !self.shown.insert((relation, row.to_vec())) {
            derivation.note = Some("explained above".to_owned());
            return derivation;
        }
        if self.is_full(depth) {
            derivation.note = Some("not explained further, as there is too much of it".to_owned());
            return derivation;
        }
        let program = self.program.clone();
        let pattern: Vec<Option<Sym>> = row.iter().copied().map(Some).collect();
        let round = self.round(relation, row);
        for rule in program.rules_for(relation) {
            let Some(binding) = self.unify(rule, &pattern) else { continue };
            let mut early = |way: &Pattern| self.is_early(rule, way, round);
            let Some(way) = self.ways(&rule.body, &binding, 1, &mut early).pop() else { continue };
            derivation.sentence = self.sentence(rule, &way);
            derivation.rule = Some(self.rule_ref(rule));
            derivation.because = self.subgoals(&rule.body, &way, round, depth);
            return derivation;
        }
        derivation.note = Some("no rule was found for it".to_owned());
        derivation
    }

    fn subgoals(
        &mut self,
        body: &[Literal],
        way: &Pattern,
        round: Option<(usize, usize)>,
        depth: usize,
    ) -> Vec<Subgoal> {
        let mut subgoals = Vec::new();
        for literal in body {
            subgoals.push(match literal {
                Literal::Positive(atom) => match self.early_row(atom, way, round) {
                    Some(row) => Subgoal::Row(self.why(atom.relation, &row, depth + 1)),
                    None => continue,
                },
                Literal::Negative(atom) => Subgoal::Absent(self.atom(atom, way)),
                Literal::Comparison(comparison) => Subgoal::Comparison(self.comparison(comparison, way)),
            });
        }
        subgoals
    }

    /// Whether all rows a rule needs of its own stratum are of earlier rounds.
    fn is_early(&self, rule: &Rule, way: &Pattern, round: Option<(usize, usize)>) -> bool {
        round.is_none()
            || rule.body.iter().all(|literal| match literal {
                Literal::Positive(atom) => self.early_row(atom, way, round).is_some(),
                _ => true,
            })
    }

    /// A row for an atom; of the stratum in question only one of an earlier round.
    fn early_row(&self, atom: &Atom, way: &Pattern, round: Option<(usize, usize)>) -> Option<Vec<Sym>> {
        self.row_of(atom, way, &mut |row| match round {
            Some((stratum, round))
                if self.program.body.strata[stratum].relations.contains(&atom.relation) =>
            {
                self.round_in(stratum, atom.relation, row) < round
            }
            _ => true,
        })
    }

    /// For a row of a recursive stratum, the stratum and the round it was derived in.
    fn round(&mut self, relation: RelationId, row: &[Sym]) -> Option<(usize, usize)> {
        let strata = &self.program.body.strata;
        let at =
            strata.iter().position(|stratum| stratum.recursive && stratum.relations.contains(&relation))?;
        if !self.rounds.contains_key(&at) {
            let mut scratch = self.evaluation.clone();
            for id in &strata[at].relations {
                let columns = self.program.declaration(*id).columns.len();
                scratch.tables[id.index()] = Some(Arc::new(Table::new(columns, RowSet::new(columns))));
            }
            let mut rounds = Vec::new();
            // The limits were not passed the first time, so they are not now.
            let budget = Budget::new(&scratch.limits, self.program.body.rules.len());
            let work = Work { symbols: self.symbols, budget: &budget };
            let _ = scratch.stratum(&strata[at], work, Some(&mut rounds));
            self.rounds.insert(at, rounds);
        }
        Some((at, self.round_in(at, relation, row)))
    }

    fn round_in(&self, stratum: usize, relation: RelationId, row: &[Sym]) -> usize {
        let rounds = self.rounds.get(&stratum).map_or(&[][..], Vec::as_slice);
        let has = |(id, rows): &(RelationId, RowSet)| *id == relation && rows.contains(row);
        rounds.iter().position(|round| round.iter().any(has)).unwrap_or(usize::MAX)
    }
}
