//! `dsrules man [DIR]`: manual pages, for packagers.

use std::path::PathBuf;

use clap::{Args, Command};
use dsrules::diagnostic::Diagnostic;

use crate::cli::context::Context;
use crate::cli::exit::{Exit, Failure};

/// Arguments of `man`.
#[derive(Debug, Args)]
pub struct ManArgs {
    /// Write a page for each command into this folder, rather than the main one to stdout
    dir: Option<PathBuf>,
}

/// Writes the pages.
pub fn run(args: &ManArgs, command: Command, context: &mut Context) -> Result<Exit, Failure> {
    match &args.dir {
        None => clap_mangen::Man::new(command).render(&mut context.out)?,
        Some(dir) => clap_mangen::generate_to(command, dir).map_err(|error| {
            Diagnostic::error(
                "output",
                format!("the manual pages cannot be written to `{}`: {error}", dir.display()),
            )
            .help("make the folder first")
        })?,
    }
    Ok(Exit::Done)
}
