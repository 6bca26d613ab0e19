//! `dsrules restore FILE`: a snapshot of a shared store, back into an etcd.

use std::io::Read;
use std::path::PathBuf;

use clap::Args;
use dsrules::diagnostic::{Diagnostic, Place};
use dsrules::target::etcd::restore;

use crate::cli::context::Context;
use crate::cli::exit::{Exit, Failure};

/// Arguments of `restore`.
#[derive(Debug, Args)]
pub struct RestoreArgs {
    /// The file, as `dsrules snapshot --store …` writes it; `-` reads it from the input
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// Reads and writes.
pub fn run(args: &RestoreArgs, context: &mut Context) -> Result<Exit, Failure> {
    let access = context.shared()?;
    let mut text = Vec::new();
    let read = if args.file.as_os_str() == "-" {
        std::io::stdin().read_to_end(&mut text).map(drop)
    } else {
        std::fs::read(&args.file).map(|read| text = read)
    };
    let shown = args.file.display().to_string();
    read.map_err(|error| {
        Diagnostic::error("unreadable", format!("`{shown}` cannot be read"))
            .at(Place::file(shown.as_str()))
            .because(error.to_string())
    })?;
    let keys = restore(&access, &text)?;
    context.note(&format!("{keys} keys are restored to {}", access.shown()));
    Ok(Exit::Done)
}
