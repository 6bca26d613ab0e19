//! `rollout run`: replaces the old pods of a daemonset in a live cluster, in the order of the rules.

use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use clap::Args;
use dsrules::app::rollout::live::{
    Clock, Drive, Ended, How, Leasing, Request, Told, carry_out, preview, program,
};
use dsrules::cluster::{Cluster, connect};
use dsrules::diagnostic::Diagnostic;
use dsrules::kube::{Amount, ObjectKey};
use tokio::sync::watch;

use super::options::Which;
use super::told::{self, Lines};
use crate::cli::context::Context;
use crate::cli::exit::{Exit, Failure};
use crate::cli::options::cluster::access;
use crate::cli::options::duration::duration;
use crate::cli::options::rules::RuleArgs;
use crate::cli::signals::Signals;

/// A cluster that says nothing for so long does not answer.
const SILENT: Duration = Duration::from_secs(60);

/// Arguments of `rollout run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    #[command(flatten)]
    which: Which,
    /// The live cluster, as a context of the kubeconfig names it: the current one where none is
    /// named
    #[arg(long, value_name = "CONTEXT", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    #[arg(required = true)]
    cluster: Option<String>,
    /// The kubeconfig [default: what KUBECONFIG says, else ~/.kube/config]
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// Only show which pods would go, step by step
    #[arg(long)]
    dry_run: bool,
    /// Evict pods, so that disruption budgets are heeded; this is how it is done where nothing is said
    #[arg(long, conflicts_with = "delete")]
    evict: bool,
    /// Delete pods, whatever disruption budgets say
    #[arg(long)]
    delete: bool,
    /// So many nodes, or percent of them, may be without an available pod at a time [default: what
    /// the daemonset says under `rollingUpdate`, else 1]
    #[arg(long, value_name = "N", value_parser = amount)]
    max_unavailable: Option<Amount>,
    /// Stop when a new pod is not ready after so long
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "10m")]
    progress_deadline: Duration,
    /// Go on though the daemonset's own controller replaces its pods too
    #[arg(long)]
    alongside: bool,
    /// Act only while this Lease, in the daemonset's namespace, is ours: of several one acts
    /// [default: dsrules-rollout-NAME]
    #[arg(long, value_name = "NAME", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    lease: Option<String>,
    /// The lease is over when it was not renewed for so long
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "15s", requires = "lease")]
    lease_duration: Duration,
    /// Who holds the lease: no two may be the same [default: the host's name and the process]
    #[arg(long, value_name = "NAME", requires = "lease")]
    identity: Option<String>,
    #[command(flatten)]
    rules: RuleArgs,
}

/// `2`, or `20%`.
fn amount(text: &str) -> Result<Amount, String> {
    let wrong = || format!("`{text}` is no number of nodes and no percentage: write `2` or `20%`");
    let number = |text: &str| text.parse().ok().filter(|it| (1..=1_000_000).contains(it)).ok_or_else(wrong);
    match text.strip_suffix('%') {
        Some(percent) => number(percent).map(Amount::Percent),
        None => number(text).map(Amount::Number),
    }
}

/// Replaces old pods until all are new, or shows which ones it would.
pub fn run(args: &RunArgs, context: &mut Context) -> Result<Exit, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let named = args.cluster.clone().filter(|name| !name.is_empty());
        let cluster = connect(&access(args.kubeconfig.clone(), named)).await?;
        if args.dry_run { ahead(args, &cluster, context).await } else { go(args, &cluster, context).await }
    })
}

async fn ahead(args: &RunArgs, cluster: &Cluster, context: &mut Context) -> Result<Exit, Failure> {
    let rules = program(&args.rules.asked(), context)?;
    let until = tokio::time::Instant::now() + SILENT;
    let drive = args.drive()?;
    let preview = preview(cluster, rules, drive.clone(), CLOCK, until).await?;
    told::preview(&drive.daemonset, &preview, args.alongside, context)?;
    Ok(Exit::Done)
}

async fn go(args: &RunArgs, cluster: &Cluster, context: &mut Context) -> Result<Exit, Failure> {
    let request = args.request(context)?;
    let daemonset = request.drive.daemonset.clone();
    let (sender, stop) = watch::channel(false);
    let mut signals = Signals::new()?;
    let listening = tokio::spawn(async move {
        signals.next().await;
        let _ = sender.send(true);
        // Nobody may take it for having stopped.
        std::future::pending::<()>().await;
    });
    let mut lines = Lines::new(&daemonset, request.how, context);
    let ended = carry_out(cluster, request, stop, &mut |told: Told<'_>| lines.tell(told)).await;
    listening.abort();
    lines.end()?;
    match ended? {
        Ended::Complete(progress) => told::complete(&daemonset, &progress, context),
        Ended::Interrupted(progress) => told::interrupted(&daemonset, &progress, context),
        Ended::Stopped(error) => Err(error.into()),
    }
}

impl RunArgs {
    /// Whether it follows the cluster, rather than look once.
    pub fn goes_on(&self) -> bool {
        !self.dry_run
    }

    fn daemonset(&self) -> Result<ObjectKey, Diagnostic> {
        let keys = self.which.keys()?;
        let [key] = keys.as_slice() else {
            return Err(Diagnostic::error("one-daemonset", "`rollout run` is for one daemonset at a time"));
        };
        let is_plain = |text: &str| {
            !text.is_empty() && text.bytes().all(|it| it.is_ascii_alphanumeric() || b"-.".contains(&it))
        };
        if is_plain(&key.namespace) && is_plain(&key.name) {
            return Ok(key.clone());
        }
        Err(Diagnostic::error("bad-name", format!("`{key}` is no name of a daemonset")))
    }

    fn drive(&self) -> Result<Drive, Diagnostic> {
        let deadline = i64::try_from(self.progress_deadline.as_secs()).unwrap_or(i64::MAX / 4);
        Ok(Drive { daemonset: self.daemonset()?, max_unavailable: self.max_unavailable, deadline })
    }

    fn request(&self, context: &mut Context) -> Result<Request, Failure> {
        let drive = self.drive()?;
        let identity = self.identity.clone().unwrap_or_else(identity);
        let leasing = |name: &String| Leasing {
            namespace: drive.daemonset.namespace.to_string(),
            name: match name.as_str() {
                "" => format!("dsrules-rollout-{}", drive.daemonset.name),
                name => name.to_owned(),
            },
            identity: identity.clone(),
            duration: self.lease_duration.max(Duration::from_secs(3)),
        };
        Ok(Request {
            rules: program(&self.rules.asked(), context)?,
            how: if self.delete { How::Delete } else { How::Evict },
            alongside: self.alongside,
            lease: self.lease.as_ref().map(leasing),
            reporter: identity.clone(),
            clock: CLOCK,
            drive,
        })
    }
}

const CLOCK: Clock = Clock { unix, instant };

fn unix() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

fn instant() -> Duration {
    static BEGAN: OnceLock<Instant> = OnceLock::new();
    BEGAN.get_or_init(Instant::now).elapsed()
}

/// The host, the process and the time: no other is the same.
fn identity() -> String {
    let host = std::env::var("HOSTNAME").ok().filter(|it| !it.is_empty());
    let host = host.or_else(|| std::fs::read_to_string("/proc/sys/kernel/hostname").ok());
    let host = host.map_or_else(|| "dsrules".to_owned(), |it| it.trim().to_owned());
    format!("{host}_{}_{:x}", std::process::id(), unix().as_millis())
}
