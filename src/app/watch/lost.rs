//! A folder that has lost everything at once is not believed.

use crate::diagnostic::Diagnostic;
use crate::kube::Kind;
use crate::source::Folder;

/// How much the files of a folder had.
pub(super) struct Counts {
    objects: usize,
    daemonsets: usize,
}

impl Counts {
    /// What they have now.
    pub(super) fn of(folder: &Folder) -> Counts {
        Counts { objects: folder.objects(), daemonsets: folder.count(Kind::DaemonSet) }
    }

    /// Refuses a folder that has none of its objects left. One that is read for one node has
    /// that node left where half of it is there, so there all daemonsets are too many as well.
    pub(super) fn check(&self, folder: &Folder, for_one: bool) -> Result<(), Diagnostic> {
        let now = Counts::of(folder);
        let lost = if self.objects > 0 && now.objects == 0 {
            all("object", self.objects)
        } else if for_one && self.daemonsets > 0 && now.daemonsets == 0 {
            all("daemonset", self.daemonsets)
        } else {
            return Ok(());
        };
        Err(Diagnostic::error("empty-input", format!("the folder has lost {lost} it had"))
            .help("nothing was changed; if everything is to be removed, say `--allow-empty`"))
    }
}

fn all(what: &str, count: usize) -> String {
    if count == 1 { format!("the one {what}") } else { format!("all of the {count} {what}s") }
}
