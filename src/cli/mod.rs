//! The rim: what was typed becomes what is meant, the library does it, the result is
//! shown and turned into an exit code.
//!
//! Only here is anything printed and are the environment and the clock read. One file
//! a command: arguments become a request, the library does it, the outcome is shown. No
//! policy and no SQL.

mod args;
mod commands;
mod complete;
mod context;
mod examples;
mod exit;
mod habits;
mod interrupt;
mod kept;
mod options;
mod progress;
mod show;
mod signals;

use std::process::ExitCode;

use clap::parser::ValueSource;
use clap::{ArgMatches, CommandFactory, FromArgMatches};
use dsrules::diagnostic::Diagnostic;

use args::{Cli, Command};
use commands::{
    agent, apply, blame, capacity, completions, controller, delete, describe, diff, explain, fleet, get,
    help, init, log, lsp, man, plan, query, reach, report, restore, rollout, rules, serve, show as shown,
    snapshot, test, validate, version, watch,
};
use context::Context;
use exit::{Exit, Failure};

/// Runs the command that was typed.
pub fn main() -> ExitCode {
    complete::answer(Cli::command);
    let (typed, one_source, cli) = match parsed() {
        Ok(parsed) => parsed,
        Err(error) => {
            return habits::instead(&error).map_or_else(|| exit::usage(&error), |told| exit::early(&told));
        }
    };
    let mut context = match Context::new(&cli.global, typed) {
        Ok(context) => context,
        Err(diagnostic) => return exit::early(&diagnostic),
    };
    if !goes_on(&cli.command) {
        interrupt::watch();
    }
    let result = one_source.map_err(Failure::from).and_then(|()| run(&cli.command, &mut context));
    exit::report(result, &mut context)
}

/// Whether a command, or what it is part of, was given an option on the command line.
fn is_typed(matches: &ArgMatches, id: &str) -> bool {
    matches.try_contains_id(id).unwrap_or(false) && matches.value_source(id) == Some(ValueSource::CommandLine)
}

/// Refuses a store beside a cluster, which is looked at in place of it. One that the environment
/// names is there for all commands, and not meant.
fn one_source(matches: &ArgMatches) -> Result<(), Diagnostic> {
    let below = |it: &ArgMatches| it.subcommand().map(|(_, below)| below.clone());
    let all: Vec<ArgMatches> = std::iter::successors(Some(matches.clone()), below).collect();
    let given = |id: &str| all.iter().any(|matches| is_typed(matches, id));
    match ["db", "store"].into_iter().find(|id| given(id) && given("cluster")) {
        None => Ok(()),
        Some(id) => {
            Err(Diagnostic::error("with-cluster", format!("`--{id}` and `--cluster` do not go together"))
                .help("a cluster is looked at in place of a store: leave one of them away"))
        }
    }
}

/// The command with its own options, as they were typed, and none of their values. How it was
/// said is no part of what was done: what every command has is left away.
fn typed(command: &clap::Command, matches: &ArgMatches) -> String {
    let own = |arg: &&clap::Arg| !arg.is_global_set() && is_typed(matches, arg.get_id().as_str());
    let options =
        command.get_arguments().filter(own).filter_map(|arg| Some(format!("--{}", arg.get_long()?)));
    let options = options.collect::<Vec<_>>();
    let below = matches.subcommand().and_then(|(name, matches)| {
        let below = typed(command.find_subcommand(name)?, matches);
        Some(format!("{name} {below}").trim_end().to_owned())
    });
    below.into_iter().chain(options).collect::<Vec<_>>().join(" ")
}

/// Whether a command goes on until it is stopped, and hears signals itself.
fn goes_on(command: &Command) -> bool {
    match command {
        Command::Watch(_)
        | Command::Controller(_)
        | Command::Agent(_)
        | Command::Serve(_)
        | Command::Lsp(_) => true,
        Command::Rollout(args) => args.goes_on(),
        _ => false,
    }
}

/// The command line with its examples.
fn command() -> clap::Command {
    examples::with_examples(Cli::command())
}

/// What was typed: as options, whether they name one source, and as what it means.
fn parsed() -> Result<(String, Result<(), Diagnostic>, Cli), clap::Error> {
    let mut command = command();
    let matches = command.try_get_matches_from_mut(std::env::args_os())?;
    let cli = Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut command))?;
    Ok((typed(&command, &matches), one_source(&matches), cli))
}

fn run(command: &Command, context: &mut Context) -> Result<Exit, Failure> {
    match command {
        Command::Apply(args) => apply::run(args, context),
        Command::Plan(args) => plan::run(args, context),
        Command::Init(args) => init::run(args, context),
        Command::Show(args) => shown::run(args, context),
        Command::Diff(args) => diff::run(args, context),
        Command::Delete(args) => delete::run(args, context),
        Command::Validate(args) => validate::run(args, context),
        Command::Watch(args) => watch::run(args, context),
        Command::Controller(args) => controller::run(args, context),
        Command::Agent(args) => agent::run(args, context),
        Command::Serve(args) => serve::run(args, context),
        Command::Snapshot(args) => snapshot::run(args, context),
        Command::Restore(args) => restore::run(args, context),
        Command::Get(args) => get::run(args, context),
        Command::Describe(args) => describe::run(args, context),
        Command::Reach(args) => reach::run(args, context),
        Command::Capacity(args) => capacity::run(args, context),
        Command::Report(args) => report::run(args, context),
        Command::Explain(args) => explain::run(args, context),
        Command::Blame(args) => blame::run(args, context),
        Command::Fleet(args) => fleet::run(args, context),
        Command::Rollout(args) => rollout::run(args, context),
        Command::Log(args) => log::run(args, context),
        Command::Query(args) => query::run(args, context),
        Command::Test(args) => test::run(args, context),
        Command::Rules(args) => rules::run(args, context),
        Command::Lsp(args) => lsp::run(args, context),
        Command::Completions(args) => completions::run(args, context),
        Command::Version(args) => version::run(args, context),
        Command::Help(args) => help::run(args, self::command(), context),
        Command::Man(args) => man::run(args, self::command(), context),
    }
}
