//! The options about what runs the pods, and about the pace of rollouts.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};
use dsrules::app::Database;
use dsrules::app::agent::Pace;
use dsrules::diagnostic::Diagnostic;
use dsrules::source::OwnNode;
use dsrules::target::podman::{self, Podman};
use dsrules::target::reports::Reports;
use dsrules::target::runtime::Runtime;
use dsrules::target::simulated::Simulated;

use crate::cli::context::clock;
use crate::cli::options::duration::duration;

/// What runs the pods.
#[derive(Debug, Args)]
pub struct PodArgs {
    /// Run the pods as containers; what is seen of them says what is ready
    #[arg(long, value_name = "WITH", value_enum)]
    run: Option<With>,
    /// The program
    #[arg(long, value_name = "PROGRAM", default_value = "podman", requires = "run")]
    podman: String,
    /// An option for podman, before its command, as `--root=/srv/podman`; may be given several times
    #[arg(long, value_name = "OPTION", allow_hyphen_values = true, requires = "run")]
    podman_option: Vec<String>,
    /// The folder for what is mounted into pods [default: beside the store]
    #[arg(long, value_name = "DIR", requires = "run")]
    pod_dir: Option<PathBuf>,
}

/// `--run`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum With {
    // `podman kube play`
    Podman,
    // Nothing: every pod counts as running and ready
    Simulated,
}

impl PodArgs {
    /// Whether pods are run here.
    pub fn are_run(&self) -> bool {
        self.run.is_some()
    }

    /// What runs them, if they are run here.
    pub fn runtime(
        &self,
        node: &OwnNode,
        database: &Database,
    ) -> Result<Option<Arc<dyn Runtime>>, Diagnostic> {
        match self.run {
            None => return Ok(None),
            Some(With::Simulated) => return Ok(Some(Arc::new(Simulated::new(clock)))),
            Some(With::Podman) => {}
        }
        let beside = || database.path.with_file_name(format!("pods-{}", node.name));
        let folder = self.pod_dir.clone().unwrap_or_else(beside);
        let podman = Podman::new(&podman::Options {
            node: node.name.to_string(),
            program: self.podman.clone(),
            arguments: self.podman_option.clone(),
            folder: std::path::absolute(&folder).unwrap_or(folder),
            now: clock,
        })?;
        Ok(Some(Arc::new(podman)))
    }
}

/// The pace of rollouts.
#[derive(Debug, Args)]
#[command(next_help_heading = "Rollouts")]
pub struct TurnArgs {
    /// A folder that all agents share: each reports in it how its node stands, and no more pods are
    /// down over all of them than maxUnavailable allows
    #[arg(long, value_name = "DIR")]
    reports: Option<PathBuf>,
    /// Without `--reports`, nobody counts over nodes: a node replaces a pod that is available when
    /// its turn comes, so long after the one before. Its turn is its `wave`, or one by its name
    #[arg(long, value_name = "TIME", default_value = "1m", value_parser = duration)]
    wave_every: Duration,
    /// How many turns there are for nodes without a `wave`
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    waves: u32,
}

impl TurnArgs {
    /// Where is reported to.
    pub fn reports(&self) -> Option<Reports> {
        self.reports.as_deref().map(Reports::new)
    }

    /// The pace.
    pub fn pace(&self) -> Pace {
        self.reports().map_or(Pace::Every(self.wave_every, self.waves), Pace::Shared)
    }
}
