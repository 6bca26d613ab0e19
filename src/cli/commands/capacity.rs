//! `dsrules capacity`: what daemon pods and others take of the nodes, now and after a plan.

use clap::Args;
use dsrules::app::LabelSelector;
use dsrules::app::capacity::{Asked, By, Capacity, capacity};
use dsrules::app::cluster::Detail;
use dsrules::report;

use crate::cli::context::Context;
use crate::cli::exit::{Exit, Failure};
use crate::cli::options::bounds::BoundArgs;
use crate::cli::options::cluster::{ClusterArgs, NO_PRUNING};
use crate::cli::options::input::FileArgs;
use crate::cli::options::output::TableFormat;
use crate::cli::options::what_if::EditArgs;
use crate::cli::progress::Progress;
use crate::cli::show;

/// What `--by` takes for the daemonsets themselves.
const DAEMONSET: &str = "daemonset";

/// Arguments of `capacity`.
#[derive(Debug, Args)]
pub struct CapacityArgs {
    /// Only these nodes, each alone
    #[arg(value_name = "NODE")]
    nodes: Vec<String>,
    /// Only nodes with these labels
    #[arg(long, short = 'l', value_name = "LABELS")]
    selector: Option<LabelSelector>,
    /// Put nodes together by the value of a label, rather than those that are alike; or
    /// `daemonset`, to see what each daemonset takes
    #[arg(long, value_name = "LABEL")]
    by: Option<String>,
    /// How to show it; wide shows each node, and every resource
    #[arg(long, short = 'o', value_name = "FORMAT", value_enum)]
    output: Option<TableFormat>,
    #[command(flatten)]
    files: FileArgs,
    /// Remove objects that an earlier apply of the same input brought and that left it
    #[arg(long)]
    prune: bool,
    #[command(flatten)]
    bounds: BoundArgs,
    #[command(flatten)]
    edits: EditArgs,
    #[command(flatten)]
    cluster: ClusterArgs,
}

impl CapacityArgs {
    fn by_daemonset(&self) -> bool {
        self.by.as_deref() == Some(DAEMONSET)
    }

    /// How nodes are put together.
    fn by(&self) -> By {
        let is_wide = self.output == Some(TableFormat::Wide);
        match &self.by {
            Some(label) if !self.by_daemonset() => By::Label(label.clone()),
            _ if is_wide || !self.nodes.is_empty() => By::Node,
            _ => By::Alike,
        }
    }

    /// As the library takes it.
    fn asked(&self, context: &Context) -> Result<Asked, Failure> {
        let (manifests, id) = (self.files.manifests()?, self.files.id());
        let request = self.bounds.request(manifests, id, self.prune, context);
        let edits = self.edits.changes(&self.files.how.namespace, None)?;
        let (nodes, chosen) = (self.nodes.clone(), self.selector.clone());
        Ok(Asked { request, edits, nodes, chosen, by: self.by() })
    }
}

/// Finds out and shows.
pub fn run(args: &CapacityArgs, context: &mut Context) -> Result<Exit, Failure> {
    args.cluster.refuse(&[("--prune", args.prune, NO_PRUNING)])?;
    let mut asked = args.asked(context)?;
    args.cluster.observe(Detail::of(&asked.request.rules, &asked.request.manifests), context)?;
    asked.request.database = context.database.clone();
    let progress = Progress::begin(context.quiet);
    let found = capacity(&asked, context);
    drop(progress);
    let found = found?;
    write(args, &found, context)?;
    Ok(if found.errors == 0 { Exit::Done } else { Exit::Error })
}

fn write(args: &CapacityArgs, found: &Capacity, context: &mut Context) -> Result<(), Failure> {
    let look = show::look(false, args.output == Some(TableFormat::Wide), context);
    match args.output {
        Some(TableFormat::Json) => report::write_json(&report::capacity_document(found), &mut context.out)?,
        Some(TableFormat::Yaml) => report::write_yaml(&report::capacity_document(found), &mut context.out)?,
        _ if args.by_daemonset() => report::costs_text(found, look, &mut context.fitted())?,
        _ => report::capacity_text(found, look, &mut context.fitted())?,
    }
    Ok(())
}
