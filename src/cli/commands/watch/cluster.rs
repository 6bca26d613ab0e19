//! `dsrules watch --cluster [DIR]`: a live cluster, and what the rules want of it, until a signal
//! comes. Nothing is written.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;
use std::time::Instant;

use dsrules::app::Manifests;
use dsrules::app::cluster::live::{Following, Look, Told};
use dsrules::cluster::{Access, connect};
use dsrules::diagnostic::{counted, visible};
use dsrules::kube::timestamp;
use dsrules::plan::{Action, Verb};
use dsrules::report::{self, FindingLine, WaitingLine};
use dsrules::serve::Metrics;
use dsrules::state::World;
use serde::Serialize;
use tokio::sync::watch;

use super::args::WatchArgs;
use super::line;
use super::listen::listen;
use crate::cli::context::{Context, clock};
use crate::cli::exit::{Exit, Failure};
use crate::cli::options::input::inputs;
use crate::cli::signals::Signals;

/// So many wishes are shown for a line; more are counted.
const SHOWN: usize = 20;

/// Follows a cluster until a signal comes.
pub async fn run(args: &WatchArgs, access: &Access, context: &mut Context) -> Result<Exit, Failure> {
    refuse(args)?;
    let mut signals = Signals::new()?;
    let ready = following(args, context)?.ready(&*context)?;
    let cluster = connect(access).await?;
    let metrics = Arc::new(Metrics::of_cluster());
    if let Some(address) = args.listen {
        listen(address, &args.listen_host, &metrics, context)?;
    }
    let (sender, stop) = watch::channel(false);
    let listening = tokio::spawn(async move {
        signals.next().await;
        let _ = sender.send(true);
        // Nobody may take it for having stopped.
        std::future::pending::<()>().await;
    });
    let mut lines = Lines { name: &cluster.name, metrics, context };
    let followed = ready.follow(&cluster, stop, &mut |told: Told<'_>| lines.tell(told)).await;
    listening.abort();
    followed.map(|()| Exit::Done)
}

/// Refuses what is about a store.
fn refuse(args: &WatchArgs) -> Result<(), Failure> {
    const READ_ONLY: &str =
        "a cluster is watched, and nothing is written: `dsrules snapshot --cluster` keeps it as a file";
    let empty = "what the folder has not is as it is in the cluster";
    args.cluster.refuse(&[
        ("--tree", args.tree.is_named(), READ_ONLY),
        ("--export", !args.exports.export.is_empty(), READ_ONLY),
        ("--allow-empty", args.allow_empty, empty),
        ("--poll", args.poll.is_some(), "a cluster says by itself what changes"),
    ])?;
    Ok(())
}

fn following(args: &WatchArgs, context: &Context) -> Result<Following, Failure> {
    let reading = dsrules::manifest::Options {
        recursive: args.recursive,
        validate: args.validate.into(),
        default_namespace: args.namespace.clone(),
        ..dsrules::manifest::Options::default()
    };
    let stopped = context.stopped_at();
    Ok(Following {
        manifests: Manifests { inputs: inputs(&args.dir, &reading)?, options: reading },
        rules: args.bounds.rules.asked(),
        options: args.bounds.options(context),
        rest: args.debounce,
        once: args.once,
        clock: Box::new(move || stopped.unwrap_or_else(clock)),
        timer: Instant::now,
    })
}

/// Tells of looks as they come.
struct Lines<'c> {
    name: &'c str,
    metrics: Arc<Metrics>,
    context: &'c mut Context,
}

/// What a line says.
#[derive(Debug, Serialize)]
struct Line<'a> {
    time: String,
    /// `watching` in the first line, `changed` in others.
    event: &'static str,
    cluster: &'a str,
    /// The first of the objects that were heard of, or that it were other manifests, and how many
    /// there were.
    heard: Vec<String>,
    changes: usize,
    /// What is wanted from now on, and what is no longer.
    wanted: Vec<Wish<'a>>,
    over: Vec<Wish<'a>>,
    /// How much is wanted in all.
    open: usize,
    waiting: Vec<WaitingLine>,
    /// What rules warn of that is new.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<FindingLine>,
    /// What they warned of and do no longer.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    no_longer: &'a [String],
    milliseconds: f64,
}

/// Something that is wanted and not so.
#[derive(Debug, Serialize)]
struct Wish<'a> {
    verb: Verb,
    #[serde(skip_serializing_if = "Option::is_none")]
    node: Option<&'a str>,
    /// The pod, revision or daemonset.
    object: String,
    reason: String,
    rule: &'a str,
}

impl<'a> From<&'a Action> for Wish<'a> {
    fn from(action: &'a Action) -> Self {
        Wish {
            verb: action.verb,
            node: action.node.as_deref(),
            object: action.object.to_string(),
            reason: action.reason(),
            rule: &action.because.rule,
        }
    }
}

