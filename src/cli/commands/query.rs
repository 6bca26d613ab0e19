//! `dsrules query`: any question in the language of the rules.

use std::fs;
use std::io::{self, Read};

use clap::{Args, ValueEnum};
use dsrules::app::{Answered, Questions};
use dsrules::datalog::Typed;
use dsrules::diagnostic::{Diagnostic, counted};
use dsrules::report::Answers;

use crate::cli::context::Context;
use crate::cli::exit::{Exit, Failure};
use crate::cli::options::world::WorldArgs;

/// Arguments of `query`.
#[derive(Debug, Args)]
pub struct QueryArgs {
    /// A rule's body, as 'eligible(D, "gpu-1"), !has_pod(D, "gpu-1")'; its variables are
    /// the columns, but for those that begin with `_`. Rules may stand before it, and `?-`
    /// between. `@FILE` reads it from a file, `-` from stdin
    #[arg(value_name = "QUERY")]
    query: String,
    /// How to show the answers
    #[arg(long, short = 'o', value_name = "FORMAT", value_enum, default_value_t = Format::Table)]
    output: Format,
    /// Show the first N answers alone
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Exit with 2 if there are answers, with 0 if there are none
    #[arg(long)]
    exit_code: bool,
    /// Ask about the state that a plan leads to, as violations see it, with `planned`
    #[arg(long)]
    planned: bool,
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
    // An object of JSON on each line
    Jsonl,
    // Comma-separated values
    Csv,
}

/// Answers.
pub fn run(args: &QueryArgs, context: &mut Context) -> Result<Exit, Failure> {
    let text = text(&args.query)?;
    let mut sight = args.world.sight("default", context)?;
    sight.rules.typed.extend(Some(text.clone()).filter(|text| Typed::of(text).rules));
    let seen = sight.load(context)?;
    let mut questions = Questions::new(seen, args.planned, args.world.rules.limits(), context.seconds());
    let answered = questions.ask(&text, context)?;
    show(&answered, args.limit.unwrap_or(usize::MAX), args.output, context)?;
    Ok(if args.exit_code && !answered.is_empty() { Exit::Changes } else { Exit::Done })
}

/// A query as it was typed, or from where that says.
fn text(typed: &str) -> Result<String, Diagnostic> {
    let mut text = String::new();
    let read = match typed.strip_prefix('@') {
        Some(file) => fs::read_to_string(file).map(|read| text = read),
        None if typed == "-" => io::stdin().read_to_string(&mut text).map(drop),
        None => return Ok(typed.to_owned()),
    };
    let name = typed.strip_prefix('@').unwrap_or("stdin");
    let unreadable = |error: io::Error| {
        Diagnostic::error("unreadable", format!("the query in `{name}` cannot be read"))
            .because(error.to_string())
    };
    read.map_err(unreadable)?;
    Ok(text)
}

/// Shows the first answers.
fn show(answered: &Answered<'_>, most: usize, format: Format, context: &mut Context) -> Result<(), Failure> {
    let answers = Answers { answered, most };
    let out = &mut context.out;
    match format {
        Format::Json => answers.json(out)?,
        Format::Jsonl => answers.json_lines(out)?,
        // A question without variables is one of yes or no.
        _ if answered.names.is_empty() => {
            writeln!(out, "{}", if answered.is_empty() { "no" } else { "yes" })?
        }
        // A pipe gets the values as they are, a person what can be looked at.
        Format::Csv => answers.csv(context.terminal, out)?,
        Format::Table if answered.is_empty() => context.note("No answers."),
        Format::Table => answers.table(&mut context.fitted())?,
    }
    if answers.more() > 0 {
        // After what is shown.
        context.out.flush()?;
        let more = counted(answers.more(), "more answer");
        context.note(&format!("{more}; `--limit` says how many are shown."));
    }
    Ok(())
}
