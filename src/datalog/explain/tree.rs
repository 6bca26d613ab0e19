//! One tree for both answers: a row that is there or not, and for each rule what holds
//! of it and what does not, down to the inputs.
//!
//! Unlike [`why`](super::why), which shows one reason, it also goes into what a negated part asks about, and for a row
//! that is not there it shows *every* part of a rule that fails, so that all of them can
//! be mended at once. What cannot be said, because a part that fails leaves a variable
//! without a value, is left out.

use super::super::evaluation::Evaluation;
use super::super::program::{Atom, Given, Kind, Literal, Program, RelationId, Rule};
use super::super::rows::Row;
use super::super::symbols::{Sym, Symbols};
use super::explainer::{Binding, Cell, Explainer, Pattern, Unified, known};
use super::goal::{Goal, Part, Tried};

/// So many ways in which one rule holds or fails are shown.
const WAYS: usize = 8;
/// So many further rows that stand in the way are named.
const OTHERS: usize = 3;

/// Explains a row, there or not, with every way in which it holds.
#[must_use]
pub fn tree(
    program: &Program,
    symbols: &Symbols,
    evaluation: &Evaluation,
    relation: RelationId,
    row: &[Sym],
) -> Goal {
    // What nearly holds is of interest only where something does not hold.
    let near = !evaluation.contains(relation, row);
    Explainer::new(program, symbols, evaluation).goal(relation, &known(row), near, 0)
}

/// Explains a row that is there by one way in which it holds; what it rests on is explained
/// once.
#[must_use]
pub fn proof(
    program: &Program,
    symbols: &Symbols,
    evaluation: &Evaluation,
    relation: RelationId,
    row: &[Sym],
) -> Goal {
    let mut explainer = Explainer::new(program, symbols, evaluation);
    explainer.is_brief = true;
    explainer.goal(relation, &known(row), false, 0)
}

/// Explains why there is no row that an atom fits; its variables may be any values.
#[must_use]
pub fn absence(program: &Program, symbols: &Symbols, evaluation: &Evaluation, atom: &Atom) -> Goal {
    let mut explainer = Explainer::new(program, symbols, evaluation);
    explainer.is_brief = true;
    let pattern = explainer.pattern(atom, &[]);
    explainer.goal(atom.relation, &pattern, true, 0)
}

/// The rows that an atom fits.
#[must_use]
pub fn fitting(program: &Program, symbols: &Symbols, evaluation: &Evaluation, atom: &Atom) -> Vec<Vec<Sym>> {
    let explainer = Explainer::new(program, symbols, evaluation);
    explainer.rows(atom.relation, &explainer.pattern(atom, &[])).map(|row| row.to_vec()).collect()
}

