//! The values of aggregates and the places of what `first` takes, group by group.
//!
//! The rows that an aggregate is about start with their group, so a group is a range of the
//! first index. A change of some rows folds their groups again, and no others.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use rustc_hash::FxHashSet;

use super::aggregate::{Aggregate, First, Fold};
use super::budget::{Meter, Stop};
use super::compare::BEYOND;
use super::evaluation::{Evaluation, Found, Work};
use super::plan::RulePlan;
use super::program::{Atom, Literal, Program, RelationId, Rule, Stratum, Term, Variable};
use super::rows::{Row, RowSet};
use super::symbols::{Sym, Symbols, Value};
use super::view::Delta;
use crate::diagnostic::Diagnostic;

/// A rule that folds, by its place, and the relation of the rows that it folds.
pub(super) type Folded = (usize, RelationId);

impl Evaluation {
    /// The rule by which a stratum folds, and the rows it is about.
    pub(super) fn folds(&self, stratum: &Stratum) -> Option<Folded> {
        let at = *stratum.rules.first()?;
        let rule = &self.program.body.rules[at];
        match rule.body.first() {
            Some(Literal::Positive(rows)) if rule.fold.is_some() => Some((at, rows.relation)),
            _ => None,
        }
    }

    /// What becomes of all groups.
    pub(super) fn fold(
        &self,
        stratum: &Stratum,
        work: Work<'_>,
        found: &mut Found,
    ) -> Result<(), Diagnostic> {
        let Some((at, rows)) = self.folds(stratum) else { return Ok(()) };
        let folding = Folding::new(&self.program, at, work);
        let mut set = RowSet::new(folding.head);
        let began = work.budget.begin(folding.rule, &folding.meter);
        let mut group: Vec<Row> = Vec::new();
        for row in self.rows(rows) {
            if group.first().is_some_and(|first| first[..folding.groups] != row[..folding.groups]) {
                folding.push(&group, &mut set)?;
                group.clear();
            }
            group.push(row);
        }
        folding.push(&group, &mut set)?;
        work.budget.end(at, &began, &folding.meter, set.len() as u64);
        found.insert(folding.rule.head.relation, set);
        Ok(())
    }

    /// What a change of the rows does to what becomes of their groups.
    pub(super) fn refold(
        &self,
        (at, rows): Folded,
        delta: &Delta,
        work: Work<'_>,
    ) -> Result<Delta, Diagnostic> {
        let folding = Folding::new(&self.program, at, work);
        let columns = self.columns(rows);
        let changed = delta.added.iter(columns).chain(delta.removed.iter(columns));
        let groups: BTreeSet<Vec<Sym>> = changed.map(|row| row[..folding.groups].to_vec()).collect();
        let (mut added, mut removed) = (RowSet::new(folding.head), RowSet::new(folding.head));
        for group in groups {
            self.rows_with_prefix(folding.rule.head.relation, &group)
                .for_each(|row| removed.push(row.iter().copied()));
            let now: Vec<Row> = self.rows_with_prefix(rows, &group).collect();
            folding.push(&now, &mut added)?;
        }
        added.sort();
        removed.sort();
        let kept = added.clone();
        added.subtract(&removed);
        removed.subtract(&kept);
        Ok(Delta { added, removed })
    }

    /// Has a plan watch for values of aggregates that no row may have, where they are asked
    /// for: one that is not `wanted` and stands nowhere else is not.
    pub(super) fn watched(
        &self,
        mut plan: RulePlan,
        wanted: &dyn Fn(Variable) -> bool,
        body: &[Literal],
    ) -> RulePlan {
        let is_asked = |variable: Variable| {
            let in_body = |literal: &Literal| match literal {
                Literal::Positive(atom) | Literal::Negative(atom) => {
                    atom.variables().any(|it| it == variable)
                }
                Literal::Comparison(comparison) => comparison.variables().any(|it| it == variable),
            };
            wanted(variable) || body.iter().filter(|literal| in_body(literal)).count() > 1
        };
        let atoms = body.iter().filter_map(Literal::positive);
        let values = atoms.filter_map(|atom| Some((self.value_of(atom)?, atom.span)));
        let asked = values.filter(|(variable, _)| is_asked(*variable));
        // What others are worked out from comes first.
        plan.computed.splice(0..0, asked.map(|(variable, span)| (variable.0, span)));
        plan
    }

