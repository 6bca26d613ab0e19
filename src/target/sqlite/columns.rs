//! The columns that every kind of object has, in one order.

use std::sync::Arc;

use rusqlite::{CachedStatement, Row};
use serde_json::Value;

use super::dictionary::{Reader, Writer};
use super::fault::Fault;
use crate::kube::{Common, Meta, ObjectKey, Written};

/// The system's columns; the tables of all kinds have them.
pub(super) const SYSTEM: &str =
    "uid, resource_version, generation, created, deleting, written, written_spec, owner, labels";

/// How many they are.
pub(super) const SYSTEM_COUNT: usize = 9;

/// `?1, ?2, …` for `count` values.
pub(super) fn marks(count: usize) -> String {
    (1..=count).map(|n| format!("?{n}")).collect::<Vec<_>>().join(", ")
}

/// `column = ?first, …` for all of `columns`.
pub(super) fn assign(columns: &str, first: usize) -> String {
    let one = |(column, n): (&str, usize)| format!("{} = ?{n}", column.trim());
    columns.split(',').zip(first..).map(one).collect::<Vec<_>>().join(", ")
}

/// Text of a column, without a copy.
pub(super) fn text<'r>(row: &'r Row<'_>, column: usize) -> Result<&'r str, Fault> {
    Ok(row.get_ref(column)?.as_str().map_err(rusqlite::Error::from)?)
}

/// JSON that may be NULL.
pub(super) fn json_column(row: &Row<'_>, column: usize) -> Result<Option<Value>, Fault> {
    let text = row.get_ref(column)?.as_str_or_null().map_err(rusqlite::Error::from)?;
    Ok(text.map(serde_json::from_str).transpose()?)
}

/// Metadata from the system's columns, which begin at `at`; labels as JSON.
pub(super) fn meta(row: &Row<'_>, at: usize, key: ObjectKey, reader: &mut Reader<'_>) -> Result<Meta, Fault> {
    let version = unsigned(row.get(at + 1)?);
    Ok(Meta {
        key,
        uid: text(row, at)?.into(),
        resource_version: version,
        stored: version,
        common: Arc::new(Common {
            generation: row.get(at + 2)?,
            created: row.get(at + 3)?,
            deleting: row.get(at + 4)?,
            written: Written { object: unsigned(row.get(at + 5)?), spec: unsigned(row.get(at + 6)?) },
            controller: reader.owner(row.get(at + 7)?)?,
            labels: reader.names.labels(text(row, at + 8)?)?,
        }),
    })
}

/// Binds the system's columns from parameter `at` on; labels as JSON.
pub(super) fn bind_meta(
    statement: &mut CachedStatement<'_>,
    at: usize,
    meta: &Meta,
    writer: &mut Writer<'_>,
) -> Result<(), Fault> {
    bind_meta_but_labels(statement, at, meta, writer)?;
    statement.raw_bind_parameter(at + 8, serde_json::to_string(&meta.labels)?)?;
    Ok(())
}

/// The same without the labels, which the caller binds at `at + 8`.
pub(super) fn bind_meta_but_labels(
    statement: &mut CachedStatement<'_>,
    at: usize,
    meta: &Meta,
    writer: &mut Writer<'_>,
) -> Result<(), Fault> {
    statement.raw_bind_parameter(at, &*meta.uid.text())?;
    statement.raw_bind_parameter(at + 1, signed(meta.resource_version))?;
    statement.raw_bind_parameter(at + 2, meta.generation)?;
    statement.raw_bind_parameter(at + 3, meta.created)?;
    statement.raw_bind_parameter(at + 4, meta.deleting)?;
    statement.raw_bind_parameter(at + 5, signed(meta.written.object))?;
    statement.raw_bind_parameter(at + 6, signed(meta.written.spec))?;
    statement.raw_bind_parameter(at + 7, writer.owner(meta.controller.as_ref())?)?;
    Ok(())
}

/// SQLite has no unsigned integers; the bits stay.
pub(super) fn signed(number: u64) -> i64 {
    number.cast_signed()
}

/// The other way.
pub(super) fn unsigned(number: i64) -> u64 {
    number.cast_unsigned()
}
