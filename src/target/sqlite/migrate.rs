//! The schema's versions: a list that only grows, under SQLite's `user_version`.
//!
//! A database is brought up to date by a writer, in one transaction, before anything
//! else. One from a newer dsrules is left alone: its tables may mean something else.

use rusqlite::{Connection, TransactionBehavior};

use super::fault::Fault;
use crate::diagnostic::{Diagnostic, Place};

/// Version n is what the first n steps make. Never change one; append. The first is the
/// schema as it began; what came later stands beside this file.
const STEPS: &[&str] = &[
    include_str!("../../../schema.sql"),
    include_str!("schema-2.sql"),
    include_str!("schema-3.sql"),
    include_str!("schema-4.sql"),
    include_str!("schema-5.sql"),
    include_str!("schema-6.sql"),
    include_str!("schema-7.sql"),
    include_str!("schema-8.sql"),
    include_str!("schema-9.sql"),
    include_str!("schema-10.sql"),
];

/// The version of the schema that this program writes, and the newest that it reads.
pub const SCHEMA_VERSION: usize = STEPS.len();

/// The code of the error that a store is of an older dsrules, so that it cannot be read yet.
pub const OLDER: &str = "older-store";

/// `application_id` of our files, as `schema.sql` sets it.
const APPLICATION: i64 = 0x6473_7275;

/// Says what version the database has, and changes nothing.
///
/// # Errors
/// When it is another program's, or of a newer dsrules.
pub(super) fn version(connection: &Connection, path: &str) -> Result<usize, Diagnostic> {
    let tell = |fault: Fault| fault.tell(path, "read its version");
    let version = pragma(connection, "user_version").map_err(tell)?;
    let application = pragma(connection, "application_id").map_err(tell)?;
    let tables: i64 = connection
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .map_err(|error| tell(error.into()))?;
    if application != APPLICATION && (tables > 0 || application != 0 || version != 0) {
        return Err(Diagnostic::error("not-a-store", format!("`{path}` is a database of another program"))
            .at(Place::file(path))
            .help("name another file with `--db`"));
    }
    usize::try_from(version).ok().filter(|version| *version <= STEPS.len()).ok_or_else(|| {
        Diagnostic::error("newer-store", format!("the store `{path}` is of a newer dsrules"))
            .at(Place::file(path))
            .because(format!("its schema has version {version}, this dsrules knows up to {}", STEPS.len()))
            .help("use the newer dsrules, or another file with `--db`")
    })
}

/// Brings a database of this `version` up to date; with `write` false, only says
/// whether it is.
pub(super) fn migrate(
    connection: &mut Connection,
    version: usize,
    path: &str,
    write: bool,
) -> Result<(), Diagnostic> {
    if version == STEPS.len() {
        Ok(())
    } else if write {
        run(connection, version).map_err(|fault| fault.tell(path, "bring its tables up to date"))
    } else if version == 0 {
        Err(empty(path))
    } else {
        Err(Diagnostic::error(OLDER, format!("the store `{path}` is of an older dsrules"))
            .at(Place::file(path))
            .help("`dsrules apply` brings it up to date"))
    }
}

/// The diagnostic of a store that was never written.
pub(super) fn empty(path: &str) -> Diagnostic {
    Diagnostic::error("no-store", format!("there is no store `{path}`"))
        .at(Place::file(path))
        .help("`dsrules apply PATH` makes one; `--db FILE` names another; `plan`, `explain`, `query`, `capacity` and `report` take manifests without one")
}

fn run(connection: &mut Connection, done: usize) -> Result<(), Fault> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for step in STEPS.iter().skip(done) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "user_version", i64::try_from(STEPS.len()).unwrap_or(i64::MAX))?;
    transaction.commit()?;
    Ok(())
}

fn pragma(connection: &Connection, name: &str) -> Result<i64, Fault> {
    Ok(connection.pragma_query_value(None, name, |row| row.get(0))?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::target::sqlite::sum;

    #[test]
    fn namespaces_move_and_what_was_damaged_stays_so() {
        let mut connection = Connection::open_in_memory().unwrap();
        sum::register(&connection).unwrap();
        STEPS[..2].iter().for_each(|step| connection.execute_batch(step).unwrap());
        let put = "INSERT INTO namespaces VALUES (?1, 'u', 1, 0, 0, NULL, 2, 3, NULL, '{}', '{}',
            row_sum(?1, 'u', 1, 0, 0, NULL, 2, 3, NULL, '{}', '{}') + ?2)";
        connection.execute(put, rusqlite::params!["sound", 0]).unwrap();
        connection.execute(put, rusqlite::params!["hit", 1]).unwrap();
        let count = "INSERT INTO counts VALUES ('namespaces', '', 2, row_sum('namespaces', '', 2))";
        connection.execute_batch(count).unwrap();
        run(&mut connection, 2).unwrap();
        let rows =
            "SELECT kind, namespace, name, uid, resource_version, generation, created, deleting, written,
            written_spec, owner, labels, body, sum FROM objects ORDER BY name";
        let mut statement = connection.prepare(rows).unwrap();
        let checked = statement.query_map([], |row| Ok(sum::check(row, "objects", 0, 13).is_ok())).unwrap();
        assert_eq!(checked.collect::<Result<Vec<_>, _>>().unwrap(), [false, true]);
        assert_eq!(sum::on_record(&connection, "objects", sum::ALL).unwrap(), Some(2));
        let names: String =
            connection.query_row("SELECT group_concat(name) FROM namespaces", [], |row| row.get(0)).unwrap();
        assert_eq!(names, "hit,sound");
    }

    #[test]
    fn rules_of_a_user_keep_what_they_are() {
        let mut connection = Connection::open_in_memory().unwrap();
        sum::register(&connection).unwrap();
        STEPS[..3].iter().for_each(|step| connection.execute_batch(step).unwrap());
        let put = "INSERT INTO own_files VALUES ('i', ?1, ?2, 't', row_sum('i', ?1, ?2, 't') + ?3)";
        for row in [("a.csv", 1, 0), ("b.dl", 0, 0), ("hit.dl", 0, 1)] {
            connection.execute(put, row).unwrap();
        }
        run(&mut connection, 3).unwrap();
        let rows = "SELECT input, path, relation, kind, text, sum FROM own_files ORDER BY path";
        let mut statement = connection.prepare(rows).unwrap();
        let read = statement
            .query_map([], |row| Ok((sum::check(row, "own_files", 0, 5).is_ok(), row.get(2)?, row.get(3)?)));
        let read: Vec<(bool, String, i64)> = read.unwrap().collect::<Result<_, _>>().unwrap();
        let kind = |sound, kind| (sound, String::new(), kind);
        assert_eq!(read, [kind(true, 1), kind(true, 0), kind(false, 0)]);
    }
}
