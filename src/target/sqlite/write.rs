//! The store as a target: single objects as rows, each write with the version it expects.
//!
//! A row that is to be made is inserted, and the primary key says if there is one; one that
//! is there is updated or deleted `WHERE resource_version = ?`, and the number of rows that
//! this found says if it was the one. So an expectation costs no question of its own; only
//! a write that failed looks for what is there.

use std::collections::BTreeMap;

use rusqlite::{Connection, ErrorCode, OptionalExtension, ToSql, params};
use serde_json::{Value, json};

use super::columns::{SYSTEM, SYSTEM_COUNT};
use super::dictionary::Writer;
use super::fault::Fault;
use super::pods::PodWriter;
use super::store::Store;
use super::tables::{insert_or_update, is, keys, table};
use super::{columns, sum};
use crate::diagnostic::Diagnostic;
use crate::kube::{Compact, Kind, Node, ObjectKey};
use crate::target::contract::{Batch, Changed, Cursor, Found, Promises, Target, Visit};
use crate::target::object::Item;
use crate::target::write::{Refused, Version, Write};

/// How many writes are in memory at a time; what the statements remember is worth keeping
/// for many.
const MOST: usize = 1 << 16;

impl Target for Store {
    fn promises(&self) -> Promises {
        Promises { kinds: &Kind::ALL, batch: Batch::Whole, most: MOST, watches: false }
    }

    fn get(&self, kind: Kind, key: &ObjectKey) -> Result<Option<Found>, Diagnostic> {
        Ok(self.object(kind, key)?.map(found))
    }

    fn list(&self, kind: Kind, visit: Visit<'_>) -> Result<Cursor, Diagnostic> {
        self.objects(kind, None, &mut |key, value| visit(key, found(value)))?;
        Ok(Cursor(String::new()))
    }

    fn changes(&self, _: Kind, _: &Cursor, _: Changed<'_>) -> Result<Option<Cursor>, Diagnostic> {
        Ok(None)
    }

    /// The batch is a transaction, or a part of the one that was begun, all of which is
    /// rolled back when it fails. A version is the `resource_version` that the writer gives
    /// an object; it has to be larger than all before.
    fn write(&mut self, batch: &[Write<'_>]) -> Result<(), Refused> {
        let (mut conflict, path) = (None, self.path.clone());
        let done = Store::write(self, "write the objects", |connection| {
            rows(connection, batch).map_err(|failed| match failed {
                Failed::Fault(fault) => fault,
                Failed::Expected(write) => match version_of(connection, write.object()) {
                    Ok(found) => {
                        let told = write.conflict(&path, found);
                        conflict = Some(told.clone());
                        Fault::Told(Box::new(told.into()))
                    }
                    Err(fault) => fault,
                },
            })
        });
        done.map_err(|told| conflict.map_or_else(|| told.into(), Refused::from))
    }
}

/// A whole object and the version that its metadata says.
fn found(value: Value) -> Found {
    let version = value["metadata"]["resourceVersion"].as_str().and_then(|version| version.parse().ok());
    Found { version: Version::number(version.unwrap_or(0)), value }
}

/// Why a batch was not written: the file failed, or this write found something else.
enum Failed<'b, 'w> {
    Fault(Fault),
    Expected(&'b Write<'w>),
}

impl<F: Into<Fault>> From<F> for Failed<'_, '_> {
    fn from(fault: F) -> Self {
        Failed::Fault(fault.into())
    }
}

fn rows<'b, 'w>(connection: &Connection, batch: &'b [Write<'w>]) -> Result<(), Failed<'b, 'w>> {
    let mut writer = Writer::new(connection);
    let mut pods = PodWriter::new(connection)?;
    let mut tally = Tally::default();
    for write in batch {
        let expected = write.expected().map(number);
        let as_expected = match write {
            Write::Create(item) | Write::Replace(item, _) => match *item {
                Item::Pod(it) => pods.write(it, expected, &mut writer),
                Item::Node(it, body) => node(connection, it, body, expected, &mut writer),
                Item::Plain(_, it) => {
                    let body = it.value.to_string();
                    row(connection, item, &[("body", &body)], expected, &mut writer)
                }
                Item::DaemonSet(it) => {
                    let (status, body) = (serde_json::to_string(&it.status)?, it.value.to_string());
                    row(connection, item, &[("status", &status), ("body", &body)], expected, &mut writer)
                }
                Item::ControllerRevision(it) => {
                    let own: Own<'_> = &[("revision", &it.revision), ("body", &it.value.to_string())];
                    row(connection, item, own, expected, &mut writer)
                }
            },
            Write::Delete(Kind::Pod, key, version) => pods.delete(key, number(version)),
            Write::Delete(kind, key, version) => delete(connection, *kind, key, number(version)),
        };
        match as_expected {
            Ok(true) => tally.count(write),
            Ok(false) => return Err(Failed::Expected(write)),
            // A row that is there, or another bound of the schema.
            Err(Fault::Sql(error)) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
                return Err(match version_of(connection, write.object())? {
                    Some(_) => Failed::Expected(write),
                    None => Failed::Fault(Fault::Sql(error)),
                });
            }
            Err(fault) => return Err(Failed::Fault(fault)),
        }
    }
    tally.record(connection)?;
    Ok(())
}

