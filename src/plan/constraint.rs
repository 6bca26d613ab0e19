//! Constraints: what a user's rules say must not be (`violation`) or should not be (`warning`).
//!
//! They are derived with all else, so that a change costs what it touches, and read once:
//! of the world as a plan leaves it and of what the plan does to pods (`planned`). What is
//! said is the sentence of the rule that fired. Nothing is decided here: whether a
//! violation ends a command is up to the caller.

use crate::datalog::explain::{Derivation, RuleRef, Subgoal, why};
use crate::datalog::{Constraint, Declaration, Program, Row, Symbols};
use crate::diagnostic::{Diagnostic, Severity};
use crate::kube::ObjectKey;
use crate::plan::{Plan, Verb};
use crate::policy::constraints;
use crate::reason::Reasoner;

/// So many rows of one relation are told one by one.
const ROWS_TOLD: usize = 20;

/// What constraints say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    /// Errors for violations, warnings for the rest; of each relation the first few.
    pub told: Vec<Diagnostic>,
    /// How many violations there are, told or not.
    pub violations: usize,
}

/// What constraints of these kinds say of the world as a plan left it, from which the
/// reasoner has derived all that follows, and of the plan.
///
/// # Errors
/// When a rule derives more than the limits allow.
pub fn check(reasoner: &mut Reasoner, plan: &Plan, kinds: &[Constraint]) -> Result<Said, Diagnostic> {
    let mut said = Said::default();
    let is_asked = |declaration: &Declaration| declaration.constraint.is_some_and(|it| kinds.contains(&it));
    let program = reasoner.program().clone();
    let active = constraints(&program).into_iter().map(|id| program.declaration(id));
    let asked: Vec<&Declaration> = active.filter(|it| is_asked(it)).collect();
    if asked.is_empty() {
        return Ok(said);
    }
    reasoner.plan(changes(plan))?;
    let Some(evaluation) = reasoner.evaluation() else { return Ok(said) };
    for declaration in asked {
        let id = declaration.id;
        let count = evaluation.len(id);
        let mut told: Vec<Diagnostic> = first(evaluation.rows(id), count, reasoner.symbols())
            .iter()
            .filter_map(|row| why(&program, reasoner.symbols(), evaluation, id, row))
            .map(|derivation| tell(&program, declaration, &derivation))
            .collect();
        Diagnostic::sort(&mut told);
        let more = count.saturating_sub(ROWS_TOLD);
        if let (Some(last), 1..) = (told.last_mut(), more) {
            last.notes.push(format!("and {more} more of `{}`", declaration.name));
        }
        if declaration.constraint == Some(Constraint::Violation) {
            said.violations += count;
        }
        said.told.extend(told);
    }
    Ok(said)
}

/// The rows that are told of `count` rows: the first by what stands in them, so that the
/// same are told whichever way they were derived.
fn first(rows: impl Iterator<Item = Row>, count: usize, symbols: &Symbols) -> Vec<Row> {
    let mut rows: Vec<Row> = rows.collect();
    if count > ROWS_TOLD {
        let by_values = |a: &Row, b: &Row| {
            let values = |row: &Row| row.iter().map(|sym| symbols.value(*sym)).collect::<Vec<_>>();
            values(a).cmp(&values(b))
        };
        rows.select_nth_unstable_by(ROWS_TOLD, by_values);
        rows.truncate(ROWS_TOLD);
    }
    rows
}

/// What the plan does to pods: verb, daemonset, node.
pub fn changes(plan: &Plan) -> impl Iterator<Item = (&str, &ObjectKey, &str)> {
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
