//! `dsrules agent`: one machine is kept at what the manifests of a fleet say of its node.
//!
//! The loop is `watch`'s: it waits for events of the source, of what stands for the pods, and
//! for time, and makes a step.

mod node;
mod pods;
mod stored;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use dsrules::app::agent::{Agent, Request, Wake};
use dsrules::app::watch::Watch;
use dsrules::app::{Database, Options};
use dsrules::diagnostic::Diagnostic;
use dsrules::manifest;
use dsrules::plan::Readiness;
use dsrules::serve::Metrics;
use dsrules::source::{Events, OwnNode};

use super::watch::pause::Pause;
use super::watch::steps::{Rhythm, Steps};
use crate::cli::context::Context;
use crate::cli::exit::{Exit, Failure};
use crate::cli::options::bounds::BoundArgs;
use crate::cli::options::duration::duration;
use crate::cli::options::export::ExportArgs;
use crate::cli::options::input::Validate;
use crate::cli::options::tree::TreeArgs;
use node::NodeArgs;
use pods::{PodArgs, TurnArgs};

/// Under which the store of an agent remembers its source, wherever that is: it has but one.
const INPUT: &str = "agent";

const EXIT_CODES: &str = "\
Exit codes:
  0  a signal ended it (the pods go on), or with --once: all is as it should be
  1  it could not begin: no source folder, another agent for this node, rules or options that
     are wrong; or with --once: a file is in error or something failed, and the rest is done";

/// Arguments of `agent`.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub struct AgentArgs {
    /// The folder with the manifests of the fleet (.yaml, .yml, .json), with its folders; or name a
    /// shared store with --store
    #[arg(long, value_name = "DIR")]
    source: Option<PathBuf>,
    /// For how long the node is taken for reachable when its agent is not heard of; with a store
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = duration)]
    lease: Duration,
    #[command(flatten)]
    node: NodeArgs,
    #[command(flatten)]
    tree: TreeArgs,
    #[command(flatten)]
    pods: PodArgs,
    #[command(flatten)]
    turns: TurnArgs,
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
    exports: ExportArgs,
    /// Let the source lose all of its daemonsets
    #[arg(long)]
    allow_empty: bool,
    /// Look once, do what is to be done, and end
    #[arg(long)]
    once: bool,
    /// How often to compare what is there with what should be, though nothing was heard
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = duration)]
    interval: Duration,
    /// How long the source must be at rest before it is looked at
    #[arg(long, value_name = "TIME", default_value = "100ms", value_parser = duration)]
    debounce: Duration,
    /// Look at the source every so often instead of waiting for events; for file systems that send none
    #[arg(long, value_name = "TIME", value_parser = duration)]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "10s")]
    poll: Option<Duration>,
}

