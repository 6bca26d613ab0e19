//! What an agent reports of its node.

use crate::app::session::Session;
use crate::kube::{Kind, Name, list, pod_status, ready_containers, timestamp};
use crate::policy::relations;
use crate::target::reports::{API_VERSION, DaemonSetReport, KIND, PodReport, Report, Reporter};

/// How the node stands, as the store has it. Beat and errors are left to the caller.
pub(super) fn report(session: &Session, node: &Name, runs: &str, boot: &str, now: i64) -> Report {
    Report {
        api_version: API_VERSION.to_owned(),
        kind: KIND.to_owned(),
        node: node.clone(),
        time: timestamp(now),
        agent: Reporter {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
            boot: boot.to_owned(),
            runs: runs.to_owned(),
        },
        daemon_sets: daemonsets(session, node),
        pods: pods(session, node),
        ..Report::default()
    }
}

fn daemonsets(session: &Session, node: &Name) -> Vec<DaemonSetReport> {
    let (Some(world), Some(reasoner)) = (session.world(), session.reasoner()) else { return Vec::new() };
    let report = |it: &crate::kube::DaemonSet| {
        let key = &it.meta.key;
        let symbol = reasoner.symbols().find_text(&key.to_string());
        let row = |relation| symbol.and_then(|it| reasoner.rows_of(relation, &[it]).next());
        let revision = super::turns::revision_of(reasoner, key);
        let waiting = row(relations::wants_turn).map(|row| reasoner.name(row[2]).to_string());
        DaemonSetReport {
            namespace: key.namespace.clone(),
            name: key.name.clone(),
            revision: revision.unwrap_or_default(),
            generation: it.meta.generation,
            desired: it.status.desired_number_scheduled,
            scheduled: it.status.current_number_scheduled,
            misscheduled: it.status.number_misscheduled,
            updated: it.status.updated_number_scheduled,
            ready: it.status.number_ready,
            available: it.status.number_available,
            wave: super::turns::wave(reasoner, key, node),
            waiting: waiting.unwrap_or_default(),
        }
    };
    world.daemonsets.values().map(report).collect()
}

fn word(of: &serde_json::Value, field: &str) -> String {
    of[field].as_str().unwrap_or("").to_owned()
}

fn pods(session: &Session, node: &Name) -> Vec<PodReport> {
    let Some(world) = session.world() else { return Vec::new() };
    let here = world.pods.values().filter(|pod| pod.node.as_ref() == Some(node));
    let report = |pod: &crate::kube::Pod| {
        let key = &pod.meta.key;
        let whole = session.store().object(Kind::Pod, key).ok().flatten().unwrap_or_default();
        let status = &whole["status"];
        let waits = list(status, "containerStatuses").map(|it| word(&it["state"]["waiting"], "message"));
        let message = Some(word(status, "message")).into_iter().chain(waits).find(|it| !it.is_empty());
        let reason = Some(pod_status(&whole)).filter(|it| it != "Running");
        let (ready, containers) = ready_containers(&whole);
        let owner = pod.meta.controller.as_ref().filter(|owner| &*owner.kind == Kind::DaemonSet.name());
        let restarts = list(status, "containerStatuses").filter_map(|it| it["restartCount"].as_i64());
        PodReport {
            namespace: key.namespace.clone(),
            name: key.name.clone(),
            daemon_set: owner.map(|owner| owner.name.clone()).unwrap_or_default(),
            revision: pod.hash().into(),
            phase: pod.phase.clone(),
            ready: pod.ready,
            restarts: restarts.sum(),
            containers: i64::try_from(containers).unwrap_or(0),
            ready_containers: i64::try_from(ready).unwrap_or(0),
            created: timestamp(pod.meta.created),
            reason: reason.unwrap_or_default(),
            message: message.unwrap_or_default(),
        }
    };
    here.map(report).collect()
}
