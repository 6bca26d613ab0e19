//! `dsrules completions SHELL`: the shell's completion script.

use clap::{Arg, Args, Command};
use clap_complete::Shell;

use crate::cli::context::Context;
use crate::cli::exit::{Exit, Failure};

/// Arguments of `completions`.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Writes the script to stdout.
pub fn run(args: &CompletionsArgs, command: &Command, context: &mut Context) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut offered(command), "dsrules", &mut script);
    context.out.write_all(&script)?;
    Ok(Exit::Done)
}

/// The command line without what is hidden: options that are there only to be refused
/// with a reason, and words for those who expect them, are not to be offered. (The
/// generator would, and clap cannot take an argument away: so the rest is put together.)
fn offered(command: &Command) -> Command {
    let shown = |arg: &&Arg| !arg.is_hide_set();
    // clap wants names that live as long as the program, which is not long now.
    let name: &'static str = command.get_name().to_owned().leak();
    let mut offered = Command::new(name)
        .version(env!("CARGO_PKG_VERSION"))
        .disable_version_flag(command.is_disable_version_flag_set() || command.get_version().is_none())
        .disable_help_subcommand(true)
        .args(command.get_arguments().filter(shown).cloned())
        .subcommands(command.get_subcommands().filter(|it| !it.is_hide_set()).map(offered));
    if let Some(about) = command.get_about() {
        offered = offered.about(about.clone());
    }
    offered
}
