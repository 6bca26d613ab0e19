//! Facts from another program's SQLite file: what a query of the user's finds there.
//!
//! The file is opened to be read alone. What is found is handed on as JSON, an object a line,
//! and goes on as any file of facts.

use std::path::Path;
use std::time::Duration;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, Row};
use serde_json::{Map, Value};

use crate::diagnostic::{Diagnostic, Place};

/// More rows than this are no facts for rules.
const MAX_ROWS: usize = 1_000_000;

/// How long to wait for whoever writes the file.
const PATIENCE: Duration = Duration::from_secs(2);

/// The rows that a query finds, as JSON.
///
/// # Errors
/// When there are none to be had, or one of them has a value that no fact can have.
pub(super) fn rows(path: &Path, query: &str) -> Result<String, Box<Diagnostic>> {
    let wrong = |what: &str, why: String| {
        let place = Place::file(path.display().to_string());
        Box::new(Diagnostic::error("bad-query", what).at(place).because(why))
    };
    let failed = |error: &rusqlite::Error| {
        wrong("the query cannot be answered", error.to_string()).help(
            "the file is read as SQLite, and `query` is one SELECT with a column for each of the input's",
        )
    };
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(|error| failed(&error))?;
    connection.busy_timeout(PATIENCE).map_err(|error| failed(&error))?;
    let mut statement = connection.prepare(query).map_err(|error| failed(&error))?;
    if !statement.readonly() || statement.column_count() == 0 {
        let error = wrong("the query changes the file, or asks for nothing", query.to_owned());
        return Err(Box::new(error.help("write one SELECT")));
    }
    let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
    if let Some(twice) = names.iter().enumerate().find(|(at, name)| names[..*at].contains(name)) {
        let error = wrong("the query has two columns of one name", format!("both are called `{}`", twice.1));
        return Err(Box::new(error.help("name one of them with `as`, or leave it out")));
    }
    let mut found = statement.query([]).map_err(|error| failed(&error))?;
    let (mut text, mut count) = (String::new(), 0);
    while let Some(row) = found.next().map_err(|error| failed(&error))? {
        count += 1;
        let row = object(&names, row).map_err(|(name, what)| {
            let error = wrong("a row has a value that no fact can have", format!("`{name}` of row {count} is {what}"));
            Box::new(error.help("leave such rows out (`where x is not null`), or cast: `cast(x as text)`, `cast(x as integer)`"))
        })?;
        text.push_str(&row.to_string());
        text.push('\n');
        if count > MAX_ROWS {
            let error = wrong("the query finds too many rows", format!("there are more than {MAX_ROWS}"));
            return Err(Box::new(error.help("ask for less, with `where` or `group by`")));
        }
    }
    Ok(text)
}

fn object(names: &[String], row: &Row<'_>) -> Result<Value, (String, &'static str)> {
    let mut all = Map::new();
    for (at, name) in names.iter().enumerate() {
        let wrong = |what| (name.clone(), what);
        let value = match row.get_ref(at).map_err(|_| wrong("nothing that can be read"))? {
            ValueRef::Integer(number) => Value::from(number),
            ValueRef::Text(text) => {
                Value::from(std::str::from_utf8(text).map_err(|_| wrong("no UTF-8 text"))?)
            }
            ValueRef::Null => return Err(wrong("NULL")),
            ValueRef::Real(_) => return Err(wrong("a fraction (REAL)")),
            ValueRef::Blob(_) => return Err(wrong("a BLOB")),
        };
        all.insert(name.clone(), value);
    }
    Ok(Value::Object(all))
}
