//! Keys and values that others wrote, as rows.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::types::Value as Sql;
use rusqlite::{Connection, OptionalExtension, params, params_from_iter};

use super::recorded::key;
use super::replica::hold;
use super::tables::{Counted, Holds, Place, Table, of};
use super::value::{Fields, Read, read};
use crate::diagnostic::Diagnostic;
use crate::target::sqlite::columns::marks;
use crate::target::sqlite::dictionary::Writer;
use crate::target::sqlite::fault::Fault;
use crate::target::sqlite::store::Store;
use crate::target::sqlite::sum;

/// A key as others wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// Its path.
    pub path: String,
    /// Its value; nothing where it is gone.
    pub value: Option<String>,
    /// The revision at which that was so.
    pub revision: i64,
}

/// What became of what others wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Took {
    /// So many of it were new.
    All(usize),
    /// Nothing was taken in: what pods have in common, with this fingerprint, is not here. All of
    /// it is to be given once more behind that.
    Lacks(String),
}

impl Store {
    /// Takes in what others wrote, in order; what it has already stays.
    ///
    /// # Errors
    /// When it is no row of ours, or the store cannot be written.
    pub fn take_in(&mut self, all: &[Taken]) -> Result<Took, Diagnostic> {
        self.whole_kinds.borrow_mut().clear();
        self.whole(|store| {
            store.run("take in what others wrote", |connection| {
                connection.execute_batch("SAVEPOINT taken")?;
                let took = take(connection, all)?;
                let lacks = matches!(took, Took::Lacks(_));
                let end = if lacks { "ROLLBACK TO taken; RELEASE taken" } else { "RELEASE taken" };
                connection.execute_batch(end)?;
                Ok(took)
            })
        })
    }
}

