//! Bytes of a text -> lines and columns, in one pass as long as they are asked for in order.

use super::grammar::Span;
use super::source::{Mark, clamp};

/// A text, and the last place that was counted.
#[derive(Debug)]
pub(super) struct Marks<'t> {
    text: &'t str,
    at: usize,
    line: usize,
    column: usize,
    lines_before: u32,
}

impl<'t> Marks<'t> {
    pub(super) fn new(text: &'t str, lines_before: u32) -> Self {
        Marks { text, at: 0, line: 1, column: 1, lines_before }
    }

    /// What stands there.
    pub(super) fn text(&self, span: Span) -> &'t str {
        self.text.get(span.start..span.end).unwrap_or("")
    }

    /// The character that starts there.
    pub(super) fn char_at(&self, at: usize) -> Option<char> {
        self.text.get(at..)?.chars().next()
    }

    /// The line, column and width of the bytes from `start` to `end`; of several lines, the
    /// width on the first.
    pub(super) fn mark(&mut self, start: usize, end: usize) -> Mark {
        let start = start.min(self.text.len());
        if start < self.at {
            (self.at, self.line, self.column) = (0, 1, 1);
        }
        let bytes = self.text.as_bytes();
        let mut line_from = self.at;
        for (nth, _) in bytes[self.at..start].iter().enumerate().filter(|(_, byte)| **byte == b'\n') {
            self.line += 1;
            self.column = 1;
            line_from = self.at + nth + 1;
        }
        self.column += chars(&bytes[line_from..start]);
        self.at = start;
        let end = end.clamp(start, bytes.len());
        let shown = bytes[start..end].split(|byte| *byte == b'\n').next().unwrap_or(&[]);
        Mark {
            line: self.lines_before.saturating_add(clamp(self.line)),
            column: clamp(self.column),
            width: clamp(chars(shown).max(1)),
        }
    }
}

fn chars(bytes: &[u8]) -> usize {
    bytes.iter().filter(|&&byte| byte & 0xc0 != 0x80).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_are_counted_in_characters() {
        let mut marks = Marks::new("ä: b\nc: dé\n", 2);
        assert_eq!(marks.mark(4, 5), Mark { line: 3, column: 4, width: 1 });
        assert_eq!(marks.mark(9, 13), Mark { line: 4, column: 4, width: 2 });
        assert_eq!(marks.mark(0, 2), Mark { line: 3, column: 1, width: 1 });
        assert_eq!(marks.mark(99, 99), Mark { line: 5, column: 1, width: 1 });
    }
}
