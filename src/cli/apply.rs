//! `dsrules apply PATH...`: manifests in, pods on their nodes, all of it or nothing.

use clap::{Args, ValueEnum};
use dsrules::pipeline::{self, Options};
use dsrules::store::{Open, Store};

use super::context::Context;
use super::exit::{Exit, Failure};
use super::plan::dry;
use super::planning::{PlanningArgs, show};
use super::policy::judge;
use super::progress::Progress;
use super::tree::TreeArgs;

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

/// kubectl's words for `--dry-run`; there is no server, so both mean the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DryRun {
    // Do it
    None,
    // Do not
    #[value(alias = "server")]
    Client,
}

/// Applies and shows what was done.
pub fn run(args: &ApplyArgs, context: &mut Context) -> Result<Exit, Failure> {
    let planning = &args.planning;
    let progress = Progress::begin(context.quiet);
    Progress::stage("reading");
    let asked = planning.ask(context);
    if let Some((store, plan)) = planning.unchanged(asked.as_ref(), context)? {
        let done = args.dry_run == DryRun::None;
        drop(progress);
        if !(done && context.quiet) {
            show(&plan, planning.output, done, context)?;
        }
        return if done { args.tree.sync(&store, context) } else { Ok(Exit::Done) };
    }
    let (mut reading, mut errors) = planning.read(context)?;
    let mut tree = Exit::Done;
    if args.dry_run == DryRun::Client {
        let (mut planned, refused) = dry(planning, &mut reading, &mut errors, context)?;
        drop(progress);
        show(&planned.plan, planning.output, false, context)?;
        if let Some(refused) = refused {
            return Err(refused.into());
        }
        if let Some(exit) = judge(&mut planned, context) {
            return Ok(exit);
        }
    } else {
        let open = Open::write("dsrules apply").wait(context.lock_timeout);
        let mut store = Store::open(&context.db, &open)?;
        args.tree.check(&store)?;
        store.begin()?;
        errors += planning.check_updates(&mut reading, &store, context)?;
        let asked = asked.and_then(|asked| asked.of(&reading));
        let (id, options) = (planning.input.id(), Options { asked, ..planning.options(context) });
        let rules = &planning.bounds.rules;
        let policy = rules.with(&planning.input.beside(), Some(&id), Some(&store), context)?;
        let mut planned = pipeline::apply(&mut store, &id, reading, &policy.own, &policy.program, &options)?;
        drop(progress);
        if let Some(exit) = judge(&mut planned, context) {
            return Ok(exit);
        }
        if !context.quiet {
            show(&planned.plan, planning.output, true, context)?;
        }
        tree = args.tree.sync(&store, context)?;
    }
    Ok(if errors == 0 { tree } else { Exit::Error })
}
