//! The store: one SQLite file that holds the cluster between commands.
//!
//! A command opens it, begins, loads a [`World`](crate::model::World), changes it,
//! saves what changed and commits: the whole is one transaction. Only this module holds
//! SQL. It decides nothing, reads no clock and prints nothing.
//!
//! ```text
//!  open -> begin -> load ------> world --(manifests, plan)--> world -> save -> commit
//!   |        |                                                          |
//!  lock   BEGIN IMMEDIATE             only what `world.dirty` says -----+
//! ```
//!
//! Lock order: the lock file beside the database (`lock`), then `BEGIN IMMEDIATE`;
//! `busy_timeout` is set before anything touches the file. Readers take no lock: WAL
//! gives them the last committed state. Not promised: that a program which writes to
//! the tables by itself while a writer of ours holds a loaded world is heard.

mod columns;
mod dictionary;
mod events;
mod fault;
mod inputs;
mod load;
mod lock;
mod migrate;
mod objects;
mod open;
mod placement;
mod pods;
mod save;

use std::cell::RefCell;
use std::path::Path;

use rusqlite::Connection;

pub use events::StoredEvent;
pub use inputs::{Brought, Input, InputFile};
pub use objects::PodReader;
pub use open::{Missing, Open};
pub use placement::{Fit, Placement};

use crate::diagnostic::Diagnostic;
use fault::Fault;

/// An open store.
#[derive(Debug)]
pub struct Store {
    connection: Connection,
    /// The path as the user named it.
    path: String,
    /// Dictionary rows that the last load met no use of; the next save drops them.
    unused: RefCell<dictionary::Unused>,
    /// Held until the connection is closed: fields are dropped in order.
    _lock: Option<lock::Lock>,
}

impl Store {
    /// Opens a store file.
    ///
    /// # Errors
    /// When it is missing, no store of ours, damaged, of another version, or locked.
    pub fn open(path: &Path, options: &Open) -> Result<Store, Diagnostic> {
        open::open(path, options)
    }

    /// A store that is gone when it is dropped.
    ///
    /// # Errors
    /// When there is no memory for it.
    pub fn in_memory() -> Result<Store, Diagnostic> {
        open::in_memory()
    }

    /// Begins the one transaction of a command that writes.
    ///
    /// # Errors
    /// When a program that is not dsrules is writing.
    pub fn begin(&mut self) -> Result<(), Diagnostic> {
        self.run("begin to write", |connection| Ok(connection.execute_batch("BEGIN IMMEDIATE")?))
    }

    /// Makes all that was saved since [`begin`](Store::begin) last.
    ///
    /// # Errors
    /// When it cannot be written; then nothing has changed.
    pub fn commit(&mut self) -> Result<(), Diagnostic> {
        self.run("commit", |connection| Ok(connection.execute_batch("COMMIT")?))
    }

    /// Drops all that was saved since [`begin`](Store::begin). Dropping the store does
    /// the same.
    pub fn rollback(&mut self) {
        if !self.connection.is_autocommit() {
            // SQLite has rolled back by itself where this fails.
            let _ = self.connection.execute_batch("ROLLBACK");
        }
    }

    /// Runs `body`; its failure becomes a diagnostic that says what it was `doing`.
    fn run<T>(
        &self,
        doing: &str,
        body: impl FnOnce(&Connection) -> Result<T, Fault>,
    ) -> Result<T, Diagnostic> {
        body(&self.connection).map_err(|fault| fault.tell(&self.path, doing))
    }

    /// Like [`run`](Store::run), in a transaction of its own where none is open; a
    /// failure rolls back.
    fn write<T>(
        &mut self,
        doing: &str,
        body: impl FnOnce(&Connection) -> Result<T, Fault>,
    ) -> Result<T, Diagnostic> {
        if !self.connection.is_autocommit() {
            let done = self.run(doing, body);
            return done.inspect_err(|_| self.rollback());
        }
        self.begin()?;
        let done = self.run(doing, body).and_then(|done| self.commit().map(|()| done));
        done.inspect_err(|_| self.rollback())
    }
}
