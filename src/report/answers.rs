//! The answers to a query as text. There may be millions: each form is written row by row.

use std::io::{self, Write};

use serde::{Serialize, Serializer};
use unicode_width::UnicodeWidthStr;

use super::data::{API_VERSION, write_json, write_json_line};
use super::table::Table;
use crate::app::{Answered, Value};
use crate::diagnostic::visible;

/// So many rows of a table are laid out together.
const PART: usize = 1 << 12;

/// The first of the answers to a query.
pub struct Answers<'a> {
    /// All of them.
    pub answered: &'a Answered<'a>,
    /// So many are shown.
    pub most: usize,
}

impl Answers<'_> {
    /// How many are not shown.
    #[must_use]
    pub fn more(&self) -> usize {
        self.answered.len().saturating_sub(self.most)
    }

    fn rows(&self) -> impl Iterator<Item = impl Iterator<Item = Value<'_>>> {
        self.answered.rows().take(self.most)
    }

    /// Writes them as a table.
    ///
    /// # Errors
    /// Where writing fails.
    pub fn table(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut table = Table::new(self.answered.names.iter().map(|name| name.to_uppercase()));
        if self.answered.len().min(self.most) > PART {
            let width = |value: Value<'_>| visible(&value.to_string()).replace('\n', " ").width();
            table.at_least(self.answered.widest(self.most, width));
        }
        let mut heads = true;
        for row in self.rows() {
            table.row(row.map(|value| value.to_string()));
            if table.len() == PART {
                table.write_part(out, std::mem::take(&mut heads))?;
            }
        }
        if heads || !table.is_empty() {
            table.write_part(out, heads)?;
        }
        Ok(())
    }

    /// Writes them as comma-separated values with a header.
    ///
    /// # Errors
    /// Where writing fails.
    pub fn csv(&self, seen: bool, out: &mut dyn Write) -> io::Result<()> {
        let mut writer = csv::Writer::from_writer(out);
        writer.write_record(&self.answered.names).map_err(written)?;
        for row in self.rows() {
            for value in row {
                match value {
                    Value::Text(text) if seen => writer.write_field(&*visible(text)),
                    Value::Text(text) => writer.write_field(text),
                    Value::Number(number) => writer.write_field(number.to_string()),
                }
                .map_err(written)?;
            }
            writer.write_record(None::<&[u8]>).map_err(written)?;
        }
        writer.flush()
    }

    /// Writes them as a document, in which each answer is an object.
    ///
    /// # Errors
    /// Where writing fails.
    pub fn json(&self, out: &mut dyn Write) -> io::Result<()> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Document<'a> {
            api_version: &'static str,
            kind: &'static str,
            variables: &'a [String],
            answers: Objects<'a>,
            /// How many are left out.
            #[serde(skip_serializing_if = "Option::is_none")]
            more: Option<usize>,
        }
        let document = Document {
            api_version: API_VERSION,
            kind: "Answers",
            variables: &self.answered.names,
            answers: Objects(self),
            more: Some(self.more()).filter(|more| *more > 0),
        };
        write_json(&document, out)
    }

    /// Writes each as an object on a line of its own.
    ///
    /// # Errors
    /// Where writing fails.
    pub fn json_lines(&self, out: &mut dyn Write) -> io::Result<()> {
        self.rows().try_for_each(|row| write_json_line(&Object::new(&self.answered.names, row), out))
    }
}

/// What went wrong with writing itself: a reader that has seen enough is no error, and is known
/// by the kind that `csv` hides.
fn written(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

struct Objects<'a>(&'a Answers<'a>);

impl Serialize for Objects<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let names = &self.0.answered.names;
        serializer.collect_seq(self.0.rows().map(|row| Object::new(names, row)))
    }
}

/// One answer: its values by the names of the variables.
struct Object<'a>(Vec<(&'a str, Value<'a>)>);

impl<'a> Object<'a> {
    fn new(names: &'a [String], row: impl Iterator<Item = Value<'a>>) -> Self {
        Object(names.iter().map(String::as_str).zip(row).collect())
    }
}

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().copied())
    }
}
