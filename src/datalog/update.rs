//! A change of some facts carried through the rules, at the cost of the change.
//!
//! Stratum by stratum, with what changed below it:
//!
//! ```text
//!  lost    a row gone from an atom, or come to a negated one: the heads derived with it
//!          in the state before are candidates; those that no rule derives now are removed
//!  gained  a row come to an atom, or gone from a negated one: the heads derived with it in
//!          the state now are added, if they were not there
//! ```
//!
//! A rule whose every variable stands in its head derives a row in one way alone, so what it has
//! lost is not asked of it again. Where all rows of an atom are new, or all are gone, no other
//! atom has to be started from.
//! What differs is the change the next strata see. A recursive stratum grows by what is
//! gained; when something is lost, it is evaluated anew: a row there can be derived from
//! itself in a circle, so asking whether it can be derived says nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::budget::Budget;
use super::evaluation::{Evaluation, Found, Work};
use super::facts::Facts;
use super::plan::Start;
use super::program::{Literal, RelationId, Rule, Stratum, Term};
use super::rows::{Row, RowSet};
use super::symbols::Symbols;
use super::view::Delta;
use crate::diagnostic::Diagnostic;

/// What an update did, for every relation that was evaluated, inputs among them.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    relations: BTreeMap<RelationId, (usize, Delta)>,
}

impl Changes {
    /// Whether nothing changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.relations.is_empty()
    }

    /// The relations that changed.
    pub fn relations(&self) -> impl Iterator<Item = RelationId> + '_ {
        self.relations.keys().copied()
    }

    /// The rows that are there now and were not, sorted.
    pub fn added(&self, relation: RelationId) -> impl Iterator<Item = Row> + '_ {
        let found = self.relations.get(&relation).into_iter();
        found.flat_map(|(columns, delta)| delta.added.iter(*columns))
    }

    /// The rows that were there and are not now, sorted.
    pub fn removed(&self, relation: RelationId) -> impl Iterator<Item = Row> + '_ {
        let found = self.relations.get(&relation).into_iter();
        found.flat_map(|(columns, delta)| delta.removed.iter(*columns))
    }
}

type Deltas = Vec<Option<Delta>>;

/// A rule's use of a relation that changed: to start from what it loses by it or gains.
struct Touched<'a> {
    rule: usize,
    start: Start,
    lost: &'a RowSet,
    gained: &'a RowSet,
    /// All rows of an atom are gone: whatever the rule derived is lost by them.
    is_empty: bool,
    /// All rows of an atom are new: whatever the rule derives is gained by them.
    is_new: bool,
}

