//! `dsrules blame`: since when a daemonset stands on a node as it does, and by whose change.

use clap::{Args, ValueEnum};
use dsrules::app::history::{Blame, blame};
use dsrules::report::{self, LogLook};

use crate::cli::context::Context;
use crate::cli::exit::{Exit, Failure};
use crate::cli::options::moment::AtArgs;
use crate::cli::options::rules::RuleArgs;
use crate::cli::progress::Progress;

/// Arguments of `blame`.
#[derive(Debug, Args)]
pub struct BlameArgs {
    /// The daemonset, as `agent`, `ns/agent` or `daemonset/agent`
    daemonset: String,
    /// The node
    node: String,
    /// The namespace to look in
    #[arg(long, short = 'n', value_name = "NAMESPACE", default_value = "default")]
    namespace: String,
    /// How to show it
    #[arg(long, short = 'o', value_name = "FORMAT", value_enum, default_value_t = Format::Text)]
    output: Format,
    #[command(flatten)]
    at: AtArgs,
    #[command(flatten)]
    rules: RuleArgs,
}

/// `-o` of `blame`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    // The runs, and the rules' reasons
    Text,
    // JSON, with a version field
    Json,
    // YAML, with a version field
    Yaml,
}

/// Looks back and shows.
pub fn run(args: &BlameArgs, context: &mut Context) -> Result<Exit, Failure> {
    args.at.at.map_or(Ok(()), |at| context.look_back(at))?;
    let here = std::env::current_dir().ok();
    let request = Blame {
        database: context.database.clone(),
        rules: args.rules.asked(),
        words: [args.daemonset.clone(), args.node.clone()],
        namespace: args.namespace.clone(),
        here: here.clone(),
        now: context.seconds(),
    };
    let progress = Progress::begin(context.quiet);
    let blamed = blame(&request, context);
    drop(progress);
    let blamed = blamed?;
    match args.output {
        Format::Json => report::write_json(&report::blame_document(&blamed), &mut context.out)?,
        Format::Yaml => report::write_yaml(&report::blame_document(&blamed), &mut context.out)?,
        Format::Text => {
            let look = LogLook { paint: context.paint, wide: false, here: here.as_deref() };
            report::blame_text(&blamed, look, &mut context.fitted())?;
        }
    }
    Ok(Exit::Done)
}