    /// The variable that gets the value of an aggregate.
    fn value_of(&self, atom: &Atom) -> Option<Variable> {
        self.program.declaration(atom.relation).within?;
        match atom.terms.last() {
            Some(Term::Variable(variable)) => Some(*variable),
            _ => None,
        }
    }
}

/// A rule at work.
struct Folding<'a> {
    program: &'a Program,
    rule: &'a Rule,
    fold: &'a Fold,
    /// How many columns its head has, and how many of them are the group.
    head: usize,
    groups: usize,
    work: Work<'a>,
    meter: Meter,
    at: usize,
}

impl<'a> Folding<'a> {
    fn new(program: &'a Program, at: usize, work: Work<'a>) -> Self {
        let rule = &program.body.rules[at];
        let fold = rule.fold.as_ref().unwrap_or(&Fold::One(Aggregate::Count));
        let head = rule.head.terms.len();
        let (groups, meter) = (fold.groups(head), work.budget.meter(at));
        Folding { program, rule, fold, head, groups, work, meter, at }
    }

    /// Adds what becomes of a group.
    fn push(&self, group: &[Row], set: &mut RowSet) -> Result<(), Diagnostic> {
        let Some(first) = group.first() else { return Ok(()) };
        self.meter.spend(group.len());
        self.work.budget.take(self.at, &self.meter);
        if let Some(stop) = self.meter.stopped() {
            return Err(self.error(stop));
        }
        let start = || first[..self.groups].iter().copied();
        match self.fold {
            Fold::One(aggregate) => {
                if let Some(value) = self.value(*aggregate, group)? {
                    set.push(start().chain([value]));
                }
            }
            Fold::First(first) => {
                let ranked = first.ranked(group, self.work.symbols);
                for (row, place) in ranked.iter().take(first.most.unwrap_or(usize::MAX)).zip(1..) {
                    let place = self.sym(place)?;
                    set.push(start().chain(first.taken(row).iter().copied()).chain([place]));
                }
            }
        }
        Ok(())
    }

    /// The value of a group, which may be beyond the numbers that rows have: that is an
    /// error of the rule that asks for it, if all else holds.
    fn value(&self, aggregate: Aggregate, group: &[Row]) -> Result<Option<Sym>, Diagnostic> {
        let number = |row: &Row| match row.last().map(|sym| self.work.symbols.value(*sym)) {
            Some(Value::Number(number)) => number,
            // What is counted needs no number.
            _ => 0,
        };
        let Some(value) = aggregate.of(group.iter().map(number)) else { return Ok(None) };
        match i64::try_from(value) {
            Err(_) => Ok(Some(BEYOND)),
            Ok(number) => self.sym(number).map(Some),
        }
    }

    fn sym(&self, number: i64) -> Result<Sym, Diagnostic> {
        let found = self.work.symbols.worked_out(Value::Number(number));
        found.ok_or_else(|| self.error(Stop::Values))
    }

    fn error(&self, stop: Stop) -> Diagnostic {
        self.work.budget.error(stop, self.program, self.rule.head.relation, Some(self.rule))
    }
}

impl First {
    /// What is taken of a row.
    pub(super) fn taken<'r>(&self, row: &'r Row) -> &'r [Sym] {
        &row[row.len() - self.values..]
    }

    /// The rows of a group in order, of each that is taken one. What is equal by all keys is
    /// put in order by its values, so that the order is always the same.
    pub(super) fn ranked(&self, group: &[Row], symbols: &Symbols) -> Vec<Row> {
        let mut rows = group.to_vec();
        let compare = |a: Sym, b: Sym| match a == b {
            true => Ordering::Equal,
            false => symbols.value(a).cmp(&symbols.value(b)),
        };
        rows.sort_by(|a, b| {
            let keys = self.keys.iter().map(|(at, is_last)| match is_last {
                true => compare(b[*at], a[*at]),
                false => compare(a[*at], b[*at]),
            });
            let values = self.taken(a).iter().zip(self.taken(b)).map(|(a, b)| compare(*a, *b));
            keys.chain(values).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
        });
        let mut seen = FxHashSet::default();
        rows.retain(|row| seen.insert(self.taken(row).to_vec()));
        rows
    }
}
