//! `dsrules log`: which run, of which input, by whose change, made each pod come or go.

use clap::{Args, ValueEnum};
use dsrules::app::history::{Lookback, Subject, log};
use dsrules::diagnostic::Diagnostic;
use dsrules::kube::{Kind, ObjectKey};
use dsrules::report::{self, LogLook};

use crate::cli::context::Context;
use crate::cli::exit::{Exit, Failure};
use crate::cli::options::moment::{past, span};

/// So many of what came or went are named of each group.
const NAMED: usize = 8;

/// Arguments of `log`.
#[derive(Debug, Args)]
pub struct LogArgs {
    /// What it is about, all of it where nothing is named
    #[arg(value_name = "daemonset/NAME | node/NAME | pod/NAME")]
    about: Option<String>,
    /// The namespace that daemonsets and pods are looked for in
    #[arg(long, short = 'n', value_name = "NAMESPACE", default_value = "default")]
    namespace: String,
    /// Only what happened since: a span as `2h` or `30d`, or a time in RFC 3339
    #[arg(long, value_name = "TIME", value_parser = past)]
    since: Option<i64>,
    /// At most so many runs
    #[arg(long, value_name = "RUNS", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    /// How to show it; wide names all that came or went
    #[arg(long, short = 'o', value_name = "FORMAT", value_enum, default_value_t = Format::Text)]
    output: Format,
}

/// `-o` of `log`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    // A paragraph a run
    Text,
    // The same, with all that came or went
    Wide,
    // JSON, with a version field
    Json,
    // YAML, with a version field
    Yaml,
}

/// Shows what happened.
pub fn run(args: &LogArgs, context: &mut Context) -> Result<Exit, Failure> {
    let about = match &args.about {
        Some(about) => subject(about, &args.namespace)?,
        None => Subject::All,
    };
    let all = args.output != Format::Text;
    let logged = log(&Lookback {
        database: context.database.clone(),
        about,
        since: args.since.map(|since| span(since, context.seconds())),
        most: args.limit as usize,
        named: if all { usize::MAX } else { NAMED },
    })?;
    let here = std::env::current_dir().ok();
    match args.output {
        Format::Json => report::write_json(&report::log_document(&logged), &mut context.out)?,
        Format::Yaml => report::write_yaml(&report::log_document(&logged), &mut context.out)?,
        Format::Text | Format::Wide => {
            if logged.runs.is_empty() {
                context.note("No run is on record that has to do with it.");
            }
            let look = LogLook { paint: context.paint, wide: all, here: here.as_deref() };
            report::log_text(&logged, look, &mut context.fitted())?;
        }
    }
    Ok(Exit::Done)
}

/// What is meant by `TYPE/NAME`.
fn subject(about: &str, namespace: &str) -> Result<Subject, Diagnostic> {
    let named = about.split_once('/').and_then(|(kind, name)| Some((Kind::from_resource(kind)?, name)));
    match named {
        Some((kind, name)) if kind.namespaced() => Ok(Subject::Object(kind, ObjectKey::new(namespace, name))),
        Some((kind, name)) => Ok(Subject::Object(kind, ObjectKey::new("", name))),
        None => Err(Diagnostic::error("nothing-named", format!("`{about}` does not say of what kind it is"))
            .help("write `daemonset/NAME`, `node/NAME` or `pod/NAME`, with `-n` for the namespace")),
    }
}
