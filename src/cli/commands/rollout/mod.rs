//! `dsrules rollout status|history|undo|restart`: how a daemonset's pods get from one
//! template to the next, in kubectl's words.

mod change;
mod history;
mod status;

use clap::{Args, Subcommand};
use dsrules::diagnostic::Diagnostic;
use dsrules::kube::{DaemonSet, Kind, ObjectKey, Revision};
use dsrules::state::World;
use dsrules::target::sqlite::Store;

use crate::cli::context::Context;
use crate::cli::exit::{Exit, Failure};
use crate::cli::options::dry_run::DryRun;
use crate::cli::options::planning::BoundArgs;
use crate::cli::options::resources::{Resource, Wanted, missing, wanted};
use crate::cli::options::rules::RuleArgs;
use crate::cli::options::tree::TreeArgs;

/// Arguments of `rollout`.
#[derive(Debug, Args)]
pub struct RolloutArgs {
    #[command(subcommand)]
    command: RolloutCommand,
}

#[derive(Debug, Subcommand)]
enum RolloutCommand {
    /// Say how far a rollout is, and what it waits for; ends with 1 while it is not finished
    Status {
        #[command(flatten)]
        target: Target,
        #[command(flatten)]
        rules: RuleArgs,
    },
    /// List the templates that a daemonset had
    History {
        #[command(flatten)]
        target: Target,
        /// Show the template of this revision
        #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
        revision: i64,
    },
    /// Go back to an earlier template
    Undo {
        #[command(flatten)]
        target: Target,
        /// The revision to go back to, rather than the last one before
        #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
        to_revision: i64,
        #[command(flatten)]
        changing: Changing,
    },
    /// Replace all pods, as a new template would
    Restart {
        #[command(flatten)]
        target: Target,
        #[command(flatten)]
        changing: Changing,
    },
}

/// Which daemonset.
#[derive(Debug, Clone, Args)]
struct Target {
    /// The daemonset: `daemonset/NAME`
    #[arg(value_name = "daemonset/NAME", required = true, num_args = 1..)]
    resources: Vec<String>,
    /// The namespace it is in
    #[arg(long, short = 'n', value_name = "NAMESPACE", default_value = "default")]
    namespace: String,
}

/// Options of the commands that change something.
#[derive(Debug, Clone, Args)]
struct Changing {
    /// Only show what would be done
    #[arg(long, value_name = "HOW", value_enum, default_value_t = DryRun::None)]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "client")]
    dry_run: DryRun,
    #[command(flatten)]
    bounds: BoundArgs,
    #[command(flatten)]
    tree: TreeArgs,
}

/// Runs the subcommand.
pub fn run(args: &RolloutArgs, context: &mut Context) -> Result<Exit, Failure> {
    match &args.command {
        RolloutCommand::Status { target, rules } => status::run(target, rules, context),
        RolloutCommand::History { target, revision } => history::run(target, *revision, context),
        RolloutCommand::Undo { target, to_revision, changing } => {
            change::undo(target, *to_revision, changing, context)
        }
        RolloutCommand::Restart { target, changing } => change::restart(target, changing, context),
    }
}

impl Target {
    /// The keys of the daemonsets that were named.
    fn keys(&self) -> Result<Vec<ObjectKey>, Diagnostic> {
        let only = || {
            Diagnostic::error("no-rollout", "only daemonsets have rollouts")
                .help("write it as `dsrules rollout COMMAND daemonset/NAME`")
        };
        let bare = |error: Diagnostic| match self.resources.as_slice() {
            [name] if error.code == "unknown-resource" && !name.contains('/') => {
                error.help(format!("write `daemonset/{name}`"))
            }
            _ => error,
        };
        let Wanted::Named(names) = wanted(&self.resources).map_err(bare)? else { return Err(only()) };
        names
            .into_iter()
            .map(|(resource, name)| match resource {
                Resource::Kind(Kind::DaemonSet) => Ok(ObjectKey::new(self.namespace.as_str(), name)),
                _ => Err(only()),
            })
            .collect()
    }

    /// The daemonsets that were named, in order.
    fn find<'w>(&self, world: &'w World, store: &Store) -> Result<Vec<&'w DaemonSet>, Failure> {
        let (mut found, mut problems) = (Vec::new(), Vec::new());
        for key in self.keys()? {
            match world.daemonsets.get(&key) {
                Some(daemonset) => found.push(daemonset),
                None => problems.push(missing(Kind::DaemonSet, &key, store)?),
            }
        }
        if problems.is_empty() { Ok(found) } else { Err(problems.into()) }
    }
}

/// The revisions that a daemonset owns, oldest first.
fn revisions<'w>(world: &'w World, daemonset: &DaemonSet) -> Vec<&'w Revision> {
    let owned = |revision: &&Revision| {
        revision.meta.key.namespace == daemonset.meta.key.namespace
            && revision.meta.controller.as_ref().is_some_and(|owner| owner.uid == daemonset.meta.uid)
    };
    let mut revisions: Vec<&Revision> = world.revisions.values().filter(owned).collect();
    revisions.sort_by_key(|revision| revision.revision);
    revisions
}
