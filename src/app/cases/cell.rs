//! A value of a row, as it stands in the file of a case.

use std::fmt;

use serde::Serialize;

use crate::datalog::{Column, Value};

/// A number or a text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(untagged)]
pub enum Cell {
    /// An integer.
    Number(i64),
    /// A text.
    Text(String),
}

impl Cell {
    pub(super) fn of(value: Value<'_>) -> Cell {
        match value {
            Value::Number(number) => Cell::Number(number),
            Value::Text(text) => Cell::Text(text.to_owned()),
        }
    }

    pub(super) fn value(&self) -> Value<'_> {
        match self {
            Cell::Number(number) => Value::Number(*number),
            Cell::Text(text) => Value::Text(text),
        }
    }

    /// Reads a value for a column; or says what is wrong with it, and what to do.
    pub(super) fn read(value: &serde_yaml::Value, column: &Column) -> Result<Cell, (String, &'static str)> {
        use serde_yaml::Value as Yaml;
        let (name, ty) = (&column.name, &column.ty);
        let is_number = ty.is_number();
        match value {
            Yaml::Number(it) if it.is_i64() => {
                let text = it.to_string();
                Ok(if is_number { Cell::Number(it.as_i64().unwrap_or_default()) } else { Cell::Text(text) })
            }
            Yaml::String(text) if is_number => ty
                .read(text)
                .map(Cell::Number)
                .ok_or_else(|| (format!("the column `{name}` takes `{ty}`, not `{text}`"), ty.example())),
            Yaml::String(text) => Ok(Cell::Text(text.clone())),
            Yaml::Bool(it) if !is_number => Ok(Cell::Text(it.to_string())),
            _ => {
                let kind = if is_number { "number" } else { "text" };
                Err((format!("the column `{name}` takes a {kind}"), "write one value, a text in quotes"))
            }
        }
    }
}

impl fmt::Display for Cell {
    /// As it is written in a list between brackets of YAML.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Cell::Number(number) => return write!(f, "{number}"),
            Cell::Text(text) => text,
        };
        let is_safe = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
        let reads_back = || {
            let read = serde_yaml::from_str::<serde_yaml::Value>(text);
            read.is_ok_and(|read| read.as_str() == Some(text))
        };
        if text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.chars().all(is_safe) && reads_back() {
            return f.write_str(text);
        }
        // YAML takes the quoted texts of JSON.
        f.write_str(&serde_json::to_string(text).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        for (text, written) in [
            ("pay/ledger", "pay/ledger"),
            ("true", "\"true\""),
            ("null", "\"null\""),
            ("12", "\"12\""),
            ("a, b", "\"a, b\""),
            ("", "\"\""),
            ("a\"\n", "\"a\\\"\\n\""),
        ] {
            let cell = Cell::Text(text.to_owned());
            assert_eq!(cell.to_string(), written);
            let read: Result<Vec<String>, _> = serde_yaml::from_str(&format!("[{cell}]"));
            assert_eq!(read.ok(), Some(vec![text.to_owned()]));
        }
    }
}
