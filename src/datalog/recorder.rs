//! Runs of rules, counted and timed as they happen.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The runs of a rule.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Runs {
    pub runs: u64,
    pub looks: u64,
    pub found: u64,
    pub time: Duration,
}

/// Counts them, rule by rule.
pub(super) struct Recorder {
    clock: fn() -> Instant,
    rules: Vec<Mutex<Runs>>,
}

impl Recorder {
    /// For so many rules, with the clock that they are timed by.
    pub fn new(clock: fn() -> Instant, rules: usize) -> Self {
        Recorder { clock, rules: (0..rules).map(|_| Mutex::default()).collect() }
    }

    /// What it is o'clock.
    pub fn now(&self) -> Instant {
        (self.clock)()
    }

    /// Adds a run that began then.
    pub fn add(&self, rule: usize, since: Instant, looks: u64, found: u64) {
        let Some(runs) = self.rules.get(rule) else { return };
        let mut runs = runs.lock().unwrap_or_else(PoisonError::into_inner);
        runs.runs += 1;
        runs.looks += looks;
        runs.found += found;
        runs.time += self.now().saturating_duration_since(since);
    }

    /// The runs of a rule.
    pub fn of(&self, rule: usize) -> Runs {
        let runs = self.rules.get(rule);
        runs.map_or_else(Runs::default, |runs| *runs.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
