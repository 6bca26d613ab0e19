//! The folder of Pod manifests that follows the store: which files changed, or would.

use std::io::{self, Write};
use std::path::Path;

use super::data::FileLine;
use super::look::{Detail, Look};
use crate::target::tree::{Done, TreeChange, TreeReport};

/// So many changed files are named.
const SHOWN: usize = 10;

/// The files that changed, or would, as data.
#[must_use]
pub fn tree_files(report: &TreeReport) -> Vec<FileLine> {
    let line = |change: &TreeChange| FileLine {
        path: change.path.clone(),
        change: match change.done {
            Done::Created => "created",
            Done::Rewritten => "rewritten",
            Done::Removed => "removed",
        },
    };
    report.changes.iter().map(line).collect()
}

/// Writes the files that changed, or would, and how many there are of each fate.
///
/// # Errors
/// Where writing fails.
pub fn tree_text(folder: &Path, report: &TreeReport, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let (folder, paint) = (folder.display(), look.paint);
    let [created, rewritten, removed] = if look.done {
        ["created", "rewritten", "removed"]
    } else {
        ["to create", "to rewrite", "to remove"]
    };
    let shown = if look.detail == Detail::Wide { usize::MAX } else { SHOWN };
    writeln!(out)?;
    for change in report.changes.iter().take(shown) {
        let word = match change.done {
            Done::Created => paint.good(created),
            Done::Rewritten => paint.changed(rewritten),
            Done::Removed => paint.bad(removed),
        };
        writeln!(out, "{folder}/{} {word}", change.path)?;
    }
    let more = report.changes.len().saturating_sub(shown);
    if more > 0 {
        writeln!(out, "{}", paint.dim(format!("… and {more} more; -v shows them")))?;
    }
    let count = |done| report.changes.iter().filter(|change| change.done == done).count();
    let line = format!(
        "Tree {folder}: {} {created}, {} {rewritten}, {} {removed}, {} unchanged.",
        count(Done::Created),
        count(Done::Rewritten),
        count(Done::Removed),
        report.unchanged
    );
    writeln!(out, "{}", paint.strong(line))
}