/// Runs until a signal comes.
pub fn run(args: &AgentArgs, context: &mut Context) -> Result<Exit, Failure> {
    let source = match (&args.source, &context.database.shared) {
        (Some(source), None) => source,
        (None, Some(_)) => return stored::run(of_store(args, context)?, context),
        (source, _) => return Err(one_source(source.is_some()).into()),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(agent(args, source, context))
}

/// That it is to be a folder, or a store.
fn one_source(both: bool) -> Diagnostic {
    let told = if both { "a source and a shared store are named" } else { "no source is named" };
    Diagnostic::error("one-source", told)
        .because("an agent follows a folder of manifests, or a store that many share")
        .help("say `--source DIR`, or `--store etcd://HOST:2379/PREFIX`")
}

/// What an agent of a store is told.
fn of_store(args: &AgentArgs, context: &Context) -> Result<stored::Asked, Failure> {
    has_something_to_run(args)?;
    let node = args.node.own()?;
    let database = database(&node, context);
    Ok(stored::Asked {
        access: context.shared()?,
        runtime: args.pods.runtime(&node, &database)?,
        tree: args.tree.destination()?,
        lease: args.lease,
        interval: args.interval,
        database,
        node,
    })
}

async fn agent(args: &AgentArgs, source: &Path, context: &mut Context) -> Result<Exit, Failure> {
    is_asked_right(args, source)?;
    let pause = Pause::new()?;
    let request = request(args, source, Arc::new(pause.waker()), context)?;
    let events = Events::new(&request.watch.root, true, pause.waker());
    let looks = Agent::new(request, context)?;
    let mut options = Options { prune: true, allow_empty: args.allow_empty, ..args.bounds.options(context) };
    if args.pods.are_run() {
        options.readiness = Readiness::Observe;
    }
    let rhythm = Rhythm { once: args.once, debounce: args.debounce, poll: args.poll };
    let metrics = Arc::<Metrics>::default();
    Steps { looks, events, pause, metrics, options, rhythm }.run(context).await
}

fn request(args: &AgentArgs, source: &Path, wake: Wake, context: &Context) -> Result<Request, Failure> {
    let node = args.node.own()?;
    let root = std::path::absolute(source)?;
    let database = database(&node, context);
    let reports = args.turns.reports();
    Ok(Request {
        runtime: args.pods.runtime(&node, &database)?,
        pace: args.turns.pace(),
        reports,
        once: args.once,
        wake,
        watch: Watch {
            database,
            root,
            id: INPUT.to_owned(),
            holder: format!("dsrules agent --node {}", node.name),
            node: Some(node.clone()),
            reading: reading(args, &node),
            rules: args.bounds.rules.asked(),
            tree: args.tree.destination()?,
            exports: args.exports.export.clone(),
            clock: Instant::now,
        },
        node,
        interval: args.interval,
    })
}

/// How the manifests of a fleet are read for a node: with what is secret, as its pods need that.
fn reading(args: &AgentArgs, node: &OwnNode) -> manifest::Options {
    manifest::Options {
        recursive: true,
        validate: args.validate.into(),
        default_namespace: args.namespace.clone(),
        node: Some(node.name.clone()),
        secrets: true,
        ..manifest::Options::default()
    }
}

/// The store of a node: where a system keeps what programs know, or in the user's own place for
/// that. Another agent of the same node is refused at once.
fn database(node: &OwnNode, context: &Context) -> Database {
    let file = format!("agent-{}.db", node.name);
    let path = || {
        let home = |name| std::env::var_os(name).filter(|it| !it.is_empty()).map(PathBuf::from);
        let state = home("STATE_DIRECTORY").or_else(|| match is_root() {
            true => Some(PathBuf::from("/var/lib/dsrules")),
            false => home("XDG_STATE_HOME")
                .or_else(|| Some(home("HOME")?.join(".local/state")))
                .map(|state| state.join("dsrules")),
        });
        state.unwrap_or_default().join(file)
    };
    Database { wait: Duration::ZERO, ..context.database_or(path) }
}

/// Whether everything may be written: `/proc/self` belongs to whom the process is run by.
#[cfg(unix)]
fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").is_ok_and(|found| found.uid() == 0)
}

#[cfg(not(unix))]
fn is_root() -> bool {
    false
}

/// Whether there is something to keep the node with, and a source: a slip of the pen is told
/// before anything is done.
fn is_asked_right(args: &AgentArgs, source: &Path) -> Result<(), Diagnostic> {
    has_something_to_run(args)?;
    let shown = source.display();
    let there = |path: &Path| std::fs::metadata(path).map(|found| found.is_dir());
    match there(source) {
        Ok(false) => Err(Diagnostic::error("no-folder", format!("the source `{shown}` is not a folder"))
            .help("name the folder that the file is in")),
        // What is not there yet may be mounted, or checked out, later.
        Ok(true) | Err(_) => Ok(()),
    }
}

fn has_something_to_run(args: &AgentArgs) -> Result<(), Diagnostic> {
    if args.tree.destination()?.is_none() && !args.pods.are_run() {
        return Err(Diagnostic::error("nothing-to-run", "nothing is said of how the pods are to run")
            .help("say `--run podman`, or `--tree DIR` for a folder that something else runs them from"));
    }
    Ok(())
}