/// How many more rows there are by what they are counted by.
#[derive(Default)]
struct Counts {
    tables: BTreeMap<&'static str, isize>,
    inputs: BTreeSet<(&'static str, String)>,
    taken: usize,
}

fn take(connection: &Connection, all: &[Taken]) -> Result<Took, Fault> {
    let (mut writer, mut counts) = (Writer::new(connection), Counts::default());
    for taken in all {
        let Some(table) = of(&taken.path) else {
            return Err(Fault::Content(format!("`{}` is no key of a row", taken.path)));
        };
        if let Some(lacks) = one(connection, table, taken, &mut writer, &mut counts)? {
            return Ok(Took::Lacks(lacks));
        }
    }
    for (table, more) in counts.tables {
        sum::more(connection, table, more)?;
    }
    for (table, input) in counts.inputs {
        let sql = format!("SELECT count(*) FROM {table} WHERE input = ?1");
        let count: i64 = connection.prepare_cached(&sql)?.query_row([&input], |row| row.get(0))?;
        sum::put(connection, table, &input, usize::try_from(count).unwrap_or(0))?;
    }
    Ok(Took::All(counts.taken))
}

/// Takes one in.
fn one(
    connection: &Connection,
    table: &'static Table,
    taken: &Taken,
    writer: &mut Writer<'_>,
    counts: &mut Counts,
) -> Result<Option<String>, Fault> {
    let key = key(&taken.path)?;
    let had = if table.versioned {
        // What comes to a place may have been at another one.
        let is = if taken.value.is_some() { table.is_key() } else { table.is() };
        let sql = format!("SELECT t.resource_version FROM {} t WHERE {is}", table.name);
        connection.prepare_cached(&sql)?.query_row(params_from_iter(&key), |row| row.get(0)).optional()?
    } else {
        let sql = "SELECT revision FROM held WHERE path = ?1";
        connection.prepare_cached(sql)?.query_row([&taken.path], |row| row.get::<_, i64>(0)).optional()?
    };
    if had.is_some_and(|had| had >= taken.revision) || had.is_none() && taken.value.is_none() {
        return Ok(None);
    }
    match &taken.value {
        Some(value) => {
            let fields: Fields<'_> = serde_json::from_str(value)?;
            if let Some(lacks) = put(connection, table, &key, &fields, taken.revision, writer)? {
                return Ok(Some(lacks));
            }
        }
        None => drop(gone(connection, table, &key)?),
    }
    if !table.versioned {
        hold(connection, &taken.path, taken.value.as_deref(), taken.revision)?;
    }
    counts.taken += 1;
    let more = isize::from(taken.value.is_some()) - isize::from(had.is_some());
    match table.counted {
        Counted::Table => *counts.tables.entry(table.name).or_default() += more,
        Counted::Input => drop(counts.inputs.insert((table.name, key[0].clone()))),
        Counted::No => {}
    }
    Ok(None)
}

fn gone(connection: &Connection, table: &Table, key: &[String]) -> Result<usize, Fault> {
    let sql = format!("DELETE FROM {} AS t WHERE {}", table.name, table.is());
    Ok(connection.prepare_cached(&sql)?.execute(params_from_iter(key))?)
}

fn put(
    connection: &Connection,
    table: &Table,
    key: &[String],
    fields: &Fields<'_>,
    revision: i64,
    writer: &mut Writer<'_>,
) -> Result<Option<String>, Fault> {
    let known = |name: &str| {
        table.columns.iter().any(|column| column.name == name && column.holds != Holds::Version)
            || table.beside.is_some() && matches!(name, "body" | "status")
    };
    if let Some(other) = fields.keys().find(|name| !known(name)) {
        return Err(Fault::Content(format!(
            "a value has the field `{other}`, which this dsrules does not know"
        )));
    }
    let (node, own) = match table.place {
        Place::Key => ("", key),
        Place::Node => (key[0].as_str(), &key[1..]),
        Place::Hash => ("", &key[..table.keys.len()]),
    };
    let mut values: Vec<Sql> = own.iter().cloned().map(Sql::Text).collect();
    for column in table.columns {
        match read(column, fields, (node, revision), connection, writer)? {
            Read::Value(value) => values.push(value),
            Read::Missing(fingerprint) => return Ok(Some(fingerprint)),
        }
    }
    if table.place == Place::Hash {
        gone(connection, table, key)?;
    }
    let columns = table.all_columns().join(", ");
    let marks = marks(values.len());
    // Rows with a number of their own get the next one.
    let sql = if table.careless {
        let there = if table.place == Place::Hash {
            ""
        } else {
            "WHERE NOT EXISTS (SELECT 1 FROM pod_bases WHERE fingerprint = ?1)"
        };
        format!(
            "INSERT INTO {0} (id, {columns}, sum) SELECT n, {marks}, row_sum(n, {marks})
             FROM (SELECT coalesce(max(id), 0) + 1 AS n FROM {0}) {there}",
            table.name
        )
    } else {
        let set: Vec<String> =
            table.columns.iter().map(|column| format!("{0} = excluded.{0}", column.name)).collect();
        let set = if set.is_empty() { String::new() } else { format!("{}, ", set.join(", ")) };
        format!(
            "INSERT INTO {} ({columns}, sum) VALUES ({marks}, row_sum({marks}))
             ON CONFLICT ({}) DO UPDATE SET {set}sum = excluded.sum",
            table.name,
            table.keys.join(", ")
        )
    };
    connection.prepare_cached(&sql)?.execute(params_from_iter(values))?;
    beside(connection, table, own, fields)?;
    Ok(None)
}

/// What stands beside the row in a table of its own.
fn beside(connection: &Connection, table: &Table, own: &[String], fields: &Fields<'_>) -> Result<(), Fault> {
    let Some(beside) = table.beside else { return Ok(()) };
    let key = table.keys.join(", ");
    let (body, status) = (fields.get("body"), fields.get("status"));
    let Some(body) = body else {
        let is: Vec<String> = table.keys.iter().zip(1..).map(|(key, at)| format!("{key} = ?{at}")).collect();
        let sql = format!("DELETE FROM {beside} WHERE {}", is.join(" AND "));
        connection.prepare_cached(&sql)?.execute(params_from_iter(own))?;
        return Ok(());
    };
    let (body, status) = (body.get(), status.map(|status| status.get()));
    let marks = marks(own.len() + 2);
    let sql = format!(
        "INSERT INTO {beside} ({key}, body, status, sum) VALUES ({marks}, row_sum({marks}))
         ON CONFLICT ({key}) DO UPDATE SET body = excluded.body, status = excluded.status, sum = excluded.sum"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    match own {
        [name] => statement.execute(params![name, body, status])?,
        [namespace, name] => statement.execute(params![namespace, name, body, status])?,
        _ => 0,
    };
    Ok(())
}
