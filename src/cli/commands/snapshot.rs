//! `dsrules snapshot`: what there is in a live cluster, or in a shared store, as a file.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use dsrules::app::cluster::snapshot;
use dsrules::diagnostic::Diagnostic;
use dsrules::report;
use dsrules::target::etcd;

use crate::cli::context::Context;
use crate::cli::exit::{Exit, Failure};
use crate::cli::options::cluster::access;
use crate::cli::progress::Progress;

/// Arguments of `snapshot`.
#[derive(Debug, Args)]
pub struct SnapshotArgs {
    /// Write down a live cluster, by the context of the kubeconfig that names it; the current one where
    /// none is named. Without it: a shared store (--store), as `dsrules restore` takes it
    #[arg(long, value_name = "CONTEXT", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    cluster: Option<String>,
    /// The kubeconfig [default: what KUBECONFIG says, else ~/.kube/config]
    #[arg(long, value_name = "FILE", requires = "cluster")]
    kubeconfig: Option<PathBuf>,
    /// How to write a cluster
    #[arg(long, short = 'o', value_name = "FORMAT", value_enum, default_value_t = Format::Yaml)]
    #[arg(requires = "cluster")]
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

/// A shared store, to the byte.
fn store(context: &mut Context) -> Result<Exit, Failure> {
    let access = context.shared().map_err(|told| {
        Diagnostic::error("nothing-named", "neither a cluster nor a shared store is named")
            .because(told.message)
            .help("say `--cluster`, or `--store etcd://HOST:2379/PREFIX`")
    })?;
    let keys = etcd::snapshot(&access, &mut context.out)?;
    context.out.flush()?;
    context.note(&format!("{keys} keys of {} are written down", access.shown()));
    Ok(Exit::Done)
}

/// Reads and writes.
pub fn run(args: &SnapshotArgs, context: &mut Context) -> Result<Exit, Failure> {
    let Some(cluster) = &args.cluster else { return store(context) };
    let named = Some(cluster.clone()).filter(|name| !name.is_empty());
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
