//! The derivation of a row that is there.
//!
//! A row of a recursive relation could be explained by itself in a circle. So its
//! stratum is evaluated once more on the side, round by round, and a row is explained
//! by rows of earlier rounds only.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::super::budget::Budget;
use super::super::evaluation::{Evaluation, Work};
use super::super::program::{Atom, Kind, Literal, Program, RelationId, Rule, Term, Variable};
use super::super::rows::RowSet;
use super::super::symbols::{Sym, Symbols};
use super::explainer::{Binding, Cell, Explainer, MAX_DEPTH, RuleRef, known};
use super::goal::Total;

/// A row that is there, and how it got there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Derivation {
    /// The relation.
    pub relation: String,
    /// The values of the row.
    pub values: Vec<String>,
    /// The row as one would write it: `label("n1", "zone", "a")`.
    pub fact: String,
    /// The sentence over the rule, its variables filled in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sentence: Option<String>,
    /// The rule; none for an input.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<RuleRef>,
    /// What the rule needed, in the order of its body.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub because: Vec<Subgoal>,
    /// What was left out here, if something was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// A part of a rule's body that holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Subgoal {
    /// There is such a row.
    Row(Derivation),
    /// There is no such row; `_` stands for any value.
    Absent(String),
    /// A comparison, its values filled in.
    Comparison(String),
    /// An aggregate has such a value.
    Aggregate(Total),
}

/// Explains a row; `None` if it is not there.
#[must_use]
pub fn why(
    program: &Program,
    symbols: &Symbols,
    evaluation: &Evaluation,
    relation: RelationId,
    row: &[Sym],
) -> Option<Derivation> {
    let mut explainer = Explainer::new(program, symbols, evaluation);
    evaluation.contains(relation, row).then(|| explainer.why(relation, row, 0))
}

/// The sentence of the rule that derived a row, and that rule, without what it rests on;
/// `None` if the row is not there or nothing derives it.
#[must_use]
pub fn said(
    program: &Program,
    symbols: &Symbols,
    evaluation: &Evaluation,
    relation: RelationId,
    row: &[Sym],
) -> Option<(String, RuleRef)> {
    let mut explainer = Explainer::new(program, symbols, evaluation);
    // As if it were as deep as one goes: the rows below it are named and not explained.
    let derivation = evaluation.contains(relation, row).then(|| explainer.why(relation, row, MAX_DEPTH))?;
    let rule = derivation.rule?;
    Some((derivation.sentence.unwrap_or(derivation.fact), rule))
}

/// What [`said`] says of each row of a relation, with one look at each rule instead of one
/// at each row. Nothing where rows rest on others of the relation, or it is too much.
#[must_use]
pub fn said_of_all(
    program: &Program,
    symbols: &Symbols,
    evaluation: &Evaluation,
    relation: RelationId,
) -> Option<BTreeMap<Vec<Sym>, (String, RuleRef)>> {
    let explainer = Explainer::new(program, symbols, evaluation);
    let is_recursive = program.body.strata.iter().any(|it| it.recursive && it.has(relation));
    if is_recursive || program.rules_for(relation).any(|rule| rule.fold.is_some()) {
        return None;
    }
    let mut all = BTreeMap::new();
    for rule in program.rules_for(relation) {
        let reference = explainer.rule_ref(rule);
        let constant = |term: &Term| term.constant().and_then(|value| symbols.find(value));
        // The first rule is the one that speaks, as it is for one row.
        explainer.each_way(&rule.body, rule.variables.len(), &mut |way| {
            let cell = |term: &Term| match term {
                Term::Variable(variable) => way[variable.0],
                term => constant(term),
            };
            if let Some(row) = rule.head.terms.iter().map(cell).collect::<Option<Vec<Sym>>>() {
                all.entry(row).or_insert_with_key(|row| {
                    let sentence = explainer.sentence(rule, way);
                    let fact = || explainer.fact(relation, &known(row));
                    (sentence.unwrap_or_else(fact), reference.clone())
                });
            }
        })?;
    }
    Some(all)
}

impl Derivation {
    fn tree(&self, f: &mut fmt::Formatter<'_>, depth: usize) -> fmt::Result {
        f.write_str(&self.fact)?;
        if let Some(sentence) = &self.sentence {
            write!(f, ": {sentence}")?;
        }
        if let Some(rule) = &self.rule {
            write!(f, " [{}:{}]", rule.file, rule.line)?;
        }
        if let Some(note) = &self.note {
            write!(f, " ({note})")?;
        }
        f.write_str("\n")?;
        self.because.iter().try_for_each(|subgoal| subgoal.tree(f, depth + 1))
    }
}

impl Subgoal {
    fn tree(&self, f: &mut fmt::Formatter<'_>, depth: usize) -> fmt::Result {
        (0..depth).try_for_each(|_| f.write_str("  "))?;
        match self {
            Subgoal::Row(derivation) => derivation.tree(f, depth),
            Subgoal::Absent(fact) => writeln!(f, "not {fact}"),
            Subgoal::Comparison(text) => writeln!(f, "{text}"),
            Subgoal::Aggregate(total) => {
                writeln!(f, "{total}")?;
                let indent = "  ".repeat(depth + 1);
                total.first.iter().try_for_each(|way| writeln!(f, "{indent}{}", way.text))
            }
        }
    }
}

