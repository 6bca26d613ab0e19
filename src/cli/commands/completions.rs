//! `dsrules completions SHELL`: the script by which a shell asks for what fits a word.

use clap::{Args, ValueEnum};
use clap_complete::env::{Bash, Elvish, EnvCompleter, Fish, Powershell, Zsh};

use crate::cli::complete::VARIABLE;
use crate::cli::context::Context;
use crate::cli::exit::{Exit, Failure};

/// Arguments of `completions`.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

/// A shell that can be asked to ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Shell {
    // eval "$(dsrules completions bash)" in ~/.bashrc
    Bash,
    // eval (dsrules completions elvish | slurp) in rc.elv
    Elvish,
    // dsrules completions fish > ~/.config/fish/completions/dsrules.fish
    Fish,
    // dsrules completions powershell | Out-String | Invoke-Expression in the profile
    Powershell,
    // source <(dsrules completions zsh) in ~/.zshrc
    Zsh,
}

/// Writes the script to stdout.
pub fn run(args: &CompletionsArgs, context: &mut Context) -> Result<Exit, Failure> {
    let shell: &dyn EnvCompleter = match args.shell {
        Shell::Bash => &Bash,
        Shell::Elvish => &Elvish,
        Shell::Fish => &Fish,
        Shell::Powershell => &Powershell,
        Shell::Zsh => &Zsh,
    };
    let name = "dsrules";
    shell.write_registration(VARIABLE, name, name, name, &mut context.out)?;
    Ok(Exit::Done)
}
