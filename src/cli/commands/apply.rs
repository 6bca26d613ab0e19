//! `dsrules apply PATH...`: manifests in, pods on their nodes, all of it or nothing.

use std::path::{Path, PathBuf};

use clap::Args;
use dsrules::app::kept::is_kept;
use dsrules::app::{self, Request};
use dsrules::diagnostic::Diagnostic;

use crate::cli::context::Context;
use crate::cli::exit::{Exit, Failure};
use crate::cli::kept;
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

impl ApplyArgs {
    /// The kept plan that is named, if one is: by itself, as all that was asked is in it.
    fn kept(&self) -> Result<Option<&Path>, Diagnostic> {
        let named: Vec<&PathBuf> = self.planning.input.named().collect();
        let Some(file) = named.iter().find(|path| is_kept(path)) else { return Ok(None) };
        let refused = |what: String| Diagnostic::error("kept-plan", what);
        let shown = file.display();
        if named.len() > 1 {
            let told = refused(format!("`{shown}` is a kept plan, which is applied by itself"));
            return Err(told.help(format!("`dsrules apply {shown}`")));
        }
        if self.dry_run != DryRun::None {
            let told = refused(format!("`{shown}` is a kept plan, and a dry run would say what it says"));
            return Err(told.help(format!("`dsrules show {shown}` shows it")));
        }
        if !self.planning.is_plain() {
            let told = refused(format!("`{shown}` is a kept plan, which has all options in it"));
            return Err(told.help("leave them away, or plan again with them: `dsrules plan … --out FILE`"));
        }
        Ok(Some(file.as_path()))
    }
}

/// Applies and shows what was done.
pub fn run(args: &ApplyArgs, context: &mut Context) -> Result<Exit, Failure> {
    if let Some(file) = args.kept()? {
        return kept::apply(file, args.exports.export.clone(), args.planning.output, context);
    }
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