impl fmt::Display for Derivation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.tree(f, 0)
    }
}

impl Explainer<'_> {
    /// A row without its reasons.
    fn bare(&self, relation: RelationId, row: &[Sym]) -> Derivation {
        Derivation {
            relation: self.program.declaration(relation).name.to_string(),
            values: row.iter().map(|sym| self.symbols.value(*sym).to_string()).collect(),
            fact: self.fact(relation, &known(row)),
            sentence: None,
            rule: None,
            because: Vec::new(),
            note: None,
        }
    }

    fn why(&mut self, relation: RelationId, row: &[Sym], depth: usize) -> Derivation {
        let mut derivation = self.bare(relation, row);
        if self.program.declaration(relation).kind == Kind::Input {
            derivation.note = Some("input".to_owned());
            return derivation;
        }
        if !self.shown.insert((relation, known(row))) {
            derivation.note = Some("explained above".to_owned());
            return derivation;
        }
        if self.is_full(depth) {
            derivation.note = Some("not explained further, as there is too much of it".to_owned());
            return derivation;
        }
        let program = self.program.clone();
        let round = self.round(relation, row);
        for rule in program.rules_for(relation) {
            let Some(unified) = self.unify(rule, &known(row)) else { continue };
            let mut early = |way: &Binding| self.is_early(&rule.body, way, round);
            let Some(way) = self.ways(&rule.body, &unified.binding, 1, &mut early).pop() else { continue };
            derivation.sentence = self.sentence(rule, &way);
            derivation.rule = Some(self.rule_ref(rule));
            derivation.because = self.subgoals(rule, &way, round, depth);
            return derivation;
        }
        derivation.note = Some("no rule was found for it".to_owned());
        derivation
    }

    fn subgoals(
        &mut self,
        rule: &Rule,
        way: &Binding,
        round: Option<(usize, usize)>,
        depth: usize,
    ) -> Vec<Subgoal> {
        let mut subgoals = Vec::new();
        for literal in &rule.body {
            if let Some(total) = self.total(literal, &rule.body, way) {
                subgoals.push(Subgoal::Aggregate(total));
                continue;
            }
            subgoals.push(match literal {
                Literal::Comparison(comparison) if self.is_of_total(comparison, &rule.body) => continue,
                Literal::Positive(atom) => match self.early_row(atom, way, round) {
                    Some(row) => Subgoal::Row(self.why(atom.relation, &row, depth + 1)),
                    None => continue,
                },
                Literal::Negative(atom) => Subgoal::Absent(self.atom(rule, atom, way)),
                Literal::Comparison(comparison) => Subgoal::Comparison(self.comparison(comparison, way)),
            });
        }
        subgoals
    }

    /// Whether all rows a rule needs of its own stratum are of earlier rounds.
    pub(super) fn is_early(&self, body: &[Literal], way: &Binding, round: Option<(usize, usize)>) -> bool {
        let Some((stratum, _)) = round else { return true };
        // What is of a lower stratum holds already, if only with a value that no row can hold.
        let of_stratum = |atom: &&Atom| self.program.body.strata[stratum].has(atom.relation);
        let mut atoms = body.iter().filter_map(Literal::positive).filter(of_stratum);
        atoms.all(|atom| self.early_row(atom, way, round).is_some())
    }

    /// A row for an atom; of the stratum in question only one of an earlier round.
    pub(super) fn early_row(
        &self,
        atom: &Atom,
        way: &Binding,
        round: Option<(usize, usize)>,
    ) -> Option<Vec<Sym>> {
        let mut atom = atom.clone();
        // Each column that is still open becomes a variable of its own number.
        for (at, term) in atom.terms.iter_mut().enumerate() {
            *term = self.filled_term(term, way);
            if term.constant().is_none() {
                *term = Term::Variable(Variable(at));
            }
        }
        let row =
            |way: &Binding| self.pattern(&atom, way).into_iter().map(Cell::sym).collect::<Option<Vec<Sym>>>();
        let is_early = |row: Vec<Sym>| match round {
            Some((stratum, round)) if self.program.body.strata[stratum].has(atom.relation) => {
                self.round_in(stratum, atom.relation, &row) < round
            }
            _ => true,
        };
        let open = vec![None; atom.terms.len()];
        let literal = [Literal::Positive(atom.clone())];
        let ways = self.ways(&literal, &open, 1, &mut |way| row(way).is_some_and(is_early));
        ways.first().and_then(|way| row(way))
    }

    /// For a row of a recursive stratum, the stratum and the round it was derived in.
    pub(super) fn round(&mut self, relation: RelationId, row: &[Sym]) -> Option<(usize, usize)> {
        let strata = &self.program.body.strata;
        let at = strata.iter().position(|stratum| stratum.recursive && stratum.has(relation))?;
        if !self.rounds.contains_key(&at) {
            let mut scratch = self.evaluation.clone();
            scratch.clear(&strata[at]);
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
