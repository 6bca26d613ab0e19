//! `dsrules watch DIR`: a folder is the desired state, for as long as this runs.
//!
//! The loop waits for events, lets them come to rest, looks at what may have changed and
//! applies it. It is the store's one writer until it ends; readers read meanwhile.

mod keeper;
mod line;
mod pause;
mod rules;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use dsrules::app::session::Session;
use dsrules::diagnostic::Diagnostic;
use dsrules::manifest::{FieldValidation, Options};
use dsrules::serve::{self, Metrics};
use dsrules::source::{Events, Hint};
use dsrules::target::sqlite::{Open, Store};

use crate::cli::context::Context;
use crate::cli::exit::{Exit, Failure};
use crate::cli::options::duration::duration;
use crate::cli::options::input::{Validate, absolute, beside};
use crate::cli::options::planning::BoundArgs;
use keeper::Keeper;
use line::Line;
use pause::{Pause, SOON, Woken};
use rules::Rules;

/// Arguments of `watch`.
#[derive(Debug, Args)]
pub struct WatchArgs {
    /// The folder of manifests (.yaml, .yml, .json)
    #[arg(value_name = "DIR")]
    dir: PathBuf,
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
    /// Keep a folder of pod manifests equal to the store
    #[arg(long, value_name = "DIR")]
    tree: Option<PathBuf>,
    /// Serve /metrics and /healthz here, as `127.0.0.1:9090` or `localhost:9090`
    #[arg(long, value_name = "ADDRESS", value_parser = serve::address)]
    listen: Option<SocketAddr>,
    /// Answer requests for this host name too; may be given several times
    #[arg(long, value_name = "HOST")]
    listen_host: Vec<String>,
}

impl WatchArgs {
    fn reading(&self) -> Options {
        Options {
            recursive: self.recursive,
            validate: match self.validate {
                Validate::Strict => FieldValidation::Strict,
                Validate::Warn => FieldValidation::Warn,
                Validate::Ignore => FieldValidation::Ignore,
            },
            default_namespace: self.namespace.clone(),
            ..Options::default()
        }
    }

    /// As the library takes them, at the time of one look.
    fn options(&self, context: &Context) -> dsrules::app::Options {
        dsrules::app::Options {
            prune: true,
            allow_empty: self.allow_empty,
            now: context.clock(),
            ..self.bounds.options(context)
        }
    }
}

/// Whether there is a folder to watch: a slip of the pen is told before anything is done.
fn is_there(args: &WatchArgs) -> Result<(), Diagnostic> {
    let shown = args.dir.display();
    match std::fs::metadata(&args.dir) {
        Ok(found) if args.once || found.is_dir() => Ok(()),
        Ok(_) => Err(Diagnostic::error("no-folder", format!("`{shown}` is not a folder"))
            .help("name the folder that the file is in")),
        Err(error) => Err(Diagnostic::error("no-folder", format!("there is no folder `{shown}` to watch"))
            .because(error.to_string())
            .help("look at how it is spelt, or make it first: it may be empty")),
    }
}

/// Watches until a signal comes.
pub fn run(args: &WatchArgs, context: &mut Context) -> Result<Exit, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(watch(args, context))
}

async fn watch(args: &WatchArgs, context: &mut Context) -> Result<Exit, Failure> {
    is_there(args)?;
    let mut pause = Pause::new()?;
    let open = Open::write("dsrules watch").wait(context.lock_timeout);
    let store = Store::open(&context.db, &open)?;
    let root = std::path::absolute(&args.dir)?;
    let id = absolute(&args.dir);
    let beside = beside(std::slice::from_ref(&root), &args.reading());
    let (rules, policy, warnings) = Rules::new(&args.bounds.rules, &root, &beside, &id, &store)?;
    if !warnings.is_empty() {
        context.tell(warnings);
    }
    let session = Session::new(store, policy.program, policy.own);
    let mut events = Events::new(&root, args.recursive, pause.waker());
    let mut keeper = Keeper::new(session, rules, root, id, args.reading(), args.tree.clone());
    let metrics = Arc::<Metrics>::default();
    if let Some(address) = args.listen {
        if !address.ip().is_loopback() {
            context.tell(vec![serve::open(address)]);
        }
        let served = serve::serve(&metrics, address, &args.listen_host)?;
        context.note(&format!("listening on http://{served}"));
    }
    let mut hint = Hint::Everything;
    let mut first = true;
    loop {
        let start = Instant::now();
        // Watching begins before the look, so what changes meanwhile is looked at again.
        let missing = match args.poll {
            None if !args.once => match events.ensure() {
                Ok(anew) => {
                    if anew {
                        hint = Hint::Everything;
                    }
                    None
                }
                Err(missing) => Some(missing),
            },
            _ => None,
        };
        let away = missing.is_some();
        let look = match missing {
            Some(missing) => keeper.failed(missing),
            None => keeper.look(&hint, &args.options(context)),
        };
        let line = Line::new(&look, &keeper, first, start.elapsed(), context.clock());
        metrics.note(line.numbers(&keeper), keeper.world());
        for broken in &look.told {
            line::tell(broken, context);
        }
        if first || !line.is_empty() {
            line.write(context)?;
        }
        first = false;
        if args.once {
            return Ok(if keeper.is_sound() { Exit::Done } else { Exit::Error });
        }
        // Rules may have changed after they were read and before they were watched.
        if args.poll.is_none() && events.also(keeper.places()) {
            hint = events.take();
            continue;
        }
        let soon = if away { Some(SOON) } else { keeper.retry() };
        hint = match pause.next(args.poll, args.debounce, soon).await {
            Woken::Signal => return Ok(Exit::Done),
            Woken::Events => events.take(),
            Woken::Everything => Hint::Everything,
            // Nothing changed but the time, unless the last look failed.
            Woken::Time if keeper.is_sound() => events.take(),
            Woken::Time => Hint::Everything,
        };
    }
}
