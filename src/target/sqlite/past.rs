//! What rows were before a run: noticed while it writes, and kept when it is done.
//!
//! Triggers of this connection alone put what a write is about to change or remove aside, into
//! tables that are gone with the connection; they are there from the second run on, as there is
//! nothing before the first. An object that is made needs none of that: its version is larger
//! than all that were there. So a cold apply costs what it cost.
//!
//! What is older than is to be remembered, or too much, goes a few parts a run, so that no run
//! pauses for it. First a run is no longer spoken of, then its parts go.

use rusqlite::{Connection, OptionalExtension, params};

use super::fault::Fault;
use super::packed::Packer;
use super::sum;
use crate::state::Account;

/// How long is remembered where nothing else was said: 30 days.
const KEEP: i64 = 30 * 24 * 60 * 60;

/// More than so many parts of half a MiB are not kept, however new they are.
const MOST: i64 = 512;

/// A run forgets at most so many parts, and so many runs.
const STEP: i64 = 64;

/// What has to be noticed of a table.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Notice {
    /// A row's `resource_version` says whether it is newer: it is kept when it changes or goes.
    Versioned,
    /// A row is kept when it changes or goes, and it is noticed that one is made.
    Each,
    /// A row is kept when it changes or goes; one that is made belongs to an object.
    Beside,
    /// Rows never change, and a number is never given twice: one that goes is kept.
    Numbered,
}

/// A table of which former rows are kept.
pub(super) struct Tracked {
    pub(super) table: &'static str,
    pub(super) keys: &'static [&'static str],
    pub(super) notice: Notice,
}

