//! One tree for both answers: a row that is there or not, and for each rule what holds
//! of it and what does not, down to the inputs.
//!
//! Unlike [`why`](super::why), which shows one reason, it also goes into what a negated part asks about, and for a row
//! that is not there it shows *every* part of a rule that fails, so that all of them can
//! be mended at once.

use std::sync::Arc;

use serde::Serialize;

use super::super::evaluation::Evaluation;
use super::super::program::{Atom, Given, Kind, Literal, Program, RelationId, Rule, Term};
use super::super::rows::Row;
use super::super::symbols::{Sym, Symbols};
use super::explainer::{Binding, Cell, Explainer, Pattern, RuleRef, Unified, known};
use super::total::Total;

/// So many ways in which one rule holds or fails are shown.
const WAYS: usize = 8;

/// A row, there or not, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Goal {
    /// Whether there is such a row.
    pub holds: bool,
    /// The relation.
    pub relation: String,
    /// The values of the row; none where any value would do.
    pub values: Vec<Option<String>>,
    /// The row as one would write it, with `_` for any value.
    pub fact: String,
    /// Whether it is a row of an input.
    pub input: bool,
    /// Whether the relation is a part of the tool.
    pub builtin: bool,
    /// The types of its columns.
    #[serde(skip)]
    pub types: Vec<Arc<str>>,
    /// Where it was stated, if it came with the program: `facts/rack.csv:3`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stated: Option<String>,
    /// If it holds, the ways in which it was derived; else the ways in which it was not.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<Tried>,
    /// What there is to say beside the rules.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// One way through one rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tried {
    /// The sentence over the rule, filled in as far as values are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sentence: Option<String>,
    /// The sentence as it was written, with `{Variable}` where a value stands.
    #[serde(skip)]
    pub template: Arc<str>,
    /// The values of the rule's variables that are known.
    #[serde(skip)]
    pub bound: Vec<(Arc<str>, String)>,
    /// The rule.
    pub rule: RuleRef,
    /// Whether the rule is a part of the tool.
    pub builtin: bool,
    /// The parts of its body, in order.
    pub parts: Vec<Part>,
}

/// A part of a rule's body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// There must be such a row.
    Row(Goal),
    /// There must be no such row.
    Not(Goal),
    /// A comparison with its values filled in, and whether it holds.
    Comparison(String, bool),
    /// An aggregate with its value, which may not be the one that is needed.
    Aggregate(Total),
}

impl Part {
    /// Whether the part holds, so that the rule may.
    #[must_use]
    pub fn holds(&self) -> bool {
        match self {
            Part::Row(goal) => goal.holds,
            Part::Not(goal) => !goal.holds,
            Part::Comparison(_, holds) => *holds,
            Part::Aggregate(total) => total.holds,
        }
    }
}

