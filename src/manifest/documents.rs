//! A stream of YAML -> its documents, cut as kubectl cuts it: at lines that start with `---`,
//! whatever stands around them.
//!
//! Each document is read on its own, so that one broken document does not hide the others.

use std::ops::Range;

use super::source::clamp;

/// A piece of a stream between two `---` lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chunk {
    /// Where it stands in the text.
    pub(super) range: Range<usize>,
    /// How many lines stand before it.
    pub(super) lines_before: u32,
    /// It is no document but a `---` line with more than a comment on it, where kubectl
    /// gives up.
    pub(super) is_separator: bool,
}

/// Cuts a stream. Gives up after `most` pieces.
pub(super) fn split(text: &str, most: usize) -> Vec<Chunk> {
    let mut chunks = Vec::new();
    let (mut start, mut lines_before, mut offset, mut line) = (0, 0, 0, 0_u32);
    while chunks.len() < most {
        if !text[offset..].starts_with("---") {
            let Some(ahead) = text[offset..].find("\n---") else { break };
            let skipped = &text.as_bytes()[offset..=offset + ahead];
            line = line.saturating_add(clamp(skipped.iter().filter(|&&byte| byte == b'\n').count()));
            offset += skipped.len();
        }
        let before = start..offset;
        if !is_nothing(&text[before.clone()]) {
            chunks.push(Chunk { range: before.clone(), lines_before, is_separator: false });
        }
        let raw = text[offset..].split_inclusive('\n').next().unwrap_or("");
        let after = raw[3..].trim();
        let is_separator = !after.is_empty() && !after.starts_with('#');
        if is_separator {
            let range = offset..offset + raw.trim_end().len();
            chunks.push(Chunk { range, lines_before: line, is_separator: true });
        }
        // With nothing at all before it, it is the first line of the document itself.
        let is_first_line = before.is_empty() && !is_separator;
        if is_first_line {
            (start, lines_before) = (offset, line);
        }
        offset += raw.len();
        line = line.saturating_add(1);
        if !is_first_line {
            (start, lines_before) = (offset, line);
        }
    }
    if chunks.len() < most && !is_nothing(&text[start..]) {
        chunks.push(Chunk { range: start..text.len(), lines_before, is_separator: false });
    }
    chunks
}

/// Whether a piece is only white space, after its `---` if it has one. A tab is none.
fn is_nothing(piece: &str) -> bool {
    piece.strip_prefix("---").unwrap_or(piece).bytes().all(|byte| matches!(byte, b' ' | b'\n' | b'\r'))
}

/// Whether there must be more documents than `most`, told without parsing: a line that
/// starts one may stand beside an empty one, but not beside many.
pub(super) fn has_more(text: &str, most: usize) -> bool {
    let enough = most.saturating_mul(2).saturating_add(2);
    text.matches("\n---").take(enough).count() == enough
}

/// The first character that no YAML has, and where it is.
pub(super) fn control_character(text: &str) -> Option<(usize, char)> {
    let bytes = text.as_bytes();
    let mut from = 0;
    loop {
        let at = from + bytes[from..].iter().position(|&byte| SUSPECT[usize::from(byte)])?;
        let c = text.get(at..).and_then(|rest| rest.chars().next())?;
        match c {
            '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{7f}'..='\u{84}' => {
                return Some((at, c));
            }
            '\u{86}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}' => return Some((at, c)),
            _ => from = at + c.len_utf8(),
        }
    }
}

/// The bytes with which such a character may begin.
const SUSPECT: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 0x20 {
        table[byte] = !matches!(byte, 0x9 | 0xa | 0xd);
        byte += 1;
    }
    table[0x7f] = true;
    table[0xc2] = true;
    table[0xef] = true;
    table
};

/// Where there is more than a comment after the end of a document that did not end its text.
pub(super) fn more_after(text: &str, end: usize) -> Option<usize> {
    let mut at = end;
    for line in text[end..].split_inclusive('\n') {
        let words = line.trim();
        let ends = words.strip_prefix("...").map_or(words, str::trim_start);
        if !ends.is_empty() && !ends.starts_with('#') {
            return Some(at + line.len() - line.trim_start().len());
        }
        at += line.len();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_cut_at_its_lines() {
        let text = "---\n# a\n---\nb: |\n  x\n--- # c\nd: 'e\n---x\nf'\n---";
        let chunks = split(text, 99);
        let shown: Vec<(&str, u32, bool)> = chunks
            .iter()
            .map(|chunk| (&text[chunk.range.clone()], chunk.lines_before, chunk.is_separator))
            .collect();
        assert_eq!(
            shown,
            [
                ("---\n# a\n", 0, false),
                ("b: |\n  x\n", 3, false),
                ("d: 'e\n", 6, false),
                ("---x", 7, true),
                ("f'\n", 8, false)
            ]
        );
        assert_eq!(split(text, 2).len(), 2);
    }

    #[test]
    fn what_stands_after_the_end_is_found() {
        assert_eq!(more_after("a: b\n...\n# c\n\n", 5), None);
        assert_eq!(more_after("a: b\n...\n d", 5), Some(10));
        assert_eq!(control_character("a\tb\r\n\u{85}\u{feff}é"), None);
        assert_eq!(control_character("é\u{80}"), Some((2, '\u{80}')));
    }
}
