//! `dsrules plan PATH...`: what apply would do; nothing is written.

use std::path::PathBuf;

use clap::Args;
use dsrules::app::{self, MaxDelete, Options, Planned};
use dsrules::diagnostic::Diagnostic;
use dsrules::manifest::Reading;
use dsrules::plan::{Change, Plan};
use dsrules::state::World;
use dsrules::target::sqlite::Store;

use super::whatif::{self, WhatIfArgs};
use crate::cli::context::Context;
use crate::cli::exit::{Exit, Failure};
use crate::cli::options::base;
use crate::cli::options::planning::{PlanningArgs, show};
use crate::cli::options::rules::judge;
use crate::cli::options::tree::TreeArgs;
use crate::cli::progress::Progress;

/// Arguments of `plan`.
#[derive(Debug, Args)]
pub struct PlanArgs {
    #[command(flatten)]
    planning: PlanningArgs,
    #[command(flatten)]
    tree: TreeArgs,
    /// End with 2 if there is anything to do, 0 if not, 1 on an error
    #[arg(long)]
    detailed_exitcode: bool,
    /// Plan from these manifests, rather than from what the store holds: what was in them and is in
    /// PATH no longer goes. A file or folder, may be given several times
    #[arg(long, value_name = "PATH")]
    base: Vec<PathBuf>,
    #[command(flatten)]
    what_if: WhatIfArgs,
}

/// Plans and shows.
pub fn run(args: &PlanArgs, context: &mut Context) -> Result<Exit, Failure> {
    let base = args.base.clone();
    let prune = args.planning.prune || !base.is_empty();
    let planning = PlanningArgs { base, prune, ..args.planning.clone() };
    base::check(&planning)?;
    args.what_if.check()?;
    if !args.what_if.is_empty() {
        let (changed, end) = whatif::run(&planning, &args.what_if, &args.tree, context)?;
        return Ok(exit(args.detailed_exitcode && changed, end));
    }
    let progress = Progress::begin(context.quiet);
    Progress::stage("reading");
    let asked = if planning.base.is_empty() { planning.ask(context) } else { None };
    if let Some((store, plan)) = planning.unchanged(asked.as_ref(), context)? {
        let tree = args.tree.compare_stored(&store)?;
        drop(progress);
        show(&plan, &tree, planning.output, false, context)?;
        return Ok(exit(args.detailed_exitcode && tree.is_changed(), tree.end(context)));
    }
    let (mut reading, mut errors) = planning.read(context)?;
    let mut dry = dry(&planning, &mut reading, &mut errors, context)?;
    let tree = args.tree.compare(&dry.world, &dry.store)?;
    drop(progress);
    show(&dry.planned.plan, &tree, planning.output, false, context)?;
    if let Some(refused) = dry.refused {
        return Err(refused.into());
    }
    if let Some(exit) = judge(&mut dry.planned, context) {
        return Ok(exit);
    }
    let changed = tree.is_changed() || changes(&dry.planned.plan);
    let end = tree.end(context);
    Ok(exit(args.detailed_exitcode && changed, if errors == 0 { end } else { Exit::Error }))
}

/// How it ends, with changes that were asked about and what else is to be said.
fn exit(changes: bool, end: Exit) -> Exit {
    if end == Exit::Done && changes { Exit::Changes } else { end }
}

/// A plan that is not carried out, and what it was made from.
pub struct Dry {
    /// The plan.
    pub planned: Planned,
    /// The world as the plan leaves it.
    pub world: World,
    /// The store, which holds the world as it was.
    pub store: Store,
    /// Why it could not be carried out.
    pub refused: Option<Diagnostic>,
}

/// Makes the plan on a copy of what the store holds; a store that is not there is empty.
/// A plan that deletes more than it may is given all the same, with what refuses it: it
/// is what a person has to look at. Errors that `--keep-going` goes past are counted.
pub fn dry(
    args: &PlanningArgs,
    reading: &mut Reading,
    errors: &mut usize,
    context: &Context,
) -> Result<Dry, Failure> {
    let (id, options) = (args.id(), args.options(context));
    let store = base::store(args, context)?;
    let policy = args.bounds.rules.with(&args.input.beside(), Some(&id), Some(&store), context)?;
    let program = &policy.program;
    *errors += args.check_updates(reading, &store, context)?;
    args.tell_left(reading, &store, context)?;
    let reading = std::mem::take(reading);
    let gone = app::gone(&store, &id, &reading, &options)?;
    let mut again = Reading::default();
    again.objects.clone_from(&reading.objects);
    let mut world = app::load(&store, program)?;
    match app::plan(&mut world, reading, &gone, program, &options) {
        Ok(planned) => Ok(Dry { planned, world, store, refused: None }),
        Err(refused) if refused.code == "too-many-deletions" => {
            let options = Options { max_delete: Some(MaxDelete::Percent(100)), ..options };
            let mut world = app::load(&store, program)?;
            let planned = app::plan(&mut world, again, &gone, program, &options)?;
            Ok(Dry { planned, world, store, refused: Some(refused) })
        }
        Err(error) => Err(error.into()),
    }
}

/// Whether there is anything to do.
pub fn changes(plan: &Plan) -> bool {
    !plan.waves.is_empty() || plan.objects.iter().any(|object| object.change != Change::Unchanged)
}
