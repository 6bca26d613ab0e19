//! `dsrules query`: any question in the language of the rules.

use clap::{Args, ValueEnum};
use dsrules::app::{Answered, query};
use dsrules::report::{self, Answers};

use crate::cli::context::Context;
use crate::cli::exit::{Exit, Failure};
use crate::cli::options::world::WorldArgs;

/// Arguments of `query`.
#[derive(Debug, Args)]
pub struct QueryArgs {
    /// A rule's body, as 'eligible(D, "gpu-1"), !has_pod(D, "gpu-1")'; its variables are
    /// the columns, but for those that begin with `_`
    #[arg(value_name = "QUERY")]
    query: String,
    /// How to show the answers
    #[arg(long, short = 'o', value_name = "FORMAT", value_enum, default_value_t = Format::Table)]
    output: Format,
    #[command(flatten)]
    world: WorldArgs,
}

/// `-o` of `query`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    // A table
    Table,
    // JSON, with a version field
    Json,
    // Comma-separated values
    Csv,
}

/// Answers.
pub fn run(args: &QueryArgs, context: &mut Context) -> Result<Exit, Failure> {
    let seen = args.world.sight("default", context)?.load(context)?;
    let limits = args.world.rules.limits();
    let Answered { names, rows } = query(&args.query, &seen, &limits, context.seconds(), context)?;
    let answers = Answers { names: &names, rows: &rows };
    let out = &mut context.out;
    match args.output {
        Format::Json => report::write_json(&answers.document(), out)?,
        // A question without variables is one of yes or no.
        _ if names.is_empty() => writeln!(out, "{}", if rows.is_empty() { "no" } else { "yes" })?,
        // A pipe gets the values as they are, a person what can be looked at.
        Format::Csv => answers.csv(context.terminal, out)?,
        Format::Table if rows.is_empty() => context.note("No answers."),
        Format::Table => answers.table(&mut context.fitted())?,
    }
    Ok(Exit::Done)
}