const fn tracked(table: &'static str, keys: &'static [&'static str], notice: Notice) -> Tracked {
    Tracked { table, keys, notice }
}

/// All of them. What is derived anyway is not here, nor what only a plan asks for.
pub(super) const TRACKED: [Tracked; 19] = [
    tracked("objects", &["kind", "namespace", "name"], Notice::Versioned),
    tracked("nodes", &["name"], Notice::Versioned),
    tracked("daemonsets", &["namespace", "name"], Notice::Versioned),
    tracked("controllerrevisions", &["namespace", "name"], Notice::Versioned),
    tracked("pods", &["namespace", "name"], Notice::Versioned),
    tracked("node_bodies", &["name"], Notice::Beside),
    tracked("pod_bodies", &["namespace", "name"], Notice::Each),
    tracked("owners", &["id"], Notice::Numbered),
    tracked("label_sets", &["id"], Notice::Numbered),
    tracked("pod_bases", &["id"], Notice::Numbered),
    tracked("backoff", &["daemonset_uid", "node"], Notice::Each),
    tracked("attempts", &["namespace", "daemonset", "node"], Notice::Each),
    tracked("incarnations", &["kind", "namespace", "name"], Notice::Each),
    tracked("deleted_owners", &["uid"], Notice::Each),
    tracked("refusals", &["namespace", "name"], Notice::Each),
    tracked("events", &["id"], Notice::Each),
    tracked("own_files", &["input", "path", "relation"], Notice::Each),
    tracked("files", &["input", "path"], Notice::Each),
    tracked("brought", &["input", "kind", "namespace", "name"], Notice::Each),
];

impl Tracked {
    /// That the keys of two rows are the same.
    pub(super) fn same(&self, one: &str, other: &str) -> String {
        let same: Vec<String> = self.keys.iter().map(|key| format!("{one}.{key} = {other}.{key}")).collect();
        same.join(" AND ")
    }

    /// The columns of the table.
    pub(super) fn columns(&self, connection: &Connection) -> Result<Vec<String>, Fault> {
        let mut statement = connection.prepare_cached("SELECT name FROM pragma_table_info(?1, 'main')")?;
        let names = statement.query_map([self.table], |row| row.get(0))?;
        Ok(names.collect::<Result<_, _>>()?)
    }

    /// The table that former rows are put into, and the triggers that put them there.
    fn sql(&self, columns: &[String]) -> String {
        let Tracked { table, keys, notice } = self;
        let all = columns.join(", ");
        let old = columns.iter().map(|column| format!("old.{column}")).collect::<Vec<_>>().join(", ");
        let new_is = self.same("f", "new");
        let mut sql =
            format!("CREATE TEMP TABLE former_{table} AS SELECT 1 AS was, * FROM main.{table} WHERE 0;");
        if *notice != Notice::Numbered && *notice != Notice::Versioned {
            sql += &format!("CREATE INDEX temp.former_{table}_key ON former_{table} ({});", keys.join(", "));
        }
        // The first that a run changes is what was there before it.
        let unless = match notice {
            Notice::Versioned | Notice::Numbered => String::new(),
            _ => {
                format!(" WHERE NOT EXISTS (SELECT 1 FROM former_{table} f WHERE {})", self.same("f", "old"))
            }
        };
        for what in if *notice == Notice::Numbered { &["DELETE"][..] } else { &["UPDATE", "DELETE"] } {
            sql += &format!(
                "CREATE TEMP TRIGGER former_{table}_{what} BEFORE {what} ON main.{table} BEGIN
                 INSERT INTO former_{table} (was, {all}) SELECT 1, {old}{unless}; END;"
            );
        }
        if *notice == Notice::Each {
            let new = keys.iter().map(|key| format!("new.{key}")).collect::<Vec<_>>().join(", ");
            let none = format!("NOT EXISTS (SELECT 1 FROM former_{table} f WHERE {new_is})");
            sql += &format!(
                "CREATE TEMP TRIGGER former_{table}_INSERT BEFORE INSERT ON main.{table} BEGIN
                 INSERT INTO former_{table} (was, {all}) SELECT 1, t.* FROM {table} t WHERE {} AND {none};
                 INSERT INTO former_{table} (was, {}) SELECT 0, {new} WHERE {none}; END;",
                self.same("t", "new"),
                keys.join(", "),
            );
        }
        sql
    }
}

/// Notices from now on what is written, where there is a run before.
pub(super) fn notice(connection: &Connection) -> Result<(), Fault> {
    let sql = "SELECT EXISTS (SELECT 1 FROM sqlite_temp_schema WHERE name = 'former_pods'),
        EXISTS (SELECT 1 FROM runs)";
    let (notices, runs): (bool, bool) =
        connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    if !runs {
        return Ok(());
    }
    for it in &TRACKED {
        let sql = if notices {
            format!("DELETE FROM temp.former_{}", it.table)
        } else {
            it.sql(&it.columns(connection)?)
        };
        connection.execute_batch(&sql)?;
    }
    Ok(())
}

/// Puts what a run did on record, if any object is another one than before it.
pub(super) fn remember(connection: &Connection, account: &Account) -> Result<(), Fault> {
    if let Some(keep) = account.by.keep
        && number(connection, "keep")? != Some(keep)
    {
        put(connection, "keep", keep)?;
    }
    let version = number(connection, "resource_version")?.unwrap_or(0);
    let sql = "SELECT run, version FROM runs ORDER BY run DESC LIMIT 1";
    let last: Option<(i64, i64)> =
        connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    if last.is_some_and(|(_, before)| before == version) && !rules_changed(connection)? {
        return Ok(());
    }
    let run = last.map_or(1, |(run, _)| run + 1);
    record(connection, run, version, account)?;
    forget(connection, run, account.time)?;
    sum::count(connection, "runs")
}

/// Whether the user's rules are other ones than before this run.
fn rules_changed(connection: &Connection) -> Result<bool, Fault> {
    let Some(it) = TRACKED.iter().find(|it| it.table == "own_files") else { return Ok(false) };
    let sql = "SELECT EXISTS (SELECT 1 FROM sqlite_temp_schema WHERE name = 'former_own_files')";
    if !connection.query_row(sql, [], |row| row.get(0))? {
        return Ok(false);
    }
    let sql = format!("SELECT EXISTS ({})", differing(it, &it.columns(connection)?));
    Ok(connection.query_row(&sql, [], |row| row.get(0))?)
}

/// What asks for the former rows of a table that are not there again, just so.
fn differing(it: &Tracked, columns: &[String]) -> String {
    let table = it.table;
    let order = it.keys.join(", ");
    if it.notice == Notice::Versioned || it.notice == Notice::Numbered {
        return format!("SELECT * FROM temp.former_{table} f ORDER BY {order}");
    }
    let alike: Vec<String> = columns.iter().map(|column| format!("t.{column} IS f.{column}")).collect();
    format!(
        "SELECT * FROM temp.former_{table} f WHERE iif(f.was,
         NOT EXISTS (SELECT 1 FROM main.{table} t WHERE {} AND {}),
         EXISTS (SELECT 1 FROM main.{table} t WHERE {})) ORDER BY {order}",
        it.same("t", "f"),
        alike.join(" AND "),
        it.same("t", "f"),
    )
}