/// The uses to start from, so that all is found that a change loses or gains: of a rule with
/// one that `covers` all, the smallest such one; else every one with rows.
fn enough<'t, 'a>(
    touched: &'t [Touched<'a>],
    rows: fn(&Touched<'a>) -> &'a RowSet,
    covers: fn(&Touched<'a>) -> bool,
) -> impl Iterator<Item = &'t Touched<'a>> {
    let mut covered: BTreeMap<usize, &Touched<'a>> = BTreeMap::new();
    for it in touched.iter().filter(|it| covers(it)) {
        let best = covered.entry(it.rule).or_insert(it);
        if rows(it).len() < rows(best).len() {
            *best = it;
        }
    }
    touched.iter().filter(move |it| {
        !rows(it).is_empty() && covered.get(&it.rule).is_none_or(|best| best.start == it.start)
    })
}

/// Whether a rule derives each of its rows in one way alone: the values of a row's head are all
/// that there are. Then what was derived with a row that is gone is not derived with another.
fn has_one_way(rule: &Rule) -> bool {
    let is_in_head = |term: &Term| match term {
        Term::Any => false,
        Term::Variable(_) => rule.head.terms.contains(term),
        Term::Number(_) | Term::Text(_) => true,
    };
    let atoms = rule.body.iter().filter_map(Literal::positive);
    atoms.flat_map(|atom| &atom.terms).all(is_in_head)
}

impl Evaluation {
    /// Takes rows out of inputs and puts rows in, and brings all that depends on them up
    /// to date. A row that is both taken out and put in is there afterwards. Rows of
    /// inputs that no wanted relation needs are passed over.
    ///
    /// # Errors
    /// When facts do not fit the program, or a limit is passed; then all is as before.
    pub fn update(&mut self, symbols: &Symbols, added: Facts, removed: Facts) -> Result<Changes, Diagnostic> {
        let inputs = self.inputs(added, removed)?;
        let mut deltas: Deltas = Vec::new();
        deltas.resize_with(self.tables.len(), || None);
        let budget = Budget::new(&self.limits, self.program.body.rules.len());
        let done = self.carry(inputs, Work { symbols, budget: &budget }, &mut deltas);
        if let Err(error) = done {
            for (at, delta) in deltas.iter().enumerate() {
                if let (Some(table), Some(delta)) = (self.tables[at].as_mut().map(Arc::make_mut), delta) {
                    table.apply(&delta.removed, &delta.added);
                }
            }
            return Err(error);
        }
        let declarations = self.program.body.declarations.iter().zip(deltas);
        let declarations = declarations.filter(|(declaration, _)| declaration.within.is_none());
        let relations = declarations
            .filter_map(|(declaration, delta)| Some((declaration.id, (declaration.columns.len(), delta?))));
        Ok(Changes { relations: relations.collect() })
    }

    /// The facts of a change as what it does to the inputs.
    fn inputs(&self, added: Facts, removed: Facts) -> Result<BTreeMap<RelationId, Delta>, Diagnostic> {
        let mut inputs: BTreeMap<RelationId, Delta> = BTreeMap::new();
        for (facts, add) in [(added, true), (removed, false)] {
            for (id, mut rows) in facts.checked(&self.program)? {
                rows.sort();
                let delta = inputs.entry(id).or_insert_with(|| Delta::new(self.columns(id)));
                *(if add { &mut delta.added } else { &mut delta.removed }) = rows;
            }
        }
        Ok(inputs)
    }

    fn carry(
        &mut self,
        inputs: BTreeMap<RelationId, Delta>,
        work: Work<'_>,
        deltas: &mut Deltas,
    ) -> Result<(), Diagnostic> {
        for (id, mut delta) in inputs {
            delta.removed.subtract(&delta.added);
            self.change(id, delta, work, deltas)?;
            self.still_unique(id, work, deltas)?;
        }
        let program = self.program.clone();
        for stratum in &program.body.strata {
            let changed = stratum.uses.keys().any(|id| deltas[id.index()].is_some());
            if !changed || !stratum.relations.iter().any(|id| self.has(*id)) {
                continue;
            }
            if stratum.recursive {
                if self.touched(stratum, deltas).all(|touched| touched.lost.is_empty()) {
                    self.gain(stratum, work, deltas)?;
                } else {
                    self.anew(stratum, work, deltas)?;
                }
            } else {
                for id in &stratum.relations {
                    let delta = self.difference(*id, stratum, work, deltas)?;
                    self.change(*id, delta, work, deltas)?;
                }
            }
            for id in &stratum.relations {
                self.still_unique(*id, work, deltas)?;
            }
        }
        Ok(())
    }

    fn still_unique(&self, id: RelationId, work: Work<'_>, deltas: &Deltas) -> Result<(), Diagnostic> {
        let delta = deltas[id.index()].as_ref();
        delta.map_or(Ok(()), |delta| self.check_unique(id, Some(&delta.added), work))
    }

    /// Changes a table and notes what really changed.
    fn change(
        &mut self,
        id: RelationId,
        mut delta: Delta,
        work: Work<'_>,
        deltas: &mut Deltas,
    ) -> Result<(), Diagnostic> {
        let Some(table) = self.tables[id.index()].as_mut().map(Arc::make_mut) else { return Ok(()) };
        table.keep(&mut delta.added, false);
        table.keep(&mut delta.removed, true);
        if delta.is_empty() {
            return Ok(());
        }
        table.apply(&delta.added, &delta.removed);
        deltas[id.index()] = Some(delta);
        self.check(id, self.len(id), work)
    }

    /// What changes in a relation that does not depend on itself.
    fn difference(
        &self,
        id: RelationId,
        stratum: &Stratum,
        work: Work<'_>,
        deltas: &Deltas,
    ) -> Result<Delta, Diagnostic> {
        if let Some(folded) = self.folds(stratum)
            && let Some(delta) = &deltas[folded.1.index()]
        {
            return self.refold(folded, delta, work);
        }
        let (mut lost, mut gained) = (Found::new(), Found::new());
        let touched: Vec<Touched> = self.touched(stratum, deltas).collect();
        let mut losers = BTreeSet::new();
        for Touched { rule, start, lost: gone, .. } in enough(&touched, |it| it.lost, |it| it.is_empty) {
            losers.insert(*rule);
            self.derive(*rule, *start, Some(gone), Some(deltas), work, &mut lost)?;
        }
        for Touched { rule, start, gained: come, .. } in enough(&touched, |it| it.gained, |it| it.is_new) {
            self.derive(*rule, *start, Some(come), None, work, &mut gained)?;
        }
        let columns = self.columns(id);
        let set = |found: &mut Found| {
            let mut rows = found.remove(&id).unwrap_or_else(|| RowSet::new(columns));
            rows.sort();
            rows
        };
        let (mut candidates, added) = (set(&mut lost), set(&mut gained));
        candidates.subtract(&added);
        if !candidates.is_empty() {
            let mut still = Found::new();
            let all = &self.program.body.rules;
            let alone = |at: usize| losers.len() == 1 && losers.contains(&at) && has_one_way(&all[at]);
            let rules = stratum.rules.iter().filter(|at| !self.lacks_rows(&all[**at]) && !alone(**at));
            for rule in rules {
                self.derive(*rule, Start::Head, Some(&candidates), None, work, &mut still)?;
            }
            candidates.subtract(&set(&mut still));
        }
        Ok(Delta { added, removed: candidates })
    }

    /// The uses of relations that changed.
    fn touched<'a>(&'a self, stratum: &'a Stratum, deltas: &'a Deltas) -> impl Iterator<Item = Touched<'a>> {
        let rules = &self.program.body.rules;
        let changed = stratum.uses.iter().filter_map(|(id, uses)| Some((deltas[id.index()].as_ref()?, uses)));
        changed.flat_map(move |(delta, uses)| {
            uses.iter().map(move |(rule, literal)| {
                let start = Start::Literal(*literal);
                match rules[*rule].body[*literal].positive() {
                    Some(atom) => {
                        let (lost, gained, rows) = (&delta.removed, &delta.added, self.len(atom.relation));
                        let (is_empty, is_new) = (rows == 0, rows == gained.len());
                        Touched { rule: *rule, start, lost, gained, is_empty, is_new }
                    }
                    None => {
                        let (lost, gained) = (&delta.added, &delta.removed);
                        Touched { rule: *rule, start, lost, gained, is_empty: false, is_new: false }
                    }
                }
            })
        })
    }

    /// Adds to a recursive stratum what a change without losses lets it derive.
    fn gain(&mut self, stratum: &Stratum, work: Work<'_>, deltas: &mut Deltas) -> Result<(), Diagnostic> {
        let mut gained = Found::new();
        for touched in self.touched(stratum, deltas) {
            self.derive(touched.rule, touched.start, Some(touched.gained), None, work, &mut gained)?;
        }
        let mut rounds = Vec::new();
        let done = self.grow(stratum, gained, work, Some(&mut rounds));
        // Noted also after an error, so that it can be taken back.
        for (id, rows) in rounds.into_iter().flatten() {
            let columns = self.columns(id);
            deltas[id.index()].get_or_insert_with(|| Delta::new(columns)).added.extend(rows);
        }
        for id in &stratum.relations {
            if let Some(delta) = &mut deltas[id.index()] {
                delta.added.sort();
            }
        }
        done
    }

    /// Evaluates a recursive stratum from the start and compares.
    fn anew(&mut self, stratum: &Stratum, work: Work<'_>, deltas: &mut Deltas) -> Result<(), Diagnostic> {
        let old: Vec<_> = stratum.relations.iter().map(|id| (*id, self.tables[id.index()].clone())).collect();
        self.clear(stratum);
        let done = self.stratum(stratum, work, None);
        let mut changed = Vec::new();
        for (id, table) in old {
            let new = std::mem::replace(&mut self.tables[id.index()], table);
            if let (Ok(()), Some(old), Some(new)) = (&done, &self.tables[id.index()], new) {
                let (mut added, mut removed) = (new.all(), old.all());
                old.keep(&mut added, false);
                new.keep(&mut removed, false);
                changed.push((id, Delta { added, removed }));
            }
        }
        done?;
        // The old tables are kept and changed, as they have their indexes.
        for (id, delta) in changed {
            self.change(id, delta, work, deltas)?;
        }
        Ok(())
    }
}
