//! Facts in JSON: one array of rows, or a row a line.
//!
//! ```json
//! [{"node": "n1", "rack": "r1"}, ["n2", "r1"]]
//! ```
//! A row is an object by the names of the columns, which may have more than those, or an array
//! in the order of the declaration.

use std::fmt;

use serde::de::{Deserialize, Error, MapAccess, Visitor};
use serde_json::{Deserializer, Map, Value};

use super::table::{input_of, is_too_large, too_large};
use crate::datalog::{Column, Declaration, Given, Program, Term};
use crate::diagnostic::{Diagnostic, Place, nearest};
use crate::state::{OwnFile, OwnKind};

/// So many problems of one file are told.
const MAX_PROBLEMS: usize = 10;

/// Reads a file of facts.
pub(super) fn read(program: &Program, file: &OwnFile, out: &mut Vec<Given>, found: &mut Vec<Diagnostic>) {
    let declaration = match input_of(program, file) {
        Ok(declaration) => declaration,
        Err(error) => return found.push(*error),
    };
    let mut rows = Rows::new(&file.text);
    let mut problems = 0;
    loop {
        let (start, row) = match rows.next() {
            Ok(Some(row)) => row,
            Ok(None) => return,
            Err((at, why)) => {
                let place = Place::of_span(file.path.clone(), &file.text, at, at + 1);
                let error =
                    Diagnostic::error("bad-json", "the file of facts is no JSON").at(place).because(why);
                found.push(
                    error.help("write `[{\"column\": \"value\"}, ...]`, or such an object on each line"),
                );
                return;
            }
        };
        let place = |name: &str| {
            let inside = &file.text[start..rows.at];
            let at = inside.find(&format!("\"{name}\"")).map_or(start, |at| start + at);
            Place::of_span(
                file.path.clone(),
                &file.text,
                at,
                at + if at == start { 1 } else { name.len() + 2 },
            )
        };
        match values(declaration, &row) {
            Ok(values) => {
                // The rows of a query stand nowhere.
                let line = if file.kind == OwnKind::Query { 0 } else { place("").line };
                out.push(Given { relation: declaration.id, values, file: file.path.clone(), line });
            }
            Err((column, error)) => {
                found.push(if file.kind == OwnKind::Query {
                    let row = format!("the row is {}", file.text[start..rows.at].trim_end());
                    error.at(Place::file(file.path.clone())).because(row)
                } else {
                    error.at(place(column))
                });
                problems += 1;
                if problems >= MAX_PROBLEMS {
                    return;
                }
            }
        }
    }
}

/// The rows of a text, one after the other.
struct Rows<'a> {
    text: &'a str,
    at: usize,
    /// Whether they stand in one array.
    listed: bool,
}

impl<'a> Rows<'a> {
    fn new(text: &'a str) -> Self {
        let mut rows = Rows { text, at: 0, listed: false };
        rows.blank();
        let inner = text[rows.at..].strip_prefix('[').map(str::trim_start);
        // A list of rows and not a row.
        if inner.is_some_and(|inner| inner.starts_with(['[', '{', ']'])) {
            rows.listed = true;
            rows.at += 1;
            rows.blank();
        }
        rows
    }

    fn blank(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
    }

    /// The next row and where it starts; or where what is wrong, and what.
    fn next(&mut self) -> Result<Option<(usize, Value)>, (usize, String)> {
        self.blank();
        let rest = &self.text[self.at..];
        if self.listed && rest.starts_with(']') {
            self.at += 1;
            self.listed = false;
            self.blank();
            let is_end = self.at == self.text.len();
            return if is_end { Ok(None) } else { Err((self.at, "something follows the list".to_owned())) };
        }
        if rest.is_empty() {
            return if self.listed { Err((self.at, "the list is not closed".to_owned())) } else { Ok(None) };
        }
        let start = self.at;
        let (row, end) = match one(rest) {
            Ok(row) => row,
            Err(error) => {
                let line: usize =
                    rest.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
                let why = error.to_string();
                let why = why.split(" at line ").next().unwrap_or("").to_owned();
                return Err((start + line + error.column().saturating_sub(1), why));
            }
        };
        self.at = start + end;
        self.blank();
        if self.listed {
            let rest = &self.text[self.at..];
            if rest.starts_with(',') {
                self.at += 1;
            } else if !rest.starts_with(']') {
                return Err((self.at, "`,` or `]` is expected behind a row".to_owned()));
            }
        }
        Ok(Some((start, row)))
    }
}

