//! `dsrules delete`: objects and what belongs to them.

use clap::{Args, ValueEnum};
use dsrules::app::resources::wanted_of;
use dsrules::app::{self, Cascade, Deletion, LabelSelector, Outcome};
use dsrules::diagnostic::Diagnostic;
use dsrules::plan::{Applied, Plan};
use dsrules::report;
use dsrules::state::Change;

use crate::cli::context::Context;
use crate::cli::exit::{Exit, Failure};
use crate::cli::options::bounds::BoundArgs;
use crate::cli::options::dry_run::DryRun;
use crate::cli::options::tree::TreeArgs;
use crate::cli::show;

/// Arguments of `delete`.
#[derive(Debug, Args)]
pub struct DeleteArgs {
    /// What to delete: `daemonset NAME...`, `node/NAME`, or a type with -l or --all
    #[arg(value_name = "TYPE [NAME...] | TYPE/NAME", required = true, num_args = 1..)]
    resources: Vec<String>,
    /// The namespace to look in
    #[arg(long, short = 'n', value_name = "NAMESPACE", default_value = "default")]
    namespace: String,
    /// Delete the objects with these labels
    #[arg(long, short = 'l', value_name = "LABELS", conflicts_with = "all")]
    selector: Option<LabelSelector>,
    /// Delete all objects of the type, in the namespace
    #[arg(long)]
    all: bool,
    /// What becomes of a daemonset's pods: deleted after it, before it, or left as orphans
    #[arg(long, value_name = "HOW", value_enum, default_value_t = How::Background)]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "background")]
    cascade: How,
    /// It is no error if there is no such object
    #[arg(long)]
    ignore_not_found: bool,
    /// Only show what would be done
    #[arg(long, value_name = "HOW", value_enum, default_value_t = DryRun::None)]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "client")]
    dry_run: DryRun,
    /// Print only the names, as `daemonset.apps/a`
    #[arg(long, short = 'o', value_name = "FORMAT", value_parser = ["name"])]
    output: Option<String>,
    #[command(flatten)]
    bounds: BoundArgs,
    #[command(flatten)]
    tree: TreeArgs,
}

/// kubectl's words for `--cascade`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum How {
    // They are deleted after it
    #[value(alias = "true")]
    Background,
    // They are deleted before it
    Foreground,
    // They stay, and a daemonset with the same selector adopts them
    #[value(alias = "false")]
    Orphan,
}

/// Deletes and shows what became of it.
pub fn run(args: &DeleteArgs, context: &mut Context) -> Result<Exit, Failure> {
    let Some(outcome) = app::delete(&request(args, context)?, context)? else {
        context.note("No resources found");
        return Ok(Exit::Done);
    };
    // What is too much is shown, and then refused for that.
    if outcome.too_much.is_none()
        && let Some(exit) = show::judge(&outcome, context)
    {
        return Ok(exit);
    }
    if outcome.done {
        context.commit();
    }
    // What was done is shown, whatever becomes of the tree.
    show_deleted(args, &outcome.plan, outcome.done, context)?;
    end(args, outcome, context)
}

fn request(args: &DeleteArgs, context: &Context) -> Result<Deletion, Diagnostic> {
    Ok(Deletion {
        database: context.database.clone(),
        wanted: wanted_of(&args.resources, &context.database)?,
        namespace: args.namespace.clone(),
        selector: args.selector.clone(),
        all: args.all,
        cascade: match args.cascade {
            How::Background => Cascade::Background,
            How::Foreground => Cascade::Foreground,
            How::Orphan => Cascade::Orphan,
        },
        ignore_missing: args.ignore_not_found,
        dry: args.dry_run == DryRun::Client,
        rules: args.bounds.rules.asked(),
        tree: args.tree.destination()?,
        options: args.bounds.options(context),
    })
}

fn show_deleted(args: &DeleteArgs, plan: &Plan, done: bool, context: &mut Context) -> Result<(), Failure> {
    let deleted = |object: &&Applied| object.change == Change::Deleted;
    for object in plan.objects.iter().filter(deleted) {
        let (resource, name) = (object.kind.resource(), &object.key.name);
        if args.output.is_some() {
            writeln!(context.out, "{resource}/{name}")?;
        } else {
            let end = if done { "" } else { " (dry run)" };
            writeln!(context.out, "{resource} \"{name}\" {}{end}", context.paint.bad("deleted"))?;
        }
    }
    if args.output.is_none() && !context.quiet {
        report::plan_text(plan, show::look(done, false, context), &mut context.out)?;
    }
    Ok(())
}

fn end(args: &DeleteArgs, outcome: Outcome, context: &mut Context) -> Result<Exit, Failure> {
    let tree = outcome.tree?;
    if let Some(too_much) = outcome.too_much {
        return Err(too_much.into());
    }
    if args.output.is_none() && !context.quiet {
        show::files_text(tree.as_ref(), context)?;
    }
    Ok(show::end(tree, context))
}