impl Lines<'_> {
    fn tell(&mut self, told: Told<'_>) -> Result<(), Failure> {
        match told {
            Told::Look(look, world, first) => self.look(look, world, first),
            Told::Unread(unread) => {
                line::tell(&unread, self.context);
                Ok(())
            }
            Told::Trouble(trouble) => {
                self.metrics.trouble(Some(trouble.message.clone()));
                line::tell(&trouble, self.context);
                Ok(())
            }
            Told::Mended => {
                self.metrics.trouble(None);
                Ok(())
            }
        }
    }

    fn look(&mut self, look: &Look, world: &World, first: bool) -> Result<(), Failure> {
        self.metrics.looked(look.took, look.wanted, world);
        if !first && !look.is_news() {
            return Ok(());
        }
        if self.context.json {
            let line = line_of(self.name, self.context.clock(), look, first);
            report::write_json_line(&line, &mut self.context.out)?;
        } else {
            let text = self.text(look, world, first);
            writeln!(self.context.out, "{}", visible(&text))?;
            self.wishes(look)?;
        }
        self.context.out.flush()?;
        if !self.context.json {
            line::tell_warnings(&look.warnings, self.context);
        }
        Ok(())
    }

    fn text(&self, look: &Look, world: &World, first: bool) -> String {
        let subject = if first {
            format!(
                "watching the cluster `{}` with {}, {}, {}",
                self.name,
                counted(world.nodes.len(), "node"),
                counted(world.daemonsets.len(), "daemonset"),
                counted(world.pods.len(), "pod")
            )
        } else if look.news.edited {
            "other manifests".to_owned()
        } else if look.news.count == 0 {
            "time has passed".to_owned()
        } else {
            let more = look.news.count.saturating_sub(look.news.named.len());
            let more = if more == 0 { String::new() } else { format!(" and {more} more") };
            format!("{}{more}", heard(look).join(", "))
        };
        let parts = parts(look).join("; ");
        let took = look.took.as_secs_f64() * 1e3;
        format!("{} {subject}: {parts} ({took:.1} ms)", timestamp(self.context.clock()))
    }

    /// What is wanted from now on, and what is waited for, each with why.
    fn wishes(&mut self, look: &Look) -> Result<(), Failure> {
        let out = &mut self.context.out;
        for action in look.came.iter().take(SHOWN) {
            let (what, noun) = words(action.verb);
            let node = action.node.as_deref().map(|node| format!(" on {node}")).unwrap_or_default();
            // A pod has no name before it is made.
            let (name, article) = match action.object.name.is_empty() {
                true => (String::new(), "a "),
                false => (format!(" {}", action.object), ""),
            };
            let reason = action.reason();
            let line = format!("  {what} {article}{noun}{name}{node}: {}", reason.trim_end_matches('.'));
            writeln!(out, "{}", visible(&line))?;
        }
        if look.came.len() > SHOWN {
            writeln!(out, "  and {} more", look.came.len() - SHOWN)?;
        }
        for waiting in look.waiting.iter().filter(|_| look.waits_anew) {
            writeln!(out, "{}", visible(&format!("  {} waits: {}", waiting.daemonset, waiting.reason)))?;
        }
        Ok(())
    }
}

/// A line, as data.
fn line_of<'a>(cluster: &'a str, now: i64, look: &'a Look, first: bool) -> Line<'a> {
    let came = &look.warnings.came;
    Line {
        time: timestamp(now),
        event: if first { "watching" } else { "changed" },
        cluster,
        heard: if first { Vec::new() } else { heard(look) },
        changes: look.news.count,
        wanted: look.came.iter().map(Wish::from).collect(),
        over: look.over.iter().map(Wish::from).collect(),
        open: look.wanted,
        waiting: look.waiting.iter().map(report::waiting_line).collect(),
        warnings: [true, false].into_iter().flat_map(|errors| report::finding_lines(came, errors)).collect(),
        no_longer: &look.warnings.over,
        milliseconds: (look.took.as_secs_f64() * 1e5).round() / 1e2,
    }
}

/// The first of what was heard of.
fn heard(look: &Look) -> Vec<String> {
    if look.news.edited {
        return vec!["manifests".to_owned()];
    }
    let named = look.news.named.iter().map(|(kind, key, is_there)| {
        let gone = if *is_there { "" } else { " gone" };
        format!("{}/{key}{gone}", kind.name().to_ascii_lowercase())
    });
    // Which kind is heard of first is chance.
    let mut named: Vec<String> = named.collect();
    named.sort();
    named
}

fn parts(look: &Look) -> Vec<String> {
    let mut parts = tally(&look.came);
    if look.wanted == 0 && look.over.is_empty() {
        parts.push("nothing to do".to_owned());
    } else if look.wanted > look.came.len() {
        parts.push(format!("{} in all", look.wanted));
    }
    let over = tally(&look.over);
    if !over.is_empty() {
        let rest = if look.wanted == 0 { ", and nothing else is to do" } else { "" };
        parts.push(format!("no longer {}{rest}", over.join(", ")));
    }
    if look.waits_anew {
        let wait = if look.waiting.len() == 1 { "waits" } else { "wait" };
        parts.push(format!("{} {wait}", counted(look.waiting.len(), "daemonset")));
    }
    parts
}

/// `2 pods to create`, `1 revision to delete`.
fn tally(actions: &[Action]) -> Vec<String> {
    let mut tally: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for action in actions {
        *tally.entry(words(action.verb)).or_default() += 1;
    }
    let of = |((what, noun), count): (&(&str, &str), &usize)| format!("{} to {what}", counted(*count, noun));
    tally.iter().map(of).collect()
}

/// What is to be done, and to what.
fn words(verb: Verb) -> (&'static str, &'static str) {
    match verb {
        Verb::Create => ("create", "pod"),
        Verb::Delete => ("delete", "pod"),
        Verb::Adopt => ("adopt", "pod"),
        Verb::Release => ("release", "pod"),
        Verb::Relabel => ("relabel", "pod"),
        Verb::CreateRevision => ("create", "revision"),
        Verb::RenumberRevision => ("renumber", "revision"),
        Verb::AdoptRevision => ("adopt", "revision"),
        Verb::ReleaseRevision => ("release", "revision"),
        Verb::DeleteRevision => ("delete", "revision"),
        Verb::DeleteDaemonset => ("delete", "daemonset"),
        Verb::Evict => ("evict", "pod"),
        Verb::Preempt => ("preempt", "pod"),
        Verb::Bind => ("bind", "pod"),
    }
}
