//! `dsrules help COMMAND`, for those who do not type `dsrules COMMAND --help`.

use clap::{Args, Command, CommandFactory};
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

/// Prints the help of a command, or of all.
pub fn run(args: &HelpArgs, context: &mut Context) -> Result<Exit, Failure> {
    let mut all = Cli::command();
    all.build();
    let help = find(&mut all, &args.names)?.render_long_help();
    if context.paint.0 {
        write!(context.out, "{}", help.ansi())?;
    } else {
        write!(context.out, "{help}")?;
    }
    Ok(Exit::Done)
}

fn find<'c>(command: &'c mut Command, names: &[String]) -> Result<&'c mut Command, Diagnostic> {
    let Some((name, rest)) = names.split_first() else { return Ok(command) };
    let known: Vec<String> = command.get_subcommands().map(|it| it.get_name().to_owned()).collect();
    match command.find_subcommand_mut(name) {
        Some(found) => find(found, rest),
        None => {
            let error = Diagnostic::error("unknown-command", format!("there is no command `{name}`"));
            Err(match nearest(name, known.iter().map(String::as_str)) {
                Some(meant) => error.help(format!("did you mean `{meant}`?")),
                None => error.help("`dsrules help` lists all commands"),
            })
        }
    }
}