/// The value that a text begins with, and where it ends.
fn one(text: &str) -> Result<(Value, usize), serde_json::Error> {
    let missing = || serde_json::Error::custom("a row is expected");
    if text.starts_with('{') {
        let mut values = Deserializer::from_str(text).into_iter::<Object>();
        let row = values.next().ok_or_else(missing)??;
        return Ok((Value::Object(row.0), values.byte_offset()));
    }
    let mut values = Deserializer::from_str(text).into_iter::<Value>();
    Ok((values.next().ok_or_else(missing)??, values.byte_offset()))
}

/// An object that has each name once. Of a `Value` the last one would count.
struct Object(Map<String, Value>);

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(Once)
    }
}

struct Once;

impl<'de> Visitor<'de> for Once {
    type Value = Object;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a row")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Object, A::Error> {
        let mut all = Map::new();
        while let Some(name) = entries.next_key::<String>()? {
            if all.contains_key(&name) {
                return Err(A::Error::custom(format_args!("`{name}` stands twice in a row")));
            }
            all.insert(name, entries.next_value()?);
        }
        Ok(Object(all))
    }
}

/// A row's values in the order of the declaration; or the column that is wrong, and why.
fn values<'d>(declaration: &'d Declaration, row: &Value) -> Result<Vec<Term>, (&'d str, Diagnostic)> {
    let columns = &declaration.columns;
    let arity = |what: String| {
        let error = Diagnostic::error("wrong-arity", what);
        error.help(format!("it is declared as `{declaration}`"))
    };
    if !matches!(row, Value::Object(_) | Value::Array(_)) {
        return Err(("", arity(format!("a row of `{}` is an object or an array", declaration.name))));
    }
    if let Value::Array(items) = row
        && items.len() != columns.len()
    {
        let (name, wanted, are) = (&declaration.name, columns.len(), items.len());
        return Err(("", arity(format!("`{name}` has {wanted} columns, the row has {are} values"))));
    }
    let mut all = Vec::with_capacity(columns.len());
    for (at, column) in columns.iter().enumerate() {
        let value = match row {
            Value::Object(fields) => fields.get(&*column.name),
            other => other.get(at),
        };
        let Some(value) = value else {
            let message = format!("the row has no `{}`", column.name);
            let error = Diagnostic::error("unknown-column", message);
            let names = row.as_object().into_iter().flat_map(|fields| fields.keys()).map(String::as_str);
            return Err(match nearest(&column.name, names) {
                Some(near) => {
                    ("", error.help(format!("is `{near}` meant? a query names it with `as {}`", column.name)))
                }
                None => ("", error.help(format!("it is declared as `{declaration}`"))),
            });
        };
        let read = match value {
            Value::String(text) if !column.ty.is_number() => Some(Term::Text(text.as_str().into())),
            // `"30d"`; what has no unit is a number without quotes.
            Value::String(text) if column.ty.unit().is_some() => column.ty.read(text).map(Term::Number),
            Value::Number(number) if column.ty.is_number() => number.as_i64().map(Term::Number),
            _ => None,
        };
        all.push(read.ok_or_else(|| (&*column.name, mismatch(declaration, column, value)))?);
    }
    Ok(all)
}

fn mismatch(declaration: &Declaration, column: &Column, value: &Value) -> Diagnostic {
    let written = value.to_string();
    if column.ty.is_number() && is_too_large(&written) {
        return too_large(&written);
    }
    let (wanted, help) = match (column.ty.is_number(), column.ty.unit()) {
        (true, Some(_)) => (format!("`{}`", column.ty), column.ty.example()),
        (true, None) => (
            "a whole number".to_owned(),
            "write an integer without quotes, or declare the column with a text type",
        ),
        (false, _) => (
            "a text".to_owned(),
            "put it in quotes, or declare the column as `number`; a query says `cast(x as text)`",
        ),
    };
    let (name, column) = (&declaration.name, &column.name);
    let what = format!("the column `{column}` of `{name}` takes {wanted}, not `{value}`");
    Diagnostic::error("type-mismatch", what).help(help)
}
