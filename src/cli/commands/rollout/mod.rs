//! `dsrules rollout status|history|undo|restart`: how a daemonset's pods get from one
//! template to the next, in kubectl's words; `run` does it in a live cluster.

mod change;
mod history;
mod options;
mod run;
mod status;
mod told;

use clap::{Args, Subcommand};
use dsrules::app::rollout::Goal;

use crate::cli::context::Context;
use crate::cli::exit::{Exit, Failure};
use crate::cli::options::rules::RuleArgs;
use options::{Changing, Shown, Which};

/// Arguments of `rollout`.
#[derive(Debug, Args)]
pub struct RolloutArgs {
    #[command(subcommand)]
    command: RolloutCommand,
}

impl RolloutArgs {
    /// Whether it follows a live cluster until it is done or stopped.
    pub fn goes_on(&self) -> bool {
        matches!(&self.command, RolloutCommand::Run(run) if run.goes_on())
    }
}

#[derive(Debug, Subcommand)]
enum RolloutCommand {
    /// Say how far a rollout is, and what it waits for; ends with 1 while it is not finished
    Status {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        rules: RuleArgs,
        #[command(flatten)]
        shown: Shown,
    },
    /// List the templates that a daemonset had
    History {
        #[command(flatten)]
        which: Which,
        /// Show the template of this revision
        #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
        revision: i64,
        #[command(flatten)]
        shown: Shown,
    },
    /// Go back to an earlier template
    Undo {
        #[command(flatten)]
        which: Which,
        /// The revision to go back to, rather than the last one before
        #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
        to_revision: i64,
        #[command(flatten)]
        changing: Changing,
    },
    /// Replace the old pods of a live cluster's daemonset in the order that the rules say
    ///
    /// For daemonsets with `updateStrategy: {type: OnDelete}`, whose own controller leaves old pods
    /// alone. Waves, holds, maxUnavailable and minReadySeconds hold as in a plan; a new pod that
    /// fails stops it. It can be interrupted, and goes on when it is run again.
    Run(Box<run::RunArgs>),
    /// Replace all pods, as a new template would
    Restart {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        changing: Changing,
    },
}

/// Runs the subcommand.
pub fn run(args: &RolloutArgs, context: &mut Context) -> Result<Exit, Failure> {
    match &args.command {
        RolloutCommand::Status { which, rules, shown } => status::run(which, rules, shown, context),
        RolloutCommand::History { which, revision, shown } => history::run(which, *revision, shown, context),
        RolloutCommand::Undo { which, to_revision, changing } => {
            change::run(which, Goal::Revision(*to_revision), changing, context)
        }
        RolloutCommand::Run(args) => run::run(args, context),
        RolloutCommand::Restart { which, changing } => change::run(which, Goal::Again, changing, context),
    }
}
