//! The real binary on real files: every session is what a person types and reads, and
//! its transcript is a snapshot.
#![allow(clippy::unwrap_used)]

#[path = "cli/bad_input.rs"]
mod bad_input;
#[path = "cli/cases.rs"]
mod cases;
#[path = "cli/changes.rs"]
mod changes;
#[path = "cli/circles.rs"]
mod circles;
#[path = "cli/commands.rs"]
mod commands;
#[path = "cli/completes.rs"]
mod completes;
#[path = "cli/deletes.rs"]
mod deletes;
#[path = "cli/examples.rs"]
mod examples;
#[path = "cli/helped.rs"]
mod helped;
#[path = "cli/init.rs"]
mod init;
#[path = "cli/interrupts.rs"]
mod interrupts;
#[path = "cli/lints.rs"]
mod lints;
#[path = "cli/newcomer.rs"]
mod newcomer;
#[path = "cli/plans.rs"]
mod plans;
#[path = "cli/profiles.rs"]
mod profiles;
#[path = "cli/prompts.rs"]
mod prompts;
#[path = "cli/queries.rs"]
mod queries;
#[path = "cli/restores.rs"]
mod restores;
#[path = "cli/rollouts.rs"]
mod rollouts;
#[path = "cli/session.rs"]
mod session;
#[path = "cli/shows.rs"]
mod shows;
#[path = "cli/terminal.rs"]
mod terminal;
#[path = "cli/trees.rs"]
mod trees;
#[path = "cli/widths.rs"]
mod widths;
