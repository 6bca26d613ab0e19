//! `dsrules diff BASE [HEAD]`: what a change of manifests, rules or nodes does to the fleet.

mod sides;

use std::io::Write as _;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use dsrules::app::diff::{Base, Diff, diff};
use dsrules::app::{Options, Request};
use dsrules::report;

use crate::cli::context::Context;
use crate::cli::exit::{Exit, Failure};
use crate::cli::options::bounds::BoundArgs;
use crate::cli::options::input::HowArgs;
use crate::cli::progress::Progress;
use crate::cli::show;
use sides::{Side, Sides};

/// Arguments of `diff`.
#[derive(Debug, Args)]
pub struct DiffArgs {
    /// What runs: a folder of manifests, or a git revision of the repository here
    #[arg(value_name = "BASE")]
    base: String,
    /// What is to run, as BASE; without it the working copy
    #[arg(value_name = "HEAD")]
    head: Option<String>,
    /// The folder, or file, of the repository that holds the manifests: BASE and HEAD are revisions
    #[arg(long, value_name = "PATH")]
    path: Option<PathBuf>,
    #[command(flatten)]
    how: HowArgs,
    #[command(flatten)]
    bounds: BoundArgs,
    /// Let HEAD have no manifest at all
    #[arg(long)]
    allow_empty: bool,
    /// End with 2 if anything changes, 0 if not, 1 on an error
    #[arg(long)]
    detailed_exitcode: bool,
    /// How to show it
    #[arg(long, short = 'o', value_name = "FORMAT", value_enum, default_value_t = Form::Text)]
    output: Form,
}

/// How it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Form {
    // For a person; of long lists the first
    Text,
    // The same with every name
    Wide,
    // A comment for a pull request, at most 60,000 bytes, details folded
    Markdown,
    // JSON, with a version field
    Json,
}

/// Compares and shows.
pub fn run(args: &DiffArgs, context: &mut Context) -> Result<Exit, Failure> {
    let progress = Progress::begin(context.quiet);
    let sides = Sides::find(&args.base, args.head.as_deref(), args.path.as_deref(), context)?;
    let mut found = diff(&request(args, &sides.head, context)?, &base(args, &sides)?, context)?;
    drop(progress);
    found.outcome.locate(args.output == Form::Json);
    show(&found, args.output, &sides, context)?;
    if let Some(too_much) = found.outcome.too_much {
        return Err(too_much.into());
    }
    if let Some(exit) = show::judge(&found.outcome, context) {
        return Ok(exit);
    }
    Ok(if args.detailed_exitcode && found.is_changed() { Exit::Changes } else { Exit::Done })
}

/// What is asked of the head.
fn request(args: &DiffArgs, head: &Side, context: &Context) -> Result<Request, Failure> {
    let all = context.verbose || args.output == Form::Json;
    let bounds = args.bounds.options(context);
    Ok(Request {
        database: context.database.clone(),
        manifests: head.manifests(&args.how)?,
        // Whatever the two are called, one takes the place of the other.
        id: "diff".to_owned(),
        takes_over: false,
        keep_going: false,
        remind: false,
        rules: args.bounds.rules.asked(),
        tree: None,
        exports: Vec::new(),
        options: Options {
            prune: true,
            allow_empty: args.allow_empty,
            told: if all { usize::MAX } else { bounds.told },
            ..bounds
        },
    })
}

/// What it is compared with.
fn base(args: &DiffArgs, sides: &Sides) -> Result<Base, Failure> {
    let manifests = sides.base.manifests(&args.how)?;
    Ok(Base { manifests, root: sides.base.root.clone(), head: sides.head.root.clone() })
}

/// Writes it, with files called as the sides are.
fn show(found: &Diff, form: Form, sides: &Sides, context: &mut Context) -> Result<(), Failure> {
    let (base, head) = (&sides.base.name, &sides.head.name);
    let mut text = Vec::new();
    match form {
        Form::Text | Form::Wide => {
            report::diff_text(found, show::look(false, form == Form::Wide, context), &mut text)?;
        }
        Form::Markdown => text.extend(report::diff_markdown(found, base, head).into_bytes()),
        Form::Json => report::write_json(&report::diff_document(found, base, head), &mut text)?,
    }
    let text = context.as_called(&String::from_utf8_lossy(&text));
    match form {
        Form::Text | Form::Wide => context.fitted().write_all(text.as_bytes())?,
        Form::Markdown | Form::Json => context.out.write_all(text.as_bytes())?,
    }
    Ok(())
}
