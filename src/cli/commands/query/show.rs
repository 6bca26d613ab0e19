//! How answers are shown.

use clap::ValueEnum;
use dsrules::app::Answered;
use dsrules::diagnostic::counted;
use dsrules::report::Answers;

use crate::cli::context::Context;
use crate::cli::exit::Failure;

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

/// Shows the first answers.
pub fn show(
    answered: &Answered<'_>,
    most: usize,
    format: Format,
    context: &mut Context,
) -> Result<(), Failure> {
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
