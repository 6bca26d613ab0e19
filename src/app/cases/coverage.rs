//! Which rules, and which ways of them, some case fires: what no case fires is not tested.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use serde::Serialize;

use crate::app::derived::State;
use crate::datalog::{Program, Rule};
use crate::diagnostic::Place;

/// Every rule of one's own that some case has, with its ways.
#[derive(Debug, Default)]
pub struct Coverage {
    /// By file, line of the rule and number of the way: the same file may be named in many ways.
    clauses: BTreeMap<(PathBuf, u32, usize), Clause>,
}

/// One way in which a rule may hold; a rule without `;` has one.
#[derive(Debug, Clone, Serialize)]
pub struct Clause {
    /// Where it stands.
    pub place: Place,
    /// The rule as it was written.
    pub rule: String,
    /// Which way it is, and how many the rule has.
    pub way: (usize, usize),
    /// Whether a case fires it.
    pub fired: bool,
}

impl Coverage {
    /// Adds the rules of a case, as they fire in one of these states.
    pub(super) fn add(&mut self, program: &Program, states: &[State]) {
        let fires = |rule: &&Rule| states.iter().any(|it| it.evaluation.fires(rule, &it.symbols));
        for rule in program.written().filter(|rule| !rule.ways[0].builtin) {
            let clauses = program.clauses(&rule);
            let first = &rule.ways[0];
            let file = fs::canonicalize(&*first.file).unwrap_or_else(|_| PathBuf::from(&*first.file));
            for (nth, (place, ways)) in (1..).zip(&clauses) {
                let clause = self.clauses.entry((file.clone(), first.line, nth)).or_insert_with(|| Clause {
                    place: place.clone(),
                    rule: first.text.to_string(),
                    way: (nth, clauses.len()),
                    fired: false,
                });
                clause.fired |= ways.iter().any(fires);
            }
        }
    }

    /// All clauses, by place.
    pub fn clauses(&self) -> impl Iterator<Item = &Clause> {
        self.clauses.values()
    }

    /// How many rules fire in some way, and how many there are.
    #[must_use]
    pub fn rules(&self) -> (usize, usize) {
        let mut rules: BTreeMap<(&PathBuf, u32), bool> = BTreeMap::new();
        for ((file, line, _), clause) in &self.clauses {
            *rules.entry((file, *line)).or_default() |= clause.fired;
        }
        (rules.values().filter(|fired| **fired).count(), rules.len())
    }

    /// How many clauses fire, and how many there are.
    #[must_use]
    pub fn fired(&self) -> (usize, usize) {
        (self.clauses().filter(|clause| clause.fired).count(), self.clauses.len())
    }
}
