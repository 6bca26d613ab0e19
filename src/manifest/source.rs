//! A text that was read, and places in it.
//!
//! Line starts are found once, and only for a text in which something is wrong.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::sieve::Lines;
use crate::diagnostic::{Place, around};

/// How a text is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// YAML, one or more documents.
    Yaml,
    /// JSON, one or more values one after the other.
    Json,
}

/// The text of one file, under the name the user gave it.
#[derive(Debug)]
pub struct Source {
    /// The path as the user named it, or `<stdin>`.
    pub name: Arc<str>,
    /// The whole text.
    pub text: String,
    /// Whether it is JSON or YAML.
    pub format: Format,
    /// Where its lines stood, where others were left out.
    moved: Lines,
    line_starts: OnceLock<Vec<usize>>,
    /// The last column that was counted (line start, offset, characters between), as
    /// JSON may be one line of a hundred megabytes.
    counted: Mutex<(usize, usize, usize)>,
}

/// Of so many lines the start of one is kept.
const STRIDE: usize = 64;

/// A line and a column, both from 1, the column in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Mark {
    /// From 1.
    pub line: u32,
    /// In characters, from 1.
    pub column: u32,
    /// How many characters belong to it.
    pub width: u32,
}

impl Source {
    /// A text under a name.
    #[must_use]
    pub fn new(name: Arc<str>, text: String, format: Format) -> Self {
        let (line_starts, counted) = (OnceLock::new(), Mutex::new((0, 0, 0)));
        Source { name, text, format, moved: Lines::default(), line_starts, counted }
    }

    /// The same, with lines that stood elsewhere before others were left out.
    #[must_use]
    pub(super) fn moved(self, moved: Lines) -> Self {
        Source { moved, ..self }
    }

    /// The start of every [`STRIDE`]th line: a text may have hundreds of millions of them.
    fn known_starts(&self) -> &[usize] {
        self.line_starts.get_or_init(|| {
            let newlines = self.text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
            let starts = std::iter::once(0).chain(newlines.map(|(at, _)| at + 1));
            starts.step_by(STRIDE).collect()
        })
    }

    /// Where a line starts; counted from 0.
    fn line_start(&self, nth: usize) -> Option<usize> {
        let known = *self.known_starts().get(nth / STRIDE)?;
        (0..nth % STRIDE).try_fold(known, |at, _| Some(at + self.text[at..].find('\n')? + 1))
    }

    /// The line that a byte stands in, counted from 0, and where it starts.
    fn line_of(&self, offset: usize) -> (usize, usize) {
        let known = self.known_starts();
        let before = known.partition_point(|&at| at <= offset).saturating_sub(1);
        let mut line = (before * STRIDE, known.get(before).copied().unwrap_or(0));
        let newline = |at: usize| self.text.as_bytes()[at..offset].iter().position(|&b| b == b'\n');
        while let Some(length) = newline(line.1) {
            line = (line.0 + 1, line.1 + length + 1);
        }
        line
    }

    /// A line by its number, from 1.
    #[must_use]
    pub fn line(&self, number: u32) -> Option<&str> {
        let nth = (number as usize).checked_sub(1)?;
        let rest = &self.text[self.line_start(nth)?..];
        let line = rest.split('\n').next().unwrap_or(rest);
        Some(line.trim_end_matches('\r'))
    }

    /// The place of a mark.
    #[must_use]
    pub fn place(&self, mark: Mark) -> Place {
        let offset = self.offset(mark);
        let line_start = self.line_start((mark.line as usize).saturating_sub(1));
        let (text, before) = line_start.map_or(("", 0), |start| around(&self.text, start, offset));
        Place {
            file: self.name.clone(),
            line: self.moved.original(mark.line),
            column: mark.column,
            width: mark.width.max(1),
            text: text.into(),
            cut: mark.column.saturating_sub(1).saturating_sub(clamp(before)),
        }
    }

    /// The mark of a range of bytes; of one over several lines, its first line.
    #[must_use]
    pub fn mark(&self, start: usize, end: usize) -> Mark {
        // A parser may end within a character; a mark never does.
        let mut before = (0..=start.min(self.text.len())).rev();
        let start = before.find(|at| self.text.is_char_boundary(*at)).unwrap_or(0);
        let (line, from) = self.line_of(start);
        let column = self.chars_between(from, start) + 1;
        let end = end.clamp(start, self.text.len());
        let first_line = self.text.as_bytes()[start..end].split(|&b| b == b'\n').next().unwrap_or(&[]);
        Mark { line: clamp(line + 1), column: clamp(column), width: clamp(chars(first_line).max(1)) }
    }

    fn chars_between(&self, from: usize, to: usize) -> usize {
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        let (line, offset, known) = *counted;
        let text = self.text.as_bytes();
        let count = if line == from && offset <= to {
            known + chars(&text[offset..to])
        } else {
            chars(&text[from..to])
        };
        *counted = (from, to, count);
        count
    }

    /// The byte offset of a mark; within its line, and the end of the text at most.
    #[must_use]
    pub fn offset(&self, mark: Mark) -> usize {
        let line = (mark.line as usize).saturating_sub(1);
        let Some(start) = self.line_start(line) else { return self.text.len() };
        let column = (mark.column as usize).saturating_sub(1);
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        let (from, known) = match *counted {
            (line, offset, known) if line == start && known <= column => (offset, known),
            _ => (start, 0),
        };
        let rest = &self.text[from..];
        let rest = &rest[..rest.find('\n').unwrap_or(rest.len())];
        let (offset, chars) = match rest.char_indices().nth(column - known) {
            Some((at, _)) => (from + at, column),
            None => (from + rest.len(), known + chars(rest.as_bytes())),
        };
        *counted = (start, offset, chars);
        offset
    }
}

/// Characters of bytes that are UTF-8.
fn chars(bytes: &[u8]) -> usize {
    bytes.iter().filter(|&&byte| byte & 0xc0 != 0x80).count()
}

pub(super) fn clamp(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_and_offsets_agree() {
        let source = Source::new("a".into(), "ä: b\nc: dé\n".to_owned(), Format::Yaml);
        let mark = source.mark(9, 12);
        assert_eq!((mark.line, mark.column, mark.width), (2, 4, 2));
        assert_eq!(source.offset(mark), 9);
        assert_eq!(&*source.place(mark).text, "c: dé");
        assert_eq!(source.mark(1, 2).column, 1, "within `ä`");
        let many = Source::new("a".into(), "ab\n".repeat(1_000), Format::Yaml);
        for line in [1, 64, 65, 129, 1_000] {
            let at = (line - 1) * 3 + 1;
            let mark = many.mark(at, at + 1);
            assert_eq!((mark.line as usize, mark.column, many.offset(mark)), (line, 2, at));
            assert_eq!(many.line(mark.line), Some("ab"));
        }
        assert_eq!((many.line(1_001), many.line(1_002)), (Some(""), None));
        assert_eq!(source.place(Mark { line: 99, column: 1, width: 1 }).text.len(), 0);
    }
}
