//! What one look came to, and how often to look.

use std::path::PathBuf;
use std::time::Duration;

use crate::app::warned::Warnings;
use crate::diagnostic::Diagnostic;
use crate::plan::{Judged, Plan};
use crate::target::tree::TreeReport;

/// Everything is looked at so often even if nothing is heard: links may lead to where
/// nobody watches.
pub const REGULARLY: Duration = Duration::from_secs(30);
/// How often to look while the folder is not there.
pub const SOON: Duration = Duration::from_millis(500);

/// What one step came to.
#[derive(Default)]
pub struct Step {
    /// The files that differ.
    pub files: Vec<String>,
    /// Files that are in error no longer.
    pub mended: Vec<String>,
    /// Errors that are new.
    pub told: Vec<Diagnostic>,
    /// What was done.
    pub plan: Plan,
    /// What rules warn of that is new, and what is over.
    pub warnings: Warnings,
    /// The violations that refused what was to be done, if that is new.
    pub refused: Vec<Judged>,
    /// What was done to the tree.
    pub tree: Option<TreeReport>,
    /// The files for other programs that were written.
    pub exported: Vec<PathBuf>,
    /// What was done to what runs the pods, as `pods started`, each by itself.
    pub ran: Vec<&'static str>,
    /// Why nothing was done, if so.
    pub error: Option<Diagnostic>,
}

impl Step {
    /// Adds a plan that was carried out after those before it.
    pub(super) fn add(&mut self, plan: Plan, warnings: Warnings) {
        let (mut objects, mut waves) =
            (std::mem::take(&mut self.plan.objects), std::mem::take(&mut self.plan.waves));
        objects.extend(plan.objects);
        waves.extend(plan.waves);
        self.plan = Plan { objects, waves, ..plan };
        let Warnings { came, over, more_over, .. } = warnings;
        self.warnings.came.extend(came);
        self.warnings.over.extend(over);
        self.warnings.more_over += more_over;
    }

    /// Adds what the next one came to.
    pub(in crate::app) fn extend(&mut self, next: Step) {
        let Step { files, mended, told, plan, warnings, refused, tree, exported, ran, error } = next;
        self.files.extend(files);
        self.mended.extend(mended);
        self.told.extend(told);
        self.add(plan, warnings);
        self.refused.extend(refused);
        self.tree = tree.or(self.tree.take());
        self.exported.extend(exported);
        self.ran.extend(ran);
        self.error = self.error.take().or(error);
    }
}
