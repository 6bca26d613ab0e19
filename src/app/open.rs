//! Where a store is opened: nowhere else in a use case.

use std::path::PathBuf;
use std::time::Duration;

use crate::diagnostic::{Diagnostic, Place};
use crate::etcd::Access;
use crate::kube::Name;
use crate::state::{Moment, Run};
use crate::target::Memory;
use crate::target::etcd::Shared;
use crate::target::sqlite::{Missing, OLDER, Open, Store};

/// So long who reads a replica waits for another one that catches up; what holds it for longer
/// follows by itself.
const CATCHES_UP: Duration = Duration::from_secs(1);

/// The store's file.
#[derive(Debug, Clone, Default)]
pub struct Database {
    /// Its path.
    pub path: PathBuf,
    /// How long to wait for another program that is writing.
    pub wait: Duration,
    /// Where its objects are, if it is a replica of a shared store.
    pub shared: Option<Access>,
    /// The live cluster that it is a picture of, by name.
    pub cluster: Option<Name>,
    /// The moment as at which it is read, where that is over.
    pub at: Option<Moment>,
}

impl Database {
    /// Whether there is anything by that name; if not, no store knows anything yet.
    pub(super) fn is_there(&self) -> bool {
        self.shared.is_some() || self.path.symlink_metadata().is_ok()
    }

    /// To read; that it is not there is an error.
    pub(super) fn read(&self) -> Result<Box<dyn Memory>, Diagnostic> {
        self.open(Open::read())
    }

    /// To read; one that is not there is empty.
    pub(super) fn read_or_empty(&self) -> Result<Box<dyn Memory>, Diagnostic> {
        self.open(Open::read().missing(Missing::Empty))
    }

    /// To read; nothing where there is none, or one of an older dsrules, which whoever writes it
    /// brings up to date.
    pub(super) fn read_current(&self) -> Result<Option<Box<dyn Memory>>, Diagnostic> {
        if !self.is_there() {
            return Ok(None);
        }
        match self.read_or_empty() {
            Err(error) if error.code == OLDER => Ok(None),
            store => store.map(Some),
        }
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

    /// The run that left it as it was at a moment.
    ///
    /// # Errors
    /// When that is not remembered, and when the store is not there or not sound.
    pub fn run_at(&self, to: Moment) -> Result<Run, Diagnostic> {
        if self.shared.is_some() {
            return Err(no_history());
        }
        Store::open(&self.path, &Open::read())?.run_at(to)
    }

    fn open(&self, open: Open) -> Result<Box<dyn Memory>, Diagnostic> {
        if let Some(access) = &self.shared {
            return self.open_shared(access, open);
        }
        let write = open.write;
        let mut store = Store::open(&self.path, &open.wait(self.wait))?;
        if let Some(replica) = store.replica()?.filter(|_| write) {
            return Err(alone(&self.path.display().to_string(), &replica.prefix));
        }
        if let Some(at) = self.at {
            store.go_back(at)?;
        }
        Ok(Box::new(store))
    }

    /// A replica, once it has caught up. Who only reads lets go of it then.
    fn open_shared(&self, access: &Access, open: Open) -> Result<Box<dyn Memory>, Diagnostic> {
        if self.at.is_some() {
            return Err(no_history());
        }
        let holder = if open.write { open.holder.clone() } else { "dsrules, to catch up".to_owned() };
        let makes = open.write && open.missing == Missing::Create;
        let shared = match Shared::connect(access, &holder, makes) {
            Err(told) if told.code == "no-store" && open.missing == Missing::Empty => return in_memory(),
            shared => shared?,
        };
        let wait = if open.write { self.wait } else { self.wait.min(CATCHES_UP) };
        let opened = Store::open(&self.path, &Open::write(holder).wait(wait));
        let mut store = match opened {
            // Who holds it follows it.
            Err(told) if told.code == "store-locked" && !open.write => {
                return Ok(Box::new(Store::open(&self.path, &Open::read())?));
            }
            opened => opened?,
        };
        store.join(Box::new(shared))?;
        if open.write {
            return Ok(Box::new(store));
        }
        drop(store);
        Ok(Box::new(Store::open(&self.path, &Open::read())?))
    }
}

/// That there is no looking back.
fn no_history() -> Diagnostic {
    Diagnostic::error("no-history", "a shared store does not remember what was before")
        .because("only stores in a file of their own keep that")
        .help("leave `--at` away")
}

/// What is written to a replica alone would be lost.
fn alone(path: &str, prefix: &str) -> Diagnostic {
    Diagnostic::error("replica", format!("`{path}` is a replica of what is under `{prefix}/` in etcd"))
        .at(Place::file(path))
        .because("what is written to it alone nobody else would see")
        .help("name where it is shared with `--store etcd://HOST:2379/PREFIX`, or another file with `--db`")
}

/// A store that is gone with the use case.
pub(super) fn in_memory() -> Result<Box<dyn Memory>, Diagnostic> {
    Ok(Box::new(Store::in_memory()?))
}
