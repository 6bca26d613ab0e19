//! What podman lists and what the probes say, as the pod that an agent knows.

use std::collections::BTreeMap;

use serde_json::Value;

use super::kept::{Kept, Restarts};
use super::listed::{Does, Listed, Run};
use super::probe::Health;
use crate::target::runtime::{Container, Ended, Observed, Phase, State};

/// What is known of a pod beside what podman lists.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// What it was played from.
    pub(super) kept: Option<Kept>,
    /// How often its containers were started again.
    pub(super) restarts: Restarts,
    /// What the probes of its containers say, by the containers' ids.
    pub(super) health: BTreeMap<String, Health>,
    /// The ids of containers that took more memory than they may.
    pub(super) out_of_memory: Vec<String>,
    /// Its own address.
    pub(super) ip: Option<String>,
    /// Whether it is being played right now.
    pub(super) is_playing: bool,
}

/// The pod as it is seen. One that is not as it was played has no mark, so that it is played
/// again: a container is missing, a reboot or a crash has left it half made.
pub(super) fn observed(pod: &Listed, known: &Known) -> Observed {
    let mut seen =
        Observed { key: pod.key.clone(), started: pod.created, ip: known.ip.clone(), ..Observed::default() };
    let Some(kept) = known.kept.as_ref().filter(|kept| kept.mark == pod.mark) else {
        return seen;
    };
    if known.is_playing || is_whole(pod, kept) {
        seen.mark.clone_from(&pod.mark);
    }
    let has_begun = kept
        .containers("containers")
        .any(|(name, _)| pod.runs.get(name).is_some_and(|run| run.started.is_some()));
    let mut unwell = Vec::new();
    for (field, init) in [("initContainers", true), ("containers", false)] {
        for (name, container) in kept.containers(field) {
            let run = pod.runs.get(name);
            let state = match run {
                // podman removes those that have done their work.
                None if init && has_begun => State::Ended(ended(None, known)),
                None => State::default(),
                Some(run) => state(run, known),
            };
            let health = run.and_then(|run| known.health.get(&run.id));
            let probed =
                !init && ["readinessProbe", "startupProbe"].iter().any(|probe| !container[probe].is_null());
            let own = run.and_then(|run| run.healthy).filter(|_| !probed);
            if let Some(health) = health.filter(|health| health.ready != Some(true) && !health.why.is_empty())
            {
                unwell.push(format!("container `{name}`: {}", health.why));
            }
            let (restarts, last) = known.restarts.get(name).cloned().unwrap_or_default();
            seen.containers.push(Container {
                name: name.to_owned(),
                image: container["image"].as_str().unwrap_or("").to_owned(),
                init,
                state,
                restarts,
                last,
                ready: health.and_then(|health| health.ready).filter(|_| probed).or(own),
                probed: probed || own.is_some(),
            });
        }
    }
    seen.message = unwell.join("; ");
    seen.phase = phase(&seen.containers, kept);
    seen
}

/// Whether all that was played is there and has begun.
fn is_whole(pod: &Listed, kept: &Kept) -> bool {
    let has_begun = |(name, _): (&str, &Value)| pod.runs.get(name).is_some_and(|run| run.does != Does::Wait);
    kept.containers("containers").all(has_begun)
}

fn state(run: &Run, known: &Known) -> State {
    match run.does {
        Does::Wait => State::default(),
        Does::Run => State::Running(run.started),
        Does::Rest => State::Ended(ended(Some(run), known)),
    }
}

/// How a container ended.
pub(super) fn ended(run: Option<&Run>, known: &Known) -> Ended {
    let Some(run) = run else { return Ended { reason: "Completed".to_owned(), ..Ended::default() } };
    let reason = match run.code {
        0 => "Completed",
        _ if known.out_of_memory.contains(&run.id) => "OOMKilled",
        _ => "Error",
    };
    Ended { code: run.code, reason: reason.to_owned(), started: run.started, at: run.exited }
}

