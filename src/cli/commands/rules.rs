//! `dsrules rules list|show|check|fmt|profile`: the policy, as it is written and run.

mod check;
mod fmt;
mod list;
mod paths;
mod profile;
mod show;

use clap::{Args, Subcommand};
pub use show::show;

use crate::cli::context::Context;
use crate::cli::exit::{Exit, Failure};

/// Arguments of `rules`.
#[derive(Debug, Args)]
pub struct RulesArgs {
    #[command(subcommand)]
    command: RulesCommand,
}

#[derive(Debug, Subcommand)]
enum RulesCommand {
    /// List the relations that your rules may read, with their columns, and your own
    List(list::ListArgs),
    /// Show a relation with its rules, a rule by its place, or a whole rule file
    Show(show::ShowArgs),
    /// Find mistakes in rules: all that loading finds, what cannot be meant, and what a cluster
    /// has never had
    Check(check::CheckArgs),
    /// Bring rule files into their one layout
    Fmt(fmt::FmtArgs),
    /// Show what each rule costs: rows it looks at, time, and how it is joined
    Profile(profile::ProfileArgs),
}

/// Lists, shows, checks, formats or profiles.
pub fn run(args: &RulesArgs, context: &mut Context) -> Result<Exit, Failure> {
    match &args.command {
        RulesCommand::Check(args) => check::run(args, context),
        RulesCommand::Fmt(args) => fmt::run(args, context),
        RulesCommand::Profile(args) => profile::run(args, context),
        RulesCommand::List(args) => list::run(args, context),
        RulesCommand::Show(args) => show::run(args, context),
    }
}
