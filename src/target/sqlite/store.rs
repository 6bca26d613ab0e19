//! An open store and its one transaction.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::time::Duration;

use rusqlite::Connection;

use super::dictionary::Unused;
use super::fault::Fault;
use super::lock::Lock;
use super::past;
use super::shared::Upstream;
use crate::diagnostic::Diagnostic;
use crate::kube::{Kind, ObjectKey};

/// An open store.
#[derive(Debug)]
pub struct Store {
    pub(super) connection: Connection,
    /// The path as the user named it.
    pub(super) path: String,
    /// Dictionary rows that the last load met no use of; the next save drops them.
    pub(super) unused: RefCell<Unused>,
    /// Whether a world that is saved is all there is: one was loaded, or there was none.
    pub(super) is_whole: Cell<bool>,
    /// The kinds of which all rows were found as they were written.
    pub(super) whole_kinds: RefCell<BTreeSet<Kind>>,
    /// The kinds of which there is no row, known until something is written.
    pub(super) empty_kinds: RefCell<BTreeSet<Kind>>,
    /// Where its rows are shared, if they are.
    pub(super) upstream: Option<Box<dyn Upstream<Store>>>,
    /// The versions that objects got when they were handed on last.
    pub(super) versions: Vec<(Kind, ObjectKey, i64)>,
    /// Whether the last commit took in what others wrote.
    pub(super) mixed: bool,
    /// Held until the connection is closed: fields are dropped in order.
    lock: Option<Lock>,
}

impl Store {
    /// `whole` says whether a world that is saved is all there is.
    pub(super) fn new(connection: Connection, path: String, whole: bool, lock: Option<Lock>) -> Self {
        Store {
            connection,
            path,
            unused: RefCell::default(),
            is_whole: Cell::new(whole),
            whole_kinds: RefCell::default(),
            empty_kinds: RefCell::default(),
            upstream: None,
            versions: Vec::new(),
            mixed: false,
            lock,
        }
    }

    /// Whether nobody else writes while this store is open.
    pub(super) fn is_only_writer(&self) -> bool {
        self.lock.is_some()
    }

    /// How long to wait for a program that is not dsrules and holds SQLite's own lock.
    ///
    /// # Errors
    /// When SQLite refuses to wait.
    pub fn busy_for(&mut self, wait: Duration) -> Result<(), Diagnostic> {
        self.run("wait", |connection| Ok(connection.busy_timeout(wait)?))
    }

    /// Begins the one transaction of a command that writes.
    ///
    /// # Errors
    /// When a program that is not dsrules is writing.
    pub fn begin(&mut self) -> Result<(), Diagnostic> {
        self.run("begin to write", |connection| {
            connection.execute_batch("BEGIN IMMEDIATE")?;
            if self.is_only_writer() { past::notice(connection) } else { Ok(()) }
        })
    }

    /// Makes all that was saved since [`begin`](Store::begin) last, and lets go of the pages that
    /// were read for it: who stays would hold ever more of a store that grows with its past.
    ///
    /// # Errors
    /// When it cannot be written; then nothing has changed.
    pub fn commit(&mut self) -> Result<(), Diagnostic> {
        self.run("commit", |connection| Ok(connection.execute_batch("COMMIT; PRAGMA shrink_memory")?))
    }

    /// Drops all that was saved since [`begin`](Store::begin). Dropping the store does
    /// the same.
    pub fn rollback(&mut self) {
        self.versions.clear();
        self.upstream.iter_mut().for_each(|upstream| upstream.end());
        if !self.connection.is_autocommit() {
            // SQLite has rolled back by itself where this fails.
            let _ = self.connection.execute_batch("ROLLBACK");
        }
    }

    /// Runs `body`; its failure becomes a diagnostic that says what it was `doing`.
    pub(super) fn run<T>(
        &self,
        doing: &str,
        body: impl FnOnce(&Connection) -> Result<T, Fault>,
    ) -> Result<T, Diagnostic> {
        body(&self.connection).map_err(|fault| self.tell(fault, doing))
    }

    /// The diagnostic of a failure; what is damaged can be made anew from the manifests,
    /// and where those are is on record.
    pub(super) fn tell(&self, fault: Fault, doing: &str) -> Diagnostic {
        let told = fault.tell(&self.path, doing);
        if told.code != "corrupt-store" {
            return told;
        }
        let inputs = known(&self.connection).unwrap_or_default();
        if inputs.is_empty() { told } else { told.because(format!("it was filled from {inputs}")) }
    }

    /// Runs `body` in a transaction of its own where none is open; a failure rolls back.
    pub(super) fn whole<T>(
        &mut self,
        body: impl FnOnce(&mut Store) -> Result<T, Diagnostic>,
    ) -> Result<T, Diagnostic> {
        self.empty_kinds.borrow_mut().clear();
        if !self.connection.is_autocommit() {
            return body(self).inspect_err(|_| self.rollback());
        }
        self.begin()?;
        let done = body(self).and_then(|done| self.commit().map(|()| done));
        done.inspect_err(|_| self.rollback())
    }

    /// Like [`run`](Store::run), in a transaction of its own where none is open; a
    /// failure rolls back.
    pub(super) fn write<T>(
        &mut self,
        doing: &str,
        body: impl FnOnce(&Connection) -> Result<T, Fault>,
    ) -> Result<T, Diagnostic> {
        self.whole(|store| store.run(doing, body))
    }
}

/// The inputs that are on record, as they were named.
fn known(connection: &Connection) -> Result<String, Fault> {
    let mut statement = connection.prepare("SELECT DISTINCT input FROM files ORDER BY input")?;
    let inputs = statement.query_map([], |row| row.get::<_, String>(0))?;
    let inputs: Vec<String> = inputs.collect::<Result<_, _>>()?;
    let named = inputs.iter().flat_map(|input| input.lines()).map(|path| format!("`{path}`"));
    Ok(named.collect::<Vec<_>>().join(", "))
}
