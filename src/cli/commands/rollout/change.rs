//! `rollout undo` and `rollout restart`: another template, and what follows from it.

use std::io::Write as _;

use dsrules::app::rollout::{Goal, RolledOut, Rollout, roll_out};
use dsrules::diagnostic::Diagnostic;
use dsrules::plan::Plan;
use dsrules::report;

use super::options::{Changing, Which};
use crate::cli::context::Context;
use crate::cli::exit::{Exit, Failure};
use crate::cli::options::dry_run::DryRun;
use crate::cli::show;

/// Changes the template and shows what was done.
pub fn run(which: &Which, to: Goal, changing: &Changing, context: &mut Context) -> Result<Exit, Failure> {
    let request = request(which, to, changing, context)?;
    let RolledOut { daemonsets, outcome } = roll_out(&request, context)?;
    if let Some(exit) = show::judge(&outcome, context) {
        return Ok(exit);
    }
    if outcome.done {
        context.commit();
    }
    let word = if to == Goal::Again { "restarted" } else { "rolled back" };
    let end = if outcome.done { "" } else { " (dry run)" };
    for (key, skipped) in &daemonsets {
        let (name, paint) = (&key.name, context.paint);
        match skipped {
            Some(why) => writeln!(context.fitted(), "daemonset.apps/{name} {why}")?,
            None => writeln!(context.fitted(), "daemonset.apps/{name} {}{end}", paint.changed(word))?,
        }
    }
    if daemonsets.iter().any(|(_, skipped)| skipped.is_none()) {
        show_plan(&outcome.plan, outcome.done, context)?;
    }
    let tree = outcome.tree?;
    if !context.quiet {
        show::files_text(tree.as_ref(), context)?;
    }
    Ok(show::end(tree, context))
}

fn request(which: &Which, to: Goal, changing: &Changing, context: &Context) -> Result<Rollout, Diagnostic> {
    Ok(Rollout {
        database: context.database.clone(),
        daemonsets: which.keys()?,
        to,
        dry: changing.dry_run == DryRun::Client,
        rules: changing.bounds.rules.asked(),
        tree: changing.tree.destination()?,
        options: changing.bounds.options(context),
    })
}

fn show_plan(plan: &Plan, done: bool, context: &mut Context) -> Result<(), Failure> {
    if !context.quiet {
        report::plan_text(plan, show::look(done, false, context), &mut context.fitted())?;
        report::statuses(&plan.statuses, &mut context.fitted())?;
    }
    Ok(())
}
