//! `dsrules delete`: objects and what belongs to them.

use clap::{Args, ValueEnum};
use dsrules::app::{self, Cascade, MaxDelete, Options};
use dsrules::datalog::Program;
use dsrules::diagnostic::Diagnostic;
use dsrules::kube::{Kind, ObjectKey};
use dsrules::plan::{Applied, Change, Plan};
use dsrules::report::{self, Detail, Look};
use dsrules::target::sqlite::Store;

use crate::cli::context::Context;
use crate::cli::exit::{Exit, Failure};
use crate::cli::options::dry_run::DryRun;
use crate::cli::options::planning::BoundArgs;
use crate::cli::options::resources::{Resource, Wanted, missing, wanted};
use crate::cli::options::rules::judge;
use crate::cli::options::selector::LabelSelector;
use crate::cli::options::tree::{Tree, TreeArgs};

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
    let wanted = wanted(&args.resources)?;
    let options = args.bounds.options(context);
    let cascade = match args.cascade {
        How::Background => Cascade::Background,
        How::Foreground => Cascade::Foreground,
        How::Orphan => Cascade::Orphan,
    };
    let dry = args.dry_run == DryRun::Client;
    let mut store = if dry { context.read()? } else { context.write("dsrules delete")? };
    if !dry {
        args.tree.check(&store)?;
        store.begin()?;
    }
    let targets = targets(args, &wanted, &store)?;
    if targets.is_empty() {
        context.note("No resources found");
        return Ok(Exit::Done);
    }
    let program = args.bounds.rules.of_store(&store, context)?;
    if dry {
        return show_only(args, &targets, cascade, &store, &program, context);
    }
    let mut planned = app::apply_delete(&mut store, &targets, cascade, &program, &options)?;
    if let Some(exit) = judge(&mut planned, context) {
        return Ok(exit);
    }
    context.commit();
    // What was done is shown, whatever becomes of the tree.
    let tree = args.tree.sync(&store);
    show(args, &planned.plan, dry, context)?;
    end(args, tree?, context)
}

/// Shows what would be done, also where it is more than may be.
fn show_only(
    args: &DeleteArgs,
    targets: &[(Kind, ObjectKey)],
    cascade: Cascade,
    store: &Store,
    program: &Program,
    context: &mut Context,
) -> Result<Exit, Failure> {
    let options = args.bounds.options(context);
    let delete = |options: &Options| -> Result<_, Diagnostic> {
        let mut world = app::load(store, program)?;
        let planned = app::delete(&mut world, targets, cascade, program, options)?;
        Ok((world, planned))
    };
    let (world, mut planned, refused) = match delete(&options) {
        Ok((world, planned)) => (world, planned, None),
        Err(refused) if refused.code == "too-many-deletions" => {
            let (world, planned) = delete(&Options { max_delete: Some(MaxDelete::Percent(100)), ..options })?;
            (world, planned, Some(refused))
        }
        Err(error) => return Err(error.into()),
    };
    if refused.is_none()
        && let Some(exit) = judge(&mut planned, context)
    {
        return Ok(exit);
    }
    show(args, &planned.plan, true, context)?;
    let tree = args.tree.compare(&world, store)?;
    match refused {
        Some(refused) => Err(refused.into()),
        None => end(args, tree, context),
    }
}

fn end(args: &DeleteArgs, tree: Tree, context: &mut Context) -> Result<Exit, Failure> {
    if args.output.is_none() && !context.quiet {
        tree.show(context)?;
    }
    Ok(tree.end(context))
}

/// What is to be deleted; a namespace takes all that is in it along.
fn targets(args: &DeleteArgs, wanted: &Wanted, store: &Store) -> Result<Vec<(Kind, ObjectKey)>, Failure> {
    let mut targets = Vec::new();
    match wanted {
        Wanted::All(resources) => {
            if args.selector.is_none() && !args.all {
                return Err(Diagnostic::error("nothing-named", "no name was given")
                    .help("name what to delete, or choose by labels with `-l`, or say `--all`")
                    .into());
            }
            for resource in resources {
                let kind = deletable(*resource)?;
                store.objects(kind, Some(&args.namespace), &mut |key, object| {
                    if args.selector.as_ref().is_none_or(|selector| selector.matches(&object)) {
                        targets.push((kind, key));
                    }
                    Ok(())
                })?;
            }
        }
        Wanted::Named(_) if args.selector.is_some() || args.all => {
            return Err(Diagnostic::error(
                "name-and-selector",
                "names were given together with `-l` or `--all`",
            )
            .help("leave one of the two away")
            .into());
        }
        Wanted::Named(names) => {
            let mut problems = Vec::new();
            for (resource, name) in names {
                let kind = deletable(*resource)?;
                let key =
                    ObjectKey::new(if kind.namespaced() { &*args.namespace } else { "" }, name.as_str());
                match store.object(kind, &key)? {
                    Some(_) => targets.push((kind, key)),
                    None if args.ignore_not_found => {}
                    None => problems.push(missing(kind, &key, store)?),
                }
            }
            if !problems.is_empty() {
                return Err(problems.into());
            }
        }
    }
    let namespaces: Vec<ObjectKey> =
        targets.iter().filter(|(kind, _)| *kind == Kind::Namespace).map(|(_, key)| key.clone()).collect();
    for namespace in namespaces {
        for kind in Kind::ALL.into_iter().filter(|kind| kind.namespaced()) {
            store.objects(kind, Some(&namespace.name), &mut |key, _| {
                targets.push((kind, key));
                Ok(())
            })?;
        }
    }
    Ok(targets)
}

fn deletable(resource: Resource) -> Result<Kind, Diagnostic> {
    match resource {
        Resource::Kind(kind) => Ok(kind),
        Resource::Event => Err(Diagnostic::error("not-deleted", "events cannot be deleted")
            .help("they go by themselves, a week after they were last seen")),
    }
}

fn show(args: &DeleteArgs, plan: &Plan, dry: bool, context: &mut Context) -> Result<(), Failure> {
    let deleted = |object: &&Applied| object.change == Change::Deleted;
    for object in plan.objects.iter().filter(deleted) {
        let (resource, name) = (object.kind.resource(), &object.key.name);
        if args.output.is_some() {
            writeln!(context.out, "{resource}/{name}")?;
        } else {
            let end = if dry { " (dry run)" } else { "" };
            writeln!(context.out, "{resource} \"{name}\" {}{end}", context.paint.bad("deleted"))?;
        }
    }
    if args.output.is_none() && !context.quiet {
        let detail = if context.verbose { Detail::Wide } else { Detail::Short };
        report::plan_text(plan, Look { detail, paint: context.paint, done: !dry }, &mut context.out)?;
    }
    Ok(())
}
