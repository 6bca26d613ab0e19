//! How Kubernetes' controller would send what a wave creates and deletes.
//!
//! The controller creates and deletes at most 250 pods of one daemonset in one sync, and
//! begins creating with one pod, then two, four, eight …, so that trouble that hits all
//! of them shows after a few (`syncNodes`). A plan is not cut to that measure: what is
//! written into a file needs no such care, and a pass takes everything at once. How many
//! syncs it would be, and in which batches, is told beside it.

use std::collections::BTreeMap;

use super::{Action, Verb, Wave};
use crate::kube::ObjectKey;

/// burstReplicas: so many pods of a daemonset are created, and so many deleted, in one
/// sync at the most.
pub const BURST: usize = 250;

/// SlowStartInitialBatchSize.
const FIRST_BATCH: usize = 1;

/// What one daemonset's part of a wave is to the controller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Burst {
    /// How many pods are created.
    pub creates: usize,
    /// How many pods are deleted.
    pub deletes: usize,
    /// How many syncs that takes.
    pub syncs: usize,
    /// The batches of the first sync's creates, which double: 1, 2, 4 ….
    pub slow_start: Vec<usize>,
}

/// The bursts of a wave, by daemonset; those that create and delete nothing are left out.
#[must_use]
pub fn bursts(wave: &Wave) -> BTreeMap<&ObjectKey, Burst> {
    let mut actions: BTreeMap<&ObjectKey, Vec<&Action>> = BTreeMap::new();
    for action in &wave.actions {
        if let Some(daemonset) = &action.daemonset {
            actions.entry(daemonset).or_default().push(action);
        }
    }
    let bursts = actions.into_iter().map(|(daemonset, actions)| (daemonset, Burst::of(actions)));
    bursts.filter(|(_, burst)| burst.syncs > 0).collect()
}

impl Burst {
    /// The burst that these actions of one daemonset and one wave are.
    #[must_use]
    pub fn of<'a>(actions: impl IntoIterator<Item = &'a Action>) -> Self {
        let (mut creates, mut deletes) = (0, 0);
        for action in actions {
            match action.verb {
                Verb::Create => creates += 1,
                Verb::Delete => deletes += 1,
                _ => {}
            }
        }
        let syncs = usize::max(creates, deletes).div_ceil(BURST);
        Burst { creates, deletes, syncs, slow_start: slow_start(creates.min(BURST)) }
    }
}

/// The batches in which `pods` are created: each twice the one before.
fn slow_start(pods: usize) -> Vec<usize> {
    let mut batches = Vec::new();
    let (mut left, mut size) = (pods, FIRST_BATCH);
    while left > 0 {
        let batch = size.min(left);
        batches.push(batch);
        left -= batch;
        size *= 2;
    }
    batches
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn batches_double_up_to_the_burst() {
        for (pods, batches) in [
            (0, vec![]),
            (1, vec![1]),
            (2, vec![1, 1]),
            (7, vec![1, 2, 4]),
            (8, vec![1, 2, 4, 1]),
            (250, vec![1, 2, 4, 8, 16, 32, 64, 123]),
        ] {
            assert_eq!(slow_start(pods), batches, "{pods}");
        }
    }

    #[test]
    fn a_wave_is_cut_at_250_of_each() {
        let action = |daemonset: &str, verb, at: usize| Action {
            daemonset: Some(ObjectKey::new("x", daemonset)),
            verb,
            node: None,
            object: ObjectKey::new("x", format!("{at}")),
            because: std::sync::Arc::default(),
        };
        let mut actions: Vec<Action> = (0..251).map(|at| action("a", Verb::Create, at)).collect();
        actions.extend((0..750).map(|at| action("a", Verb::Delete, at)));
        actions.push(action("b", Verb::Create, 0));
        actions.push(action("c", Verb::CreateRevision, 0));
        let wave = Wave { time: 0, actions };
        let found: Vec<_> = bursts(&wave).into_values().collect();
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].creates, found[0].deletes, found[0].syncs), (251, 750, 3));
        assert_eq!(found[0].slow_start.iter().sum::<usize>(), 250);
        assert_eq!(found[1], Burst { creates: 1, deletes: 0, syncs: 1, slow_start: vec![1] });
    }
}
