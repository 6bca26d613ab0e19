//! `dsrules test DIR`: are the plans and the rows of these cases as they are expected?

use std::fs;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use dsrules::app::cases::{self, Coverage, Outcome};
use dsrules::diagnostic::{Diagnostic, Place, visible};
use dsrules::report;

use crate::cli::context::Context;
use crate::cli::exit::{Exit, Failure};
use crate::cli::interrupt;
use crate::cli::options::rules::RuleArgs;

/// Arguments of `test`.
#[derive(Debug, Args)]
pub struct TestArgs {
    /// Folders of cases: a case is a folder of manifests with an expected-plan.yaml
    #[arg(value_name = "DIR", required = true)]
    folders: Vec<PathBuf>,
    /// Take the plans and the rows as they are now as what is expected
    #[arg(long)]
    update: bool,
    /// Say which rules, and which of their ways, no case fires
    #[arg(long)]
    coverage: bool,
    /// Fail where less than this part of the clauses is fired, as `90%`
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    coverage_min: Option<usize>,
    /// How to show the results
    #[arg(long, short = 'o', value_name = "FORMAT", value_enum, default_value_t = Format::Text)]
    output: Format,
    #[command(flatten)]
    rules: RuleArgs,
}

/// `-o` of `test`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    // Lines, and what differs
    Text,
    // JUnit's XML
    Junit,
    // JSON, with a version field
    Json,
}

/// Runs the cases; 1 if one fails.
pub fn run(args: &TestArgs, context: &mut Context) -> Result<Exit, Failure> {
    let more = args.rules.asked();
    let (mut outcomes, mut files) = (Vec::new(), Vec::new());
    for root in &args.folders {
        for file in cases::find(root, args.update)? {
            outcomes.push(cases::run(root, &file, &more));
            files.push(file);
        }
    }
    if args.update {
        return update(&outcomes, context);
    }
    let asked = args.coverage || args.coverage_min.is_some();
    let coverage = asked.then(|| cases::coverage(&files, &more));
    tell(&outcomes, coverage.as_ref(), args.output, context)?;
    let least = args.coverage_min.unwrap_or(0);
    let covered = coverage.is_none_or(|it| it.fired().0 * 100 >= least * it.fired().1);
    Ok(if covered && outcomes.iter().all(Outcome::passed) { Exit::Done } else { Exit::Error })
}

/// `90%` or `90`.
fn percent(text: &str) -> Result<usize, String> {
    let number = text.strip_suffix('%').unwrap_or(text).parse().ok().filter(|number| *number <= 100);
    number.ok_or_else(|| "a percentage is a whole number up to 100, as `90%`".to_owned())
}

fn tell(
    outcomes: &[Outcome],
    coverage: Option<&Coverage>,
    output: Format,
    context: &mut Context,
) -> Result<(), Failure> {
    match output {
        Format::Junit => {
            let results: Vec<report::Tested> = outcomes.iter().map(tested).collect();
            report::junit(&results, &mut context.out)?;
        }
        Format::Json => report::write_json(&report::cases_document(outcomes, coverage), &mut context.out)?,
        Format::Text => {
            for outcome in outcomes {
                show(outcome, context)?;
            }
            let passed = outcomes.iter().filter(|outcome| outcome.passed()).count();
            writeln!(context.out, "\n{passed} passed, {} failed", outcomes.len() - passed)?;
            if let Some(coverage) = coverage {
                write!(context.out, "{}", report::coverage_text(coverage))?;
            }
        }
    }
    Ok(())
}

fn show(outcome: &Outcome, context: &mut Context) -> Result<(), Failure> {
    let name = visible(&outcome.name).into_owned();
    if outcome.passed() {
        writeln!(context.out, "{}    {name}", context.paint.good("ok"))?;
        return Ok(());
    }
    writeln!(context.out, "{}  {name}", context.paint.bad("FAIL"))?;
    let text = report::case_failure(outcome);
    for line in text.lines() {
        let line = match line.chars().next() {
            Some('+') => context.paint.good(line),
            Some('-') => context.paint.bad(line),
            _ => visible(line).into_owned(),
        };
        writeln!(context.out, "      {line}")?;
    }
    Ok(())
}

fn tested(outcome: &Outcome) -> report::Tested {
    report::Tested {
        name: outcome.name.clone(),
        failure: (!outcome.passed()).then(|| report::case_failure(outcome)),
    }
}

fn update(outcomes: &[Outcome], context: &mut Context) -> Result<Exit, Failure> {
    let mut wrong = Vec::new();
    for outcome in outcomes {
        match &outcome.got {
            Err(diagnostics) => wrong.extend(diagnostics.iter().cloned()),
            Ok(_) if outcome.passed() => writeln!(context.out, "unchanged  {}", visible(&outcome.name))?,
            Ok(got) => {
                interrupt::whole(|| fs::write(&outcome.file, &got.text)).map_err(|error| {
                    Diagnostic::error("unwritable", "what is expected cannot be written")
                        .at(Place::file(outcome.file.display().to_string()))
                        .because(error.to_string())
                })?;
                writeln!(context.out, "updated    {}", visible(&outcome.name))?;
                wrong.extend((!got.can_update).then(|| unkept(outcome)));
            }
        }
    }
    if wrong.is_empty() { Ok(Exit::Done) } else { Err(wrong.into()) }
}

/// What a person says about rows is not taken back because it does not hold.
fn unkept(outcome: &Outcome) -> Diagnostic {
    Diagnostic::error("unkept", "what `contains` or `not` says does not hold")
        .at(Place::file(outcome.file.display().to_string()))
        .help("`--update` leaves them as they are: mend the rules, or take out what is no longer meant")
}
