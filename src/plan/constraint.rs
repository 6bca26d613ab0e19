//! Constraints: what a user's rules say must not be (`violation`) or should not be (`warning`).
//!
//! They are asked once, about the world as a plan leaves it and about what the plan does
//! to pods (`planned`). What is said is the sentence of the rule that fired. Nothing is
//! decided here: whether a violation ends a command is up to the caller.

use std::collections::BTreeSet;

use crate::datalog::explain::{Derivation, RuleRef, Subgoal, why};
use crate::datalog::{Constraint, Declaration, Evaluation, Kind, Limits, Literal, Program, RelationId};
use crate::diagnostic::{Diagnostic, Severity};
use crate::facts::{Encoder, Grouping};
use crate::kube::ObjectKey;
use crate::plan::{Plan, Verb};
use crate::state::World;

/// So many rows of one relation are told one by one.
const MOST: usize = 20;

/// What constraints say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    /// Errors for violations, warnings for the rest; of each relation the first few.
    pub told: Vec<Diagnostic>,
    /// How many violations there are, told or not.
    pub violations: usize,
}

/// The constraints that may have rows at all.
#[must_use]
pub fn active(program: &Program) -> Vec<RelationId> {
    let possible = possible(program);
    let constraints =
        program.declarations().filter(|it| it.constraint.is_some() && possible.contains(&it.id));
    constraints.map(|it| it.id).collect()
}

/// The relations that are not empty for want of rules: an open relation that nobody adds
/// to is, and so is what needs it.
fn possible(program: &Program) -> BTreeSet<RelationId> {
    let inputs = program.declarations().filter(|it| it.kind == Kind::Input);
    let mut possible: BTreeSet<RelationId> = inputs.map(|it| it.id).collect();
    loop {
        let before = possible.len();
        for rule in program.rules() {
            let fires = rule.body.iter().all(|literal| match literal {
                Literal::Positive(atom) => possible.contains(&atom.relation),
                _ => true,
            });
            if fires {
                possible.insert(rule.head.relation);
            }
        }
        if possible.len() == before {
            return possible;
        }
    }
}

/// What the constraints say of a world and of the plan that led to it.
///
/// # Errors
/// When a rule derives more than the limits allow.
pub fn check(
    program: &Program,
    world: &World,
    plan: &Plan,
    now: i64,
    limits: &Limits,
) -> Result<Said, Diagnostic> {
    let constraints = active(program);
    if constraints.is_empty() {
        return Ok(Said::default());
    }
    let mut encoder = Encoder::new(program.clone(), Grouping::On, &constraints);
    let mut facts = encoder.all(world, now);
    let symbols = &mut encoder.symbols;
    if let Some(planned) = program.relation("planned") {
        for (verb, daemonset, node) in changes(plan) {
            let row = [symbols.text(verb), symbols.text(&daemonset.to_string()), symbols.text(node)];
            facts.insert(planned, &row);
        }
    }
    let evaluation = Evaluation::new(program, symbols, facts, &constraints, limits)?;
    let mut said = Said::default();
    for id in constraints {
        let declaration = program.declaration(id);
        let rows = evaluation.rows(id).take(MOST);
        let mut told: Vec<Diagnostic> = rows
            .filter_map(|row| why(program, symbols, &evaluation, id, &row))
            .map(|derivation| tell(program, declaration, &derivation))
            .collect();
        Diagnostic::sort(&mut told);
        let more = evaluation.len(id).saturating_sub(MOST);
        if let (Some(last), 1..) = (told.last_mut(), more) {
            last.notes.push(format!("and {more} more of `{}`", declaration.name));
        }
        if declaration.constraint == Some(Constraint::Violation) {
            said.violations += evaluation.len(id);
        }
        said.told.extend(told);
    }
    Ok(said)
}

/// What the plan does to pods: verb, daemonset, node.
fn changes(plan: &Plan) -> impl Iterator<Item = (&'static str, &ObjectKey, &str)> {
    let actions = plan.waves.iter().flat_map(|wave| &wave.actions);
    actions.filter_map(|action| {
        let verb = match action.verb {
            Verb::Create => "create",
            Verb::Delete => "delete",
            _ => return None,
        };
        Some((verb, action.daemonset.as_ref()?, action.node.as_deref()?))
    })
}

fn tell(program: &Program, declaration: &Declaration, derivation: &Derivation) -> Diagnostic {
    let sentence = derivation.sentence.clone();
    let message = match sentence {
        Some(sentence) => sentence.trim_end_matches('.').to_owned(),
        None => format!("`{}` holds", derivation.fact),
    };
    let told = match declaration.constraint {
        Some(Constraint::Warning) => Diagnostic::warning("warning", message),
        _ => Diagnostic::error("violation", message)
            .help("change what leads to it; or, if it is meant, say `--ignore-violations`"),
    };
    let own = own_rule(program, derivation);
    let rule = own.or(derivation.rule.as_ref());
    let place = rule.and_then(|rule| {
        let found = program.rules().find(|it| *it.file == *rule.file && it.line == rule.line)?;
        Some(program.place_of_head(found))
    });
    match place {
        Some(place) => told.at(place),
        None => told,
    }
}

/// The first rule of the user's that had a part in it.
fn own_rule<'a>(program: &Program, derivation: &'a Derivation) -> Option<&'a RuleRef> {
    let builtin = |rule: &RuleRef| program.rules().any(|it| it.builtin && *it.file == *rule.file);
    if let Some(rule) = derivation.rule.as_ref().filter(|rule| !builtin(rule)) {
        return Some(rule);
    }
    derivation.because.iter().find_map(|subgoal| match subgoal {
        Subgoal::Row(row) => own_rule(program, row),
        _ => None,
    })
}

/// Violations made warnings, for those who mean it.
pub fn ignore(found: &mut [Diagnostic]) {
    for violation in found.iter_mut().filter(|found| found.is_error()) {
        violation.severity = Severity::Warning;
        violation.help = None;
    }
}
