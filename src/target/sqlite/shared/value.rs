//! A row as a value: JSON of what is not empty, and back.

use std::collections::BTreeMap;
use std::sync::Arc;

use rusqlite::types::Value as Sql;
use rusqlite::{Connection, OptionalExtension};
use serde_json::value::RawValue;

use super::tables::{Column, Holds, Table};
use crate::kube::Owner;
use crate::target::sqlite::dictionary::{Names, Writer};
use crate::target::sqlite::fault::Fault;

/// The fields of a value, as they are written.
pub(super) type Fields<'v> = BTreeMap<String, &'v RawValue>;

/// SQL that gives the value of the row with a key, which is bound as its path has it.
pub(super) fn select(table: &Table) -> String {
    let mut fields: Vec<String> = table.columns.iter().map(field).collect();
    fields.extend(table.beside.map(|beside| {
        let is: Vec<String> = table.keys.iter().map(|key| format!("b.{key} = t.{key}")).collect();
        format!(
            r#"coalesce((SELECT ',"body":' || b.body || coalesce(',"status":' || b.status, '') FROM {beside} b WHERE {}), '')"#,
            is.join(" AND ")
        )
    }));
    if fields.is_empty() {
        fields.push("''".to_owned());
    }
    format!(
        "SELECT '{{' || ltrim({}, ',') || '}}' FROM {} t WHERE {}",
        fields.join(" || "),
        table.name,
        table.is()
    )
}

/// SQL for a column as a field, with a comma in front; nothing where there is nothing to say.
fn field(column: &Column) -> String {
    let name = column.name;
    let quoted = format!(r#"',"{name}":' || json_quote(t.{name})"#);
    let plain = format!(r#"',"{name}":' || t.{name}"#);
    let found = |what: &str, table: &str| {
        format!(r#"coalesce((SELECT ',"{name}":' || {what} FROM {table} x WHERE x.id = t.{name}), '')"#)
    };
    match column.holds {
        Holds::Text => format!("iif(t.{name} <> '', {quoted}, '')"),
        Holds::Number => format!("iif(t.{name} <> 0, {plain}, '')"),
        Holds::MaybeText => format!("iif(t.{name} IS NOT NULL, {quoted}, '')"),
        Holds::MaybeNumber => format!("coalesce({plain}, '')"),
        Holds::Json => plain,
        Holds::Version => "''".to_owned(),
        Holds::Owner => found("json_array(x.kind, x.name, x.uid)", "owners"),
        Holds::Labels => found("x.labels", "label_sets"),
        Holds::Base => found("json_quote(x.fingerprint)", "pod_bases"),
        Holds::Target => format!("iif(t.{name} IS coalesce(t.node, t.pinned, ''), '', {quoted})"),
    }
}

/// What a column is to hold, of a value.
pub(super) enum Read {
    /// This.
    Value(Sql),
    /// The number of what pods have in common, which is not here.
    Missing(String),
}

/// The value of a column.
pub(super) fn read(
    column: &Column,
    fields: &Fields<'_>,
    (node, revision): (&str, i64),
    connection: &Connection,
    writer: &mut Writer<'_>,
) -> Result<Read, Fault> {
    let field = fields.get(column.name).map(|it| it.get());
    let text = |field: &str| serde_json::from_str::<String>(field).map(Sql::Text);
    let number = |field: &str| serde_json::from_str::<i64>(field).map(Sql::Integer);
    let value = match (column.holds, field) {
        (Holds::Version, _) => Sql::Integer(revision),
        (Holds::Text, None) => Sql::Text(String::new()),
        (Holds::Number, None) => Sql::Integer(0),
        (Holds::Target, None) => Sql::Text(node.to_owned()),
        (Holds::MaybeText | Holds::MaybeNumber | Holds::Owner | Holds::Base, None)
        | (Holds::Target, Some("null")) => Sql::Null,
        (Holds::Text | Holds::MaybeText | Holds::Target, Some(field)) => text(field)?,
        (Holds::Number | Holds::MaybeNumber, Some(field)) => number(field)?,
        (Holds::Json, Some(field)) => Sql::Text(field.to_owned()),
        (Holds::Json | Holds::Labels, None) => {
            return Err(Fault::Content(format!("a value has no field `{}`", column.name)));
        }
        (Holds::Labels, Some(field)) => Sql::Integer(writer.label_set(&Names::default().labels(field)?)?),
        (Holds::Owner, Some(field)) => {
            let (kind, name, uid): (String, String, String) = serde_json::from_str(field)?;
            let owner = Owner { kind: kind.into(), name: name.into(), uid: uid.into() };
            writer.owner(Some(&Arc::new(owner)))?.map_or(Sql::Null, Sql::Integer)
        }
        (Holds::Base, Some(field)) => {
            let fingerprint: String = serde_json::from_str(field)?;
            let sql = "SELECT id FROM pod_bases WHERE fingerprint = ?1";
            let found =
                connection.prepare_cached(sql)?.query_row([&fingerprint], |row| row.get(0)).optional()?;
            match found {
                Some(id) => Sql::Integer(id),
                None => return Ok(Read::Missing(fingerprint)),
            }
        }
    };
    Ok(Read::Value(value))
}
