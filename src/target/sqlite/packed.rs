//! Rows and lines as they are kept in the table `history`: JSON, compressed, and cut into parts
//! that can be forgotten one by one.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{Connection, Row, ToSql, params};
use serde_json::{Value as Json, json};

use super::fault::Fault;
use super::sum;

/// A part has at most so many bytes.
const PART: usize = 1 << 19;

/// What is kept of a run about one table.
pub(super) struct Packer(ZlibEncoder<Vec<u8>>);

impl Packer {
    pub(super) fn new() -> Self {
        Packer(ZlibEncoder::new(Vec::new(), Compression::fast()))
    }

    /// Lines as they are.
    pub(super) fn lines(&mut self, text: &str) -> Result<(), Fault> {
        self.0.write_all(text.as_bytes()).map_err(unpacked)
    }

    /// A row with so many columns.
    pub(super) fn row(&mut self, row: &Row<'_>, columns: usize) -> Result<(), Fault> {
        let mut values = Vec::with_capacity(columns);
        for nth in 0..columns {
            values.push(match row.get_ref(nth)? {
                ValueRef::Null => Json::Null,
                ValueRef::Integer(number) => json!(number),
                ValueRef::Real(number) => json!(number),
                ValueRef::Text(text) | ValueRef::Blob(text) => json!(String::from_utf8_lossy(text)),
            });
        }
        self.lines(&serde_json::to_string(&values)?)?;
        self.lines("\n")
    }

    /// Writes it down; gives how many parts it has.
    pub(super) fn keep(self, connection: &Connection, run: i64, about: &str) -> Result<usize, Fault> {
        let bytes = self.0.finish().map_err(unpacked)?;
        let sql = "INSERT INTO history (run, about, part, data, sum) VALUES (?1, ?2, ?3, ?4, row_sum(?1, ?2, ?3, ?4))";
        let mut put = connection.prepare_cached(sql)?;
        for (part, data) in (0_i64..).zip(bytes.chunks(PART)) {
            put.execute(params![run, about, part, data])?;
        }
        Ok(bytes.len().div_ceil(PART))
    }
}

/// The lines that are kept of a run about a table, or nothing; and how many parts they were.
pub(super) fn unpack(connection: &Connection, run: i64, about: &str) -> Result<(String, usize), Fault> {
    let sql =
        "SELECT run, about, part, data, sum FROM main.history WHERE run = ?1 AND about = ?2 ORDER BY part";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params![run, about])?;
    let (mut bytes, mut parts) = (Vec::new(), 0);
    while let Some(row) = rows.next()? {
        sum::check(row, "history", 0, 4)?;
        bytes.extend_from_slice(row.get_ref(3)?.as_blob().map_err(rusqlite::Error::from)?);
        parts += 1;
    }
    let mut text = String::new();
    if parts > 0 {
        let mut decoder = ZlibDecoder::new(&*bytes);
        let read = decoder.read_to_string(&mut text);
        read.map_err(|_| sum::missing("history", &format!("{run}/{about}")))?;
    }
    Ok((text, parts))
}

/// The values of a row that was packed, as SQLite takes them.
pub(super) fn row(line: &str) -> Result<Vec<Kept>, Fault> {
    let values: Vec<Json> = serde_json::from_str(line)?;
    let kept = |value| match value {
        Json::String(text) => Value::Text(text),
        Json::Number(number) => match number.as_i64() {
            Some(number) => Value::Integer(number),
            None => Value::Real(number.as_f64().unwrap_or(0.0)),
        },
        _ => Value::Null,
    };
    Ok(values.into_iter().map(|value| Kept(kept(value))).collect())
}

/// A value of a row that was packed.
pub(super) struct Kept(Value);

impl Kept {
    /// The number that it is.
    pub(super) fn number(&self) -> Option<i64> {
        match self.0 {
            Value::Integer(number) => Some(number),
            _ => None,
        }
    }
}

impl ToSql for Kept {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        self.0.to_sql()
    }
}

fn unpacked(error: std::io::Error) -> Fault {
    Fault::Content(format!("what is remembered cannot be packed: {error}"))
}