impl Explainer<'_> {
    /// A row without its reasons.
    fn bare_goal(&self, relation: RelationId, row: &Pattern) -> Goal {
        let declaration = self.program.declaration(relation);
        let value = |cell: &Cell| cell.sym().map(|sym| self.symbols.value(sym).to_string());
        let holds = self.some_row(relation, row).is_some();
        let is_it = |given: &&Given| {
            let mut values = given.values.iter().zip(row);
            given.relation == relation
                && values.all(|(term, cell)| term.constant() == cell.sym().map(|sym| self.symbols.value(sym)))
        };
        let stated = if holds { self.program.given().find(is_it) } else { None };
        Goal {
            holds,
            stated: stated.map(|given| format!("{}:{}", given.file, given.line)),
            relation: declaration.name.to_string(),
            values: row.iter().map(value).collect(),
            fact: self.fact(relation, row),
            input: declaration.kind == Kind::Input,
            builtin: declaration.builtin,
            types: declaration.columns.iter().map(|column| column.ty.clone()).collect(),
            rules: Vec::new(),
            others: Vec::new(),
            more: 0,
            cut: false,
            note: None,
        }
    }

    pub(super) fn goal(&mut self, relation: RelationId, row: &Pattern, near: bool, depth: usize) -> Goal {
        let program = self.program.clone();
        let found = self.some_row(relation, row);
        let row = found.map_or_else(|| row.to_vec(), |found| known(&found));
        let mut goal = self.bare_goal(relation, &row);
        let entry = (relation, row.clone());
        if goal.input {
            return goal;
        }
        if !self.evaluation.has(relation) {
            goal.note = Some("not evaluated".to_owned());
        } else if self.path.contains(&entry) {
            goal.note = Some("it would need itself".to_owned());
        } else if self.is_brief && !self.shown.insert(entry.clone()) {
            goal.note = Some("told above".to_owned());
        } else if self.is_full(depth) {
            goal.note = Some("not explained further, as there is too much of it".to_owned());
        } else {
            let syms: Option<Vec<Sym>> = row.iter().map(|cell| cell.sym()).collect();
            let round = syms.filter(|_| goal.holds).and_then(|row| self.round(relation, &row));
            self.path.push(entry);
            for rule in program.rules_for(relation) {
                if let Some(unified) = self.unify(rule, &row) {
                    self.tried(rule, &unified, near, round, &mut goal, depth);
                }
                if goal.holds && self.is_brief && !goal.rules.is_empty() {
                    break;
                }
            }
            self.path.pop();
        }
        goal
    }

    /// The ways through a rule: those that hold, or, for a row that is not there, those
    /// that get furthest.
    fn tried(
        &mut self,
        rule: &Rule,
        unified: &Unified,
        near: bool,
        round: Option<(usize, usize)>,
        goal: &mut Goal,
        depth: usize,
    ) {
        let holds = goal.holds;
        let Unified { body, binding, .. } = unified;
        let held: Vec<Literal> = if holds { body.clone() } else { self.held(body, binding) };
        let most = if holds && self.is_brief { 1 } else { WAYS + 1 };
        // A row of a recursive relation is not explained by itself.
        let mut accept = |way: &Binding| !holds || self.is_early(body, way, round);
        let mut ways = self.ways(&held, binding, most, &mut accept);
        if held.is_empty() {
            ways = vec![binding.to_vec()];
        }
        goal.cut |= ways.len() > WAYS;
        ways.truncate(WAYS);
        let ways = ways.into_iter().map(|way| self.completed(body, way)).collect::<Vec<_>>();
        for way in ways {
            let way = unified.spread(&way);
            if !holds && self.is_other_way(&rule.body, &way) {
                continue;
            }
            let mut parts = Vec::new();
            for at in 0..body.len() {
                if !holds && self.leans_on_missing(&body[at], body, &held) {
                    continue;
                }
                parts.extend(if holds {
                    self.holding_part(rule, (body, at), &way, near, round, depth)
                } else {
                    self.part(rule, (body, at), held.contains(&body[at]), &way, near, depth)
                });
            }
            goal.rules.push(Tried {
                sentence: self.sentence(rule, &way),
                template: rule.sentence.clone(),
                bound: self.bound(rule, &way),
                rule: self.rule_ref(rule),
                builtin: rule.builtin,
                is_fact: rule.body.is_empty(),
                parts,
            });
        }
    }

    /// A part of a rule that holds.
    fn holding_part(
        &mut self,
        rule: &Rule,
        (body, at): (&[Literal], usize),
        way: &Binding,
        near: bool,
        round: Option<(usize, usize)>,
        depth: usize,
    ) -> Option<Part> {
        match &body[at] {
            literal @ (Literal::Positive(atom) | Literal::Negative(atom)) if self.is_total(atom) => {
                self.total_deep(literal, body, way, near, depth).map(Part::Aggregate)
            }
            Literal::Positive(atom) => {
                let row = self.early_row(atom, way, round)?;
                Some(Part::Row(self.goal(atom.relation, &known(&row), near, depth + 1)))
            }
            // Why there is no such row is told of a rule of a user's own.
            Literal::Negative(atom) => {
                Some(Part::Not(self.goal_of(rule, atom, way, near || !rule.builtin, depth)))
            }
            Literal::Comparison(comparison) if self.is_of_total(comparison, body) => None,
            Literal::Comparison(_) => self.compared(rule, body, at, way).map(Part::Comparison),
        }
    }

    /// A part of a rule that does not hold.
    fn part(
        &mut self,
        rule: &Rule,
        (body, at): (&[Literal], usize),
        is_held: bool,
        way: &Binding,
        near: bool,
        depth: usize,
    ) -> Option<Part> {
        let is_known = |atom: &Atom| atom.variables().all(|variable| way[variable.0].is_some());
        match &body[at] {
            literal @ (Literal::Positive(atom) | Literal::Negative(atom)) if self.is_total(atom) => {
                self.total_deep(literal, body, way, near, depth).map(Part::Aggregate)
            }
            // What holds, or does not, as it should is not why a rule fails.
            Literal::Positive(atom) if is_held || !near => Some(Part::Row(self.shallow(rule, atom, way))),
            Literal::Positive(atom) => Some(Part::Row(self.goal_of(rule, atom, way, near, depth))),
            Literal::Negative(atom) if !is_known(atom) => None,
            Literal::Negative(atom) => {
                let goal = self.shallow(rule, atom, way);
                Some(Part::Not(if goal.holds { self.in_the_way(rule, atom, way, near, depth) } else { goal }))
            }
            Literal::Comparison(comparison) if self.is_of_total(comparison, body) => None,
            Literal::Comparison(_) => self.compared(rule, body, at, way).map(Part::Comparison),
        }
    }

    /// A row that must not be there, with all that it rests on, and others like it.
    fn in_the_way(&mut self, rule: &Rule, atom: &Atom, way: &Binding, near: bool, depth: usize) -> Goal {
        let is_brief = std::mem::replace(&mut self.is_brief, false);
        let mut goal = self.goal_of(rule, atom, way, near, depth);
        self.is_brief = is_brief;
        let pattern = self.pattern(atom, way);
        let mut rows = self.rows(atom.relation, &pattern).skip(1);
        goal.others = rows.by_ref().take(OTHERS).map(|row| self.fact(atom.relation, &known(&row))).collect();
        goal.more = rows.count();
        goal
    }

    fn goal_of(&mut self, rule: &Rule, atom: &Atom, way: &Binding, near: bool, depth: usize) -> Goal {
        let mut goal = self.goal(atom.relation, &self.pattern(atom, way), near, depth + 1);
        if !goal.holds {
            goal.fact = self.atom(rule, atom, way);
        }
        goal
    }

    /// The row of an atom without its reasons.
    fn shallow(&self, rule: &Rule, atom: &Atom, way: &Binding) -> Goal {
        let pattern = self.pattern(atom, way);
        match self.some_row(atom.relation, &pattern) {
            Some(row) => self.bare_goal(atom.relation, &known(&row)),
            None => Goal { fact: self.atom(rule, atom, way), ..self.bare_goal(atom.relation, &pattern) },
        }
    }

    /// The values of a rule's variables, as far as they are known.
    fn bound(&self, rule: &Rule, way: &Binding) -> Vec<(std::sync::Arc<str>, String)> {
        let value = |sym: &Option<Sym>| sym.map(|sym| self.symbols.value(sym).to_string());
        let named = rule.variables.iter().zip(way);
        named.filter_map(|(name, sym)| Some((name.clone(), value(sym)?))).collect()
    }

    /// The positive parts of a body that hold together: as many as can be had. What is
    /// given comes before what is derived: a node is as it is, so that a rule fails by
    /// what it asks of the node, and not because the node is not another one.
    fn held(&self, body: &[Literal], binding: &Binding) -> Vec<Literal> {
        let mut held: Vec<Literal> = Vec::new();
        let mut waiting: Vec<&Literal> = body.iter().filter(|literal| literal.positive().is_some()).collect();
        let is_derived = |atom: &Atom| self.program.declaration(atom.relation).kind != Kind::Input;
        waiting.sort_by_key(|literal| literal.atom().is_none_or(is_derived));
        loop {
            let holds = |literal: &&Literal| {
                let mut together = held.clone();
                together.push((*literal).clone());
                !self.ways(&together, binding, 1, &mut |_| true).is_empty()
            };
            let Some(at) = waiting.iter().position(holds) else { return held };
            held.push(waiting.remove(at).clone());
        }
    }

    /// A row that is there and fits, as it is or with any value where none is known.
    fn some_row(&self, relation: RelationId, row: &Pattern) -> Option<Vec<Sym>> {
        self.rows(relation, row).next().map(|row| row.to_vec())
    }

    /// The rows that fit.
    fn rows(&self, relation: RelationId, row: &Pattern) -> impl Iterator<Item = Row> + use<'_> {
        let known = row.iter().map_while(|cell| cell.sym()).collect::<Vec<Sym>>();
        let row = row.to_vec();
        let fits = move |found: &Row| {
            found.iter().zip(&row).all(|(value, cell)| match cell {
                Cell::Known(sym) => sym == value,
                Cell::LikeColumn(at) => found[*at] == *value,
            })
        };
        self.evaluation.rows_with_prefix(relation, &known).filter(fits)
    }
}
