//! A plan in the words of a case.
//!
//! Names of new pods and the wording of rules are left out: they say nothing about the
//! policy, and would make every case change with every version.

use serde::Serialize;

use crate::app::planning::Planned;
use crate::kube::Name;
use crate::plan::{Action, Verb};

/// What a plan does and says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(super) struct Lines {
    pub waves: Vec<Vec<String>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub waiting: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub violations: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    pub status: Vec<String>,
}

impl Lines {
    /// Those of a plan.
    pub fn of(planned: &Planned) -> Self {
        let said = |error: bool| {
            let found = planned.judged.iter().filter(|it| it.is_error() == error);
            let found = found.flat_map(|it| &it.findings).map(|finding| &finding.sentence);
            let told = planned.said.iter().filter(|told| told.is_error() == error);
            let mut said: Vec<String> = found.chain(told.map(|told| &told.message)).cloned().collect();
            said.sort();
            said
        };
        let wave = |actions: &[Action]| {
            let mut lines: Vec<String> = actions.iter().filter_map(line).collect();
            lines.dedup();
            lines
        };
        let waves = planned.plan.waves.iter().map(|it| wave(&it.actions));
        let waiting = planned.plan.waiting.iter().map(|it| format!("{}: {}", it.daemonset, it.reason));
        let statuses = planned.plan.statuses.iter();
        Lines {
            waves: waves.filter(|lines| !lines.is_empty()).collect(),
            waiting: waiting.collect(),
            violations: said(true),
            warnings: said(false),
            status: statuses
                .map(|(key, status)| {
                    format!(
                        "{key}: {} desired, {} ready, {} up to date",
                        status.desired_number_scheduled, status.number_ready, status.updated_number_scheduled
                    )
                })
                .collect(),
        }
    }

    /// As they stand in the file.
    pub fn to_text(&self) -> String {
        serde_yaml::to_string(self).unwrap_or_default()
    }
}

/// One action as a line; none for the bookkeeping of revisions.
fn line(action: &Action) -> Option<String> {
    let daemonset = action.daemonset.as_ref().map_or_else(|| "?".to_owned(), ToString::to_string);
    let on = |node: &Option<Name>| node.as_ref().map_or_else(String::new, |node| format!(" on {node}"));
    Some(match action.verb {
        Verb::Create => format!("create {daemonset}{}", on(&action.node)),
        Verb::Delete => format!("delete {daemonset}{}", on(&action.node)),
        Verb::Adopt => format!("adopt {} for {daemonset}", action.object),
        Verb::Release => format!("release {} from {daemonset}", action.object),
        Verb::Relabel => format!("relabel {} of {daemonset}", action.object),
        Verb::Evict => format!("evict {}{}", action.object, on(&action.node)),
        Verb::Preempt => format!("preempt {}{}", action.object, on(&action.node)),
        Verb::Bind => format!("bind {}{}", action.object, on(&action.node)),
        _ => return None,
    })
}
