//! What is seen of the pods of the node, as their status in the world.
//!
//! Since when a pod is ready is measured by a clock that goes forward evenly, so that a jump of
//! the machine's time makes no pod older or younger than it is.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::works::Works;
use crate::diagnostic::Diagnostic;
use crate::kube::{Kind, Name, ObjectKey, timestamp};
use crate::state::World;
use crate::target::Memory;
use crate::target::podman::reason;
use crate::target::runtime::{Observed, State};

/// By how many seconds a time may be off by rounding alone.
const ROUNDING: i64 = 2;

/// Since when a pod is as ready as it is.
struct Since {
    ready: bool,
    at: Instant,
    /// The time that was given for it.
    said: i64,
}

/// What was seen before.
#[derive(Default)]
pub(super) struct Seen {
    since: BTreeMap<ObjectKey, Since>,
}

/// The pods that are to run on a node, each with its mark: the uid and the hash of the template.
pub(super) fn wanted(world: &World, node: &str) -> BTreeMap<ObjectKey, Name> {
    let here =
        world.pods.values().filter(|pod| pod.node.as_deref() == Some(node) && pod.meta.deleting.is_none());
    let ours = here.filter(|pod| {
        pod.meta.controller.as_ref().is_none_or(|owner| &*owner.kind == Kind::DaemonSet.name())
    });
    ours.map(|pod| (pod.meta.key.clone(), format!("{}.{}", pod.meta.uid, pod.hash()).into())).collect()
}

impl Seen {
    /// Gives each pod of the node the status that was seen of it. Says whether one changed.
    pub(super) fn take_in(
        &mut self,
        world: &mut World,
        node: &str,
        pods: &[Observed],
        works: &Works,
        store: &dyn Memory,
        (now, instant): (i64, Instant),
    ) -> bool {
        let wanted = wanted(world, node);
        self.since.retain(|key, _| wanted.contains_key(key));
        let mut changed = false;
        for (key, mark) in &wanted {
            let observed = pods.iter().find(|pod| pod.key == *key && *pod.mark == **mark);
            let ready = observed.is_some_and(Observed::is_ready);
            let known = world.pods.get(key).map(|pod| (pod.ready, pod.ready_since));
            let since = self.since(key, ready, known, now, instant);
            let status = match observed {
                Some(observed) => waiting(observed, works.backs_off(key).is_some()).status(since),
                None => missing(since, works.error(key)),
            };
            let whole = || store.object(Kind::Pod, key).ok().flatten();
            changed |= world.observe(key, &status, whole);
        }
        changed
    }

    fn since(
        &mut self,
        key: &ObjectKey,
        ready: bool,
        known: Option<(bool, Option<i64>)>,
        now: i64,
        instant: Instant,
    ) -> i64 {
        let begin = || match known {
            // As it was before this agent began, unless that has not come yet.
            Some((was, Some(since))) if was == ready && since <= now => {
                let age = Duration::from_secs(u64::try_from(now - since).unwrap_or(0));
                Since { ready, at: instant.checked_sub(age).unwrap_or(instant), said: since }
            }
            _ => Since { ready, at: instant, said: now },
        };
        let it = self.since.entry(key.clone()).or_insert_with(begin);
        if it.ready != ready {
            *it = Since { ready, at: instant, said: now };
        }
        let age = i64::try_from(instant.duration_since(it.at).as_secs()).unwrap_or(0);
        if (now - age - it.said).abs() > ROUNDING {
            it.said = now - age;
        }
        it.said
    }
}

/// A pod whose containers that have ended wait to be started again, if they do.
fn waiting(pod: &Observed, waits: bool) -> Observed {
    let mut pod = pod.clone();
    for container in pod.containers.iter_mut().filter(|container| waits && !container.init) {
        if let State::Ended(ended) = &container.state {
            let message = "back-off restarting failed container".to_owned();
            container.last = Some(ended.clone());
            container.state = State::Waiting("CrashLoopBackOff".to_owned(), message);
        }
    }
    pod
}

/// The status of a pod that does not run: with why, where starting it failed.
fn missing(since: i64, error: Option<&Diagnostic>) -> Value {
    let mut status = json!({
        "phase": "Pending",
        "conditions": [{ "type": "Ready", "status": "False", "lastTransitionTime": timestamp(since) }],
    });
    if let Some(error) = error {
        status["reason"] = json!(reason(error.code).unwrap_or(error.code));
        status["message"] = json!(error.message);
    }
    status
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_jumps_makes_no_pod_older() {
        let mut seen = Seen::default();
        let key = ObjectKey::new("default", "a");
        let start = Instant::now() + Duration::from_secs(1_000);
        let mut at = |ready, now, seconds| {
            seen.since(&key, ready, Some((true, Some(40))), now, start + Duration::from_secs(seconds))
        };
        assert_eq!(at(true, 100, 0), 40, "as it was known");
        assert_eq!(at(true, 110, 10), 40);
        assert_eq!(at(true, 1_000_111, 11), 1_000_040, "ahead");
        assert_eq!(at(true, 62, 12), -10, "and back");
        assert_eq!(at(false, 63, 13), 63);
        assert_eq!(at(true, 65, 15), 65);
        let mut new = Seen::default();
        assert_eq!(new.since(&key, true, Some((true, Some(400))), 100, start), 100, "not yet come");
    }
}