/// Explains a row, there or not.
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
            note: None,
        }
    }

    fn goal(&mut self, relation: RelationId, row: &Pattern, near: bool, depth: usize) -> Goal {
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
        } else if self.is_full(depth) {
            goal.note = Some("not explained further, as there is too much of it".to_owned());
        } else {
            self.path.push(entry);
            for rule in program.rules_for(relation) {
                if let Some(unified) = self.unify(rule, &row) {
                    self.tried(rule, &unified, near, &mut goal, depth);
                }
            }
            self.path.pop();
        }
        goal
    }

    /// The ways through a rule: those that hold, or, for a row that is not there, those
    /// that get furthest.
    fn tried(&mut self, rule: &Rule, unified: &Unified, near: bool, goal: &mut Goal, depth: usize) {
        let holds = goal.holds;
        let Unified { body, binding, .. } = unified;
        let held: Vec<Literal> = if holds { body.clone() } else { self.held(body, binding) };
        let path = self.path.clone();
        // A row of a recursive relation is not explained by itself.
        let mut accept = |way: &Binding| {
            let mut atoms = body.iter().filter_map(Literal::positive);
            !holds || atoms.all(|atom| !path.contains(&(atom.relation, self.pattern(atom, way))))
        };
        let mut ways = self.ways(&held, binding, WAYS, &mut accept);
        if held.is_empty() {
            ways = vec![binding.to_vec()];
        }
        let ways = ways.into_iter().map(|way| self.completed(body, way)).collect::<Vec<_>>();
        for way in ways {
            let way = unified.spread(&way);
            if !holds && self.is_other_way(&rule.body, &way) {
                continue;
            }
            let is_told = |literal: &&Literal| match literal {
                Literal::Comparison(comparison) => !self.is_of_total(comparison, body),
                _ => true,
            };
            let told: Vec<&Literal> = body.iter().filter(is_told).collect();
            let parts = told
                .into_iter()
                .map(|literal| match literal {
                    Literal::Positive(atom) | Literal::Negative(atom) if self.is_total(atom) => {
                        self.part(rule, literal, &way, near, depth)
                    }
                    // What holds, or does not, as it should is not why a rule fails.
                    Literal::Positive(atom) if !holds && (held.contains(literal) || !near) => {
                        Part::Row(self.shallow(rule, atom, &way))
                    }
                    Literal::Negative(atom) if !holds => {
                        let goal = self.shallow(rule, atom, &way);
                        Part::Not(if goal.holds { self.goal_of(rule, atom, &way, near, depth) } else { goal })
                    }
                    // Why there is no such row is told of a rule of a user's own.
                    _ => self.part(rule, literal, &way, near || !rule.builtin, depth),
                })
                .collect();
            goal.rules.push(Tried {
                sentence: self.sentence(rule, &way),
                template: rule.sentence.clone(),
                bound: self.bound(rule, &way),
                rule: self.rule_ref(rule),
                builtin: rule.builtin,
                parts,
            });
        }
    }

    fn part(&mut self, rule: &Rule, literal: &Literal, way: &Binding, near: bool, depth: usize) -> Part {
        if let Some(total) = self.total(literal, &rule.body, way) {
            return Part::Aggregate(total);
        }
        match literal {
            Literal::Positive(atom) => Part::Row(self.goal_of(rule, atom, way, near, depth)),
            Literal::Negative(atom) => Part::Not(self.goal_of(rule, atom, way, near, depth)),
            Literal::Comparison(comparison) => {
                let known = comparison.variables().all(|variable| way[variable.0].is_some());
                let holds =
                    known && !self.ways(std::slice::from_ref(literal), way, 1, &mut |_| true).is_empty();
                Part::Comparison(self.comparison(comparison, way), holds)
            }
        }
    }

    fn goal_of(&mut self, rule: &Rule, atom: &Atom, way: &Binding, near: bool, depth: usize) -> Goal {
        let shallow = self.shallow(rule, atom, way);
        if shallow.input || self.unseen(atom) {
            return shallow;
        }
        let mut goal = self.goal(atom.relation, &self.pattern(atom, way), near, depth + 1);
        if !goal.holds {
            goal.fact = shallow.fact;
        }
        goal
    }

    /// The row of an atom without its reasons.
    fn shallow(&self, rule: &Rule, atom: &Atom, way: &Binding) -> Goal {
        let pattern = self.pattern(atom, way);
        let found = if self.unseen(atom) { None } else { self.some_row(atom.relation, &pattern) };
        match found {
            Some(row) => self.bare_goal(atom.relation, &known(&row)),
            // A constant that no row has is shown all the same.
            None => {
                let mut goal = self.bare_goal(atom.relation, &pattern);
                for (value, term) in goal.values.iter_mut().zip(&atom.terms) {
                    *value = term.constant().map(|it| it.to_string()).or(value.take());
                }
                Goal { holds: false, fact: self.atom(rule, atom, way), ..goal }
            }
        }
    }

    /// Whether an atom has a constant that no row of any relation has.
    fn unseen(&self, atom: &Atom) -> bool {
        let mut constants = atom.terms.iter().filter_map(Term::constant);
        constants.any(|value| self.symbols.find(value).is_none())
    }

    /// The values of a rule's variables, as far as they are known.
    fn bound(&self, rule: &Rule, way: &Binding) -> Vec<(Arc<str>, String)> {
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
        let known = row.iter().map_while(|cell| cell.sym()).collect::<Vec<Sym>>();
        let fits = |found: &Row| {
            found.iter().zip(row).all(|(value, cell)| match cell {
                Cell::Known(sym) => sym == value,
                Cell::LikeColumn(at) => found[*at] == *value,
            })
        };
        self.evaluation.rows_with_prefix(relation, &known).find(fits).map(|row| row.to_vec())
    }
}
