//! What a transaction changes of rows that are shared: triggers of this connection alone write down
//! each key, whoever changes a row and by whichever statement.

use rusqlite::{OptionalExtension, params_from_iter};

use super::path;
use super::tables::{Place, Table, all, of};
use super::value::select;
use crate::diagnostic::Diagnostic;
use crate::target::sqlite::fault::Fault;
use crate::target::sqlite::store::Store;

/// A key that is to be written, or to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The key's path.
    pub path: String,
    /// Whether it is to be there.
    pub put: bool,
    /// The revision that it has to have; 0 for none; nothing where any will do.
    pub expected: Option<i64>,
    /// The checksum of the value that is there, where that is known.
    held: Option<i64>,
}

impl Store {
    /// Begins to write down what is changed of rows that are shared.
    ///
    /// # Errors
    /// When that cannot be done.
    pub fn record(&mut self) -> Result<(), Diagnostic> {
        self.run("record what changes", |connection| {
            connection.execute_batch(
                "CREATE TEMP TABLE IF NOT EXISTS changed (path TEXT PRIMARY KEY, rank INTEGER, lane TEXT,
                    put INTEGER, expected INTEGER) WITHOUT ROWID",
            )?;
            all().try_for_each(|table| Ok(connection.execute_batch(&triggers(table))?))
        })
    }

    /// Forgets what was written down.
    ///
    /// # Errors
    /// When that cannot be done.
    pub fn forget_changes(&mut self) -> Result<(), Diagnostic> {
        self.run(
            "record what changes",
            |connection| Ok(connection.execute_batch("DELETE FROM temp.changed")?),
        )
    }

    /// What was changed, in the order in which it is to be handed on: each part of it from the
    /// start is a state to go on from.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn changes(&self) -> Result<Vec<Change>, Diagnostic> {
        self.run("read what changed", |connection| {
            let sql = "SELECT c.path, c.put, c.expected, h.revision, h.sum FROM temp.changed c
                LEFT JOIN held h ON h.path = c.path ORDER BY c.rank, c.lane, c.put, c.path";
            let mut statement = connection.prepare_cached(sql)?;
            let mut rows = statement.query([])?;
            let mut changes = Vec::new();
            while let Some(row) = rows.next()? {
                let path: String = row.get(0)?;
                let Some(table) = of(&path) else { continue };
                let (put, held): (bool, Option<i64>) = (row.get(1)?, row.get(3)?);
                let expected = match (table.versioned, table.careless) {
                    (true, _) => Some(row.get::<_, Option<i64>>(2)?.unwrap_or(0)),
                    (false, true) => None,
                    (false, false) => Some(held.unwrap_or(0)),
                };
                // What came and went meanwhile never was there.
                let was = if table.careless { held.is_some() } else { expected != Some(0) };
                if put || was {
                    changes.push(Change { path, put, expected, held: row.get(4)? });
                }
            }
            Ok(changes)
        })
    }

    /// The value of a row that is to be written; nothing where it is the one that is there.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn value(&self, change: &Change) -> Result<Option<String>, Diagnostic> {
        self.run("read what changed", |connection| {
            let Some(table) = of(&change.path) else { return Ok(None) };
            let key = key(&change.path)?;
            let mut statement = connection.prepare_cached(&select(table))?;
            let value: Option<String> =
                statement.query_row(params_from_iter(key), |row| row.get(0)).optional()?;
            let value = value.ok_or_else(|| Fault::Content(format!("the row `{}` is gone", change.path)))?;
            Ok(Some(value).filter(|value| change.held != Some(sum(value))))
        })
    }
}

/// The checksum of a value.
pub(super) fn sum(value: &str) -> i64 {
    i64::from(crc32fast::hash(value.as_bytes()))
}

/// The parts of a path as texts, without the table.
pub(super) fn key(path: &str) -> Result<Vec<String>, Fault> {
    let parts: Option<Vec<String>> = path.split('/').skip(1).map(path::text).collect();
    let wrong = || Fault::Content(format!("`{path}` is no key of a row"));
    let parts = parts.ok_or_else(wrong)?;
    let table = of(path).ok_or_else(wrong)?;
    if parts.len() == table.parts() { Ok(parts) } else { Err(wrong()) }
}

/// The triggers of a table.
fn triggers(table: &Table) -> String {
    let name = table.name;
    let (put, gone) = table.ranks;
    let lane = |row: &str| match table.place {
        Place::Node => format!("coalesce({row}.node, {row}.pinned, '')"),
        _ => "''".to_owned(),
    };
    let (old, new) = (table.path("OLD"), table.path("NEW"));
    let expected = if table.versioned { "OLD.resource_version" } else { "NULL" };
    let none = if table.versioned { "0" } else { "NULL" };
    let again = "ON CONFLICT (path) DO UPDATE SET put = excluded.put, rank = excluded.rank";
    let made = format!(
        "CREATE TEMP TRIGGER IF NOT EXISTS changed_{name}_made AFTER INSERT ON main.{name} BEGIN
            INSERT INTO changed VALUES ({new}, {put}, {}, 1, {none}) {again}; END;",
        lane("NEW")
    );
    // What many have in common stays, as somebody may just be about to use it.
    if table.keys == ["fingerprint"] {
        return made;
    }
    let changed = format!(
        "CREATE TEMP TRIGGER IF NOT EXISTS changed_{name}_changed AFTER UPDATE ON main.{name} BEGIN
            INSERT INTO changed SELECT {old}, {gone}, {}, 0, {expected} WHERE {old} <> {new} {again};
            INSERT INTO changed VALUES ({new}, {put}, {}, 1, iif({old} = {new}, {expected}, {none})) {again}; END;",
        lane("OLD"),
        lane("NEW")
    );
    let gone = format!(
        "CREATE TEMP TRIGGER IF NOT EXISTS changed_{name}_gone AFTER DELETE ON main.{name} BEGIN
            INSERT INTO changed VALUES ({old}, {gone}, {}, 0, {expected}) {again}; END;",
        lane("OLD")
    );
    format!("{made}\n{changed}\n{gone}")
}