fn record(connection: &Connection, run: i64, version: i64, account: &Account) -> Result<(), Fault> {
    let Account { time, by, input, files, done } = account;
    let mut parts = 0;
    if !done.text.is_empty() {
        let mut packer = Packer::new();
        packer.lines(&done.text)?;
        parts += packer.keep(connection, run, "done")?;
    }
    if run > 1 {
        for it in &TRACKED {
            parts += keep(connection, run, it)?;
        }
    }
    let files = serde_json::to_string(files)?;
    let values = "?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11";
    let sql = format!("INSERT INTO runs VALUES ({values}, row_sum({values}))");
    let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    connection.prepare_cached(&sql)?.execute(params![
        run,
        time,
        by.command,
        by.user,
        by.host,
        input,
        files,
        version,
        count(parts),
        count(done.came),
        count(done.went),
    ])?;
    Ok(())
}

/// Keeps the former rows of a table; gives how many parts they are.
fn keep(connection: &Connection, run: i64, it: &Tracked) -> Result<usize, Fault> {
    let columns = it.columns(connection)?;
    let mut statement = connection.prepare_cached(&differing(it, &columns))?;
    let mut rows = statement.query([])?;
    let mut packer: Option<Packer> = None;
    while let Some(row) = rows.next()? {
        packer.get_or_insert_with(Packer::new).row(row, columns.len() + 1)?;
    }
    packer.map_or(Ok(0), |packer| packer.keep(connection, run, it.table))
}

/// Forgets what is too old or too much, a step of it.
fn forget(connection: &Connection, run: i64, now: i64) -> Result<(), Fault> {
    let keep = number(connection, "keep")?.unwrap_or(KEEP);
    let first = number(connection, "remembered")?.unwrap_or(0);
    let sql = "SELECT coalesce(sum(parts), 0) FROM runs WHERE run > ?1";
    let mut parts: i64 = connection.prepare_cached(sql)?.query_row([first], |row| row.get(0))?;
    // A moment is known as long as all that came after it is.
    let sql = "SELECT run, time, parts FROM runs WHERE run > ?1 AND run <= ?2 ORDER BY run LIMIT ?3";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([first, run, STEP])?;
    let mut remembered = first;
    while let Some(row) = rows.next()? {
        let (next, time, has): (i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        if time >= now.saturating_sub(keep) && parts <= MOST {
            break;
        }
        (remembered, parts) = (next, parts - has);
    }
    if remembered != first {
        put(connection, "remembered", remembered)?;
    }
    let sql = "DELETE FROM history WHERE rowid IN
        (SELECT rowid FROM history WHERE run <= ?1 ORDER BY run LIMIT ?2)";
    connection.prepare_cached(sql)?.execute([remembered, STEP])?;
    let sql = "DELETE FROM runs WHERE run IN (SELECT run FROM runs WHERE run < ?1 ORDER BY run LIMIT ?2)";
    connection.prepare_cached(sql)?.execute([remembered, STEP])?;
    Ok(())
}

/// A number that is on record of the whole store.
pub(super) fn number(connection: &Connection, name: &str) -> Result<Option<i64>, Fault> {
    let mut statement =
        connection.prepare_cached("SELECT name, value, sum FROM main.meta WHERE name = ?1")?;
    let mut rows = statement.query([name])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    sum::check(row, "meta", 0, 2)?;
    Ok(Some(row.get(1)?))
}

fn put(connection: &Connection, name: &str, value: i64) -> Result<(), Fault> {
    let sql = "INSERT OR REPLACE INTO meta (name, value, sum) VALUES (?1, ?2, row_sum(?1, ?2))";
    connection.prepare_cached(sql)?.execute(params![name, value])?;
    Ok(())
}
