//! What the store was found to be settled for: asked the same again, there is nothing to
//! do, and that can be told without reading two million pods.
//!
//! The record holds for the rows as they were: triggers count whatever anybody writes, also
//! with `sqlite3` by hand. What a disk changed is noticed where it is read.

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

/// What stands for all rows: how often they were written, the last version that was given, and
/// how many there are.
const ROWS: [&str; 3] = [
    "SELECT count FROM edits",
    "SELECT value FROM meta ORDER BY name",
    "SELECT count FROM counts ORDER BY kind, part",
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
    for sql in ROWS {
        let mut statement = connection.prepare_cached(sql)?;
        let mut numbers = statement.query([])?;
        while let Some(row) = numbers.next()? {
            hasher.update(row.get::<_, i64>(0)?.to_le_bytes());
        }
        hasher.update(b"\n");
    }
    Ok(hex(&hasher.finalize()))
}
