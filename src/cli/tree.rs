//! `--tree DIR`: the folder of Pod manifests that follows the store.

use std::path::PathBuf;

use clap::Args;
use dsrules::diagnostic::Diagnostic;
use dsrules::execute::{Done, TreeReport, Wanted, sync_some, sync_tree};
use dsrules::store::Store;

use super::context::Context;
use super::exit::{Exit, Failure};

/// A folder to be kept equal to the store.
#[derive(Debug, Clone, Args)]
pub struct TreeArgs {
    /// Keep DIR/<node>/<namespace>_<pod>.yaml equal to the store
    #[arg(long, value_name = "DIR", env = "DSRULES_TREE", conflicts_with = "dry_run")]
    tree: Option<PathBuf>,
}

/// So many changed files are named.
const SHOWN: usize = 10;

impl TreeArgs {
    /// Looks whether the folder can be used, before anything is done.
    pub fn check(&self, store: &Store) -> Result<(), Diagnostic> {
        match &self.tree {
            Some(tree) => sync_some(tree, store, &Wanted::default()).map(|_| ()),
            None => Ok(()),
        }
    }

    /// Makes the folder what the store holds, after the store was written. What could
    /// not be done is told, and is an error; the next run mends it.
    pub fn sync(&self, store: &Store, context: &mut Context) -> Result<Exit, Failure> {
        let Some(tree) = &self.tree else { return Ok(Exit::Done) };
        let report = sync_tree(tree, store)?;
        if !context.quiet {
            show(&tree.display().to_string(), &report, context)?;
        }
        let failed = report.problems.iter().any(Diagnostic::is_error);
        if !report.problems.is_empty() {
            context.tell(report.problems);
        }
        Ok(if failed { Exit::Error } else { Exit::Done })
    }
}

fn show(tree: &str, report: &TreeReport, context: &mut Context) -> Result<(), Failure> {
    let paint = context.paint;
    writeln!(context.out)?;
    let shown = if context.verbose { usize::MAX } else { SHOWN };
    for change in report.changes.iter().take(shown) {
        let word = match change.done {
            Done::Created => paint.good("created"),
            Done::Rewritten => paint.changed("rewritten"),
            Done::Removed => paint.bad("removed"),
        };
        writeln!(context.out, "{tree}/{} {word}", change.path)?;
    }
    let more = report.changes.len().saturating_sub(shown);
    if more > 0 {
        writeln!(context.out, "{}", paint.dim(format!("… and {more} more; -v shows them")))?;
    }
    let count = |done| report.changes.iter().filter(|change| change.done == done).count();
    let line = format!(
        "Tree {tree}: {} created, {} rewritten, {} removed, {} unchanged.",
        count(Done::Created),
        count(Done::Rewritten),
        count(Done::Removed),
        report.unchanged
    );
    writeln!(context.out, "{}", paint.strong(line))?;
    Ok(())
}
