//! What the store was found to be settled for: asked the same again, there is nothing to
//! do, and that can be told without reading two million pods.
//!
//! The record is a hash of what was asked, and a hash of the rows as they were: how many
//! there are and what versions they have. Rows that came, went or were written since make
//! another hash, also where `sqlite3` was used by hand;
//! only one that edits a row and leaves its version alone is not noticed.

use rusqlite::Connection;
use sha2::{Digest, Sha256};

use super::columns::{SYSTEM, SYSTEM_COUNT, text};
use super::fault::Fault;
use super::store::Store;
use super::sum;
use super::tables::table;
use crate::diagnostic::Diagnostic;
use crate::hash::hex;
use crate::kube::{Kind, ObjectKey, Status};

/// What is counted and added up. A change of any row shows in one of the numbers.
const SUMS: &[&str] = &[
    "SELECT count(*), total(resource_version), total(created) FROM objects",
    "SELECT count(*), total(resource_version), total(written / 1024) FROM nodes",
    "SELECT count(*), total(resource_version), total(generation) FROM daemonsets",
    "SELECT count(*), total(resource_version), total(revision) FROM controllerrevisions",
    "SELECT count(*), total(resource_version), total(ready) + count(deleting) / 4.0 FROM pods",
    "SELECT count(*), total(since), total(seconds) FROM backoff",
    "SELECT count(*), 0.0, 0.0 FROM deleted_owners",
    "SELECT count(*), count(file) * 1.0, total(written / 1024) FROM brought",
];

impl Store {
    /// Whether the store was found settled for what `asked` stands for, and has not
    /// changed since.
    ///
    /// # Errors
    /// When the store is damaged or cannot be read.
    pub fn is_settled(&self, asked: &str) -> Result<bool, Diagnostic> {
        self.run("look for changes", |connection| {
            let mut statement = connection.prepare_cached("SELECT asked, rows, sum FROM settled")?;
            let mut found = statement.query([])?;
            let Some(row) = found.next()? else { return Ok(false) };
            sum::check(row, "settled", 0, 2)?;
            Ok(text(row, 0)? == asked && text(row, 1)? == rows(connection)?)
        })
    }

    /// Records what the store, as it is now, is settled for.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn set_settled(&mut self, asked: Option<&str>) -> Result<(), Diagnostic> {
        self.write("record that nothing is left to do", |connection| {
            connection.execute("DELETE FROM settled WHERE asked IS NOT ?1", [asked])?;
            let Some(asked) = asked else { return Ok(()) };
            let put = "INSERT INTO settled (asked, rows, sum) VALUES (?1, ?2, row_sum(?1, ?2))
                ON CONFLICT DO UPDATE SET rows = excluded.rows, sum = excluded.sum WHERE rows <> excluded.rows";
            connection.execute(put, [asked, &rows(connection)?])?;
            Ok(())
        })
    }

    /// The status of every daemonset, in key order.
    ///
    /// # Errors
    /// When the store is damaged or cannot be read.
    pub fn statuses(&self) -> Result<Vec<(ObjectKey, Status)>, Diagnostic> {
        self.run("read the statuses", |connection| {
            let sql = format!(
                "SELECT namespace, name, {SYSTEM}, status, body, sum FROM daemonsets ORDER BY namespace, name"
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let mut rows = statement.query([])?;
            let mut statuses = Vec::new();
            while let Some(row) = rows.next()? {
                sum::check(row, "daemonsets", 0, SYSTEM_COUNT + 4)?;
                let key = ObjectKey::new(text(row, 0)?, text(row, 1)?);
                statuses.push((key, serde_json::from_str(text(row, SYSTEM_COUNT + 2)?)?));
            }
            sum::expect(connection, table(Kind::DaemonSet), statuses.len())?;
            Ok(statuses)
        })
    }
}

/// A hash of the rows that there are.
pub(super) fn rows(connection: &Connection) -> Result<String, Fault> {
    let mut hasher = Sha256::new();
    for sql in SUMS {
        let (count, one, other): (i64, f64, f64) = connection
            .prepare_cached(sql)?
            .query_row([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        hasher.update(count.to_le_bytes());
        hasher.update(one.to_le_bytes());
        hasher.update(other.to_le_bytes());
    }
    Ok(hex(&hasher.finalize()))
}
