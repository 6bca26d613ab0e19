//! What is heard of a node: its report, and whether it is of now.
//!
//! Reports have the time of the machine that wrote them. One that is older than it may be, or
//! from a time that has not come, says nothing of now: its pods are then no more known to be
//! ready, as the pods of a node whose kubelet is silent.

use std::collections::BTreeSet;

use super::trouble::{Trouble, What, owner};
use crate::kube::{Name, human, time};
use crate::state::World;
use crate::target::reports::{PodReport, Report};

/// A report.
pub(super) struct Heard<'r> {
    pub(super) report: &'r Report,
    /// When it was written, if it says so.
    written: Option<i64>,
    /// Why it says nothing of now: in a word, and in a sentence.
    old: Option<(&'static str, String)>,
}

impl<'r> Heard<'r> {
    /// Takes in a report; `stale` is how old it may be, in seconds.
    pub(super) fn of(report: &'r Report, now: i64, stale: i64) -> Self {
        let written = time(&report.time);
        let age = written.map(|written| now - written);
        let old = match age {
            None => Some(("NodeStatusUnknown", format!("its report has no time: `{}`", report.time))),
            Some(age) if age > stale => Some((
                "NodeStatusUnknown",
                format!("its agent stopped posting node status {} ago", human(age)),
            )),
            Some(age) if -age > stale => Some((
                "ClockSkew",
                format!("its report is of {} from now: its clock or the one here is wrong", human(-age)),
            )),
            Some(_) => None,
        };
        Heard { report, written, old }
    }

    /// Whether it says how things are now.
    pub(super) fn is_fresh(&self) -> bool {
        self.old.is_none()
    }

    /// A pod as it is known to be now.
    pub(super) fn seen(&self, pod: &PodReport) -> PodReport {
        let mut pod = pod.clone();
        if let Some((reason, message)) = &self.old {
            (pod.ready, pod.ready_containers) = (false, 0);
            (pod.phase, pod.reason, pod.message) = ("Unknown".into(), (*reason).to_owned(), message.clone());
        }
        pod
    }

    /// What the node itself tells that is not as it should be. Of a silent one nothing else is
    /// known.
    pub(super) fn troubles(&self) -> Vec<Trouble> {
        let node = &self.report.node;
        let mut all = Vec::new();
        if let Some((reason, message)) = &self.old {
            all.push(Trouble::new(What::Silent, node, reason, message.as_str()));
        } else {
            let error = |error: &String| Trouble::new(What::Error, node, "AgentError", error.as_str());
            all.extend(self.report.errors.iter().map(error));
            all.extend(self.report.pods.iter().filter(|pod| !pod.ready).map(|pod| not_ready(node, pod)));
        }
        all.into_iter().map(|it| Trouble { seen: self.written, ..it }).collect()
    }
}

/// A pod that is not ready, in the words of `kubectl get pods`.
fn not_ready(node: &Name, pod: &PodReport) -> Trouble {
    let reason = if pod.reason.is_empty() { &*pod.phase } else { &pod.reason };
    let message = match (pod.message.as_str(), pod.restarts) {
        ("", 0) => "it is not ready".to_owned(),
        ("", restarts) => format!("it is not ready; its containers were started again {restarts} times"),
        (message, _) => message.to_owned(),
    };
    let trouble = Trouble::new(What::NotAvailable, node, reason, message);
    Trouble { pod: Some(pod.name.clone()), ..trouble.of(&owner(pod)) }
}

/// The nodes of the source of which there is no report.
pub(super) fn unheard(world: &World, heard: &[Heard<'_>]) -> Vec<Trouble> {
    let known: BTreeSet<&str> = heard.iter().map(|it| &*it.report.node).collect();
    let missing = world.nodes.keys().filter(|key| !known.contains(&*key.name));
    let what = "no report of it can be read: its agent never ran, or its reports do not come here";
    missing.map(|key| Trouble::new(What::Silent, &key.name, "NodeStatusNeverUpdated", what)).collect()
}
