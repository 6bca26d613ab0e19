//! The rows of relations in the world of a case, each with its reason.

use std::collections::BTreeSet;

use super::cell::Cell;
use crate::app::derived::State;
use crate::datalog::explain::{Goal, Part, tree, why};
use crate::datalog::{Program, RelationId, Row};

/// So many reasons why a row is not there are told.
const REASONS: usize = 3;

/// What follows from a world.
pub(super) struct Derived<'a> {
    program: &'a Program,
    state: State,
}

impl<'a> Derived<'a> {
    /// What was derived by a program.
    pub fn new(program: &'a Program, state: State) -> Self {
        Derived { program, state }
    }

    /// The rows of a relation, by their values.
    pub fn rows(&self, relation: RelationId) -> BTreeSet<Vec<Cell>> {
        let cells = |row: Row| row.iter().map(|sym| Cell::of(self.state.symbols.value(*sym))).collect();
        self.state.evaluation.rows(relation).map(cells).collect()
    }

    /// Why a row is there: the sentence of its rule, and the rule's place.
    pub fn why(&mut self, relation: RelationId, row: &[Cell]) -> Vec<String> {
        let row = self.row(row);
        let told = why(self.program, &self.state.symbols, &self.state.evaluation, relation, &row);
        let Some((rule, sentence)) = told.and_then(|it| Some((it.rule?, it.sentence))) else {
            return Vec::new();
        };
        let sentence = sentence.unwrap_or_else(|| "by the rule".to_owned());
        vec![format!("{} [{}:{}]", sentence.trim_end_matches('.'), rule.file, rule.line)]
    }

    /// Why a row is not there: what fails of the rule that is nearest to it.
    pub fn why_not(&mut self, relation: RelationId, row: &[Cell]) -> Vec<String> {
        let row = self.row(row);
        let goal = tree(self.program, &self.state.symbols, &self.state.evaluation, relation, &row);
        let failing = |parts: &[Part]| parts.iter().filter(|part| !part.holds()).count();
        match goal.rules.iter().min_by_key(|tried| failing(&tried.parts)) {
            Some(tried) => {
                let at = format!("{}:{}", tried.rule.file, tried.rule.line);
                let parts = tried.parts.iter().filter(|part| !part.holds()).take(REASONS);
                parts.map(|part| format!("{} [{at}]", reason(part))).collect()
            }
            None if goal.input => vec!["no manifest and no fact says so".to_owned()],
            None => vec!["no rule could derive it".to_owned()],
        }
    }

    fn row(&mut self, cells: &[Cell]) -> Vec<u32> {
        cells.iter().map(|cell| self.state.symbols.intern(cell.value())).collect()
    }
}

/// What fails of a rule, in words.
fn reason(part: &Part) -> String {
    let fact = |goal: &Goal| goal.fact.clone();
    match part {
        Part::Row(goal) => format!("{} is not there", fact(goal)),
        Part::Not(goal) => format!("{} is there", fact(goal)),
        Part::Comparison(it) => format!("`{}` does not hold", it.text),
        Part::Aggregate(total) => format!("it is {total}"),
    }
}
