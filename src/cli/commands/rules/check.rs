//! `dsrules rules check [PATH…]`: what is wrong with rules, and what cannot be meant.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use dsrules::app::lint::{Lint, Linted, lint};
use dsrules::diagnostic::{Severity, counted};
use dsrules::policy::{self, LINTS};
use dsrules::report::{self, Table};

use super::paths::{CONFIG, named};
use crate::cli::context::Context;
use crate::cli::exit::{Exit, Failure};
use crate::cli::options::world::WorldArgs;

/// Arguments of `rules check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Rule files, folders of them, or folders with a dsrules.yaml; without any, what
    /// `--rules`, `-f` and the dsrules.yaml of this folder name
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// How findings are written
    #[arg(long, short = 'o', value_name = "FORM", value_enum, default_value_t = Form::Text)]
    output: Form,
    /// Leave out findings of this name; rules say so themselves by `// allow: NAME`
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    allow: Vec<String>,
    /// End with 1 where there are warnings
    #[arg(long)]
    deny_warnings: bool,
    /// List the names of all findings that are no errors
    #[arg(long)]
    list: bool,
    #[command(flatten)]
    world: WorldArgs,
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
}

/// Tells everything; 1 if there is an error.
pub fn run(args: &CheckArgs, context: &mut Context) -> Result<Exit, Failure> {
    if args.list {
        return list(context);
    }
    let found = lint(&args.asked(context)?, &*context)?;
    let out = &mut context.out;
    match args.output {
        Form::Json => report::findings_json(&found.files, &found.findings, out)?,
        Form::Sarif => report::findings_sarif(&found.findings, out)?,
        Form::Github => report::findings_github(&found.findings, out)?,
        Form::Text => text(&found, context)?,
    }
    let counts = |severity| found.findings.iter().any(|it| it.severity == severity);
    let failed = counts(Severity::Error) || (args.deny_warnings && counts(Severity::Warning));
    Ok(if failed { Exit::Error } else { Exit::Done })
}

impl CheckArgs {
    fn asked(&self, context: &mut Context) -> Result<Lint, Failure> {
        let sight = self.world.sight("default", context)?;
        let mut rules = named(&self.paths, sight.rules);
        if rules.rules.is_empty() && rules.beside.is_empty() {
            rules.beside.push(PathBuf::from(CONFIG));
        }
        Ok(Lint {
            rules,
            manifests: sight.manifests,
            database: Some(sight.database),
            allow: self.allow.iter().map(|name| policy::lint(name)).collect::<Result<_, _>>()?,
            limits: self.world.rules.limits(),
            now: sight.now,
        })
    }
}

fn text(found: &Linted, context: &mut Context) -> Result<(), Failure> {
    context.tell(found.findings.clone());
    let count = |severity, noun: &str| {
        let count = found.findings.iter().filter(|it| it.severity == severity).count();
        (count > 0).then(|| counted(count, noun))
    };
    let counts = [(Severity::Error, "error"), (Severity::Warning, "warning"), (Severity::Note, "note")];
    let counts: Vec<String> =
        counts.into_iter().filter_map(|(severity, noun)| count(severity, noun)).collect();
    let counts = if counts.is_empty() { "nothing to mend".to_owned() } else { counts.join(", ") };
    let (files, rules) = (counted(found.files.len(), "file"), counted(found.rules, "rule"));
    writeln!(context.out, "{files}, {rules}: {counts}")?;
    if !found.compared && found.rules > 0 {
        context.note("note: the rules were compared with no cluster: `-f PATH` names manifests");
    }
    Ok(())
}

fn list(context: &mut Context) -> Result<Exit, Failure> {
    let mut table = Table::new(["NAME", "SAYS"]);
    for (name, says) in LINTS {
        table.row([(*name).to_owned(), (*says).to_owned()]);
    }
    table.write(&mut context.fitted(), "", true)?;
    Ok(Exit::Done)
}
