//! Where a store is opened: nowhere else in a use case.

use std::path::PathBuf;
use std::time::Duration;

use crate::diagnostic::Diagnostic;
use crate::kube::Name;
use crate::target::Memory;
use crate::target::sqlite::{Missing, Open, Store};

/// The store's file.
#[derive(Debug, Clone)]
pub struct Database {
    /// Its path.
    pub path: PathBuf,
    /// How long to wait for another program that is writing.
    pub wait: Duration,
    /// The live cluster that it is a picture of, by name.
    pub cluster: Option<Name>,
}

impl Database {
    /// Whether there is anything by that name; if not, no store knows anything yet.
    pub(super) fn is_there(&self) -> bool {
        self.path.symlink_metadata().is_ok()
    }

    /// To read; that it is not there is an error.
    pub(super) fn read(&self) -> Result<Box<dyn Memory>, Diagnostic> {
        self.open(Open::read())
    }

    /// To read; one that is not there is empty.
    pub(super) fn read_or_empty(&self) -> Result<Box<dyn Memory>, Diagnostic> {
        self.open(Open::read().missing(Missing::Empty))
    }

    /// To write as `what`, which is told to a second writer that comes meanwhile; that it is
    /// not there is an error.
    pub(super) fn write(&self, what: &str) -> Result<Box<dyn Memory>, Diagnostic> {
        self.open(Open::write(what).missing(Missing::Refuse))
    }

    /// To write as `what`; one that is not there is made.
    pub(super) fn write_or_make(&self, what: &str) -> Result<Box<dyn Memory>, Diagnostic> {
        self.open(Open::write(what))
    }

    fn open(&self, open: Open) -> Result<Box<dyn Memory>, Diagnostic> {
        Ok(Box::new(Store::open(&self.path, &open.wait(self.wait))?))
    }
}

/// A store that is gone with the use case.
pub(super) fn in_memory() -> Result<Box<dyn Memory>, Diagnostic> {
    Ok(Box::new(Store::in_memory()?))
}
