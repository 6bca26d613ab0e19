//! Keys and values that others wrote, as rows.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::types::Value as Sql;
use rusqlite::{Connection, OptionalExtension, params_from_iter};

use super::key::{attempts, parts};
use super::objects::Objects;
use super::replica::hold;
use super::tables::{Counted, Place, Table, of};
use super::taken::{Taken, damaged};
use super::value::{Fields, read};
use crate::diagnostic::Diagnostic;
use crate::target::etcd::wire::{self, Key};
use crate::target::sqlite::columns::marks;
use crate::target::sqlite::fault::Fault;
use crate::target::sqlite::store::Store;
use crate::target::sqlite::sum;

impl Store {
    /// Takes in what others wrote, in order; what it has already stays. Says how much was new.
    ///
    /// # Errors
    /// When it is nothing of ours, or the store cannot be written.
    pub fn take_in(&mut self, all: &[Taken]) -> Result<usize, Diagnostic> {
        self.whole_kinds.borrow_mut().clear();
        self.whole(|store| {
            let (mut objects, mut counts) = (Objects::default(), Counts::default());
            store.run("take in what others wrote", |connection| {
                for taken in all {
                    let is_new = match Key::parse(&taken.key) {
                        Key::Object(kind, key) => objects.take(store, (kind, key), taken)?,
                        Key::Attempts(daemonset, node) => {
                            row(connection, &attempts(&daemonset, &node), taken, &mut counts)?
                        }
                        Key::Row(path) => row(connection, &path, taken, &mut counts)?,
                        _ => false,
                    };
                    counts.taken += usize::from(is_new);
                }
                counts.record(connection)
            })?;
            objects.write(store)?;
            Ok(counts.taken)
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

impl Counts {
    fn record(&mut self, connection: &Connection) -> Result<(), Fault> {
        for (table, more) in std::mem::take(&mut self.tables) {
            sum::more(connection, table, more)?;
        }
        for (table, input) in std::mem::take(&mut self.inputs) {
            let sql = format!("SELECT count(*) FROM {table} WHERE input = ?1");
            let count: i64 = connection.prepare_cached(&sql)?.query_row([&input], |row| row.get(0))?;
            sum::put(connection, table, &input, usize::try_from(count).unwrap_or(0))?;
        }
        Ok(())
    }
}

/// Takes a row in; says whether that is new.
fn row(connection: &Connection, path: &str, taken: &Taken, counts: &mut Counts) -> Result<bool, Fault> {
    // A newer dsrules may know more.
    let Some(table) = of(path).filter(|table| !table.is_object) else { return Ok(false) };
    let key = parts(path)?;
    let sql = "SELECT revision FROM held WHERE path = ?1";
    let had: Option<i64> = connection.prepare_cached(sql)?.query_row([path], |row| row.get(0)).optional()?;
    if had.is_some_and(|had| had >= taken.revision) || had.is_none() && taken.value.is_none() {
        return Ok(false);
    }
    match &taken.value {
        Some(value) => {
            let damaged = |why: String| Fault::Told(Box::new(damaged(&taken.key, &why)));
            let json = if table.name == super::key::ATTEMPTS {
                let count: Option<u32> = std::str::from_utf8(value).ok().and_then(|it| it.parse().ok());
                let count = count.ok_or_else(|| damaged("it is no number".to_owned()))?;
                format!(r#"{{"attempts":{count}}}"#)
            } else {
                wire::decode_row(value).map_err(damaged)?.to_owned()
            };
            let fields: Fields<'_> =
                serde_json::from_str(&json).map_err(|error| damaged(error.to_string()))?;
            put(connection, table, &key, &fields).map_err(|fault| match fault {
                Fault::Content(why) => damaged(why),
                fault => fault,
            })?;
        }
        None => gone(connection, table, &key)?,
    }
    hold(connection, path, taken.value.as_deref(), taken.revision)?;
    let more = isize::from(taken.value.is_some()) - isize::from(had.is_some());
    match table.counted {
        Counted::Table => *counts.tables.entry(table.name).or_default() += more,
        Counted::Input => {
            counts.inputs.extend(key.first().map(|input| (table.name, input.clone())));
        }
    }
    Ok(true)
}

fn gone(connection: &Connection, table: &Table, key: &[String]) -> Result<(), Fault> {
    let sql = format!("DELETE FROM {} AS t WHERE {}", table.name, table.is());
    connection.prepare_cached(&sql)?.execute(params_from_iter(key))?;
    Ok(())
}

fn put(connection: &Connection, table: &Table, key: &[String], fields: &Fields<'_>) -> Result<(), Fault> {
    let known = |name: &str| table.columns.iter().any(|column| column.name == name);
    if let Some(other) = fields.keys().find(|name| !known(name)) {
        return Err(Fault::Content(format!("it has the field `{other}`, which this dsrules does not know")));
    }
    let mut values: Vec<Sql> = key.iter().take(table.keys.len()).cloned().map(Sql::Text).collect();
    for column in table.columns {
        values.push(read(column, fields)?);
    }
    let columns = table.all_columns().join(", ");
    let marks = marks(values.len());
    let sql = if table.place == Place::Hash {
        gone(connection, table, key)?;
        // Rows with a number of their own get the next one.
        format!(
            "INSERT INTO {0} (id, {columns}, sum) SELECT n, {marks}, row_sum(n, {marks})
             FROM (SELECT coalesce(max(id), 0) + 1 AS n FROM {0})",
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
    Ok(())
}
