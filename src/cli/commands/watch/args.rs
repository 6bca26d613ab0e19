//! What `watch` is told.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use dsrules::serve;

use crate::cli::options::bounds::BoundArgs;
use crate::cli::options::cluster::ClusterArgs;
use crate::cli::options::duration::duration;
use crate::cli::options::export::ExportArgs;
use crate::cli::options::input::Validate;
use crate::cli::options::keep::KeepArgs;
use crate::cli::options::tree::TreeArgs;

/// Arguments of `watch`.
#[derive(Debug, Args)]
pub struct WatchArgs {
    /// The folder of manifests (.yaml, .yml, .json); with `--cluster` what is put on top of it, also a
    /// file
    #[arg(value_name = "DIR", required_unless_present = "cluster")]
    pub dir: Option<PathBuf>,
    /// Watch the folders in the folder too
    #[arg(long, short = 'R')]
    pub recursive: bool,
    /// The namespace of objects that name none
    #[arg(long, short = 'n', value_name = "NAMESPACE", default_value = "default")]
    pub namespace: String,
    /// What to do about fields that there are not
    #[arg(long, value_name = "HOW", value_enum, default_value_t = Validate::Strict)]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "strict")]
    pub validate: Validate,
    #[command(flatten)]
    pub bounds: BoundArgs,
    #[command(flatten)]
    pub keep: KeepArgs,
    /// Let the folder lose all of its objects
    #[arg(long)]
    pub allow_empty: bool,
    /// Look once, apply, and end
    #[arg(long)]
    pub once: bool,
    /// How long the folder must be at rest before it is looked at
    #[arg(long, value_name = "TIME", default_value = "100ms", value_parser = duration)]
    pub debounce: Duration,
    /// Look every so often instead of waiting for events; for file systems that send none
    #[arg(long, value_name = "TIME", value_parser = duration)]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "2s")]
    pub poll: Option<Duration>,
    #[command(flatten)]
    pub tree: TreeArgs,
    #[command(flatten)]
    pub exports: ExportArgs,
    /// Serve /metrics and /healthz here, as `127.0.0.1:9090` or `localhost:9090`
    #[arg(long, value_name = "ADDRESS", value_parser = serve::address)]
    pub listen: Option<SocketAddr>,
    /// Answer requests for this host name too; may be given several times
    #[arg(long, value_name = "HOST")]
    pub listen_host: Vec<String>,
    #[command(flatten)]
    pub cluster: ClusterArgs,
}
