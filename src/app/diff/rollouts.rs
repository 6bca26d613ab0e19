//! Pods that are replaced where they are: how many at a time, and what stays as it was.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::app::moved::pairs;
use crate::kube::{Name, ObjectKey};
use crate::plan::{Plan, Verb};
use crate::state::World;

/// The pods of a daemonset that are replaced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rollout {
    /// The daemonset.
    pub daemonset: ObjectKey,
    /// Whether its template is another one.
    pub template: bool,
    /// Its update strategy.
    pub strategy: Name,
    /// The nodes whose pods are replaced, wave by wave.
    pub waves: Vec<Vec<Name>>,
    /// How many pods of a former template are left in the end.
    pub left: usize,
}

impl Rollout {
    /// How many pods are replaced.
    #[must_use]
    pub fn replaced(&self) -> usize {
        self.waves.iter().map(Vec::len).sum()
    }
}

/// The daemonsets that are there before and after, and have another template or pods that are
/// replaced.
pub(super) fn rollouts(plan: &Plan, before: &World, after: &World) -> Vec<Rollout> {
    let (had, has) = (pairs(before), pairs(after));
    let stayed: BTreeSet<_> = had.intersection(&has).collect();
    let mut waves: BTreeMap<&ObjectKey, Vec<Vec<Name>>> = BTreeMap::new();
    for wave in &plan.waves {
        let mut of_wave: BTreeMap<&ObjectKey, Vec<Name>> = BTreeMap::new();
        for action in wave.actions.iter().filter(|action| action.verb == Verb::Delete) {
            let Some((daemonset, node)) = action.daemonset.as_ref().zip(action.node.as_ref()) else {
                continue;
            };
            if stayed.contains(&(daemonset.clone(), node.to_string())) {
                of_wave.entry(daemonset).or_default().push(node.clone());
            }
        }
        of_wave.into_iter().for_each(|(daemonset, nodes)| waves.entry(daemonset).or_default().push(nodes));
    }
    let statuses: BTreeMap<_, _> = plan.statuses.iter().map(|(key, status)| (key, status)).collect();
    let rollout = |(key, now): (&ObjectKey, &crate::kube::DaemonSet)| {
        let was = before.daemonsets.get(key)?;
        let template = was.template.fingerprint != now.template.fingerprint;
        let waves = waves.get(key).cloned().unwrap_or_default();
        let left = statuses.get(key).filter(|_| template).map_or(0, |status| {
            status.current_number_scheduled.saturating_sub(status.updated_number_scheduled)
        });
        let strategy = now.strategy.kind.clone();
        let left = usize::try_from(left).unwrap_or_default();
        (template || !waves.is_empty()).then(|| Rollout {
            daemonset: key.clone(),
            template,
            strategy,
            waves,
            left,
        })
    };
    after.daemonsets.iter().filter_map(rollout).collect()
}
