//! `dsrules version`: which dsrules this is, and which formats it knows.

use clap::{Args, ValueEnum};
use dsrules::report;
use serde_json::json;

use crate::cli::context::Context;
use crate::cli::exit::{Exit, Failure};

/// Arguments of `version`.
#[derive(Debug, Args)]
pub struct VersionArgs {
    /// How to show it [default: one line of text]
    #[arg(long, short = 'o', value_name = "FORMAT", value_enum)]
    output: Option<Form>,
}

/// How it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Form {
    // JSON, with a version field
    Json,
}

/// Writes the version. The commit is known where whoever builds says it.
pub fn run(args: &VersionArgs, context: &mut Context) -> Result<Exit, Failure> {
    let version = env!("CARGO_PKG_VERSION");
    match args.output {
        None => writeln!(context.out, "dsrules {version}")?,
        Some(Form::Json) => {
            let document = json!({
                "apiVersion": "dsrules.dev/v1",
                "kind": "Version",
                "version": version,
                "commit": option_env!("DSRULES_COMMIT"),
                "store": { "schema": dsrules::target::sqlite::SCHEMA_VERSION },
                "keptPlan": { "format": dsrules::app::kept::FORMAT },
                "target": { "arch": std::env::consts::ARCH, "os": std::env::consts::OS },
            });
            report::write_json(&document, &mut context.out)?;
        }
    }
    Ok(Exit::Done)
}
