//! `dsrules plan PATH...`: what apply would do; nothing is written.

use std::io::Write as _;
use std::path::PathBuf;

use clap::Args;
use dsrules::app::cluster::Detail;
use dsrules::app::whatif::{WhatIf, what_if};
use dsrules::app::{self, Manifests, Outcome, Request};
use dsrules::diagnostic::Diagnostic;
use dsrules::report;

use crate::cli::context::Context;
use crate::cli::exit::{Exit, Failure};
use crate::cli::kept::Out;
use crate::cli::options::cluster::{ClusterArgs, NO_PRUNING};
use crate::cli::options::output::PlanFormat;
use crate::cli::options::planning::PlanningArgs;
use crate::cli::options::tree::TreeArgs;
use crate::cli::options::what_if::WhatIfArgs;
use crate::cli::progress::Progress;
use crate::cli::show;

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
    /// Keep the plan in FILE: `dsrules show FILE` shows it again, `dsrules apply FILE` carries out
    /// just that, or says what moved since
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    what_if: WhatIfArgs,
    #[command(flatten)]
    cluster: ClusterArgs,
}

/// What surprises whoever thinks of a drain.
const CORDONED: &str = "note: a cordoned node keeps its daemon pods, and gets new ones, as in Kubernetes; what drives \
                        them out is a taint, as `--taint NODE=maintenance=true:NoExecute`";

/// Plans and shows.
pub fn run(args: &PlanArgs, context: &mut Context) -> Result<Exit, Failure> {
    check(args)?;
    args.what_if.check()?;
    let changes = args.what_if.changes(&args.planning.input.files.how.namespace)?;
    let progress = Progress::begin(context.quiet);
    let (mut request, base) = asked(args, context)?;
    args.cluster.observe(kept(&request), context)?;
    request.database = context.database.clone();
    let output = args.planning.output;
    let out = args.keeping(&request, context)?;
    let (changed, end) = if args.what_if.is_empty() {
        let outcome = app::plan(&request, base.as_ref(), context);
        drop(progress);
        let outcome = outcome.map_err(|errors| show::failed(errors, output, context))?;
        keep(out, &request, &outcome, context)?;
        (outcome.is_changed(), show::planned(outcome, output, context)?)
    } else {
        let found = what_if(&request, base.as_ref(), &changes, context)?;
        drop(progress);
        keep(out, &request, &found.outcome, context)?;
        let differs = !found.differences.is_empty();
        let (changed, end) = (found.outcome.is_changed(), show_what_if(found, output, context)?);
        if args.what_if.cordons() && !differs {
            context.out.flush()?;
            context.note(CORDONED);
        }
        (changed, end)
    };
    let changed = args.detailed_exitcode && changed && end == Exit::Done;
    Ok(if changed { Exit::Changes } else { end })
}

impl PlanArgs {
    /// Where the plan is to be kept, if it is, with why it could only be shown.
    fn keeping(&self, request: &Request, context: &Context) -> Result<Option<Out>, Diagnostic> {
        let Some(file) = &self.out else { return Ok(None) };
        let why = if context.looks_at_a_cluster() {
            Some("it was made over a live cluster, which `dsrules rollout run` writes to")
        } else if !self.base.is_empty() {
            Some("it was made over a base, which no store holds")
        } else if !self.what_if.is_empty() {
            Some("it has changes that stand in no manifest")
        } else {
            None
        };
        Out::begin(file, request, why.map(ToOwned::to_owned)).map(Some)
    }
}

/// Keeps the plan, if it is to be.
fn keep(out: Option<Out>, request: &Request, outcome: &Outcome, context: &Context) -> Result<(), Failure> {
    out.map_or(Ok(()), |out| out.write(request, outcome, context))
}

/// What is asked, and from where: over a base what left it is always pruned.
fn asked(args: &PlanArgs, context: &Context) -> Result<(Request, Option<Manifests>), Diagnostic> {
    let mut request = args.planning.request(&args.tree, context)?;
    if args.base.is_empty() {
        return Ok((request, None));
    }
    request.options.prune = true;
    Ok((request, Some(args.planning.input.files.manifests_of(args.base.iter())?)))
}

/// What is kept of the pods of a cluster: files of pods are compared with all that a pod says.
fn kept(request: &Request) -> Detail {
    match &request.tree {
        Some(_) => Detail::Whole,
        None => Detail::of(&request.rules, &request.manifests),
    }
}

/// Refuses what does not go together with a cluster, or with a base.
fn check(args: &PlanArgs) -> Result<(), Failure> {
    const TWO: &str = "a base is what there is in place of a store, and so is a cluster: name one";
    args.cluster.refuse(&[
        ("--base", !args.base.is_empty(), TWO),
        ("--prune", args.planning.prune, NO_PRUNING),
        ("--input-of", args.planning.takes_over(), NO_PRUNING),
    ])?;
    let wrong = |what: &str, help: &str| Err(Diagnostic::error("with-base", what).help(help).into());
    if args.base.is_empty() {
        return Ok(());
    }
    if args.planning.input.is_empty() {
        return wrong(
            "`--base` is given without what to compare it with",
            "name the manifests of the head, as `plan --base OLD NEW`",
        );
    }
    if args.planning.keep_going {
        return wrong(
            "`--base` and `--keep-going` do not go together",
            "what a broken file lost is not known: mend it first",
        );
    }
    Ok(())
}

/// Shows the plan with changes that stand in no manifest, and the difference.
fn show_what_if(found: WhatIf, output: Option<PlanFormat>, context: &mut Context) -> Result<Exit, Failure> {
    let WhatIf { mut outcome, differences } = found;
    outcome.locate(output.is_some_and(PlanFormat::is_for_programs));
    let tree = std::mem::replace(&mut outcome.tree, Ok(None))?;
    let document = || report::what_if_document(&outcome, show::files(tree.as_ref()), &differences);
    match output {
        Some(PlanFormat::Json) => report::write_json(&document(), &mut context.out)?,
        Some(PlanFormat::Yaml) => report::write_yaml(&document(), &mut context.out)?,
        output => {
            show::plan(&outcome, tree.as_ref(), output, false, context)?;
            if !output.is_some_and(PlanFormat::is_findings) {
                report::differences(&differences, context.paint, &mut context.fitted())?;
            }
        }
    }
    let end = show::end(tree, context);
    Ok(show::judge(&outcome, context).unwrap_or(if outcome.errors == 0 { end } else { Exit::Error }))
}
