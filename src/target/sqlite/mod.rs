//! The store: one SQLite file that holds the cluster between commands.
//!
//! A command opens it, begins, loads a [`World`](crate::state::World), changes it,
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

mod beside;
mod columns;
mod dictionary;
mod events;
mod fault;
mod inputs;
mod load;
mod lock;
mod log;
mod migrate;
mod objects;
mod open;
mod own;
mod placement;
mod pods;
mod save;
mod settled;
mod sum;

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;

pub use events::StoredEvent;
pub use objects::PodReader;
pub use open::{Missing, Open};
pub use placement::{Fit, Placement};

use crate::diagnostic::Diagnostic;
use crate::kube::Kind;
use fault::Fault;

/// An open store.
#[derive(Debug)]
pub struct Store {
    connection: Connection,
    /// The path as the user named it.
    path: String,
    /// Dictionary rows that the last load met no use of; the next save drops them.
    unused: RefCell<dictionary::Unused>,
    /// Whether a world that is saved is all there is: one was loaded, or there was none.
    whole: Cell<bool>,
    /// The kinds of which all rows were found as they were written.
    whole_kinds: RefCell<BTreeSet<Kind>>,
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
        body(&self.connection).map_err(|fault| self.tell(fault, doing))
    }

    /// The diagnostic of a failure; what is damaged can be made anew from the manifests,
    /// and where those are is on record.
    fn tell(&self, fault: Fault, doing: &str) -> Diagnostic {
        let told = fault.tell(&self.path, doing);
        if told.code != "corrupt-store" {
            return told;
        }
        let inputs = inputs::known(&self.connection).unwrap_or_default();
        if inputs.is_empty() { told } else { told.because(format!("it was filled from {inputs}")) }
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;
    use crate::kube::{Object, ObjectKey, Origin};
    use crate::state::World;

    fn put(world: &mut World, name: &str, filler: usize) {
        let value = json!({ "metadata": {}, "spec": { "filler": "x".repeat(filler) } });
        let origin = Origin { file: "a.yaml".into(), document: 0, path: String::new() };
        world.put(Object { kind: Kind::Node, key: ObjectKey::new("", name), value, origin }, 0);
    }

    #[test]
    fn a_full_disk_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dsrules.db");
        let mut store = Store::open(&path, &Open::write("dsrules apply")).unwrap();
        let mut world = World::default();
        put(&mut world, "small", 10);
        store.save(&mut world).unwrap();
        let pages: i64 = store.connection.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
        // SQLite's own bound stands in for the disk's.
        store.connection.pragma_update_and_check(None, "max_page_count", pages + 2, |_| Ok(())).unwrap();
        put(&mut world, "large", 1_000_000);
        store.begin().unwrap();
        let told = store.save(&mut world).unwrap_err();
        assert_eq!(told.code, "disk-full", "{told}");
        let names: Vec<_> = store.load().unwrap().nodes.into_keys().map(|key| key.name).collect();
        assert_eq!(names, ["small".into()]);
        // And there is no transaction left half open.
        store.begin().unwrap();
        store.rollback();
    }

    #[test]
    fn unused_dictionary_rows_go_with_the_save_after_a_load() {
        let mut store = Store::in_memory().unwrap();
        store.connection.execute_batch("INSERT INTO label_sets (labels) VALUES ('{}')").unwrap();
        let count = |store: &Store| -> i64 {
            store.connection.query_row("SELECT count(*) FROM label_sets", [], |row| row.get(0)).unwrap()
        };
        let mut world = store.load().unwrap();
        assert_eq!(count(&store), 1);
        store.save(&mut world).unwrap();
        assert_eq!(count(&store), 0);
    }

    #[test]
    fn the_views_read_the_tables() {
        let mut store = Store::in_memory().unwrap();
        let mut world = World::default();
        put(&mut world, "n1", 0);
        store.save(&mut world).unwrap();
        let views = "SELECT name FROM sqlite_schema WHERE type = 'view' ORDER BY name";
        let mut statement = store.connection.prepare(views).unwrap();
        let names: Vec<String> =
            statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap();
        assert!(names.len() >= 6, "{names:?}");
        for name in names {
            let sql = format!("SELECT count(*) FROM {name}");
            store.connection.query_row(&sql, [], |row| row.get::<_, i64>(0)).unwrap();
        }
    }
}
