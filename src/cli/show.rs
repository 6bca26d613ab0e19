//! How commands that plan show what came of it: the plan, what rules say of it, the tree.

use dsrules::app::{Followed, Outcome};
use dsrules::diagnostic::{Diagnostic, counted};
use dsrules::plan::Plan;
use dsrules::report::{self, Detail, FileLine, Look};

use super::context::Context;
use super::exit::{Exit, Failure};
use super::options::output::Format;

/// Shows what was applied.
pub fn applied(mut outcome: Outcome, output: Option<Format>, context: &mut Context) -> Result<Exit, Failure> {
    if let Some(exit) = judge(&mut outcome, context) {
        return Ok(exit);
    }
    context.commit();
    // What was done is shown, whatever becomes of the tree.
    if !context.quiet {
        let tree = outcome.tree.as_ref().ok().and_then(Option::as_ref);
        plan(&outcome.plan, tree, output, true, context)?;
    }
    let end = end(outcome.tree?, context);
    Ok(if outcome.errors == 0 { end } else { Exit::Error })
}

/// Shows what would be applied, also where it is more than may be.
pub fn planned(mut outcome: Outcome, output: Option<Format>, context: &mut Context) -> Result<Exit, Failure> {
    let tree = std::mem::replace(&mut outcome.tree, Ok(None))?;
    plan(&outcome.plan, tree.as_ref(), output, false, context)?;
    if let Some(too_much) = outcome.too_much {
        return Err(too_much.into());
    }
    if let Some(exit) = judge(&mut outcome, context) {
        return Ok(exit);
    }
    let end = end(tree, context);
    Ok(if outcome.errors == 0 { end } else { Exit::Error })
}

/// Tells what the user's rules say of a plan; the exit if they refuse it.
pub fn judge(outcome: &mut Outcome, context: &Context) -> Option<Exit> {
    let refused = outcome.is_refused();
    context.tell_of(std::mem::take(&mut outcome.said), outcome.violations);
    if refused {
        let rules = counted(outcome.violations, "violation");
        let note = format!("{rules} of your own rules: such a plan is not carried out");
        context.tell(vec![Diagnostic::note("refused", note)]);
    }
    refused.then_some(Exit::Violated)
}

/// How text for a person looks.
pub fn look(done: bool, wide: bool, context: &Context) -> Look {
    let detail = if wide || context.verbose { Detail::Wide } else { Detail::Short };
    Look { detail, paint: context.paint, done }
}

/// Shows a plan that is to be done, or was `done`, and what becomes of the tree.
pub fn plan(
    plan: &Plan,
    tree: Option<&Followed>,
    output: Option<Format>,
    done: bool,
    context: &mut Context,
) -> Result<(), Failure> {
    let look = look(done, output == Some(Format::Wide), context);
    let out = &mut context.out;
    match output {
        Some(Format::Json) => report::write_json(&report::plan_document(plan, files(tree)), out)?,
        Some(Format::Yaml) => report::write_yaml(&report::plan_document(plan, files(tree)), out)?,
        Some(Format::Name) => report::plan_names(plan, out)?,
        Some(Format::Wide) | None => {
            let mut out = context.fitted();
            report::applied(&plan.objects, look, &mut out)?;
            report::plan_text(plan, look, &mut out)?;
            report::statuses(&plan.statuses, &mut out)?;
            drop(out);
            files_text(tree, context)?;
        }
    }
    Ok(())
}

/// The files that changed, or would; `None` if no tree was named.
pub fn files(tree: Option<&Followed>) -> Option<Vec<FileLine>> {
    tree.map(|tree| report::tree_files(&tree.report))
}

/// Tells what could not be done to the tree, and how the command ends for that.
pub fn end(tree: Option<Followed>, context: &Context) -> Exit {
    let Some(Followed { report, done, .. }) = tree else { return Exit::Done };
    let failed = report.problems.iter().any(Diagnostic::is_error);
    context.tell(report.problems);
    match (failed, done) {
        (false, _) => Exit::Done,
        (true, false) => Exit::Error,
        (true, true) => Exit::Partly,
    }
}

/// Shows a person what became of the tree, or would.
pub fn files_text(tree: Option<&Followed>, context: &mut Context) -> Result<(), Failure> {
    let Some(Followed { folder, report, done }) = tree else { return Ok(()) };
    Ok(report::tree_text(folder, report, look(*done, false, context), &mut context.out)?)
}
