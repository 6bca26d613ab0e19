//! `dsrules help COMMAND`, for those who do not type `dsrules COMMAND --help`.

use clap::{Args, Command};
use dsrules::diagnostic::{Diagnostic, nearest};

use crate::cli::context::Context;
use crate::cli::exit::{Exit, Failure};

/// Arguments of `help`.
#[derive(Debug, Args)]
pub struct HelpArgs {
    /// The command, as `rollout undo`
    #[arg(value_name = "COMMAND")]
    names: Vec<String>,
}

/// Prints the help of a command, or of all, as its `--help` does.
pub fn run(args: &HelpArgs, mut command: Command, context: &mut Context) -> Result<Exit, Failure> {
    check(&command, &args.names)?;
    let words = ["dsrules"].into_iter().chain(args.names.iter().map(String::as_str)).chain(["--help"]);
    if let Err(help) = command.try_get_matches_from_mut(words) {
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
