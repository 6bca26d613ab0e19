//! `--dry-run`, as kubectl has it.

use clap::ValueEnum;

/// kubectl's words for `--dry-run`; there is no server, so both mean the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DryRun {
    // Do it
    None,
    // Do not
    #[value(alias = "server")]
    Client,
}
