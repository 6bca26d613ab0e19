//! What a transaction changes of rows that are shared: triggers of this connection alone write down
//! each key, whoever changes a row and by whichever statement.

use rusqlite::{Connection, OptionalExtension, params_from_iter};

use super::key::{ATTEMPTS, key, object, parts};
use super::tables::{Place, Table, all, of};
use super::value::select;
use crate::diagnostic::Diagnostic;
use crate::kube::{Kind, ObjectKey, Written};
use crate::target::etcd::wire;
use crate::target::sqlite::columns::unsigned;
use crate::target::sqlite::fault::Fault;
use crate::target::sqlite::store::Store;
use crate::target::sqlite::tables;

/// A key that is to be written, or to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The path of the row.
    pub path: String,
    /// The key, without what all begin with.
    pub key: String,
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
                let expected = match (table.is_object, table.careless) {
                    (true, _) => Some(row.get::<_, Option<i64>>(2)?.unwrap_or(0)),
                    (false, true) => None,
                    (false, false) => Some(held.unwrap_or(0)),
                };
                // What came and went meanwhile never was there.
                let was = if table.careless { held.is_some() } else { expected != Some(0) };
                if put || was {
                    let key = key(table, &path)?;
                    changes.push(Change { path, key, put, expected, held: row.get(4)? });
                }
            }
            Ok(changes)
        })
    }

    /// The value of what is to be written; nothing where it is the one that is there.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn value(&self, change: &Change) -> Result<Option<Vec<u8>>, Diagnostic> {
        let gone = || Fault::Content(format!("the row `{}` is gone", change.path));
        let Some(table) = of(&change.path) else { return Ok(None) };
        let parts = self.run("read what changed", |_| parts(&change.path))?;
        if let Some((kind, object_key)) = object(table.name, &parts) {
            let written =
                self.run("read what changed", |connection| written(connection, kind, &object_key))?;
            let (Some(object), Some(written)) = (self.object(kind, &object_key)?, written) else {
                return Err(self.tell(gone(), "read what changed"));
            };
            return Ok(Some(wire::encode(object, written)));
        }
        self.run("read what changed", |connection| {
            let sql = if table.name == ATTEMPTS {
                format!("SELECT cast(t.attempts AS TEXT) FROM attempts t WHERE {}", table.is())
            } else {
                select(table)
            };
            let read = |row: &rusqlite::Row<'_>| row.get::<_, String>(0);
            let found =
                connection.prepare_cached(&sql)?.query_row(params_from_iter(parts), read).optional()?;
            let found = found.ok_or_else(gone)?;
            let value = if table.name == ATTEMPTS { found.into_bytes() } else { wire::encode_row(&found) };
            Ok(Some(value).filter(|value| change.held != Some(sum(value))))
        })
    }
}

/// Which manifest wrote an object.
fn written(connection: &Connection, kind: Kind, key: &ObjectKey) -> Result<Option<Written>, Fault> {
    let keys = tables::keys(kind, key);
    let sql =
        format!("SELECT written, written_spec FROM {} WHERE {}", tables::table(kind), tables::is(&keys));
    let values = params_from_iter(keys.iter().map(|(_, value)| value));
    let read =
        |row: &rusqlite::Row<'_>| Ok(Written { object: unsigned(row.get(0)?), spec: unsigned(row.get(1)?) });
    Ok(connection.prepare_cached(&sql)?.query_row(values, read).optional()?)
}

/// The checksum of a value.
pub(super) fn sum(value: &[u8]) -> i64 {
    i64::from(crc32fast::hash(value))
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
    let expected = if table.is_object { "OLD.resource_version" } else { "NULL" };
    let none = if table.is_object { "0" } else { "NULL" };
    let again = "ON CONFLICT (path) DO UPDATE SET put = excluded.put, rank = excluded.rank";
    let made = format!(
        "CREATE TEMP TRIGGER IF NOT EXISTS changed_{name}_made AFTER INSERT ON main.{name} BEGIN
            INSERT INTO changed VALUES ({new}, {put}, {}, 1, {none}) {again}; END;",
        lane("NEW")
    );
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
