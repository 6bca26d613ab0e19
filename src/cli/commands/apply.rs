//! `dsrules apply PATH...`: manifests in, pods on their nodes, all of it or nothing.

use clap::Args;
use dsrules::app::{self, Request};

use crate::cli::context::Context;
use crate::cli::exit::{Exit, Failure};
use crate::cli::options::dry_run::DryRun;
use crate::cli::options::export::ExportArgs;
use crate::cli::options::keep::KeepArgs;
use crate::cli::options::planning::PlanningArgs;
use crate::cli::options::tree::TreeArgs;
use crate::cli::progress::Progress;
use crate::cli::show;

/// Arguments of `apply`.
#[derive(Debug, Args)]
pub struct ApplyArgs {
    #[command(flatten)]
    planning: PlanningArgs,
    /// Only show what would be done, as `dsrules plan` does
    #[arg(long, value_name = "HOW", value_enum, default_value_t = DryRun::None)]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "client")]
    dry_run: DryRun,
    #[command(flatten)]
    tree: TreeArgs,
    #[command(flatten)]
    exports: ExportArgs,
    #[command(flatten)]
    keep: KeepArgs,
}

/// Applies and shows what was done.
pub fn run(args: &ApplyArgs, context: &mut Context) -> Result<Exit, Failure> {
    let progress = Progress::begin(context.quiet);
    let exports = args.exports.export.clone();
    let mut request = Request { exports, ..args.planning.request(&args.tree, context)? };
    request.options = args.keep.with(request.options);
    let output = args.planning.output;
    if args.dry_run == DryRun::Client {
        let outcome = app::plan(&request, None, context);
        drop(progress);
        let outcome = outcome.map_err(|errors| show::failed(errors, output, context))?;
        return show::planned(outcome, output, context);
    }
    let outcome = app::apply(&request, context);
    drop(progress);
    let outcome = outcome.map_err(|errors| show::failed(errors, output, context))?;
    show::applied(outcome, output, context)
}
