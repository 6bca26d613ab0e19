//! `dsrules rules profile [PATH…]`: what each rule costs, and what would help.

use std::path::PathBuf;
use std::time::Instant;

use clap::{Args, ValueEnum};
use dsrules::app::Sight;
use dsrules::app::profile::{Profile, profile};
use dsrules::report;

use super::paths::named;
use crate::cli::context::Context;
use crate::cli::exit::{Exit, Failure};
use crate::cli::options::world::WorldArgs;
use crate::cli::progress::Progress;

/// Arguments of `rules profile`.
#[derive(Debug, Args)]
pub struct ProfileArgs {
    /// Rule files, folders of them, or folders with a dsrules.yaml, beside those that
    /// `--rules`, `-f` and the store name
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// So many rules are shown, those that take longest
    #[arg(long, value_name = "N", default_value_t = 10)]
    top: usize,
    /// How to show them
    #[arg(long, short = 'o', value_name = "FORMAT", value_enum, default_value_t = Format::Text)]
    output: Format,
    #[command(flatten)]
    world: WorldArgs,
}

/// `-o` of `rules profile`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    // A table, and how the rules are joined
    Text,
    // JSON of all rules, with a version field
    Json,
}

/// Runs the rules once, and shows what they took.
pub fn run(args: &ProfileArgs, context: &mut Context) -> Result<Exit, Failure> {
    let sight = args.world.sight("default", context)?;
    let sight = Sight { rules: named(&args.paths, sight.rules), ..sight };
    let (limits, top) = (args.world.rules.limits(), args.top);
    let progress = Progress::begin(context.quiet);
    let profiled = profile(&Profile { sight, limits, clock: Instant::now, top }, &*context)?;
    drop(progress);
    match args.output {
        Format::Text => report::profile_text(&profiled, top, &mut context.fitted())?,
        Format::Json => report::write_json(&report::profile_document(&profiled), &mut context.out)?,
    }
    match profiled.stopped {
        Some(error) => Err(error.into()),
        None => Ok(Exit::Done),
    }
}
