//! What was missing for a row that is not there.
//!
//! For each rule that could have derived it: the parts of its body are taken one by one,
//! what the row says most about first (so a row is asked for by its known values, and a
//! negated atom or a comparison when its variables are known), as long as there is some
//! way in which all of them hold together. The first part for which there is none is the
//! reason; it is explained in turn.

use std::sync::Arc;

use super::super::define::definitions;
use super::super::planner::order;
use super::super::program::{Kind, Literal, RelationId, Rule, Variable};
use super::super::symbols::Sym;
use super::super::table::Table;
use super::{Attempt, Explainer, Failure, MAX_WAYS, Pattern, Subgoal, WhyNot};

impl Explainer<'_> {
    pub(super) fn why_not(&mut self, relation: RelationId, row: &Pattern, depth: usize) -> WhyNot {
        let program = self.program.clone();
        let declaration = program.declaration(relation);
        let mut answer = WhyNot {
            relation: declaration.name.to_string(),
            fact: self.fact(relation, row),
            attempts: Vec::new(),
            note: None,
        };
        let known: Option<Vec<Sym>> = row.iter().copied().collect();
        let entry = (relation, row.to_vec());
        answer.note = if !self.evaluation.has(relation) {
            Some("the relation was not evaluated".to_owned())
        } else if known.is_some_and(|row| self.evaluation.contains(relation, &row)) {
            Some("it is there".to_owned())
        } else if declaration.kind == Kind::Input {
            Some("not among the input".to_owned())
        } else if self.path.contains(&entry) {
            Some("it would need itself".to_owned())
        } else if self.missed.contains(&entry) {
            Some("explained above".to_owned())
        } else if self.is_full(depth) {
            Some("not explained further, as there is too much of it".to_owned())
        } else {
            None
        };
        if answer.note.is_some() {
            return answer;
        }
        self.missed.insert(entry.clone());
        self.path.push(entry);
        for rule in program.rules_for(relation) {
            if let Some(binding) = self.unify(rule, row) {
                let more = self.attempts(rule, &binding, depth, &mut answer.attempts);
                if more {
                    answer.note =
                        Some(format!("more than {MAX_WAYS} ways through one rule; not all are shown"));
                }
            }
        }
        self.path.pop();
        if answer.attempts.is_empty() && answer.note.is_none() {
            answer.note = Some("no rule derives such a row".to_owned());
        }
        answer
    }

    /// The ways in which a rule fails; whether there are more than are shown.
    fn attempts(
        &mut self,
        rule: &Rule,
        binding: &Pattern,
        depth: usize,
        attempts: &mut Vec<Attempt>,
    ) -> bool {
        let body = in_order(&rule.body, binding, &self.evaluation.tables);
        let mut ways = vec![binding.to_vec()];
        for at in 0..body.len() {
            let next = self.ways(&body[..=at], binding, MAX_WAYS + 1, &mut |_| true);
            if !next.is_empty() {
                ways = next;
                continue;
            }
            for way in ways.iter().take(MAX_WAYS) {
                let fails = match &body[at] {
                    Literal::Positive(atom) => {
                        Failure::Missing(self.why_not(atom.relation, &self.pattern(atom, way), depth + 1))
                    }
                    Literal::Negative(atom) => match self.row_of(atom, way, &mut |_| true) {
                        Some(row) => Failure::Blocked(self.why(atom.relation, &row, depth + 1)),
                        None => continue,
                    },
                    Literal::Comparison(comparison) => Failure::Comparison(self.comparison(comparison, way)),
                };
                attempts.push(Attempt {
                    sentence: self.sentence(rule, way),
                    rule: self.rule_ref(rule),
                    holds: body[..at].iter().filter_map(|literal| self.holds(literal, way)).collect(),
                    fails,
                });
            }
            return ways.len() > MAX_WAYS;
        }
        false
    }

    fn holds(&self, literal: &Literal, way: &Pattern) -> Option<Subgoal> {
        Some(match literal {
            Literal::Positive(atom) => {
                let row = self.row_of(atom, way, &mut |_| true)?;
                Subgoal::Row(self.bare(atom.relation, &row))
            }
            Literal::Negative(atom) => Subgoal::Absent(self.atom(atom, way)),
            Literal::Comparison(comparison) => Subgoal::Comparison(self.comparison(comparison, way)),
        })
    }
}

/// A body in the order in which it is looked at: what is known narrows down what is not,
/// and a test stands right behind what binds its variables.
fn in_order(body: &[Literal], binding: &Pattern, tables: &[Option<Arc<Table>>]) -> Vec<Literal> {
    let mut bound: Vec<bool> = binding.iter().map(Option::is_some).collect();
    let joins = order(body, |variable| bound[variable.0], tables);
    let definitions = definitions(body);
    let is_test = |at: &usize| !matches!(body[*at], Literal::Positive(_));
    let mut tests: Vec<usize> = (0..body.len()).filter(is_test).collect();
    let mut joins = joins;
    let mut found = Vec::new();
    loop {
        let before = found.len();
        for waiting in [&mut joins, &mut tests] {
            waiting.retain(|at| {
                let defines = definitions.iter().find(|(definition, _)| definition == at);
                let given = |variable: Variable| {
                    bound[variable.0] || defines.is_some_and(|(_, defined)| *defined == variable)
                };
                let ready = variables(&body[*at]).all(given);
                if ready {
                    defines.into_iter().for_each(|(_, variable)| bound[variable.0] = true);
                    found.push(body[*at].clone());
                }
                !ready
            });
        }
        if found.len() > before {
            continue;
        }
        if joins.is_empty() {
            return found;
        }
        let next = &body[joins.remove(0)];
        variables(next).for_each(|variable| bound[variable.0] = true);
        found.push(next.clone());
    }
}

fn variables(literal: &Literal) -> Box<dyn Iterator<Item = Variable> + '_> {
    match literal {
        Literal::Positive(atom) | Literal::Negative(atom) => Box::new(atom.variables()),
        Literal::Comparison(comparison) => Box::new(comparison.variables()),
    }
}
