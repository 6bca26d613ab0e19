//! The numbers of a watcher, in the form that Prometheus reads (OpenMetrics).

use std::fmt;
use std::sync::atomic::AtomicU64;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::state::World;

/// What one look came to, as numbers.
#[derive(Debug, Clone, Default)]
pub struct Numbers {
    /// How long it took.
    pub took: Duration,
    /// What was done, each with how often.
    pub actions: Vec<(&'static str, usize)>,
    /// Why it failed.
    pub failure: Option<String>,
    /// Why not all is known, though it went well: a file that could not be read.
    pub unread: Option<String>,
    /// The files that there are.
    pub files: usize,
    /// Those that are not understood.
    pub files_in_error: usize,
}

/// All looks together, shared with the thread that serves them.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    looks: Counter,
    failures: Counter,
    seconds: Counter<f64, AtomicU64>,
    last: Gauge<f64, AtomicU64>,
    actions: Family<[(&'static str, &'static str); 1], Counter>,
    files: Gauge,
    files_in_error: Gauge,
    nodes: Gauge,
    daemonsets: Gauge,
    pods: Gauge,
    pods_ready: Gauge,
    /// Of a live cluster: what the rules want that is not so.
    wanted: Gauge,
    problem: Mutex<Option<String>>,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut metrics = Metrics {
            registry: Registry::with_prefix("dsrules"),
            looks: Counter::default(),
            failures: Counter::default(),
            seconds: Counter::default(),
            last: Gauge::default(),
            actions: Family::default(),
            files: Gauge::default(),
            files_in_error: Gauge::default(),
            nodes: Gauge::default(),
            daemonsets: Gauge::default(),
            pods: Gauge::default(),
            pods_ready: Gauge::default(),
            wanted: Gauge::default(),
            problem: Mutex::default(),
        };
        let all = &mut metrics.registry;
        all.register("reconciles", "Looks at the folder", metrics.looks.clone());
        all.register("reconcile_failures", "Looks that failed", metrics.failures.clone());
        all.register("reconcile_seconds", "Time spent", metrics.seconds.clone());
        all.register("last_reconcile_seconds", "Time the last look took", metrics.last.clone());
        all.register("actions", "What was done", metrics.actions.clone());
        all.register("files", "Files of the folder", metrics.files.clone());
        all.register("files_in_error", "Files that are not understood", metrics.files_in_error.clone());
        all.register("nodes", "Nodes", metrics.nodes.clone());
        all.register("daemonsets", "DaemonSets", metrics.daemonsets.clone());
        all.register("pods", "Pods", metrics.pods.clone());
        all.register("pods_ready", "Pods of daemonsets that are ready", metrics.pods_ready.clone());
        metrics
    }
}

impl Metrics {
    /// The numbers of a live cluster that is watched.
    #[must_use]
    pub fn of_cluster() -> Metrics {
        let mut metrics = Metrics::default();
        let help = "What the rules want of the cluster that is not so";
        metrics.registry.register("wanted", help, metrics.wanted.clone());
        metrics
    }

    /// Counts a look at a live cluster, of which so much is wanted.
    pub fn looked(&self, took: Duration, wanted: usize, world: &World) {
        self.looks.inc();
        self.seconds.inc_by(took.as_secs_f64());
        self.last.set(took.as_secs_f64());
        self.wanted.set(signed(wanted));
        self.see(Some(world));
    }

    /// Notes that something is wrong with what is watched, or no longer.
    pub fn trouble(&self, problem: Option<String>) {
        if problem.is_some() {
            self.failures.inc();
        }
        *self.problem.lock().unwrap_or_else(PoisonError::into_inner) = problem;
    }

    fn see(&self, world: Option<&World>) {
        self.nodes.set(world.map_or(0, |world| signed(world.nodes.len())));
        self.daemonsets.set(world.map_or(0, |world| signed(world.daemonsets.len())));
        self.pods.set(world.map_or(0, |world| signed(world.pods.len())));
        self.pods_ready.set(world.map_or(0, ready));
    }

    /// Counts a look; the world as it is after it, where that is known.
    pub fn note(&self, look: Numbers, world: Option<&World>) {
        self.looks.inc();
        self.seconds.inc_by(look.took.as_secs_f64());
        self.last.set(look.took.as_secs_f64());
        for (what, count) in look.actions {
            self.actions.get_or_create(&[("action", what)]).inc_by(count as u64);
        }
        if look.failure.is_some() {
            self.failures.inc();
        }
        *self.problem.lock().unwrap_or_else(PoisonError::into_inner) = look.failure.or(look.unread);
        self.files.set(signed(look.files));
        self.files_in_error.set(signed(look.files_in_error));
        self.see(world);
    }

    /// What is wrong, if something is.
    #[must_use]
    pub fn problem(&self) -> Option<String> {
        self.problem.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// All numbers as text.
    ///
    /// # Errors
    /// Never in practice: a text takes whatever is written to it.
    pub fn text(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

fn signed(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// The pods that the statuses count as ready: looking at each pod would take too long.
fn ready(world: &World) -> i64 {
    world.daemonsets.values().map(|daemonset| daemonset.status.number_ready).sum()
}
