//! Any row of any relation: why it is there, or why there is none.
//!
//! What is asked is an atom, as in a rule: `too_many("n1")`, `too_many(Node)`. Each row that
//! it fits is told by one way in which it holds; if it fits none, each rule is told with what
//! it lacks. Objects that the answer names are groups of their own, and where that does not
//! come to an end all are.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value as Json;

use super::ask::{Answers, MAX_ROUNDS, Planned, alone};
use super::context::Context;
use super::leaf::key;
use super::step::Step;
use super::steps::shown;
use crate::datalog::explain::{Goal, absence, fitting, proof};
use crate::datalog::{Atom, Program, Sym, Type, Value};
use crate::diagnostic::{Diagnostic, nearest};
use crate::facts::Grouping;
use crate::kube::{Kind, ObjectKey};
use crate::policy::relations;
use crate::state::World;

/// What there is to say about an atom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Rows {
    /// The relation.
    pub relation: String,
    /// Whether there is a row that it fits.
    pub holds: bool,
    /// The rows, the first of them by their values; or the one that there is not.
    pub rows: Vec<Told>,
    /// How many more rows it fits.
    pub more: usize,
    /// What is odd about what was asked: a value that no fact has.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Objects that it names and that are not there.
    #[serde(skip)]
    pub unknown: Vec<(Kind, String)>,
}

/// A row, and why it is there or is not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Told {
    /// As one would write it.
    pub row: String,
    /// Its values; none where any value would do.
    pub values: Vec<Option<Json>>,
    /// Why, from the rules.
    pub steps: Vec<Step>,
}

/// Explains up to `most` rows that an atom fits, or why there is none; with what is `planned`, if
/// the world is one that a plan leads to.
///
/// # Errors
/// When a rule derives more than the limits allow.
pub fn rows(
    program: &Program,
    world: &World,
    atom: &Atom,
    most: usize,
    now: i64,
    planned: Option<&[Planned<'_>]>,
) -> Result<Rows, Diagnostic> {
    let mut alone = alone(program, atom);
    for round in 0.. {
        let grouping = if round < MAX_ROUNDS { Grouping::On } else { Grouping::Off };
        let mut answers = Answers::of(program, world, Some(atom), grouping, &alone, now, planned)?;
        let notes = notes(&answers, atom);
        for value in atom.terms.iter().filter_map(|term| term.constant()) {
            answers.symbols.intern(value);
        }
        let mut fit = fitting(program, &answers.symbols, &answers.evaluation, atom);
        fit.sort_by_cached_key(|row| texts(&answers, row));
        let goals: Vec<Goal> = match fit.as_slice() {
            [] => vec![absence(program, &answers.symbols, &answers.evaluation, atom)],
            some => {
                let one = |row: &Vec<Sym>| {
                    proof(program, &answers.symbols, &answers.evaluation, atom.relation, row)
                };
                some.iter().take(most).map(one).collect()
            }
        };
        if grouping == Grouping::On && alone.join(answers.members(&goals.iter().collect::<Vec<_>>())) {
            continue;
        }
        let told = Context { world, added: Vec::new() };
        return Ok(Rows {
            relation: program.declaration(atom.relation).name.to_string(),
            holds: !fit.is_empty(),
            more: fit.len().saturating_sub(goals.len()),
            rows: goals.iter().map(|goal| Told::new(goal, &told)).collect(),
            notes: if fit.is_empty() { notes } else { Vec::new() },
            unknown: unknown(program, world, atom),
        });
    }
    unreachable!("the last round returns")
}

impl Told {
    fn new(goal: &Goal, told: &Context<'_>) -> Self {
        let value = |(value, ty): (&Option<String>, &Type)| {
            let text = value.as_deref()?;
            let number = text.parse::<i64>().ok().filter(|_| ty.is_number());
            Some(number.map_or_else(|| Json::from(text), Json::from))
        };
        let values = goal.values.iter().zip(&goal.types).map(value);
        Told { row: goal.fact.clone(), values: values.collect(), steps: shown(goal, told) }
    }
}

/// The values of a row, to be sorted by.
fn texts(answers: &Answers<'_>, row: &[Sym]) -> Vec<(Option<i64>, String)> {
    let text = |sym: &Sym| match answers.symbols.value(*sym) {
        Value::Number(number) => (Some(number), String::new()),
        Value::Text(text) => (None, text.to_owned()),
    };
    row.iter().map(text).collect()
}

/// The objects that an atom names and that are not there.
fn unknown(program: &Program, world: &World, atom: &Atom) -> Vec<(Kind, String)> {
    let kinds = [Kind::Node, Kind::DaemonSet, Kind::Pod, Kind::ControllerRevision];
    let columns = program.declaration(atom.relation).columns.iter().zip(&atom.terms);
    let mut found = Vec::new();
    for (column, term) in columns {
        let Some(Value::Text(text)) = term.constant() else { continue };
        let Some(kind) = kinds.into_iter().find(|kind| relations::type_of(*kind) == &*column.ty) else {
            continue;
        };
        let named: ObjectKey = key(text);
        if !world.keys(kind).into_iter().any(|it| *it == named) {
            found.push((kind, text.to_owned()));
        }
    }
    found
}

/// What is odd about the values of an atom: that no row has one of them.
fn notes(answers: &Answers<'_>, atom: &Atom) -> Vec<String> {
    let columns = answers.program.declaration(atom.relation).columns.iter();
    let mut notes = Vec::new();
    for (column, term) in columns.zip(&atom.terms) {
        let Some(Value::Text(text)) = term.constant() else { continue };
        if answers.symbols.find_text(text).is_some() {
            continue;
        }
        let known = answers.texts_of(&column.ty);
        let near = nearest(text, known.iter().map(String::as_str));
        let near = near.map_or_else(String::new, |near| format!("; did you mean \"{near}\"?"));
        notes.push(format!("no fact has the {} \"{text}\"{near}", column.ty));
    }
    notes
}

impl Answers<'_> {
    /// The texts of a type that are in some row.
    fn texts_of(&self, ty: &str) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for declaration in self.program.declarations() {
            let columns = declaration.columns.iter().enumerate().filter(|(_, column)| *column.ty == *ty);
            for (at, _) in columns {
                let values = self.evaluation.rows(declaration.id).map(|row| row[at]);
                found.extend(values.map(|sym| self.symbols.value(sym).to_string()));
            }
        }
        found
    }
}
