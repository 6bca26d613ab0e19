//! Why a pod of a daemonset is on a node, or is not: from the rules, for one pair.
//!
//! The rules are asked again with nothing but the daemonset, its pods and the node, each
//! by its own name, so the answer costs the same in a cluster of any size and speaks of
//! that node rather than of the group it is in. No text stands here: every sentence is
//! one of a rule that fired, or did not.

use serde::Serialize;

use crate::datalog::explain::{Derivation, Failure, WhyNot, why, why_not};
use crate::datalog::{Evaluation, Limits, Program, Sym};
use crate::diagnostic::Diagnostic;
use crate::facts::{Grounding, Grouping};
use crate::model::{Name, ObjectKey, World};

/// The relation that says a pod may be placed, and the one that says it may stay.
const SHOULD_RUN: &str = "eligible";
const MAY_STAY: &str = "bearable";

/// An answer of the rules, with its reasons.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Answer {
    /// It is so, because of this.
    Yes(Derivation),
    /// It is not so, because of this.
    No(WhyNot),
}

/// What the rules say of one daemonset on one node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// The daemonset.
    pub daemonset: ObjectKey,
    /// The node.
    pub node: Name,
    /// Its pods on that node, or meant for it.
    pub pods: Vec<Name>,
    /// Whether a pod of it should run there.
    pub should_run: Answer,
    /// Whether a pod that is there may stay; not asked where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub may_stay: Option<Answer>,
    /// The terms of the required node affinity, each with why the node matches it or does
    /// not.
    pub terms: Vec<Checked>,
    /// The taints of the node, each with why the daemonset tolerates it or does not.
    pub taints: Vec<Checked>,
}

/// A term or a taint, with what the rules say of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Checked {
    /// The term or taint, as it prints.
    pub what: String,
    /// Whether the node matches it, or the daemonset tolerates it.
    pub answer: Answer,
}

/// Explains one pair; `None` where the daemonset or the node is not there.
///
/// # Errors
/// When a rule derives more than the limits allow.
pub fn explain(
    world: &World,
    program: &Program,
    daemonset: &ObjectKey,
    node: &str,
    now: i64,
) -> Result<Option<Explanation>, Diagnostic> {
    let node_key = ObjectKey::new("", node);
    let (Some(of), Some(on)) = (world.daemonsets.get(daemonset), world.nodes.get(&node_key)) else {
        return Ok(None);
    };
    let mut small = World::default();
    small.daemonsets.insert(daemonset.clone(), of.clone());
    small.nodes.insert(node_key, on.clone());
    let here = world.pods.iter().filter(|(key, pod)| {
        key.namespace == daemonset.namespace && pod.target().is_some_and(|target| &**target == node)
    });
    small.pods = here.map(|(key, pod)| (key.clone(), pod.clone())).collect();
    let owned =
        |pod: &crate::model::Pod| pod.meta.controller.as_ref().is_some_and(|owner| owner.uid == of.meta.uid);
    let pods: Vec<Name> =
        small.pods.iter().filter(|(_, pod)| owned(pod)).map(|(key, _)| key.name.clone()).collect();

    let wanted: Vec<_> = [SHOULD_RUN, MAY_STAY, "matches", "tolerates"]
        .iter()
        .filter_map(|name| program.relation(name))
        .collect();
    let mut grounding = Grounding::new(program.clone(), Grouping::Off, &wanted);
    let facts = grounding.all(&small, now);
    let evaluation = Evaluation::new(program, &mut grounding.symbols, facts, &wanted, &Limits::default())?;
    let daemonset_symbol = grounding.symbols.text(&daemonset.to_string());
    let node_symbol = grounding.symbols.text(node);
    let terms = of.template.affinity.iter().flatten().map(ToString::to_string);
    let terms: Vec<(String, Sym)> = named(terms, &mut grounding);
    let taints: Vec<(String, Sym)> = named(on.taints.iter().map(ToString::to_string), &mut grounding);
    let ask = |relation: &str, row: &[Sym]| {
        let id = program.relation(relation)?;
        let symbols = &grounding.symbols;
        Some(match why(program, symbols, &evaluation, id, row) {
            Some(derivation) => Answer::Yes(derivation),
            None => Answer::No(why_not(program, symbols, &evaluation, id, row)),
        })
    };
    let pair = [daemonset_symbol, node_symbol];
    let Some(should_run) = ask(SHOULD_RUN, &pair) else { return Ok(None) };
    Ok(Some(Explanation {
        daemonset: daemonset.clone(),
        node: node.into(),
        may_stay: if pods.is_empty() { None } else { ask(MAY_STAY, &pair) },
        terms: terms
            .into_iter()
            .filter_map(|(text, term)| {
                Some(Checked { what: text, answer: ask("matches", &[node_symbol, term])? })
            })
            .collect(),
        taints: taints
            .into_iter()
            .filter_map(|(text, taint)| {
                Some(Checked { what: text, answer: ask("tolerates", &[daemonset_symbol, taint])? })
            })
            .collect(),
        pods,
        should_run,
    }))
}

/// Why no pod of the daemonset should be on the node, in the one sentence of the rule
/// that keeps it off; `None` where one should, or where the pair is not there.
///
/// # Errors
/// When a rule derives more than the limits allow.
pub fn cause(
    world: &World,
    program: &Program,
    daemonset: &ObjectKey,
    node: &str,
    now: i64,
) -> Result<Option<String>, Diagnostic> {
    let node_key = ObjectKey::new("", node);
    let (Some(of), Some(on)) = (world.daemonsets.get(daemonset), world.nodes.get(&node_key)) else {
        return Ok(None);
    };
    let mut small = World::default();
    small.daemonsets.insert(daemonset.clone(), of.clone());
    small.nodes.insert(node_key, on.clone());
    let explanation = explain(&small, program, daemonset, node, now)?;
    Ok(explanation.and_then(|it| match it.should_run {
        Answer::Yes(_) => None,
        Answer::No(why_not) => blocker(&why_not),
    }))
}

/// The sentence of the first row that stands against what is not so.
fn blocker(why_not: &WhyNot) -> Option<String> {
    why_not.attempts.iter().find_map(|attempt| match &attempt.fails {
        Failure::Blocked(derivation) => derivation.sentence.clone(),
        Failure::Missing(inner) => blocker(inner),
        Failure::Comparison(_) => None,
    })
}

/// Texts with their symbols.
fn named(texts: impl Iterator<Item = String>, grounding: &mut Grounding) -> Vec<(String, Sym)> {
    texts
        .map(|text| {
            let symbol = grounding.symbols.text(&text);
            (text, symbol)
        })
        .collect()
}
