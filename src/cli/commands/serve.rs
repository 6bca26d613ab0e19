//! `dsrules serve`: the Kubernetes API of the store, for kubectl and other clients.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use dsrules::app::api::Serving;
use dsrules::app::{MaxDelete, Options};
use dsrules::diagnostic::Diagnostic;
use dsrules::serve;
use dsrules::serve::api::{Identity, Listening, listen};

use super::watch::pause::Signals;
use crate::cli::context::{Context, clock};
use crate::cli::exit::{Exit, Failure};
use crate::cli::options::bounds::BoundArgs;

/// Arguments of `serve`.
#[derive(Debug, Args)]
pub struct ServeArgs {
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
    /// Take changes too: the store is written by this command alone until it ends
    #[arg(long)]
    write: bool,
    #[command(flatten)]
    bounds: BoundArgs,
}

/// Serves until a signal comes.
pub fn run(args: &ServeArgs, context: &mut Context) -> Result<Exit, Failure> {
    is_guarded(args)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(serve(args, context))
}

async fn serve(args: &ServeArgs, context: &mut Context) -> Result<Exit, Failure> {
    let mut signals = Signals::new()?;
    let serving = serving(args, context);
    let identity = args.tls_cert.clone().zip(args.tls_key.clone());
    let identity = identity.map(|(certificate, key)| Identity { certificate, key });
    let scheme = if identity.is_some() { "https" } else { "http" };
    let (hosts, tokens) = (args.listen_host.clone(), args.token_file.clone());
    let listening = Listening { address: args.listen, hosts, identity, tokens, serving };
    let (address, server) = listen(listening).await?;
    context.note(&format!("listening on {scheme}://{address}"));
    tokio::select! {
        () = signals.next() => {}
        () = server => {}
    }
    Ok(Exit::Done)
}

fn serving(args: &ServeArgs, context: &Context) -> Serving {
    let stopped = context.stopped_at();
    let options = args.bounds.options(context.seconds());
    // Who deletes by the API has said so.
    let max_delete = options.max_delete.or(Some(MaxDelete::Percent(100)));
    Serving {
        database: context.database.clone(),
        write: args.write,
        rules: args.bounds.rules.asked(),
        options: Options { max_delete, ..options },
        clock: Arc::new(move || stopped.unwrap_or_else(clock)),
    }
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
