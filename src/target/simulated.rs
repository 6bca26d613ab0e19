//! A runtime that runs nothing: every pod runs and is ready as soon as it is played.
//!
//! For trying out a fleet, and for tests: a thousand of them cost little.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use super::runtime::{Container, Observed, Phase, Playable, Runtime, State};
use crate::diagnostic::Diagnostic;
use crate::kube::{ObjectKey, list};

/// It remembers what it was told, for as long as it is there.
pub struct Simulated {
    pods: Mutex<BTreeMap<ObjectKey, Observed>>,
    now: fn() -> i64,
}

impl Simulated {
    /// One that runs nothing yet; `now` is the time in seconds of Unix time.
    #[must_use]
    pub fn new(now: fn() -> i64) -> Self {
        Simulated { pods: Mutex::default(), now }
    }

    fn with<T>(&self, act: impl FnOnce(&mut BTreeMap<ObjectKey, Observed>) -> T) -> T {
        act(&mut self.pods.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Runtime for Simulated {
    fn name(&self) -> String {
        "simulated".to_owned()
    }

    fn list(&self) -> Result<Vec<Observed>, Diagnostic> {
        Ok(self.with(|pods| pods.values().cloned().collect()))
    }

    fn play(&self, pod: &Playable) -> Result<(), Diagnostic> {
        let now = (self.now)();
        let text = |value: &serde_json::Value, field: &str| value[field].as_str().unwrap_or("").to_owned();
        let containers = list(&pod.manifest["spec"], "containers").map(|it| Container {
            name: text(it, "name"),
            image: text(it, "image"),
            state: State::Running(Some(now)),
            ..Container::default()
        });
        let observed = Observed {
            key: pod.key.clone(),
            mark: pod.mark.clone(),
            phase: Phase::Running,
            started: Some(now),
            containers: containers.collect(),
            ..Observed::default()
        };
        self.with(|pods| drop(pods.insert(pod.key.clone(), observed)));
        Ok(())
    }

    fn restart(&self, _: &ObjectKey) -> Result<(), Diagnostic> {
        Ok(())
    }

    fn stop(&self, pod: &ObjectKey) -> Result<(), Diagnostic> {
        self.with(|pods| drop(pods.remove(pod)));
        Ok(())
    }
}
