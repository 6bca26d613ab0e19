//! `dsrules apply PATH...`: manifests in, pods on their nodes, all of it or nothing.

use clap::Args;
use dsrules::app::{self, Options};
use dsrules::target::sqlite::{Open, Store};

use super::plan::dry;
use crate::cli::context::Context;
use crate::cli::exit::{Exit, Failure};
use crate::cli::options::dry_run::DryRun;
use crate::cli::options::planning::{PlanningArgs, show};
use crate::cli::options::rules::judge;
use crate::cli::options::tree::{NO_TREE, TreeArgs};
use crate::cli::progress::Progress;

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
}

/// Applies and shows what was done.
pub fn run(args: &ApplyArgs, context: &mut Context) -> Result<Exit, Failure> {
    let planning = &args.planning;
    let progress = Progress::begin(context.quiet);
    Progress::stage("reading");
    let asked = planning.ask(context);
    if let Some((store, plan)) = planning.unchanged(asked.as_ref(), context)? {
        let done = args.dry_run == DryRun::None;
        if done {
            context.commit();
        }
        let tree = if done { args.tree.sync(&store)? } else { args.tree.compare_stored(&store)? };
        drop(progress);
        if !(done && context.quiet) {
            show(&plan, &tree, planning.output, done, context)?;
        }
        return Ok(tree.end(context));
    }
    let (mut reading, mut errors) = planning.read(context)?;
    let end = if args.dry_run == DryRun::Client {
        let mut dry = dry(planning, &mut reading, &mut errors, context)?;
        let tree = args.tree.compare(&dry.world, &dry.store)?;
        drop(progress);
        show(&dry.planned.plan, &tree, planning.output, false, context)?;
        if let Some(refused) = dry.refused {
            return Err(refused.into());
        }
        if let Some(exit) = judge(&mut dry.planned, context) {
            return Ok(exit);
        }
        tree.end(context)
    } else {
        let open = Open::write("dsrules apply").wait(context.lock_timeout);
        let mut store = Store::open(&context.db, &open)?;
        args.tree.check(&store)?;
        store.begin()?;
        errors += planning.check_updates(&mut reading, &store, context)?;
        planning.tell_left(&reading, &store, context)?;
        let asked = asked.and_then(|asked| asked.of(&reading));
        let (id, options) = (planning.id(), Options { asked, ..planning.options(context) });
        let rules = &planning.bounds.rules;
        let policy = rules.with(&planning.input.beside(), Some(&id), Some(&store), context)?;
        let mut planned = app::apply(&mut store, &id, reading, &policy.own, &policy.program, &options)?;
        if let Some(exit) = judge(&mut planned, context) {
            return Ok(exit);
        }
        context.commit();
        Progress::stage("writing the tree");
        // What was done is shown, whatever becomes of the tree.
        let tree = args.tree.sync(&store);
        drop(progress);
        if !context.quiet {
            let shown = tree.as_ref().unwrap_or(&NO_TREE);
            show(&planned.plan, shown, planning.output, true, context)?;
        }
        tree?.end(context)
    };
    Ok(if errors == 0 { end } else { Exit::Error })
}
