//! What fails, told once: for a folder in which one thing is wrong with many files, and for
//! a disk on which nothing can be written any more.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::sync::OnceLock;

use super::folder::failed;
use super::report::TreeReport;
use crate::diagnostic::{Diagnostic, counted};

/// What the system calls a broken disk, and too many open files, of a process and of all.
const BROKEN: [i32; 3] = [5, 24, 23];

/// Whether what comes next would fail in the same way.
fn ends_all(error: &io::Error) -> bool {
    use ErrorKind::{QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | ReadOnlyFilesystem)
        || cfg!(unix) && error.raw_os_error().is_some_and(|code| BROKEN.contains(&code))
}

/// Whether, and why, a tree is written no further.
#[derive(Default)]
pub(super) struct Stop(OnceLock<Diagnostic>);

impl Stop {
    /// Whether nothing more is to be begun.
    pub(super) fn is_set(&self) -> bool {
        self.0.get().is_some()
    }

    /// Ends all for this.
    pub(super) fn set(&self, told: Diagnostic) {
        let told = told
            .because("nothing was written from there on: each file is as it was or as it is to be")
            .help("mend it and run the command again, which does what is left");
        let _ = self.0.set(told);
    }

    /// Why, if so.
    pub(super) fn into_told(self) -> Option<Diagnostic> {
        self.0.into_inner()
    }
}

/// What has failed in one folder, by why.
#[derive(Default)]
pub(super) struct Failures(BTreeMap<String, (Diagnostic, usize)>);

impl Failures {
    /// Something could not be done to the file or folder at `path`.
    pub(super) fn add(&mut self, stop: &Stop, path: &str, done: &str, error: &io::Error) {
        if ends_all(error) {
            stop.set(failed(path, done, error));
            return;
        }
        let (_, count) = self.0.entry(error.to_string()).or_insert_with(|| (failed(path, done, error), 0));
        *count += 1;
    }

    /// Tells each once.
    pub(super) fn tell(self, report: &mut TreeReport) {
        for (told, count) in self.0.into_values() {
            report.problems.push(match count {
                1 => told,
                _ => {
                    told.because(format!("so it is with {} more of this folder", counted(count - 1, "file")))
                }
            });
        }
    }
}
