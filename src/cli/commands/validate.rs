//! `dsrules validate PATH...`: would an API server take these manifests?

use std::collections::BTreeMap;

use clap::{Args, ValueEnum};
use dsrules::app::{note_others, validate};
use dsrules::diagnostic::counted;
use dsrules::manifest::Reading;
use dsrules::report;

use crate::cli::context::Context;
use crate::cli::exit::{Exit, Failure};
use crate::cli::options::input::InputArgs;

/// Arguments of `validate`.
#[derive(Debug, Args)]
pub struct ValidateArgs {
    #[command(flatten)]
    input: InputArgs,
    /// How findings are written
    #[arg(long, short = 'o', value_name = "FORM", value_enum, default_value_t = Form::Text)]
    output: Form,
}

/// The forms of findings: one for people, the others for tools.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// For people, with the source lines
    Text,
    /// JSON, with a version field
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// Workflow commands, for GitHub Actions
    Github,
    /// JUnit XML, for test reports
    Junit,
}

/// Reads everything, tells everything that is wrong, touches nothing.
pub fn run(args: &ValidateArgs, context: &mut Context) -> Result<Exit, Failure> {
    let (manifests, now) = (args.input.manifests()?, context.seconds());
    if args.output == Form::Text {
        let reading = validate(&manifests, now, Some(&*context))?;
        return summary(&reading, context);
    }
    let reading = validate(&manifests, now, None)?;
    let files: Vec<String> = reading.files.iter().map(|file| file.path.to_string()).collect();
    let out = &mut context.out;
    match args.output {
        Form::Json => report::findings_json(&files, &reading.diagnostics, out)?,
        Form::Sarif => report::findings_sarif(&reading.diagnostics, out)?,
        Form::Github => report::findings_github(&reading.diagnostics, out)?,
        Form::Text | Form::Junit => report::findings_junit(&files, &reading.diagnostics, out)?,
    }
    Ok(if reading.has_errors() { Exit::Error } else { Exit::Done })
}

fn summary(reading: &Reading, context: &mut Context) -> Result<Exit, Failure> {
    let mut kinds: BTreeMap<_, usize> = BTreeMap::new();
    for object in &reading.objects {
        *kinds.entry(object.kind).or_default() += 1;
    }
    let kinds: Vec<String> = kinds.iter().map(|(kind, count)| counted(*count, kind.name())).collect();
    let files = counted(reading.files.len(), "file");
    if kinds.is_empty() {
        writeln!(context.out, "valid: {files}, with nothing that dsrules reads")?;
        note_others(reading, context);
    } else {
        writeln!(context.out, "valid: {files} with {}", kinds.join(", "))?;
    }
    Ok(Exit::Done)
}
