//! `dsrules rules list`: the relations and parameters that rules have.

use clap::{Args, ValueEnum};
use dsrules::app::listed::{Which, listed};
use dsrules::app::rules::alone;
use dsrules::report;

use crate::cli::context::Context;
use crate::cli::exit::{Exit, Failure};
use crate::cli::options::rules::RuleArgs;

/// Arguments of `rules list`.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Only the relations that rules of your own may add to
    #[arg(long, conflicts_with = "all")]
    open: bool,
    /// The engine's own relations as well, which may change at any time
    #[arg(long)]
    all: bool,
    /// How to show them
    #[arg(long, short = 'o', value_name = "FORMAT", value_enum, default_value_t = Format::Text)]
    output: Format,
    #[command(flatten)]
    rules: RuleArgs,
}

/// `-o` of `rules list`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    // Each with its columns, and what it says below
    Text,
    // A table, with how many rules each has, and where it is declared
    Wide,
    // JSON, with a version field
    Json,
}

/// Lists.
pub fn run(args: &ListArgs, context: &mut Context) -> Result<Exit, Failure> {
    let program = alone(&args.rules.asked(), context)?;
    let which = match (args.open, args.all) {
        (true, _) => Which::Open,
        (_, true) => Which::All,
        _ => Which::Readable,
    };
    let (listed, paint) = (listed(&program, which), context.paint);
    match args.output {
        Format::Text => report::listed_text(&listed, paint, &mut context.fitted())?,
        Format::Wide => report::listed_table(&listed, &mut context.fitted())?,
        Format::Json => report::write_json(&report::listed_document(&listed), &mut context.out)?,
    }
    Ok(Exit::Done)
}
