//! A row as a value: JSON of what is not empty, and back. An object as a value is a whole object.

use std::collections::BTreeMap;

use rusqlite::types::Value as Sql;
use serde_json::value::RawValue;

use super::tables::{Column, Holds, Table};
use crate::target::sqlite::fault::Fault;

/// The fields of a value, as they are written.
pub(super) type Fields<'v> = BTreeMap<String, &'v RawValue>;

/// SQL that gives the value of the row with a key, which is bound as its path has it.
pub(super) fn select(table: &Table) -> String {
    let mut fields: Vec<String> = table.columns.iter().map(field).collect();
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
    match column.holds {
        Holds::Text => format!("iif(t.{name} <> '', {quoted}, '')"),
        Holds::Number => format!("iif(t.{name} <> 0, {plain}, '')"),
        Holds::MaybeText => format!("iif(t.{name} IS NOT NULL, {quoted}, '')"),
        Holds::Json => plain,
    }
}

/// The value of a column.
pub(super) fn read(column: &Column, fields: &Fields<'_>) -> Result<Sql, Fault> {
    let field = fields.get(column.name).map(|it| it.get());
    let text = |field: &str| serde_json::from_str::<String>(field).map(Sql::Text);
    Ok(match (column.holds, field) {
        (Holds::Text, None) => Sql::Text(String::new()),
        (Holds::Number, None) => Sql::Integer(0),
        (Holds::MaybeText, None) => Sql::Null,
        (Holds::Text | Holds::MaybeText, Some(field)) => text(field)?,
        (Holds::Number, Some(field)) => Sql::Integer(serde_json::from_str(field)?),
        (Holds::Json, Some(field)) => Sql::Text(field.to_owned()),
        (Holds::Json, None) => {
            return Err(Fault::Content(format!("a value has no field `{}`", column.name)));
        }
    })
}
