//! What `explain` and `query` look at: the store, or manifests without one.

use std::path::PathBuf;

use clap::Args;
use dsrules::app::cluster::Detail;
use dsrules::app::{Manifests, Sight};
use dsrules::diagnostic::Diagnostic;
use dsrules::manifest::Options;

use super::cluster::ClusterArgs;
use super::input::inputs;
use super::rules::RuleArgs;
use crate::cli::context::Context;
use crate::cli::exit::Failure;

/// Where to look.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Input")]
pub struct WorldArgs {
    /// Manifests to look at instead of the database, as if they were all there is, or with
    /// `--cluster` as if `kubectl apply` had put them there; `-` for stdin
    #[arg(long, short = 'f', value_name = "PATH")]
    filename: Vec<PathBuf>,
    /// Read the folders in folders too
    #[arg(long, short = 'R', requires = "filename")]
    recursive: bool,
    #[command(flatten)]
    pub rules: RuleArgs,
    #[command(flatten)]
    pub cluster: ClusterArgs,
}

impl WorldArgs {
    /// Refuses to look back at what has no past.
    pub fn refuse_past(&self) -> Result<(), Diagnostic> {
        const NO_PAST: &str = "a cluster does not say what was: `dsrules snapshot --cluster` keeps what is";
        self.cluster.refuse(&[("--at", true, NO_PAST)])?;
        if self.filename.is_empty() {
            return Ok(());
        }
        Err(Diagnostic::error("no-past", "`--at` and `--filename` do not go together")
            .because("manifests that are looked at in place of the database have no past")
            .help("leave `--filename` away to look back at the database, or name the manifests as they were"))
    }

    /// As the library takes it, with what comes from stdin.
    pub fn sight(&self, namespace: &str, context: &mut Context) -> Result<Sight, Failure> {
        self.cluster.observe(Detail::Whole, context)?;
        let options = Options {
            recursive: self.recursive,
            default_namespace: namespace.to_owned(),
            ..Options::default()
        };
        let manifests = Manifests { inputs: inputs(&self.filename, &options)?, options };
        Ok(Sight {
            database: context.database.clone(),
            manifests,
            rules: self.rules.asked(),
            now: context.seconds(),
            whole: self.rules.whole,
        })
    }
}
