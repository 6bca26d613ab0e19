//! How commands that plan show what came of it: the plan, what rules say of it, the tree.

use dsrules::app::{Followed, Outcome};
use dsrules::diagnostic::{Diagnostic, counted};
use dsrules::plan::FINDINGS_TOLD;
use dsrules::report::{self, Detail, FileLine, Look};

use super::context::Context;
use super::exit::{Exit, Failure};
use super::options::export;
use super::options::output::PlanFormat;

/// What `-o` asks for, if it was given.
type Form = Option<PlanFormat>;

/// Shows what was applied. One that was refused a person is told of, a program gets it all
/// the same.
pub fn applied(mut outcome: Outcome, output: Form, context: &mut Context) -> Result<Exit, Failure> {
    outcome.locate(output.is_some_and(PlanFormat::is_for_programs));
    if outcome.is_refused() && output.is_some_and(PlanFormat::is_for_programs) {
        plan(&outcome, None, output, false, context)?;
    }
    if let Some(exit) = judge(&outcome, context) {
        return Ok(exit);
    }
    context.commit();
    // What was done is shown, whatever becomes of the tree.
    if !context.quiet {
        let tree = outcome.tree.as_ref().ok().and_then(Option::as_ref);
        plan(&outcome, tree, output, true, context)?;
    }
    let unwritten = export::told(outcome.exported, context);
    let end = match end(outcome.tree?, context) {
        Exit::Done if unwritten => Exit::Partly,
        end => end,
    };
    Ok(if outcome.errors == 0 { end } else { Exit::Error })
}

/// Shows what would be applied, also where it is more than may be.
pub fn planned(mut outcome: Outcome, output: Form, context: &mut Context) -> Result<Exit, Failure> {
    outcome.locate(output.is_some_and(PlanFormat::is_for_programs));
    let tree = std::mem::replace(&mut outcome.tree, Ok(None))?;
    plan(&outcome, tree.as_ref(), output, false, context)?;
    if let Some(too_much) = outcome.too_much {
        return Err(too_much.into());
    }
    if let Some(exit) = judge(&outcome, context) {
        return Ok(exit);
    }
    let end = end(tree, context);
    Ok(if outcome.errors == 0 { end } else { Exit::Error })
}

/// Ends with errors, which the forms for findings have on stdout too.
pub fn failed(errors: Vec<Diagnostic>, output: Form, context: &mut Context) -> Failure {
    let out = &mut context.out;
    let written = match output {
        Some(PlanFormat::Sarif) => report::findings_sarif(&errors, out),
        Some(PlanFormat::Github) => report::findings_github(&errors, out),
        Some(PlanFormat::Junit) => report::findings_junit(&[], &errors, out),
        _ => Ok(()),
    };
    written.map_or_else(Failure::Output, |()| Failure::Told(errors))
}

/// Tells what rules say of a plan; the exit if they refuse it.
pub fn judge(outcome: &Outcome, context: &Context) -> Option<Exit> {
    let most = if context.verbose { usize::MAX } else { FINDINGS_TOLD };
    let judged = outcome.judged.iter().flat_map(|it| it.told(most));
    context.tell_of(judged.chain(outcome.said.iter().cloned()).collect(), outcome.violations());
    if outcome.is_refused() {
        let rules = counted(outcome.violations(), "violation");
        let note = format!("{rules} of your own rules: such a plan is not carried out");
        context.tell(vec![Diagnostic::note("refused", note)]);
    }
    outcome.is_refused().then_some(Exit::Violated)
}

/// How text for a person looks.
pub fn look(done: bool, wide: bool, context: &Context) -> Look {
    let detail = if wide || context.verbose { Detail::Wide } else { Detail::Short };
    Look { detail, paint: context.paint, done }
}

/// Shows a plan that is to be done, or was `done`, and what becomes of the tree.
pub fn plan(
    outcome: &Outcome,
    tree: Option<&Followed>,
    output: Form,
    done: bool,
    context: &mut Context,
) -> Result<(), Failure> {
    let look = look(done, output == Some(PlanFormat::Wide), context);
    let Outcome { plan, judged, said, .. } = outcome;
    let document = || report::plan_document(plan, judged, said, files(tree));
    let out = &mut context.out;
    match output {
        Some(PlanFormat::Json) => report::write_json(&document(), out)?,
        Some(PlanFormat::Yaml) => report::write_yaml(&document(), out)?,
        Some(PlanFormat::Name) => report::plan_names(plan, out)?,
        Some(PlanFormat::Sarif) => report::judged_sarif(judged, said, out)?,
        Some(PlanFormat::Github) => report::judged_github(judged, said, out)?,
        Some(PlanFormat::Junit) => report::judged_junit(judged, said, out)?,
        Some(PlanFormat::Wide) | None => {
            let mut out = context.fitted();
            report::applied(&plan.objects, &plan.unlisted, look, &mut out)?;
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
