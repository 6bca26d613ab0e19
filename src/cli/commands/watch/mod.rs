//! `dsrules watch DIR`: a folder is the desired state, for as long as this runs.
//!
//! The loop waits for events, lets them come to rest, looks at what may have changed and
//! applies it. It is the store's one writer until it ends; readers read meanwhile.

mod args;
mod cluster;
pub mod line;
mod listen;
pub mod pause;
pub mod steps;

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use dsrules::app::watch::{Keeper, Watch};
use dsrules::diagnostic::Diagnostic;
use dsrules::manifest::Options;
use dsrules::serve::Metrics;
use dsrules::source::{Events, absolute};

use crate::cli::context::Context;
use crate::cli::exit::{Exit, Failure};
use crate::cli::options::tree::needs_secrets;
use listen::listen;
use pause::Pause;
use steps::{Rhythm, Steps};

pub use args::WatchArgs;

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
