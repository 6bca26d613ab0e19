//! `dsrules snapshot --cluster`: what there is in a live cluster, as a file.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use dsrules::app::cluster::snapshot;
use dsrules::report;

use crate::cli::context::Context;
use crate::cli::exit::{Exit, Failure};
use crate::cli::options::cluster::access;
use crate::cli::progress::Progress;

/// Arguments of `snapshot`.
#[derive(Debug, Args)]
pub struct SnapshotArgs {
    /// The context of the kubeconfig that names the cluster; the current one where none is named
    #[arg(long, value_name = "CONTEXT", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    #[arg(required = true)]
    cluster: Option<String>,
    /// The kubeconfig [default: what KUBECONFIG says, else ~/.kube/config]
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// How to write it
    #[arg(long, short = 'o', value_name = "FORMAT", value_enum, default_value_t = Format::Yaml)]
    output: Format,
}

/// `-o` of `snapshot`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    // A List in YAML
    Yaml,
    // A List in JSON, which is read ten times as fast
    Json,
}

/// Reads and writes.
pub fn run(args: &SnapshotArgs, context: &mut Context) -> Result<Exit, Failure> {
    let named = args.cluster.clone().filter(|name| !name.is_empty());
    let progress = Progress::begin(context.quiet);
    let taken = snapshot(&access(args.kubeconfig.clone(), named), context);
    drop(progress);
    let taken = taken?;
    match args.output {
        Format::Yaml => report::list_yaml(taken.objects(), &mut context.out)?,
        Format::Json => report::list_json(taken.objects(), &mut context.out)?,
    }
    context.out.flush()?;
    Ok(Exit::Done)
}
