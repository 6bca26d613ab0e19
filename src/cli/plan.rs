//! `dsrules plan PATH...`: what apply would do; nothing is written.

use clap::Args;
use dsrules::diagnostic::Diagnostic;
use dsrules::manifest::Reading;
use dsrules::pipeline::{self, MaxDelete, Options, Planned};
use dsrules::plan::{Change, Plan};
use dsrules::store::{Missing, Open, Store};

use super::context::Context;
use super::exit::{Exit, Failure};
use super::planning::{PlanningArgs, show};
use super::policy::judge;
use super::progress::Progress;
use super::whatif::{self, WhatIfArgs};

/// Arguments of `plan`.
#[derive(Debug, Args)]
pub struct PlanArgs {
    #[command(flatten)]
    planning: PlanningArgs,
    #[command(flatten)]
    what_if: WhatIfArgs,
    /// End with 2 if there is anything to do, 0 if not, 1 on an error
    #[arg(long)]
    detailed_exitcode: bool,
}

/// Plans and shows.
pub fn run(args: &PlanArgs, context: &mut Context) -> Result<Exit, Failure> {
    if !args.what_if.is_empty() {
        return whatif::run(&args.planning, &args.what_if, context);
    }
    let progress = Progress::begin(context.quiet);
    Progress::stage("reading");
    let asked = args.planning.ask(context);
    if let Some((_, plan)) = args.planning.unchanged(asked.as_ref(), context)? {
        drop(progress);
        show(&plan, args.planning.output, false, context)?;
        return Ok(Exit::Done);
    }
    let (mut reading, mut errors) = args.planning.read(context)?;
    let (mut planned, refused) = dry(&args.planning, &mut reading, &mut errors, context)?;
    drop(progress);
    show(&planned.plan, args.planning.output, false, context)?;
    if let Some(refused) = refused {
        return Err(refused.into());
    }
    if let Some(exit) = judge(&mut planned, context) {
        return Ok(exit);
    }
    Ok(match (errors, args.detailed_exitcode && changes(&planned.plan)) {
        (0, true) => Exit::Changes,
        (0, false) => Exit::Done,
        _ => Exit::Error,
    })
}

/// Makes the plan on a copy of what the store holds; a store that is not there is empty.
/// A plan that deletes more than it may is given all the same, with what refuses it: it
/// is what a person has to look at. Errors that `--keep-going` goes past are counted.
pub fn dry(
    args: &PlanningArgs,
    reading: &mut Reading,
    errors: &mut usize,
    context: &Context,
) -> Result<(Planned, Option<Diagnostic>), Failure> {
    let (id, options) = (args.input.id(), args.options(context));
    let open = Open::read().wait(context.lock_timeout).missing(Missing::Empty);
    let store = Store::open(&context.db, &open)?;
    let policy = args.bounds.rules.with(&args.input.beside(), Some(&id), Some(&store), context)?;
    let program = &policy.program;
    *errors += args.check_updates(reading, &store, context)?;
    let reading = std::mem::take(reading);
    let gone = pipeline::gone(&store, &id, &reading, &options)?;
    let mut again = Reading::default();
    again.objects.clone_from(&reading.objects);
    match pipeline::plan(&mut pipeline::load(&store, program)?, reading, &gone, program, &options) {
        Ok(planned) => Ok((planned, None)),
        Err(refused) if refused.code == "too-many-deletions" => {
            let options = Options { max_delete: Some(MaxDelete::Percent(100)), ..options };
            let planned =
                pipeline::plan(&mut pipeline::load(&store, program)?, again, &gone, program, &options)?;
            Ok((planned, Some(refused)))
        }
        Err(error) => Err(error.into()),
    }
}

/// Whether there is anything to do.
fn changes(plan: &Plan) -> bool {
    !plan.waves.is_empty() || plan.objects.iter().any(|object| object.change != Change::Unchanged)
}
