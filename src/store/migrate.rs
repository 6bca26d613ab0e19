//! The schema's versions: a list that only grows, under SQLite's `user_version`.
//!
//! A database is brought up to date by a writer, in one transaction, before anything
//! else. One from a newer dsrules is left alone: its tables may mean something else.

use rusqlite::{Connection, TransactionBehavior};

use super::fault::Fault;
use crate::diagnostic::{Diagnostic, Place};

/// Version n is what the first n steps make. Never change one; append.
const STEPS: &[&str] = &[include_str!("../../schema.sql")];

/// `application_id` of our files, as `schema.sql` sets it.
const APPLICATION: i64 = 0x6473_7275;

/// Brings the database up to date; with `write` false, only says whether it is.
pub(super) fn migrate(connection: &mut Connection, path: &str, write: bool) -> Result<(), Diagnostic> {
    let tell = |fault: Fault| fault.tell(path, "read its version");
    let version = pragma(connection, "user_version").map_err(tell)?;
    let application = pragma(connection, "application_id").map_err(tell)?;
    let tables: i64 = connection
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .map_err(|error| tell(error.into()))?;
    let known = i64::try_from(STEPS.len()).unwrap_or(i64::MAX);
    if application != APPLICATION && (tables > 0 || application != 0 || version != 0) {
        return Err(Diagnostic::error("not-a-store", format!("`{path}` is a database of another program"))
            .at(Place::file(path))
            .help("name another file with `--db`"));
    }
    if version > known || version < 0 {
        return Err(Diagnostic::error("newer-store", format!("the store `{path}` is of a newer dsrules"))
            .at(Place::file(path))
            .because(format!("its schema has version {version}, this dsrules knows up to {known}"))
            .help("use the newer dsrules, or another file with `--db`"));
    }
    if version == known {
        return Ok(());
    }
    if !write {
        return Err(if version == 0 {
            empty(path)
        } else {
            Diagnostic::error("older-store", format!("the store `{path}` is of an older dsrules"))
                .at(Place::file(path))
                .help("`dsrules apply` brings it up to date")
        });
    }
    let done = usize::try_from(version).unwrap_or(0);
    run(connection, done, known).map_err(|fault| fault.tell(path, "bring its tables up to date"))
}

/// The diagnostic of a store that was never written.
pub(super) fn empty(path: &str) -> Diagnostic {
    Diagnostic::error("no-store", format!("there is no store `{path}`"))
        .at(Place::file(path))
        .help("`dsrules apply PATH` makes one; `--db FILE` names another")
}

fn run(connection: &mut Connection, done: usize, version: i64) -> Result<(), Fault> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for step in &STEPS[done.min(STEPS.len())..] {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "user_version", version)?;
    transaction.commit()?;
    Ok(())
}

fn pragma(connection: &Connection, name: &str) -> Result<i64, Fault> {
    Ok(connection.pragma_query_value(None, name, |row| row.get(0))?)
}
