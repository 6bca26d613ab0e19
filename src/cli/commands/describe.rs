//! `dsrules describe`: one object after the other, each as a page.

use std::io::Write;

use clap::Args;
use dsrules::app::cluster::Detail;
use dsrules::app::resources::{Resource, Wanted, wanted, wanted_of};
use dsrules::app::{Described, Description, describe};
use dsrules::kube::Kind;
use dsrules::report::{self, EventRow};

use crate::cli::context::Context;
use crate::cli::exit::{Exit, Failure};
use crate::cli::options::cluster::ClusterArgs;

/// Arguments of `describe`.
#[derive(Debug, Args)]
pub struct DescribeArgs {
    /// What to describe: `daemonset NAME`, `node/NAME`, `pods`
    #[arg(value_name = "TYPE [NAME...] | TYPE/NAME", required = true, num_args = 1..)]
    resources: Vec<String>,
    /// The namespace to look in
    #[arg(long, short = 'n', value_name = "NAMESPACE", default_value = "default")]
    namespace: String,
    #[command(flatten)]
    cluster: ClusterArgs,
}

/// What is kept of the pods of a cluster: all of those that are described, and of all where a
/// service is, which may be found by anything that they say.
fn kept(args: &DescribeArgs) -> Detail {
    const PODS: Resource = Resource::Kind(Kind::Pod);
    let is_plain =
        |it: &Resource| [Kind::Node, Kind::DaemonSet].into_iter().any(|kind| *it == Resource::Kind(kind));
    match wanted(&args.resources) {
        Ok(Wanted::All(resources)) if resources.iter().all(is_plain) => Detail::parts(),
        Ok(Wanted::Named(names)) if names.iter().all(|(it, _)| is_plain(it) || *it == PODS) => {
            let pods = names.into_iter().filter(|(it, _)| *it == PODS);
            Detail::Parts(pods.map(|(_, name)| name.into()).collect())
        }
        _ => Detail::Whole,
    }
}

/// Writes the pages.
pub fn run(args: &DescribeArgs, context: &mut Context) -> Result<Exit, Failure> {
    args.cluster.observe(kept(args), context)?;
    let wanted = wanted_of(&args.resources, &context.database)?;
    let now = context.seconds();
    let Description { found, problems, elsewhere } =
        describe(&context.database, &wanted, &args.namespace, now)?;
    for (at, described) in found.iter().enumerate() {
        let gap = if at == 0 { "" } else { "\n\n" };
        let page = page(described, now);
        write!(context.fitted(), "{gap}{page}")?;
    }
    if !problems.is_empty() {
        return Err(problems.into());
    }
    if found.is_empty() {
        context.note(&format!("No resources found in {} namespace.", args.namespace));
        context.note_elsewhere(elsewhere);
    }
    Ok(Exit::Done)
}

fn page(described: &Described, now: i64) -> String {
    let Described { kind, object, pods, phases, slices, events } = described;
    let events: Vec<EventRow> = events.iter().map(EventRow::from_object).collect();
    match kind {
        Kind::Node => report::describe_node(object, pods, &events, now),
        Kind::DaemonSet => report::describe_daemonset(object, phases, &events, now),
        Kind::Service => report::describe_service(object, slices),
        _ => report::describe_pod(object, &events, now),
    }
}
