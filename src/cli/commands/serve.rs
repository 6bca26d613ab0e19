//! `dsrules serve`: the Kubernetes API of the store, of a folder or of files, for kubectl and
//! other clients.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use clap::Args;
use dsrules::app::api::{Followed, Private, Serving, Told};
use dsrules::app::watch::{Step, Watch};
use dsrules::app::{Database, MaxDelete, Options};
use dsrules::diagnostic::Diagnostic;
use dsrules::serve;
use dsrules::serve::api::{Identity, Listening, listen};
use dsrules::source::absolute;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::watch::line::{self, Line};
use crate::cli::context::{Context, clock};
use crate::cli::exit::{Exit, Failure};
use crate::cli::options::bounds::BoundArgs;
use crate::cli::options::input::InputArgs;
use crate::cli::options::keep::KeepArgs;
use crate::cli::signals::Signals;

/// Arguments of `serve`.
#[derive(Debug, Args)]
pub struct ServeArgs {
    #[command(flatten)]
    input: InputArgs,
    /// Listen here: `127.0.0.1:8001`, `localhost:8001`, `[::1]:8001`
    #[arg(long, value_name = "ADDRESS", value_parser = serve::address, default_value = "127.0.0.1:8001")]
    listen: SocketAddr,
    /// Answer requests for this host name too; may be given several times
    #[arg(long, value_name = "HOST")]
    listen_host: Vec<String>,
    /// Answer over TLS, as who this certificate says (PEM, with those up to its root)
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The certificate's key (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Answer only who has one of the tokens in this file, one a line (`Authorization: Bearer …`)
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Take changes too: the store is written by this command alone until it ends. What a file of
    /// a folder says is changed only there
    #[arg(long)]
    write: bool,
    #[command(flatten)]
    bounds: BoundArgs,
    #[command(flatten)]
    keep: KeepArgs,
}

/// Serves until a signal comes.
pub fn run(args: &ServeArgs, context: &mut Context) -> Result<Exit, Failure> {
    is_guarded(args)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(serve(args, context))
}

async fn serve(args: &ServeArgs, context: &mut Context) -> Result<Exit, Failure> {
    let mut signals = Signals::new()?;
    let What { serving, mut steps, private: _private } = what(args, context)?;
    let identity = args.tls_cert.clone().zip(args.tls_key.clone());
    let identity = identity.map(|(certificate, key)| Identity { certificate, key });
    let scheme = if identity.is_some() { "https" } else { "http" };
    let (hosts, tokens) = (args.listen_host.clone(), args.token_file.clone());
    let listening = Listening { address: args.listen, hosts, identity, tokens, serving };
    let (address, server) = listen(listening).await?;
    context.note(&format!("listening on {scheme}://{address}"));
    let mut server = std::pin::pin!(server);
    loop {
        tokio::select! {
            _ = signals.next() => return Ok(Exit::Done),
            () = &mut server => return Ok(Exit::Done),
            Some((step, line)) = steps.recv() => {
                line::tell_all(&step, context);
                line.write(context)?;
            }
        }
    }
}

/// What is served, what is heard of it, and where it is if that goes with it.
struct What {
    serving: Serving,
    steps: UnboundedReceiver<(Step, Line)>,
    private: Option<Private>,
}

fn what(args: &ServeArgs, context: &Context) -> Result<What, Failure> {
    let stopped = context.stopped_at();
    let options = args.keep.with(args.bounds.options(context));
    // Who deletes by the API has said so, and of a folder this is a picture.
    let max_delete = options.max_delete.or(Some(MaxDelete::Percent(100)));
    let mut serving = Serving {
        database: context.database.clone(),
        folder: None,
        write: args.write,
        rules: args.bounds.rules.asked(),
        options: Options { max_delete, ..options },
        clock: Arc::new(move || stopped.unwrap_or_else(clock)),
    };
    let (tell, steps) = unbounded_channel();
    if args.input.is_empty() {
        return Ok(What { serving, steps, private: None });
    }
    let private = match folder(args)? {
        None => Private::of(&args.input.manifests()?, context.seconds(), context)?,
        Some(root) => {
            let private = Private::new()?;
            let watch = watch(args, root, private.database.clone())?;
            let told = told(tell, serving.clock.clone());
            serving.folder = Some(Followed { watch, told });
            private
        }
    };
    serving.database = private.database.clone();
    Ok(What { serving, steps, private: Some(private) })
}

/// Hands on each step that there is something to say of, and the first.
fn told(tell: UnboundedSender<(Step, Line)>, now: Arc<dyn Fn() -> i64 + Send + Sync>) -> Told {
    let mut first = true;
    Box::new(move |step, keeper, took| {
        let line = Line::new(&step, keeper, std::mem::take(&mut first), took, now());
        if line.is_first() || !line.is_empty() {
            // Nobody hears it who has ended.
            let _ = tell.send((step, line));
        }
    })
}

/// The folder that is named; nothing where files are.
fn folder(args: &ServeArgs) -> Result<Option<&PathBuf>, Diagnostic> {
    let named: Vec<&PathBuf> = args.input.named().collect();
    match (named.iter().find(|path| path.is_dir()), named.len()) {
        (None, _) => Ok(None),
        (Some(folder), 1) => Ok(Some(folder)),
        (Some(folder), _) => {
            let message = format!("the folder `{}` is not all that is named", folder.display());
            Err(Diagnostic::error("not-alone", message)
                .because("a folder is followed, and files are shown as they are")
                .help("name one folder and nothing else, or files"))
        }
    }
}

fn watch(args: &ServeArgs, root: &Path, database: Database) -> Result<Watch, Failure> {
    Ok(Watch {
        root: std::path::absolute(root)?,
        id: absolute(root),
        holder: "dsrules serve".to_owned(),
        node: None,
        reading: args.input.files.how.options(),
        rules: args.bounds.rules.asked(),
        tree: None,
        exports: Vec::new(),
        clock: Instant::now,
        database,
    })
}

/// Whether only this machine can ask, or only who may.
fn is_guarded(args: &ServeArgs) -> Result<(), Diagnostic> {
    let address = args.listen;
    if address.ip().is_loopback() {
        return Ok(());
    }
    let missing = match (&args.tls_cert, &args.token_file) {
        (Some(_), Some(_)) => return Ok(()),
        (None, None) => "`--tls-cert`, `--tls-key` and `--token-file`",
        (None, Some(_)) => "`--tls-cert` and `--tls-key`",
        (Some(_), None) => "`--token-file`",
    };
    let message = format!("`{address}` can be reached by other machines");
    Err(Diagnostic::error("open-address", message)
        .because("whoever reaches it could read everything, and change it with `--write`")
        .help(format!("add {missing}, or listen on `127.0.0.1`")))
}