/// A version as SQLite has it; one of another target is none of ours.
fn number(version: &Version) -> i64 {
    version.as_number().map_or(0, columns::signed)
}

/// What a batch changes about the numbers that are on record.
#[derive(Default)]
struct Tally {
    /// The largest version that was written.
    version: u64,
    /// How many more rows there are, by table.
    more: BTreeMap<&'static str, isize>,
}

impl Tally {
    fn count(&mut self, write: &Write<'_>) {
        let more = match write {
            Write::Create(_) => 1,
            Write::Replace(..) => 0,
            Write::Delete(..) => -1,
        };
        if let Write::Create(item) | Write::Replace(item, _) = write {
            self.version = self.version.max(item.meta().resource_version);
        }
        *self.more.entry(table(write.object().0)).or_default() += more;
    }

    fn record(self, connection: &Connection) -> Result<(), Fault> {
        self.more.into_iter().try_for_each(|(table, more)| sum::more(connection, table, more))?;
        let sql = "INSERT INTO meta (name, value, sum)
            VALUES ('resource_version', ?1, row_sum('resource_version', ?1)) ON CONFLICT (name)
            DO UPDATE SET value = excluded.value, sum = excluded.sum WHERE value < excluded.value";
        connection.prepare_cached(sql)?.execute([columns::signed(self.version)])?;
        Ok(())
    }
}

/// The version that is there.
fn version_of(connection: &Connection, (kind, key): (Kind, &ObjectKey)) -> Result<Option<Version>, Fault> {
    let keys = keys(kind, key);
    let sql = format!("SELECT resource_version FROM {} WHERE {}", table(kind), is(&keys));
    let values = rusqlite::params_from_iter(keys.iter().map(|(_, value)| value));
    let found: Option<i64> =
        connection.prepare_cached(&sql)?.query_row(values, |row| row.get(0)).optional()?;
    Ok(found.map(|version| Version::number(columns::unsigned(version))))
}

fn delete(connection: &Connection, kind: Kind, key: &ObjectKey, expected: i64) -> Result<bool, Fault> {
    let keys = keys(kind, key);
    let at = keys.len() + 1;
    let sql = format!("DELETE FROM {} WHERE {} AND resource_version = ?{at}", table(kind), is(&keys));
    let mut statement = connection.prepare_cached(&sql)?;
    for ((_, value), at) in keys.iter().zip(1..) {
        statement.raw_bind_parameter(at, value)?;
    }
    statement.raw_bind_parameter(at, expected)?;
    Ok(statement.raw_execute()? == 1)
}

/// A kind's own columns, with their values.
type Own<'a> = &'a [(&'a str, &'a dyn ToSql)];

/// Writes an object with its key, the system's columns and its own; whether what was there
/// was as expected.
fn row(
    connection: &Connection,
    item: &Item<'_>,
    own: Own<'_>,
    expected: Option<i64>,
    writer: &mut Writer<'_>,
) -> Result<bool, Fault> {
    let (kind, meta) = (item.kind(), item.meta());
    let keys = keys(kind, &meta.key);
    let rest = own.iter().fold(SYSTEM.to_owned(), |rest, (name, _)| rest + ", " + name);
    let sql = insert_or_update(table(kind), &keys, &rest, expected.is_some());
    let mut statement = connection.prepare_cached(&sql)?;
    for ((_, value), at) in keys.iter().zip(1..) {
        statement.raw_bind_parameter(at, value)?;
    }
    columns::bind_meta(&mut statement, keys.len() + 1, meta, writer)?;
    let own_at = keys.len() + SYSTEM_COUNT + 1;
    for ((_, value), at) in own.iter().zip(own_at..) {
        statement.raw_bind_parameter(at, value)?;
    }
    if let Some(expected) = expected {
        statement.raw_bind_parameter(own_at + own.len(), expected)?;
    }
    Ok(statement.raw_execute()? == 1)
}

fn node(
    connection: &Connection,
    it: &Node,
    body: Option<&Compact>,
    expected: Option<i64>,
    writer: &mut Writer<'_>,
) -> Result<bool, Fault> {
    let taints: Vec<Value> = it
        .taints
        .iter()
        .map(|t| json!({ "key": &*t.key, "value": &*t.value, "effect": &*t.effect, "since": t.since }))
        .collect();
    let taints = serde_json::to_string(&taints)?;
    let own: Own<'_> = &[
        ("taints", &taints),
        ("unschedulable", &it.unschedulable),
        ("ready", &&*it.ready),
        ("version", &&*it.version),
    ];
    if !row(connection, &Item::Node(it, None), own, expected, writer)? {
        return Ok(false);
    }
    if let Some(body) = body {
        let sql = "INSERT INTO node_bodies (name, body, status, sum) VALUES (?1, ?2, ?3, row_sum(?1, ?2, ?3))
            ON CONFLICT (name) DO UPDATE SET body = excluded.body, status = coalesce(excluded.status, status),
            sum = row_sum(name, excluded.body, coalesce(excluded.status, status))";
        let status = body.status().map(|status| status.to_string());
        connection.prepare_cached(sql)?.execute(params![&*it.meta.key.name, body.to_string(), status])?;
    }
    Ok(true)
}
