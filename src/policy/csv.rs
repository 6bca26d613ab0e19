//! Comma-separated values: a text into records that know where each of their values stands.
//!
//! ```text
//! # a comment
//! n1, "a, b" , said ""     n1|a, b|said ""
//! ```
//! As RFC 4180 has it. Blanks around a value say nothing, those in quotes stay; lines that are
//! blank or start with `#` are skipped. A quote that is not closed is a mistake: it would take
//! in all that stands behind it.

use std::borrow::Cow;
use std::ops::Range;

/// A value.
pub(super) struct Field<'a> {
    /// What it says.
    pub text: Cow<'a, str>,
    /// Where it stands, with its quotes.
    pub span: Range<usize>,
}

/// The values of one line, or of several where one of them has line breaks in quotes.
pub(super) struct Record<'a> {
    /// The line that it starts on, from 1.
    pub line: u32,
    /// Where it stands.
    pub span: Range<usize>,
    pub fields: Vec<Field<'a>>,
}

/// What is wrong about quotes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Broken {
    /// The quote here is never closed.
    Open(usize),
    /// One value is closed, with the quotes that stand here, and more follows.
    Behind(Range<usize>),
}

/// A walk along a text.
pub(super) struct Records<'a> {
    text: &'a str,
    at: usize,
    line: u32,
}

const BLANKS: [char; 2] = [' ', '\t'];

impl<'a> Records<'a> {
    pub fn new(text: &'a str) -> Self {
        Records { text, at: 0, line: 1 }
    }

    /// The next record, if there is one more.
    pub fn next(&mut self) -> Result<Option<Record<'a>>, Broken> {
        loop {
            let rest = &self.text[self.at..];
            if rest.is_empty() {
                return Ok(None);
            }
            let end = rest.find(['\n', '\r']).unwrap_or(rest.len());
            let line = rest[..end].trim();
            if !line.is_empty() && !line.starts_with('#') {
                break;
            }
            self.at += end;
            self.line_end();
        }
        let (line, start) = (self.line, self.at);
        let mut fields = Vec::new();
        loop {
            fields.push(self.field()?);
            if !self.text[self.at..].starts_with(',') {
                break;
            }
            self.at += 1;
        }
        let span = start..self.at;
        self.line_end();
        Ok(Some(Record { line, span, fields }))
    }

    fn line_end(&mut self) {
        let rest = &self.text[self.at..];
        let ends = ["\r\n", "\n", "\r"].into_iter().find(|it| rest.starts_with(it));
        self.at += ends.map_or(0, str::len);
        self.line += ends.map_or(0, lines);
    }

    /// A value, up to the comma or the line's end behind it.
    fn field(&mut self) -> Result<Field<'a>, Broken> {
        let rest = &self.text[self.at..];
        let start = self.at + rest.len() - rest.trim_start_matches(BLANKS).len();
        let rest = &self.text[start..];
        if rest.starts_with('"') {
            return self.quoted(start);
        }
        self.at = start + rest.find([',', '\n', '\r']).unwrap_or(rest.len());
        let text = self.text[start..self.at].trim();
        let start = start + rest.find(text).unwrap_or(0);
        Ok(Field { text: text.into(), span: start..start + text.len() })
    }

    fn quoted(&mut self, start: usize) -> Result<Field<'a>, Broken> {
        let (inner, mut end) = (start + 1, start + 1);
        loop {
            end += self.text[end..].find('"').ok_or(Broken::Open(start))?;
            if !self.text[end + 1..].starts_with('"') {
                break;
            }
            end += 2;
        }
        let text = &self.text[inner..end];
        self.line += lines(text);
        let span = start..end + 1;
        let rest = self.text[span.end..].trim_start_matches(BLANKS);
        if !rest.is_empty() && !rest.starts_with([',', '\n', '\r']) {
            return Err(Broken::Behind(span));
        }
        self.at = self.text.len() - rest.len();
        let text = if text.contains('"') { text.replace("\"\"", "\"").into() } else { text.into() };
        Ok(Field { text, span })
    }
}

fn lines(text: &str) -> u32 {
    u32::try_from(text.matches('\n').count()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Result<Vec<String>, Broken> {
        let (mut records, mut all) = (Records::new(text), Vec::new());
        while let Some(record) = records.next()? {
            let fields: Vec<&str> = record.fields.iter().map(|it| &*it.text).collect();
            all.push(format!("{}:{}", record.line, fields.join("|")));
        }
        Ok(all)
    }

    #[test]
    fn records_are_read_as_they_are_written() {
        for (text, wanted) in [
            ("", vec![]),
            ("# x\n\n a , b\r\n,\n", vec!["3:a|b", "4:|"]),
            ("a,\" b \" ,c", vec!["1:a| b |c"]),
            ("\"a,\nb\",\"c\"\"d\"\ne", vec!["1:a,\nb|c\"d", "3:e"]),
            ("\"\",\"\"\"\"\n", vec!["1:|\""]),
            ("5\" disk,a", vec!["1:5\" disk|a"]),
            ("ä, ö\rü", vec!["1:ä|ö", "1:ü"]),
        ] {
            assert_eq!(shown(text), Ok(wanted.into_iter().map(str::to_owned).collect()), "{text:?}");
        }
    }

    #[test]
    fn a_quote_is_closed_before_the_comma() {
        assert_eq!(shown("a\nb,\"c\nd,e\n"), Err(Broken::Open(4)));
        assert_eq!(shown("\"a\"\""), Err(Broken::Open(0)));
        assert_eq!(shown("n1,\"a\"b"), Err(Broken::Behind(3..6)));
    }

    /// Where all is quoted that has to be, both read the same.
    #[test]
    fn the_library_reads_the_same() {
        let values = ["", "a", "a,b", "say \"x\"", "two\nlines", " blank ", "ü"];
        for (one, other) in values.iter().flat_map(|one| values.map(|other| (one, other))) {
            let mut writer =
                csv::WriterBuilder::new().quote_style(csv::QuoteStyle::Always).from_writer(Vec::new());
            writer.write_record([*one, other]).ok();
            let text = String::from_utf8(writer.into_inner().unwrap_or_default()).unwrap_or_default();
            assert_eq!(shown(&text), Ok(vec![format!("1:{one}|{other}")]), "{text}");
        }
    }
}
