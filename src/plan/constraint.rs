//! Constraints: what a user's rules say must not be (`violation`) or should not be (`warning`).
//!
//! They are derived with all else, so that a change costs what it touches, and read once:
//! of the world as a plan leaves it and of what the plan does to pods (`planned`). What is
//! said is the sentence of the rule that fired. Nothing is decided here: whether a
//! violation ends a command is up to the caller.

use std::sync::Arc;

use serde_json::Value as Json;

use super::finding::{About, Finding, Judged};
use crate::datalog::explain::{Derivation, RuleRef, Subgoal, said, said_of_all, why};
use crate::datalog::{Column, Constraint, Declaration, Evaluation, Program, Row, Sym, Symbols, Value};
use crate::diagnostic::Diagnostic;
use crate::kube::{Kind, ObjectKey};
use crate::plan::{Plan, Verb};
use crate::policy::constraints;
use crate::reason::Reasoner;

/// So many rows are asked about one by one; of more all are asked about at once.
const FEW: usize = 100;

/// Which rows of a relation are to be told.
pub type Choose<'c> = dyn FnMut(&Declaration, Vec<Row>, &Symbols) -> Vec<Row> + 'c;

/// What constraints of these kinds say of the world as a plan left it, from which the
/// reasoner has derived all that follows, and of the plan. The rows that `choose` leaves are
/// told as findings; all of them are counted.
///
/// # Errors
/// When a rule derives more than the limits allow.
pub fn check(
    reasoner: &mut Reasoner,
    plan: &Plan,
    kinds: &[Constraint],
    choose: &mut Choose<'_>,
) -> Result<Vec<Judged>, Diagnostic> {
    let is_asked = |declaration: &Declaration| declaration.constraint.is_some_and(|it| kinds.contains(&it));
    let program = reasoner.program().clone();
    let active = constraints(&program).into_iter().map(|id| program.declaration(id));
    let asked: Vec<&Declaration> = active.filter(|it| is_asked(it)).collect();
    if asked.is_empty() {
        return Ok(Vec::new());
    }
    reasoner.plan(changes(plan))?;
    let Some(evaluation) = reasoner.evaluation() else { return Ok(Vec::new()) };
    let symbols = reasoner.symbols();
    let judge = |declaration: &Declaration| {
        let rows = choose(declaration, evaluation.rows(declaration.id).collect(), symbols);
        let many = rows.len() > FEW && !declaration.builtin;
        let all = if many { said_of_all(&program, symbols, evaluation, declaration.id) } else { None };
        let said = |row: &Row| match &all {
            Some(all) => all.get(&row[..]).cloned(),
            None => said(&program, symbols, evaluation, declaration.id, row),
        };
        let findings =
            rows.iter().filter_map(|row| found(&program, symbols, evaluation, declaration, row, said(row)?));
        let mut findings: Vec<Finding> = findings.collect();
        findings.sort_by(|a, b| (&a.place, &a.sentence).cmp(&(&b.place, &b.sentence)));
        let constraint = declaration.constraint.unwrap_or(Constraint::Warning);
        let code = if constraint == Constraint::Violation { "violation" } else { "warning" };
        Judged { code, constraint, findings, ..Judged::of(declaration, evaluation.len(declaration.id)) }
    };
    Ok(asked.into_iter().map(judge).collect())
}

/// The first `most` rows by what stands in them, so that the same are told whichever way
/// they were derived.
#[must_use]
pub fn first(mut rows: Vec<Row>, most: usize, symbols: &Symbols) -> Vec<Row> {
    if rows.len() > most {
        let by_values = |a: &Row, b: &Row| {
            let values = |row: &Row| row.iter().map(|sym| symbols.value(*sym)).collect::<Vec<_>>();
            values(a).cmp(&values(b))
        };
        rows.select_nth_unstable_by(most, by_values);
        rows.truncate(most);
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

fn found(
    program: &Program,
    symbols: &Symbols,
    evaluation: &Evaluation,
    declaration: &Declaration,
    row: &Row,
    (sentence, rule): (String, RuleRef),
) -> Option<Finding> {
    // A rule that is built in speaks for one of the user's.
    let own = if declaration.builtin {
        why(program, symbols, evaluation, declaration.id, row).and_then(|it| own_rule(program, &it).cloned())
    } else {
        None
    };
    let rule = own.unwrap_or(rule);
    let found = program.rules().find(|it| *it.file == *rule.file && it.line == rule.line);
    let mut finding = bare(symbols, declaration, row, &sentence);
    if found.is_some_and(|rule| rule.sentence.is_empty()) {
        finding.sentence = format!("`{}` holds", finding.fact);
    }
    let place = found.map(|found| program.place_of_head(found));
    Some(Finding { rule: format!("{}:{}", rule.file, rule.line), place, ..finding })
}

/// A row as one would write it.
#[must_use]
pub fn fact(symbols: &Symbols, declaration: &Declaration, row: &[Sym]) -> String {
    let written: Vec<String> = row.iter().map(|sym| value(symbols, *sym).to_string()).collect();
    format!("{}({})", declaration.name, written.join(", "))
}

fn value(symbols: &Symbols, sym: Sym) -> Json {
    match symbols.value(sym) {
        Value::Text(text) => Json::from(text),
        Value::Number(number) => Json::from(number),
    }
}

/// A row with its sentence; the rule is not known yet.
#[must_use]
pub fn bare(symbols: &Symbols, declaration: &Declaration, row: &[Sym], sentence: &str) -> Finding {
    let mut names: Vec<Arc<str>> = Vec::new();
    for column in &declaration.columns {
        // Of two columns with one name the second is told apart.
        let is_taken = |name: &str| names.iter().any(|it| **it == *name);
        let name = match is_taken(&column.name) {
            true => (2..).map(|nth| format!("{}_{nth}", column.name)).find(|name| !is_taken(name)),
            false => None,
        };
        names.push(name.map_or_else(|| column.name.clone(), Into::into));
    }
    let named = declaration.columns.iter().zip(row);
    let object = |(column, sym): (&Column, &Sym)| match symbols.value(*sym) {
        Value::Text(text) => about(&column.ty, text),
        Value::Number(_) => None,
    };
    Finding {
        fact: fact(symbols, declaration, row),
        row: names.into_iter().zip(row.iter().map(|sym| value(symbols, *sym))).collect(),
        sentence: sentence.trim_end_matches('.').to_owned(),
        rule: String::new(),
        place: None,
        objects: named.filter_map(object).collect(),
        notes: Vec::new(),
    }
}

/// The object that a value of this type names.
fn about(ty: &str, text: &str) -> Option<About> {
    let kind = match ty {
        "Node" => Kind::Node,
        "DaemonSet" => Kind::DaemonSet,
        "Pod" => Kind::Pod,
        "Revision" => Kind::ControllerRevision,
        "Namespace" => Kind::Namespace,
        "Service" => Kind::Service,
        _ => return None,
    };
    let key = match text.split_once('/') {
        Some((namespace, name)) if kind.namespaced() => ObjectKey::new(namespace, name),
        _ => ObjectKey::new("", text),
    };
    Some(About { kind, key, field: "metadata.name".to_owned(), place: None })
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
