//! The budgets of a rollout: how many of the candidates are taken in this pass.
//!
//! Which pods are candidates, and which nodes count against the bounds, are relations of
//! `rules/rollout.dl`; here they are counted and the first few taken, in wave order and
//! then in name order (the controller's rollingUpdate).

use std::sync::Arc;

use super::action::{Action, Because};
use super::context::Context;
use crate::datalog::{Handle, Row, Sym};
use crate::kube::{DaemonSet, Name, ObjectKey};
use crate::policy::relations;

/// The bounds of a rollout over `desired` nodes: (maxUnavailable, maxSurge).
pub(super) fn bounds(
    context: &Context<'_>,
    daemonset: &DaemonSet,
    it: Sym,
    desired: usize,
) -> (usize, usize) {
    let unavailable = daemonset.strategy.max_unavailable.of(desired);
    let at_least = if context.has(relations::at_least_one, it) { desired.min(1) } else { 0 };
    (unavailable.max(at_least), daemonset.strategy.max_surge.of(desired))
}

/// Whether a surge cannot go on because of a pod on a node that is gone.
pub(super) fn is_stuck(context: &Context<'_>, daemonset: &DaemonSet, it: Sym) -> bool {
    context.has(relations::stuck, it) && daemonset.strategy.max_surge.of(context.desired(it)) > 0
}

/// Adds the rollout step of one daemonset to the actions of a pass.
pub(super) fn step(context: &Context<'_>, daemonset: &DaemonSet, it: Sym, actions: &mut Vec<Action>) {
    if !context.has(relations::rolling, it) {
        return;
    }
    let key = &daemonset.meta.key;
    let desired = context.desired(it);
    let (max_unavailable, max_surge) = bounds(context, daemonset, it, desired);
    if max_surge == 0 {
        // An old pod that is not available is replaced whatever the bound, and uses it up.
        let (now, open) = (
            context.ordered(relations::replace_now, it, 2),
            context.ordered(relations::replace_candidate, it, 2),
        );
        let left =
            max_unavailable.saturating_sub(context.tally.count(relations::unavailable_node, it) + now.len());
        let open = context.current_wave(it, &open);
        context.deletes(key, relations::replace_now, &now, actions);
        context.deletes(key, relations::replace_candidate, &open[..left.min(open.len())], actions);
        return;
    }
    if context.has(relations::stuck, it) {
        return;
    }
    for relation in [relations::replaced, relations::retire_now] {
        context.deletes(key, relation, &context.ordered(relation, it, 2), actions);
    }
    let retiring = context.ordered(relations::retire_candidate, it, 2);
    let beyond = context.tally.count(relations::serving, it).saturating_sub(desired);
    context.deletes(key, relations::retire_candidate, &retiring[..beyond.min(retiring.len())], actions);
    let (now, open) =
        (context.ordered(relations::surge_now, it, 1), context.ordered(relations::surge_candidate, it, 1));
    let left = max_surge.saturating_sub(context.tally.count(relations::surging, it));
    let open = context.current_wave(it, &open);
    context.creates(key, relations::surge_now, &now, actions);
    context.creates(key, relations::surge_candidate, &open[..left.min(open.len())], actions);
}

/// A row with its place in the order of the rollout.
struct Candidate {
    wave: i64,
    node: Name,
    row: Row,
}

impl Context<'_> {
    /// The rows of a relation in wave order, then in node order; `column` is the node's.
    fn ordered(&self, relation: Handle, it: Sym, column: usize) -> Vec<Candidate> {
        let mut rows: Vec<Candidate> = self
            .reasoner
            .rows_of(relation, &[it])
            .map(|row| Candidate {
                wave: self.wave(it, row[column]),
                node: self.reasoner.name(row[column]),
                row,
            })
            .collect();
        rows.sort_by(|a, b| (a.wave, &a.node).cmp(&(b.wave, &b.node)));
        rows
    }

    /// The wave that a node takes part in; nodes that no rule names come last.
    fn wave(&self, it: Sym, node: Sym) -> i64 {
        self.reasoner
            .rows_of(relations::wave, &[it, node])
            .map(|row| self.reasoner.number(row[2]))
            .next()
            .unwrap_or(i64::MAX)
    }

    /// Of candidates in order those that may go now: no later wave begins before every node
    /// that keeps an earlier one is done.
    fn current_wave<'a>(&self, it: Sym, candidates: &'a [Candidate]) -> &'a [Candidate] {
        let kept = self.reasoner.rows_of(relations::keeps_wave, &[it]).map(|row| row[1]).collect::<Vec<_>>();
        let current = kept.into_iter().map(|node| self.wave(it, node)).min().unwrap_or(i64::MAX);
        &candidates[..candidates.partition_point(|candidate| candidate.wave <= current)]
    }

    fn deletes(
        &self,
        key: &ObjectKey,
        relation: Handle,
        candidates: &[Candidate],
        actions: &mut Vec<Action>,
    ) {
        let because = self.because(relation);
        actions.extend(candidates.iter().map(|it| {
            let because = self.told(relation, &because, it.row[0], it.row[2]);
            self.delete(key, it.row[1], it.row[2], &because)
        }));
    }

    fn creates(
        &self,
        key: &ObjectKey,
        relation: Handle,
        candidates: &[Candidate],
        actions: &mut Vec<Action>,
    ) {
        let because = self.because(relation);
        actions.extend(candidates.iter().map(|it| {
            let because = self.told(relation, &because, it.row[0], it.row[1]);
            self.create(key, it.row[1], &because)
        }));
    }

    /// The reason of a step; of one that is taken because a pod is not available, with
    /// why that is so.
    fn told(&self, relation: Handle, because: &Arc<Because>, it: Sym, node: Sym) -> Arc<Because> {
        match relation {
            relations::replace_now | relations::retire_now | relations::surge_now => {
                self.because_of_trouble(because, it, node)
            }
            _ => because.clone(),
        }
    }
}
