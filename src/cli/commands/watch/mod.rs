//! `dsrules watch DIR`: a folder is the desired state, for as long as this runs.
//!
//! The loop waits for events, lets them come to rest, looks at what may have changed and
//! applies it. It is the store's one writer until it ends; readers read meanwhile.

mod cluster;
pub mod line;
pub mod pause;
pub mod steps;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use dsrules::app::watch::{Keeper, Watch};
use dsrules::diagnostic::Diagnostic;
use dsrules::manifest::Options;
use dsrules::serve::{self, Metrics};
use dsrules::source::{Events, absolute};

use crate::cli::context::Context;
use crate::cli::exit::{Exit, Failure};
use crate::cli::options::bounds::BoundArgs;
use crate::cli::options::cluster::ClusterArgs;
use crate::cli::options::duration::duration;
use crate::cli::options::export::ExportArgs;
use crate::cli::options::input::Validate;
use crate::cli::options::keep::KeepArgs;
use crate::cli::options::tree::{TreeArgs, needs_secrets};
use pause::Pause;
use steps::{Rhythm, Steps};

/// Arguments of `watch`.
#[derive(Debug, Args)]
pub struct WatchArgs {
    /// The folder of manifests (.yaml, .yml, .json); with `--cluster` what is put on top of it, also a
    /// file
    #[arg(value_name = "DIR", required_unless_present = "cluster")]
    dir: Option<PathBuf>,
    /// Watch the folders in the folder too
    #[arg(long, short = 'R')]
    recursive: bool,
    /// The namespace of objects that name none
    #[arg(long, short = 'n', value_name = "NAMESPACE", default_value = "default")]
    namespace: String,
    /// What to do about fields that there are not
    #[arg(long, value_name = "HOW", value_enum, default_value_t = Validate::Strict)]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "strict")]
    validate: Validate,
    #[command(flatten)]
    bounds: BoundArgs,
    #[command(flatten)]
    keep: KeepArgs,
    /// Let the folder lose all of its objects
    #[arg(long)]
    allow_empty: bool,
    /// Look once, apply, and end
    #[arg(long)]
    once: bool,
    /// How long the folder must be at rest before it is looked at
    #[arg(long, value_name = "TIME", default_value = "100ms", value_parser = duration)]
    debounce: Duration,
    /// Look every so often instead of waiting for events; for file systems that send none
    #[arg(long, value_name = "TIME", value_parser = duration)]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "2s")]
    poll: Option<Duration>,
    #[command(flatten)]
    tree: TreeArgs,
    #[command(flatten)]
    exports: ExportArgs,
    /// Serve /metrics and /healthz here, as `127.0.0.1:9090` or `localhost:9090`
    #[arg(long, value_name = "ADDRESS", value_parser = serve::address)]
    listen: Option<SocketAddr>,
    /// Answer requests for this host name too; may be given several times
    #[arg(long, value_name = "HOST")]
    listen_host: Vec<String>,
    #[command(flatten)]
    cluster: ClusterArgs,
}

/// Watches until a signal comes.
pub fn run(args: &WatchArgs, context: &mut Context) -> Result<Exit, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match (args.cluster.access(), &args.dir) {
        (Some(access), _) => runtime.block_on(cluster::run(args, &access, context)),
        (None, Some(dir)) => runtime.block_on(watch(args, dir, context)),
        // Which clap does not let through.
        (None, None) => Ok(Exit::Error),
    }
}

async fn watch(args: &WatchArgs, dir: &Path, context: &mut Context) -> Result<Exit, Failure> {
    is_there(args, dir)?;
    let pause = Pause::new()?;
    let request = request(args, dir, context)?;
    let events = Events::new(&request.root, args.recursive, pause.waker());
    let keeper = Keeper::new(request, context)?;
    let metrics = Arc::<Metrics>::default();
    if let Some(address) = args.listen {
        listen(address, &args.listen_host, &metrics, context)?;
    }
    let options = dsrules::app::Options {
        prune: true,
        allow_empty: args.allow_empty,
        ..args.keep.with(args.bounds.options(context))
    };
    let rhythm = Rhythm { once: args.once, debounce: args.debounce, poll: args.poll };
    Steps { looks: keeper, events, pause, metrics, options, rhythm }.run(context).await
}

fn request(args: &WatchArgs, dir: &Path, context: &Context) -> Result<Watch, Failure> {
    let tree = args.tree.destination()?;
    Ok(Watch {
        database: context.database.clone(),
        root: std::path::absolute(dir)?,
        id: absolute(dir),
        holder: "dsrules watch".to_owned(),
        node: None,
        reading: Options {
            recursive: args.recursive,
            validate: args.validate.into(),
            default_namespace: args.namespace.clone(),
            secrets: needs_secrets(tree.as_ref()),
            ..Options::default()
        },
        rules: args.bounds.rules.asked(),
        tree,
        exports: args.exports.export.clone(),
        clock: Instant::now,
    })
}

/// Whether there is a folder to watch: a slip of the pen is told before anything is done.
fn is_there(args: &WatchArgs, dir: &Path) -> Result<(), Diagnostic> {
    let shown = dir.display();
    match std::fs::metadata(dir) {
        Ok(found) if args.once || found.is_dir() => Ok(()),
        Ok(_) => Err(Diagnostic::error("no-folder", format!("`{shown}` is not a folder"))
            .help("name the folder that the file is in")),
        Err(error) => Err(Diagnostic::error("no-folder", format!("there is no folder `{shown}` to watch"))
            .because(error.to_string())
            .help("look at how it is spelt, or make it first: it may be empty")),
    }
}

/// Serves the metrics, and says where.
fn listen(
    address: SocketAddr,
    hosts: &[String],
    metrics: &Arc<Metrics>,
    context: &Context,
) -> Result<(), Diagnostic> {
    if !address.ip().is_loopback() {
        context.tell(vec![serve::open(address)]);
    }
    let served = serve::serve(metrics, address, hosts)?;
    context.note(&format!("listening on http://{served}"));
    Ok(())
}
