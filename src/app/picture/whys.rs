//! Each case that there is, explained once: a daemonset, a group of nodes, a word.

use std::collections::{BTreeMap, BTreeSet};

use super::cells::Cells;
use super::groups::Group;
use crate::datalog::Program;
use crate::diagnostic::Diagnostic;
use crate::explain::{self, Explanation, Step};
use crate::kube::{Name, ObjectKey};
use crate::state::World;

/// So many cases are explained, those that are looked at first before the others.
const MOST: usize = 3000;

/// A daemonset that stands alike on some nodes of a group, explained for one of them.
#[derive(Debug, Clone)]
pub struct Case {
    /// The place of the group.
    pub group: usize,
    /// The place of the daemonset.
    pub daemonset: usize,
    /// The place of the word.
    pub word: usize,
    /// The place of the node that it was asked of.
    pub node: usize,
    /// Why it stands so.
    pub explanation: Explanation,
}

/// Explains each case.
///
/// # Errors
/// When a rule derives more than the limits allow.
pub(super) fn cases(
    program: &Program,
    world: &World,
    now: i64,
    (nodes, groups, daemonsets): (&[Name], &[Group], &[ObjectKey]),
    cells: &Cells,
) -> Result<Vec<Case>, Diagnostic> {
    let mut found: BTreeMap<(usize, usize, usize), usize> = BTreeMap::new();
    for (nth, group) in groups.iter().enumerate() {
        for node in group.first..group.first + group.count {
            for (daemonset, word) in cells.of_node(node).enumerate() {
                if let Some(word) = word {
                    found.entry((word, nth, daemonset)).or_insert(node);
                }
            }
        }
    }
    let chosen: Vec<_> = found.into_iter().take(MOST).collect();
    let there = |((_, _, daemonset), node): &((usize, usize, usize), usize)| {
        let daemonset = world.daemonsets.get(daemonsets.get(*daemonset)?)?;
        Some((daemonset, world.nodes.get(&ObjectKey::new("", nodes.get(*node)?.clone()))?))
    };
    let (kept, pairs): (Vec<_>, Vec<_>) = chosen.iter().filter_map(|it| Some((it, there(it)?))).unzip();
    let told = explain::pairs(program, world, &pairs, now)?;
    let case = |(((word, group, daemonset), node), mut explanation): (
        &((usize, usize, usize), usize),
        Explanation,
    )| {
        explain::locate(&mut explanation.steps, &mut |source| Some(source.to_string()));
        Case { group: *group, daemonset: *daemonset, word: *word, node: *node, explanation }
    };
    Ok(kept.into_iter().zip(told).map(case).collect())
}

/// The texts of the rules that explanations name, by their places.
pub(super) fn rule_texts(
    program: &Program,
    cases: &[Case],
    more: BTreeSet<String>,
) -> BTreeMap<String, String> {
    let mut places = more;
    cases.iter().for_each(|case| name(&case.explanation.steps, &mut places));
    let rules = program.rules().filter_map(|rule| {
        let place = format!("{}:{}", rule.file, rule.line);
        places.contains(&place).then(|| (place, rule.text.to_string()))
    });
    rules.collect()
}

fn name(steps: &[Step], places: &mut BTreeSet<String>) {
    for step in steps {
        places.extend(step.rule.clone());
        name(&step.parts, places);
    }
}
