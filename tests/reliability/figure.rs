//! How often a row of the table is tried, and the line that it has in it.

use std::io::Write;

/// How often something is tried: so often in a quick run, so often in a full one, or as often
/// as `DSRULES_TIMES` says.
pub fn times(quick: usize, full: usize) -> usize {
    let asked = std::env::var("DSRULES_TIMES").ok().and_then(|it| it.parse().ok());
    asked.unwrap_or(if is_full() { full } else { quick })
}

pub fn is_full() -> bool {
    std::env::var_os("DSRULES_FULL").is_some()
}

/// A line for the table, past the harness, which shows nothing of a test that passes.
pub fn figure(row: &str, text: impl AsRef<str>) {
    let form = if is_full() { "full" } else { "quick" };
    let _ = writeln!(std::io::stderr(), "| {row} | {} | {form} |", text.as_ref());
}
