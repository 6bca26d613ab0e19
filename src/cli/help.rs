//! `dsrules help COMMAND`, for those who do not type `dsrules COMMAND --help`.

use clap::{Args, Command, CommandFactory, Parser};
use dsrules::diagnostic::{Diagnostic, nearest};

use super::args::Cli;
use super::context::Context;
use super::exit::{Exit, Failure};

/// Arguments of `help`.
#[derive(Debug, Args)]
pub struct HelpArgs {
    /// The command, as `rollout undo`
    #[arg(value_name = "COMMAND")]
    names: Vec<String>,
}

/// Prints the help of a command, or of all, as its `--help` does.
pub fn run(args: &HelpArgs, context: &mut Context) -> Result<Exit, Failure> {
    check(&Cli::command(), &args.names)?;
    let words = ["dsrules"].into_iter().chain(args.names.iter().map(String::as_str)).chain(["--help"]);
    if let Err(help) = Cli::try_parse_from(words) {
        let help = help.render();
        if context.paint.0 {
            write!(context.out, "{}", help.ansi())?;
        } else {
            write!(context.out, "{help}")?;
        }
    }
    Ok(Exit::Done)
}

/// Whether there is such a command.
fn check(command: &Command, names: &[String]) -> Result<(), Diagnostic> {
    let Some((name, rest)) = names.split_first() else { return Ok(()) };
    let known: Vec<String> = command.get_subcommands().map(|it| it.get_name().to_owned()).collect();
    match command.find_subcommand(name) {
        Some(found) => check(found, rest),
        None => {
            let error = Diagnostic::error("unknown-command", format!("there is no command `{name}`"));
            Err(match nearest(name, known.iter().map(String::as_str)) {
                Some(meant) => error.help(format!("did you mean `{meant}`?")),
                None => error.help("`dsrules help` lists all commands"),
            })
        }
    }
}
