//! The options that every command has.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args, ValueEnum};
use dsrules::kube::time;

use super::duration::duration;
use super::store::StoreArgs;

/// Options that every command has.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// The database file [default: dsrules.db; of an agent, see there]
    #[arg(long, global = true, value_name = "FILE", env = "DSRULES_DB")]
    pub db: Option<PathBuf>,
    #[command(flatten)]
    pub store: StoreArgs,
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
