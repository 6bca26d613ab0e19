//! Of what a store is a replica, and how far it has come.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use rusqlite::{Connection, OptionalExtension, params};

use super::key::{object, parts};
use super::recorded::{Change, sum};
use super::tables::{all, of};
use crate::diagnostic::{Diagnostic, Place};
use crate::state::World;
use crate::target::sqlite::columns::unsigned;
use crate::target::sqlite::fault::Fault;
use crate::target::sqlite::store::Store;
use crate::target::sqlite::sum as counts;

/// What a store is a replica of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replica {
    /// The cluster, by its number.
    pub cluster: u64,
    /// What its keys begin with.
    pub prefix: String,
    /// The revision that it has come to.
    pub revision: i64,
}

/// The tables that a replica has besides. They are no step of the schema: no other store has them.
const MORE: &str = "CREATE TABLE IF NOT EXISTS replica (cluster INTEGER NOT NULL, prefix TEXT NOT NULL,
        revision INTEGER NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS held (path TEXT PRIMARY KEY, revision INTEGER NOT NULL, sum INTEGER NOT NULL)
        STRICT, WITHOUT ROWID;";

/// Whether a store is a replica.
pub(in crate::target::sqlite) fn is_replica(connection: &Connection) -> Result<bool, Fault> {
    let sql = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'replica')";
    Ok(connection.query_row(sql, [], |row| row.get(0))?)
}

impl Store {
    /// What it is a replica of; nothing where it is a store of its own.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn replica(&self) -> Result<Option<Replica>, Diagnostic> {
        self.run("read what it is a replica of", |connection| {
            if !is_replica(connection)? {
                return Ok(None);
            }
            let sql = "SELECT cluster, prefix, revision FROM replica";
            let read = |row: &rusqlite::Row<'_>| {
                Ok(Replica { cluster: unsigned(row.get(0)?), prefix: row.get(1)?, revision: row.get(2)? })
            };
            Ok(connection.query_row(sql, [], read).optional()?)
        })
    }

    /// Makes an empty replica of it, whatever replica it was before. A store of its own that has
    /// anything is left as it is.
    ///
    /// # Errors
    /// When it is such a store, or cannot be written.
    pub fn begin_anew(&mut self, cluster: u64, prefix: &str) -> Result<(), Diagnostic> {
        let path = self.path.clone();
        self.write("begin anew", |connection| {
            if !is_replica(connection)? {
                for table in all() {
                    let sql = format!("SELECT EXISTS (SELECT 1 FROM {})", table.name);
                    if connection.query_row(&sql, [], |row| row.get::<_, bool>(0))? {
                        return Err(Fault::Told(Box::new(own(&path))));
                    }
                }
            }
            connection.execute_batch(MORE)?;
            connection.execute_batch(
                "DELETE FROM held; DELETE FROM replica; DELETE FROM meta; DELETE FROM counts; DELETE FROM known_files",
            )?;
            for table in all() {
                connection.execute_batch(&format!("DELETE FROM {}", table.name))?;
                if table.counted == super::tables::Counted::Table {
                    counts::put(connection, table.name, counts::ALL, 0)?;
                }
            }
            connection
                .execute("INSERT INTO replica VALUES (?1, ?2, 0)", params![cluster.cast_signed(), prefix])?;
            Ok(())
        })
    }

    /// It has come to a revision: nothing up to it is missing. That is its version too, if anything
    /// of it `changed`.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn come_to(&mut self, revision: i64, changed: bool) -> Result<(), Diagnostic> {
        self.write("record how far it has come", |connection| {
            connection.execute("UPDATE replica SET revision = ?1", [revision])?;
            if !changed {
                return Ok(());
            }
            let sql = "INSERT INTO meta (name, value, sum) VALUES ('resource_version', ?1, row_sum('resource_version', ?1))
                ON CONFLICT (name) DO UPDATE SET value = excluded.value, sum = excluded.sum";
            connection.execute(sql, [revision])?;
            Ok(())
        })
    }

    /// Gives what was handed on the revision at which it was written, in the transaction that
    /// changed it; each with its value, where it has one.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn handed_on(
        &mut self,
        changes: &[(Change, Option<Vec<u8>>)],
        revision: i64,
    ) -> Result<(), Diagnostic> {
        let (mut versions, mut columns) = (Vec::new(), BTreeMap::new());
        self.run("record what was handed on", |connection| {
            for (change, value) in changes {
                let Some(table) = of(&change.path) else { continue };
                if !table.is_object {
                    hold(connection, &change.path, value.as_deref(), revision)?;
                    continue;
                }
                if !change.put {
                    continue;
                }
                let columns = match columns.entry(table.name) {
                    Entry::Occupied(entry) => entry.into_mut(),
                    Entry::Vacant(entry) => entry.insert(summed(connection, table.name)?),
                };
                let sql = format!(
                    "UPDATE {} AS t SET resource_version = ?99, sum = row_sum({}) WHERE {}",
                    table.name,
                    columns,
                    table.is()
                );
                let key = parts(&change.path)?;
                let mut statement = connection.prepare_cached(&sql)?;
                for (at, part) in key.iter().enumerate() {
                    statement.raw_bind_parameter(at + 1, part)?;
                }
                statement.raw_bind_parameter(99, revision)?;
                statement.raw_execute()?;
                versions.extend(object(table.name, &key).map(|(kind, key)| (kind, key, revision)));
            }
            Ok(())
        })?;
        self.versions.extend(versions);
        Ok(())
    }

    /// Gives the objects of a world the versions that they got when they were handed on. Says
    /// whether the world is what the store has.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn settle(&mut self, world: &mut World) -> Result<bool, Diagnostic> {
        for (kind, key, revision) in std::mem::take(&mut self.versions) {
            if let Some(meta) = world.meta_mut(kind, &key) {
                meta.resource_version = unsigned(revision);
                meta.stored = meta.resource_version;
            }
        }
        let (version, _) = self.moment()?;
        world.resource_version = version;
        world.stored = version;
        Ok(!std::mem::take(&mut self.mixed))
    }
}

/// Remembers at which revision a key was written, with what.
pub(super) fn hold(
    connection: &Connection,
    path: &str,
    value: Option<&[u8]>,
    revision: i64,
) -> Result<(), Fault> {
    match value {
        Some(value) => {
            let sql = "INSERT OR REPLACE INTO held VALUES (?1, ?2, ?3)";
            connection.prepare_cached(sql)?.execute(params![path, revision, sum(value)])?;
        }
        None => {
            connection.prepare_cached("DELETE FROM held WHERE path = ?1")?.execute([path])?;
        }
    }
    Ok(())
}

/// The columns of a table that its sum is of, with the version to be bound.
fn summed(connection: &Connection, table: &str) -> Result<String, Fault> {
    let mut statement =
        connection.prepare_cached("SELECT name FROM pragma_table_info(?1, 'main') ORDER BY cid")?;
    let names = statement.query_map([table], |row| row.get::<_, String>(0))?;
    let names: Vec<String> = names.collect::<Result<_, _>>()?;
    let names = names.iter().filter(|name| *name != "sum");
    let names = names.map(|name| if name == "resource_version" { "?99" } else { name });
    Ok(names.collect::<Vec<_>>().join(", "))
}

fn own(path: &str) -> Diagnostic {
    Diagnostic::error("own-store", format!("`{path}` is a store of its own, not a replica"))
        .at(Place::file(path))
        .because("with --store, the file of --db holds nothing but a copy of what is there")
        .help("name a file that is not there yet with `--db`")
}
