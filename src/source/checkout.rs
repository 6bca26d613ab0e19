//! Whether git is at work in a folder: what is there then is half of something.

use std::fs;
use std::path::{Path, PathBuf};

use crate::diagnostic::{Diagnostic, Place};

/// The error of a folder that git is about to change, if it is: it holds a lock meanwhile.
#[must_use]
pub fn being_checked_out(folder: &Path) -> Option<Diagnostic> {
    let lock = folder.ancestors().find_map(git_folder)?.join("index.lock");
    lock.exists().then(|| {
        let shown = folder.display().to_string();
        Diagnostic::error("checked-out", format!("git is at work in `{shown}`"))
            .at(Place::file(shown.as_str()))
            .because(format!("`{}` is there; nothing is read until it is gone", lock.display()))
            .help("if no git runs there any longer, it was left behind: remove it")
    })
}

/// Where git keeps what it knows of a work tree: `.git`, or where that file leads.
fn git_folder(folder: &Path) -> Option<PathBuf> {
    let git = folder.join(".git");
    let found = fs::metadata(&git).ok()?;
    if found.is_dir() {
        return Some(git);
    }
    let text = fs::read_to_string(&git).ok()?;
    Some(folder.join(text.strip_prefix("gitdir:")?.trim()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_lock_of_git_is_seen_from_any_folder_of_the_work_tree() {
        let root = tempfile::tempdir().unwrap();
        let below = root.path().join("fleet/shop");
        fs::create_dir_all(&below).unwrap();
        assert_eq!(being_checked_out(&below), None);
        fs::create_dir(root.path().join(".git")).unwrap();
        assert_eq!(being_checked_out(&below), None);
        fs::write(root.path().join(".git/index.lock"), "").unwrap();
        assert!(being_checked_out(&below).is_some());
        // A work tree of its own.
        fs::create_dir_all(root.path().join(".git/worktrees/shop")).unwrap();
        fs::write(below.join(".git"), "gitdir: ../../.git/worktrees/shop\n").unwrap();
        assert_eq!(being_checked_out(&below), None);
        fs::write(root.path().join(".git/worktrees/shop/index.lock"), "").unwrap();
        assert!(being_checked_out(&below).is_some());
    }
}
