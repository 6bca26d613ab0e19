//! Positions as the protocol counts them: lines from 0, and units of UTF-16 within a line.

use std::ops;

use lsp_types::{Position, Range};

/// The byte that a position is at; behind the end of a line it is that end.
pub(super) fn byte_at(text: &str, position: Position) -> usize {
    let mut start = 0;
    for _ in 0..position.line {
        match text[start..].find('\n') {
            Some(end) => start += end + 1,
            None => return text.len(),
        }
    }
    let line = text[start..].split('\n').next().unwrap_or("");
    let line = line.strip_suffix('\r').unwrap_or(line);
    let mut units = 0;
    for (at, c) in line.char_indices() {
        if units >= position.character {
            return start + at;
        }
        units += units_of(c);
    }
    start + line.len()
}

/// The position of a byte; within a character it is where that starts.
pub(super) fn position(text: &str, byte: usize) -> Position {
    let mut byte = byte.min(text.len());
    while !text.is_char_boundary(byte) {
        byte -= 1;
    }
    let before = &text[..byte];
    let line = before.matches('\n').count();
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    Position { line: u32::try_from(line).unwrap_or(u32::MAX), character: units(&before[start..]) }
}

/// The range of some bytes.
pub(super) fn range(text: &str, bytes: &ops::Range<usize>) -> Range {
    Range { start: position(text, bytes.start), end: position(text, bytes.end) }
}

/// How many units a text has.
pub(super) fn units(text: &str) -> u32 {
    text.chars().map(units_of).sum()
}

fn units_of(c: char) -> u32 {
    if c.len_utf16() == 2 { 2 } else { 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_and_positions_are_the_same_places() {
        let text = "aö😀b\r\nc\n";
        let places =
            [(0, 0, 0), (1, 0, 1), (3, 0, 2), (7, 0, 4), (8, 0, 5), (10, 1, 0), (11, 1, 1), (12, 2, 0)];
        for (byte, line, character) in places {
            assert_eq!(position(text, byte), Position { line, character });
            assert_eq!(byte_at(text, Position { line, character }), byte);
        }
        assert_eq!(byte_at(text, Position { line: 0, character: 99 }), 8);
        assert_eq!(byte_at(text, Position { line: 99, character: 0 }), text.len());
        assert_eq!(byte_at(text, Position { line: 0, character: 3 }), 7, "within a character");
        assert_eq!(position(text, 2), Position { line: 0, character: 1 });
    }
}
