//! `dsrules query`: any question in the language of the rules.

mod commands;
mod complete;
mod editor;
mod prompt;
mod show;

use std::fs;
use std::io::{self, Read};

use clap::Args;
use dsrules::app::Questions;
use dsrules::datalog::Typed;
use dsrules::diagnostic::Diagnostic;

use self::show::{Format, show};
use crate::cli::context::Context;
use crate::cli::exit::{Exit, Failure};
use crate::cli::options::world::WorldArgs;

/// Arguments of `query`.
#[derive(Debug, Args)]
pub struct QueryArgs {
    /// A rule's body, as 'eligible(D, "gpu-1"), !has_pod(D, "gpu-1")'; its variables are
    /// the columns, but for those that begin with `_`. Rules may stand before it, and `?-`
    /// between. `@FILE` reads it from a file, `-` from stdin
    #[arg(value_name = "QUERY", required_unless_present = "interactive", conflicts_with = "interactive")]
    query: Option<String>,
    /// Ask one question after the other at a prompt, or line by line from a pipe; `:help` says
    /// what else can be typed there
    #[arg(long, short, conflicts_with = "exit_code")]
    interactive: bool,
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

/// Answers.
pub fn run(args: &QueryArgs, context: &mut Context) -> Result<Exit, Failure> {
    let text = args.query.as_deref().map(text).transpose()?;
    let mut sight = args.world.sight("default", context)?;
    sight.rules.typed.extend(text.clone().filter(|text| Typed::of(text).rules));
    let mut questions = Questions::open(sight, args.planned, args.world.rules.limits(), context)?;
    let Some(text) = text else { return prompt::run(questions, args.limit, args.output, context) };
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
