//! `dsrules show FILE`: a plan that was kept, as it looked.

use std::io::Write as _;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use dsrules::app::kept::{Kept, read};
use dsrules::kube::timestamp;
use dsrules::report;

use crate::cli::context::Context;
use crate::cli::exit::{Exit, Failure};

/// Arguments of `show`.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// The file, as `dsrules plan PATH... --out FILE` keeps it
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// How to show it
    #[arg(long, short = 'o', value_name = "FORMAT", value_enum, default_value_t = Form::Text)]
    output: Form,
}

/// How it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Form {
    // As the plan was shown
    Text,
    // Every line, however many there are
    Wide,
    // JSON, with a version field
    Json,
    // YAML, with a version field
    Yaml,
}

/// Reads and shows.
pub fn run(args: &ShowArgs, context: &mut Context) -> Result<Exit, Failure> {
    let kept = read(&args.file)?;
    match args.output {
        Form::Text => text(&kept, &kept.shown.text, args, context)?,
        Form::Wide => text(&kept, &kept.shown.wide, args, context)?,
        Form::Json => report::write_json(&kept.shown.document, &mut context.out)?,
        Form::Yaml => report::write_yaml(&kept.shown.document, &mut context.out)?,
    }
    Ok(Exit::Done)
}

/// The plan as it looked, between what it rests on and what can be done with it.
fn text(kept: &Kept, shown: &str, args: &ShowArgs, context: &mut Context) -> Result<(), Failure> {
    let head = format!("Planned at {} by dsrules {}, {}.", timestamp(kept.made), kept.by, kept.rests_on());
    let end = match &kept.only_shown {
        Some(why) => format!("It can only be shown: {why}."),
        None => format!("`dsrules apply {}` carries it out, or says what moved.", args.file.display()),
    };
    let (head, end) = (context.paint.dim(head), context.paint.dim(end));
    let mut out = context.fitted();
    writeln!(out, "{head}\n")?;
    for line in shown.lines() {
        // A file may have come from anywhere.
        writeln!(out, "{}", dsrules::diagnostic::visible(line))?;
    }
    Ok(writeln!(out, "\n{end}")?)
}
