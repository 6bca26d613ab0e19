//! `dsrules fleet`: how daemonsets stand on all machines, as their agents report it.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use dsrules::app::fleet::{About, Fleet, Request, fleet};
use dsrules::app::{LabelSelector, Manifests, Sight};
use dsrules::diagnostic::Diagnostic;
use dsrules::manifest::{Input, Options};
use dsrules::report;

use crate::cli::context::Context;
use crate::cli::exit::{Exit, Failure};
use crate::cli::options::duration::duration;
use crate::cli::options::output::Format;
use crate::cli::options::rules::RuleArgs;
use crate::cli::show;

const EXIT_CODES: &str = "\
Exit codes:
  0  done; with --exit-code: all is as it should be
  1  an error: the source, the rules or the folder of reports cannot be read
  2  with --exit-code: a rollout is not done, or a node is silent or behind, or a pod is not
     available, or an agent has an error, or a report cannot be read";

/// Arguments of `fleet`.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub struct FleetArgs {
    /// Only these daemonsets: NAME or daemonset/NAME
    #[arg(value_name = "NAME")]
    daemonsets: Vec<String>,
    /// The folder that agents write their reports to, or a copy of it
    #[arg(long, value_name = "DIR")]
    reports: PathBuf,
    /// The manifests that the agents follow: which node should run what is then said by the rules,
    /// and not by the agents
    #[arg(long, value_name = "DIR")]
    source: Option<PathBuf>,
    /// How old a report may be before its node counts as silent
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = duration)]
    stale: Duration,
    /// Only this node, with its pods
    #[arg(long, value_name = "NODE")]
    node: Option<String>,
    /// Only this namespace [default: all of them]
    #[arg(long, short = 'n', value_name = "NAMESPACE", conflicts_with = "all_namespaces")]
    namespace: Option<String>,
    /// All namespaces, as where none is named
    #[arg(long, short = 'A')]
    all_namespaces: bool,
    /// Only daemonsets with these labels, as `app=web,tier in (a,b),!old`
    #[arg(long, short = 'l', value_name = "LABELS")]
    selector: Option<LabelSelector>,
    /// How to show it
    #[arg(long, short = 'o', value_name = "FORMAT", value_enum)]
    output: Option<Format>,
    /// Leave the head of the table away
    #[arg(long)]
    no_headers: bool,
    /// End with 2 if there is something to look after, 0 if not, 1 on an error
    #[arg(long)]
    exit_code: bool,
    #[command(flatten)]
    rules: RuleArgs,
}

/// Shows how the fleet stands.
pub fn run(args: &FleetArgs, context: &mut Context) -> Result<Exit, Failure> {
    let found = fleet(&request(args, context)?, context)?;
    show(args, &found, context)?;
    if let (Some(node), true) = (&args.node, found.pods.is_empty()) {
        context.note(&format!("No pods of {node} are reported."));
    }
    context.tell(found.unreadable.clone());
    Ok(if args.exit_code && !found.is_right() { Exit::Changes } else { Exit::Done })
}

fn show(args: &FleetArgs, found: &Fleet, context: &mut Context) -> Result<(), Failure> {
    let document = report::fleet_document(found, args.node.is_some());
    match args.output {
        Some(Format::Json) => report::write_json(&document, &mut context.out)?,
        Some(Format::Yaml) => report::write_yaml(&document, &mut context.out)?,
        Some(Format::Name) => report::fleet_names(found, &mut context.out)?,
        wide => {
            let look = show::look(false, wide.is_some(), context);
            let (now, heads) = (context.seconds(), !args.no_headers);
            let mut out = context.fitted();
            match args.node {
                Some(_) => report::fleet_pods(found, look, heads, now, &mut out)?,
                None => report::fleet_text(found, look, heads, now, &mut out)?,
            }
        }
    }
    Ok(())
}

fn request(args: &FleetArgs, context: &Context) -> Result<Request, Diagnostic> {
    let name = |written: &String| match written.split_once('/') {
        None => Ok(written.clone()),
        Some(("daemonset" | "daemonsets" | "ds" | "daemonset.apps" | "daemonsets.apps", name)) => {
            Ok(name.to_owned())
        }
        Some(_) => Err(Diagnostic::error("no-daemonset", format!("`{written}` is no daemonset"))
            .help("write it as `NAME` or `daemonset/NAME`")),
    };
    Ok(Request {
        reports: args.reports.clone(),
        source: args.source.as_ref().map(|source| sight(source, args, context)),
        stale: i64::try_from(args.stale.as_secs()).unwrap_or(i64::MAX),
        now: context.seconds(),
        about: About {
            namespace: args.namespace.clone(),
            selector: args.selector.clone(),
            names: args.daemonsets.iter().map(name).collect::<Result<_, _>>()?,
        },
        node: args.node.clone(),
    })
}

/// The source as an agent reads it: with its folders.
fn sight(source: &std::path::Path, args: &FleetArgs, context: &Context) -> Sight {
    let options = Options { recursive: true, ..Options::default() };
    Sight {
        database: context.database.clone(),
        manifests: Manifests { inputs: vec![Input::Path(source.to_owned())], options },
        rules: args.rules.asked(),
        now: context.seconds(),
        whole: false,
    }
}