fn phase(containers: &[Container], kept: &Kept) -> Phase {
    let lasting = || containers.iter().filter(|container| !container.init);
    let codes: Vec<i64> = lasting()
        .filter_map(|container| match &container.state {
            State::Ended(ended) => Some(ended.code),
            _ => None,
        })
        .collect();
    if codes.len() == lasting().count() && !codes.iter().any(|code| kept.starts_again(*code)) {
        return if codes.iter().all(|code| *code == 0) { Phase::Succeeded } else { Phase::Failed };
    }
    let waits =
        |container: &Container| matches!(container.state, State::Waiting(..)) && container.restarts == 0;
    if lasting().any(waits) { Phase::Pending } else { Phase::Running }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kube::ObjectKey;
    use serde_json::json;

    fn run(does: Does, code: i64) -> Run {
        Run {
            id: format!("{does:?}{code}"),
            process: 7,
            does,
            started: (does != Does::Wait).then_some(5),
            exited: None,
            code,
            healthy: None,
        }
    }

    fn seen(policy: &str, runs: &[(&str, Run)], change: impl FnOnce(&mut Known)) -> Observed {
        let pod = Listed {
            name: "shop.web-1".to_owned(),
            key: ObjectKey::new("shop", "web-1"),
            mark: "m".to_owned(),
            created: Some(3),
            infra: "i".to_owned(),
            infra_runs: true,
            runs: runs.iter().map(|(name, run)| ((*name).to_owned(), run.clone())).collect(),
        };
        let manifest = json!({"spec": {"restartPolicy": policy,
            "initContainers": [{"name": "init", "image": "i"}],
            "containers": [{"name": "a", "image": "a:1", "readinessProbe": {}}, {"name": "b", "image": "b:1"}]}});
        let mut known = Known { kept: Some(Kept { mark: "m".to_owned(), manifest }), ..Known::default() };
        change(&mut known);
        observed(&pod, &known)
    }

    #[test]
    fn a_pod_that_runs_is_ready_when_its_probe_says_so() {
        let runs = [("a", run(Does::Run, 0)), ("b", run(Does::Run, 0))];
        let pod = seen("Always", &runs, |_| {});
        assert_eq!((pod.phase, pod.is_ready(), &*pod.mark), (Phase::Running, false, "m"));
        assert_eq!(
            pod.containers[0].state,
            State::Ended(Ended { reason: "Completed".into(), ..Ended::default() })
        );
        let health = |ready, why: &str| Health::of(ready, why);
        let answered = |ready| {
            seen("Always", &runs, |known| {
                known.health.insert("Run0".to_owned(), health(ready, "not yet"));
            })
        };
        assert!(answered(Some(true)).is_ready());
        assert_eq!(answered(Some(true)).message, "");
        let pod = answered(Some(false));
        assert_eq!((pod.is_ready(), pod.containers[2].is_ready()), (false, true));
        assert!(pod.message.contains("container `a`: not yet"), "{}", pod.message);
    }

    #[test]
    fn the_health_check_of_an_image_counts_where_there_is_no_probe() {
        let unhealthy = Run { healthy: Some(false), ..run(Does::Run, 1) };
        let pod = seen("Always", &[("a", run(Does::Run, 0)), ("b", unhealthy)], |_| {});
        assert_eq!((pod.containers[2].ready, pod.containers[2].is_ready()), (Some(false), false));
    }

    #[test]
    fn what_has_ended_is_told_with_its_reason() {
        let runs = [("a", run(Does::Rest, 137)), ("b", run(Does::Rest, 0))];
        let pod = seen("Always", &runs, |known| known.out_of_memory.push("Rest137".to_owned()));
        assert_eq!(pod.phase, Phase::Running, "it is about to run again");
        let State::Ended(ended) = &pod.containers[1].state else { panic!("{pod:?}") };
        assert_eq!((ended.code, &*ended.reason), (137, "OOMKilled"));
        assert_eq!(seen("Never", &runs, |_| {}).phase, Phase::Failed);
        let well = [("a", run(Does::Rest, 0)), ("b", run(Does::Rest, 0))];
        assert_eq!(seen("OnFailure", &well, |_| {}).phase, Phase::Succeeded);
    }

    #[test]
    fn what_is_not_as_it_was_played_has_no_mark() {
        let half = [("a", run(Does::Run, 0)), ("b", run(Does::Wait, 0))];
        assert_eq!(seen("Always", &half, |_| {}).mark, "");
        assert_eq!(seen("Always", &half, |known| known.is_playing = true).mark, "m");
        assert_eq!(seen("Always", &half[..1], |_| {}).mark, "", "a container was removed");
        let runs = [("a", run(Does::Run, 0)), ("b", run(Does::Run, 0))];
        assert_eq!(seen("Always", &runs, |known| known.kept = None).mark, "");
    }
}
