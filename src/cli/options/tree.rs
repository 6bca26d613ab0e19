//! `--tree DIR`: the folder of Pod manifests that follows the store.

use std::path::PathBuf;

use clap::Args;
use dsrules::diagnostic::Diagnostic;
use dsrules::report::FileLine;
use dsrules::state::World;
use dsrules::target::sqlite::Store;
use dsrules::target::tree::{
    Done, TreeChange, TreeReport, Wanted, compare_stored, compare_tree, sync_some, sync_tree,
};

use crate::cli::context::Context;
use crate::cli::exit::{Exit, Failure};

/// A folder to be kept equal to the store.
#[derive(Debug, Clone, Args)]
pub struct TreeArgs {
    /// Keep DIR/<node>/<namespace>_<pod>.yaml equal to the store; a plan shows what would change there
    #[arg(long, value_name = "DIR", env = "DSRULES_TREE")]
    tree: Option<PathBuf>,
}

/// So many changed files are named.
const SHOWN: usize = 10;

/// No tree was named.
pub static NO_TREE: Tree = Tree { shown: String::new(), report: None, done: false };

/// What became of the tree, or would.
#[derive(Default)]
pub struct Tree {
    shown: String,
    report: Option<TreeReport>,
    done: bool,
}

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
    pub fn sync(&self, store: &Store) -> Result<Tree, Diagnostic> {
        let report = self.tree.as_ref().map(|tree| sync_tree(tree, store)).transpose()?;
        Ok(Tree { shown: self.shown(), report, done: true })
    }

    /// What would change in the folder, if the store held this world.
    pub fn compare(&self, world: &World, store: &Store) -> Result<Tree, Diagnostic> {
        let report = self.tree.as_ref().map(|tree| compare_tree(tree, world, store)).transpose()?;
        Ok(Tree { shown: self.shown(), report, done: false })
    }

    /// The same for the world that the store holds.
    pub fn compare_stored(&self, store: &Store) -> Result<Tree, Diagnostic> {
        let report = self.tree.as_ref().map(|tree| compare_stored(tree, store)).transpose()?;
        Ok(Tree { shown: self.shown(), report, done: false })
    }

    fn shown(&self) -> String {
        self.tree.as_ref().map(|tree| tree.display().to_string()).unwrap_or_default()
    }
}

impl Tree {
    /// The files that changed, or would; `None` if no tree was named.
    pub fn files(&self) -> Option<Vec<FileLine>> {
        let line = |change: &TreeChange| FileLine {
            path: change.path.clone(),
            change: match change.done {
                Done::Created => "created",
                Done::Rewritten => "rewritten",
                Done::Removed => "removed",
            },
        };
        self.report.as_ref().map(|report| report.changes.iter().map(line).collect())
    }

    /// Whether something is to be done.
    pub fn is_changed(&self) -> bool {
        self.report.as_ref().is_some_and(|report| !report.changes.is_empty())
    }

    /// Tells what could not be done, and how the command ends for that.
    pub fn end(mut self, context: &Context) -> Exit {
        let problems = self.report.take().map(|report| report.problems).unwrap_or_default();
        let failed = problems.iter().any(Diagnostic::is_error);
        if !problems.is_empty() {
            context.tell(problems);
        }
        match (failed, self.done) {
            (false, _) => Exit::Done,
            (true, false) => Exit::Error,
            (true, true) => Exit::Partly,
        }
    }

    /// Shows it to a person.
    pub fn show(&self, context: &mut Context) -> Result<(), Failure> {
        let Some(report) = &self.report else { return Ok(()) };
        let (tree, paint) = (&self.shown, context.paint);
        let words = if self.done {
            ["created", "rewritten", "removed"]
        } else {
            ["to create", "to rewrite", "to remove"]
        };
        let shown = if context.verbose { usize::MAX } else { SHOWN };
        writeln!(context.out)?;
        for change in report.changes.iter().take(shown) {
            let word = match change.done {
                Done::Created => paint.good(words[0]),
                Done::Rewritten => paint.changed(words[1]),
                Done::Removed => paint.bad(words[2]),
            };
            writeln!(context.out, "{tree}/{} {word}", change.path)?;
        }
        let more = report.changes.len().saturating_sub(shown);
        if more > 0 {
            writeln!(context.out, "{}", paint.dim(format!("… and {more} more; -v shows them")))?;
        }
        let count = |done| report.changes.iter().filter(|change| change.done == done).count();
        let line = format!(
            "Tree {tree}: {} {}, {} {}, {} {}, {} unchanged.",
            count(Done::Created),
            words[0],
            count(Done::Rewritten),
            words[1],
            count(Done::Removed),
            words[2],
            report.unchanged
        );
        writeln!(context.out, "{}", paint.strong(line))?;
        Ok(())
    }
}
