//! Very many pods at once: indexes are put aside meanwhile and made anew, sorted, at the end.
//!
//! A pod is written in the order of its key, and an index on its node has it anywhere: with
//! two million of them each would write another page. All is one transaction, so nobody sees
//! the table without its indexes, and a failure leaves them as they were.

use rusqlite::Connection;

use super::fault::Fault;
use super::sum;
use super::tables::table;
use crate::kube::Kind;
use crate::state::World;

/// From so many pods on it may be worth it.
const MANY: usize = 20_000;

/// And where they are more than this part of those that are there.
const PART: usize = 8;

/// Indexes that were put aside, as SQL makes them.
pub(super) struct Aside(Vec<String>);

impl Aside {
    /// Puts the indexes of pods aside, where a save of the world writes very many.
    pub(super) fn of(connection: &Connection, world: &World) -> Result<Self, Fault> {
        let pods = world.dirty.objects.iter().filter(|(kind, _)| *kind == Kind::Pod).count();
        let there = || Ok::<_, Fault>(sum::on_record(connection, table(Kind::Pod), sum::ALL)?.unwrap_or(0));
        if pods < MANY || pods < there()? / PART {
            return Ok(Aside(Vec::new()));
        }
        let sql =
            "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND tbl_name = 'pods' AND sql <> ''";
        let mut statement = connection.prepare_cached(sql)?;
        let indexes = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)));
        let indexes: Vec<(String, String)> = indexes?.collect::<Result<_, _>>()?;
        drop(statement);
        for (name, _) in &indexes {
            connection.execute_batch(&format!("DROP INDEX {name}"))?;
        }
        Ok(Aside(indexes.into_iter().map(|(_, sql)| sql).collect()))
    }

    /// Makes them anew.
    pub(super) fn bring_back(self, connection: &Connection) -> Result<(), Fault> {
        self.0.iter().try_for_each(|sql| Ok(connection.execute_batch(sql)?))
    }
}
