//! `dsrules controller`: one of any number that keep the daemonsets of a shared store at what the
//! rules say.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use dsrules::app::controller::{Drive, Manifests, Request, Round, Told};
use dsrules::app::rules;
use dsrules::diagnostic::counted;
use dsrules::manifest::Options;
use dsrules::serve::{self, Metrics, Numbers};

use crate::cli::context::{Context, clock};
use crate::cli::exit::{Exit, Failure};
use crate::cli::options::duration::duration;
use crate::cli::options::rules::RuleArgs;
use crate::cli::signals::Signals;

/// Arguments of `controller`.
#[derive(Debug, Args)]
pub struct ControllerArgs {
    /// A folder of manifests that is kept applied, with its folders; give all of them the same
    #[arg(value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Its name among the controllers [default: the machine's name and the process]
    #[arg(long, value_name = "NAME")]
    id: Option<String>,
    /// For how long its share is its own when it is not heard of
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = duration)]
    lease: Duration,
    /// The namespace of objects that name none
    #[arg(long, short = 'n', value_name = "NAMESPACE", default_value = "default")]
    namespace: String,
    #[command(flatten)]
    rules: RuleArgs,
    /// Serve /metrics and /healthz here, as `127.0.0.1:9090` or `localhost:9090`
    #[arg(long, value_name = "ADDRESS", value_parser = serve::address)]
    listen: Option<SocketAddr>,
    /// Answer requests for this host name too; may be given several times
    #[arg(long, value_name = "HOST")]
    listen_host: Vec<String>,
}

/// Runs until a signal comes.
pub fn run(args: &ControllerArgs, context: &mut Context) -> Result<Exit, Failure> {
    let mut drive = Drive::new(request(args, context)?)?;
    let stop = drive.stopper();
    on_signal(move || stop.stop())?;
    let metrics = Arc::<Metrics>::default();
    if let Some(address) = args.listen {
        if !address.ip().is_loopback() {
            context.tell(vec![serve::open(address)]);
        }
        let served = serve::serve(&metrics, address, &args.listen_host)?;
        context.note(&format!("listening on http://{served}"));
    }
    drive.run(&mut |drive, told| match told {
        Told::Round(round) => {
            metrics.note(numbers(&round), Some(drive.world()));
            context.note(&line(&round));
        }
        Told::Trouble(trouble) => {
            let failure = Some(trouble.message.clone());
            metrics.note(Numbers { failure, ..Numbers::default() }, Some(drive.world()));
            context.tell(vec![trouble]);
        }
        Told::Note(note) => context.note(&note),
    });
    Ok(Exit::Done)
}

fn request(args: &ControllerArgs, context: &Context) -> Result<Request, Failure> {
    let reading = Options {
        recursive: true,
        default_namespace: args.namespace.clone(),
        secrets: true,
        ..Options::default()
    };
    let manifests = match &args.dir {
        Some(dir) => Some(Manifests::new(std::path::absolute(dir)?, reading)),
        None => None,
    };
    let named =
        || format!("{}-{}", dsrules::source::Machine::read(Path::new("/")).hostname, std::process::id());
    Ok(Request {
        access: context.shared()?,
        name: args.id.clone().unwrap_or_else(named).into(),
        seconds: i64::try_from(args.lease.as_secs()).unwrap_or(10).max(1),
        program: rules::alone(&args.rules.asked(), context)?,
        manifests,
        clock,
    })
}

/// Does something when a signal asks to end; a second one ends at once.
pub fn on_signal(act: impl Fn() + Send + 'static) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut signals = {
        let _entered = runtime.enter();
        Signals::new()?
    };
    let wait = move || {
        runtime.block_on(signals.next());
        act();
        runtime.block_on(signals.next());
        std::process::exit(1);
    };
    std::thread::Builder::new().name("signals".to_owned()).spawn(wait)?;
    Ok(())
}

fn numbers(round: &Round) -> Numbers {
    Numbers { actions: vec![("create", round.created), ("delete", round.deleted)], ..Numbers::default() }
}

/// A round as a line.
fn line(round: &Round) -> String {
    let Round { created, deleted, written, waiting, members, revision } = round;
    let (keys, members) = (counted(*written, "key"), counted(*members, "controller"));
    let waits = if *waiting == 1 { "waits" } else { "wait" };
    let waiting = counted(*waiting, "daemonset");
    format!(
        "{created} created, {deleted} deleted, {keys} written; {waiting} {waits}; {members}; knows all up to \
         revision {revision}"
    )
}
