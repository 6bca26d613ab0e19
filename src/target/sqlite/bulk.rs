//! Very many objects at once: indexes of pods are put aside meanwhile and made anew, sorted, at
//! the end, and so are the triggers that count each row that is written.
//!
//! A pod is written in the order of its key, and an index on its node has it anywhere: with
//! two million of them each would write another page. All is one transaction, so nobody sees
//! the table without its indexes, and a failure leaves them as they were.

use rusqlite::{Connection, Row};

use super::fault::Fault;
use super::sum;
use super::tables::table;
use crate::kube::Kind;
use crate::state::World;

/// From so many pods on it may be worth it.
const MANY: usize = 20_000;

/// And where they are more than this part of those that are there.
const PART: usize = 8;

/// Indexes and triggers that were put aside, as SQL makes them.
pub(super) struct Aside(Vec<String>);

impl Aside {
    /// Puts the triggers that count what is written aside, where a save of the world writes very
    /// many objects, and the indexes of pods where it writes very many of these.
    pub(super) fn of(connection: &Connection, world: &World) -> Result<Self, Fault> {
        let objects = &world.dirty.objects;
        let made = world.made_pods();
        if objects.len() + made < MANY {
            return Ok(Aside(Vec::new()));
        }
        let pods = objects.iter().filter(|(kind, _)| *kind == Kind::Pod).count() + made;
        let there = sum::on_record(connection, table(Kind::Pod), sum::ALL)?.unwrap_or(0);
        let of_pods = if pods >= MANY && pods >= there / PART { "pods" } else { "" };
        let sql = "SELECT type, name, sql FROM sqlite_schema WHERE type = 'trigger' AND name GLOB 'edits_*'
            OR type = 'index' AND tbl_name = ?1 AND sql <> ''";
        let mut statement = connection.prepare(sql)?;
        let text = |row: &Row<'_>, column| row.get::<_, String>(column);
        let found = statement.query_map([of_pods], |row| {
            Ok((format!("DROP {} {}", text(row, 0)?, text(row, 1)?), text(row, 2)?))
        });
        let found: Vec<(String, String)> = found?.collect::<Result<_, _>>()?;
        drop(statement);
        found.iter().try_for_each(|(put_aside, _)| connection.execute_batch(put_aside))?;
        Ok(Aside(found.into_iter().map(|(_, sql)| sql).collect()))
    }

    /// Makes them anew, and counts once for all that was written meanwhile.
    pub(super) fn bring_back(self, connection: &Connection) -> Result<(), Fault> {
        if self.0.is_empty() {
            return Ok(());
        }
        self.0.iter().try_for_each(|sql| connection.execute_batch(sql))?;
        Ok(connection.execute_batch("UPDATE edits SET count = count + 1")?)
    }
}
