//! The arguments: every command, and the options that all of them have.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum, builder::styling};
use dsrules::kube::time;

use super::{
    apply, completions, delete, describe, explain, get, help, man, plan, query, rollout, rules, test,
    validate, watch,
};

const EXIT_CODES: &str = "\
Exit codes:
  0  done, or nothing to do
  1  an error; nothing was changed (but for what --keep-going went on with)
  2  there are changes (only with --detailed-exitcode)
  3  rules of your own call the plan a violation; nothing was changed
  4  the store was changed; what was to follow, the tree or the output, failed

First steps:
  dsrules apply -R examples/cluster        read a cluster, put pods on its nodes
  dsrules get pods -A -o wide              see them
  dsrules explain fluent-bit gpu-a-01 -n logging
                                           ask why one is there, or is not";

const STYLES: styling::Styles = styling::Styles::styled()
    .header(styling::Style::new().bold())
    .usage(styling::Style::new().bold())
    .literal(styling::AnsiColor::Cyan.on_default())
    .placeholder(styling::Style::new());

/// Which node must run which DaemonSet pod, why, and what has to change.
///
/// dsrules reads Kubernetes manifests into one SQLite file, derives by rules which node
/// should run which daemon pods, and plans and applies the difference. It needs no
/// control plane.
#[derive(Debug, Parser)]
#[command(name = "dsrules", version, after_help = EXIT_CODES, styles = STYLES, max_term_width = 100)]
#[command(disable_help_subcommand = true)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Read manifests and put every pod where it belongs
    Apply(apply::ApplyArgs),
    /// Show what apply would do, and why; nothing is written
    Plan(plan::PlanArgs),
    /// Keep the store equal to a folder of manifests, until it is stopped
    Watch(watch::WatchArgs),
    /// Check manifests as an API server would; nothing is read or written beside them
    Validate(validate::ValidateArgs),
    /// Show objects
    Get(get::GetArgs),
    /// Show objects with all that belongs to them
    Describe(describe::DescribeArgs),
    /// Delete objects and what belongs to them
    Delete(delete::DeleteArgs),
    /// Say why a daemonset's pod is on a node, or is not
    Explain(explain::ExplainArgs),
    /// Ask any question in the language of the rules
    Query(query::QueryArgs),
    /// Follow, undo or repeat a daemonset's rollout
    Rollout(rollout::RolloutArgs),
    /// Test that plans are as expected, for rules and manifests of your own
    Test(test::TestArgs),
    /// Show the rules that decide
    Rules(rules::RulesArgs),
    /// Write the completion script of a shell
    Completions(completions::CompletionsArgs),
    /// Print the version
    #[command(hide = true)]
    Version,
    /// Print the help of a command
    #[command(hide = true)]
    Help(help::HelpArgs),
    /// Write the manual pages
    Man(man::ManArgs),
}

/// Options that every command has.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// The database file
    #[arg(long, global = true, value_name = "FILE", env = "DSRULES_DB", default_value = "dsrules.db")]
    pub db: PathBuf,
    /// When to colour (NO_COLOR is heeded too)
    #[arg(long, global = true, value_name = "WHEN", value_enum, default_value_t = When::Auto)]
    pub color: When,
    /// Say more about what is done, on stderr; twice for all of it
    #[arg(long, short, global = true, action = ArgAction::Count, conflicts_with = "quiet")]
    pub verbose: u8,
    /// Say nothing but results and errors
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// How the log on stderr is written
    #[arg(long, global = true, value_name = "FORMAT", value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,
    /// How long to wait for another dsrules that is writing, as `10s` or `2m`
    #[arg(long, global = true, value_name = "TIME", default_value = "10s", value_parser = duration)]
    pub lock_timeout: Duration,
    /// The time to take for now, in RFC 3339: for tests, and to ask what will be
    #[arg(long, global = true, value_name = "TIME", env = "DSRULES_NOW", value_parser = parse_time)]
    pub now: Option<i64>,
}

/// `auto`, `always`, `never`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum When {
    // On a terminal
    Auto,
    // Always
    Always,
    // Never
    Never,
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    // Lines for people
    Text,
    // One JSON object a line
    Json,
}

fn parse_time(text: &str) -> Result<i64, String> {
    time(text).ok_or_else(|| "not an RFC 3339 time, as `2026-03-02T09:00:00Z`".to_owned())
}

/// A span of time: whole seconds (`90`), or with a unit (`500ms`, `10s`, `2m`, `1h`).
pub fn duration(text: &str) -> Result<Duration, String> {
    let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let wrong = || "not a time; write it as `500ms`, `10s`, `2m` or `1h`".to_owned();
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let millis = match unit {
        "ms" => Some(number),
        "" | "s" => number.checked_mul(1000),
        "m" => number.checked_mul(60_000),
        "h" => number.checked_mul(3_600_000),
        _ => None,
    };
    millis.map(Duration::from_millis).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn spans_of_time_have_units() {
        assert_eq!(duration("90").unwrap(), Duration::from_secs(90));
        assert_eq!(duration("500ms").unwrap(), Duration::from_millis(500));
        assert_eq!(duration("2m").unwrap(), Duration::from_secs(120));
        for wrong in ["", "s", "-1s", "1d", "1 s", "99999999999999999999"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
