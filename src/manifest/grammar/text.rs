//! A text under a cursor: where it is, and what stands there.
//!
//! Lines, columns and blanks are libyaml's: a line also ends with a lone carriage return,
//! a NEL, LS or PS; columns are counted in characters. Nothing here knows of tokens.

/// A text and how far it was read.
#[derive(Debug)]
pub(super) struct Text<'t> {
    text: &'t str,
    bytes: &'t [u8],
    /// The byte that is next.
    pub(super) at: usize,
    /// Bytes before it that only continue a character.
    wide: usize,
    /// Lines before it.
    pub(super) line: usize,
    /// Characters before its line.
    base: usize,
}

impl<'t> Text<'t> {
    /// At the start; a byte order mark there is not part of the text.
    pub(super) fn new(text: &'t str) -> Self {
        let mark = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        Text { text, bytes: text.as_bytes(), at: mark, wide: mark, line: 0, base: 0 }
    }

    /// Characters before the next one.
    #[inline]
    pub(super) fn index(&self) -> usize {
        self.at - self.wide
    }

    /// Characters before the next one on its line.
    #[inline]
    pub(super) fn column(&self) -> usize {
        self.at - self.wide - self.base
    }

    /// The next byte; 0 at the end, as no YAML has that character.
    #[inline]
    pub(super) fn peek(&self) -> u8 {
        self.ahead(0)
    }

    /// A byte further on.
    #[inline]
    pub(super) fn ahead(&self, by: usize) -> u8 {
        self.bytes.get(self.at + by).copied().unwrap_or(0)
    }

    #[inline]
    pub(super) fn is_end(&self) -> bool {
        self.at >= self.bytes.len()
    }

    #[inline]
    pub(super) fn is_blank(&self) -> bool {
        matches!(self.peek(), b' ' | b'\t')
    }

    /// How many bytes the line break takes that stands there; 0 if none does.
    #[inline]
    pub(super) fn break_at(&self, by: usize) -> usize {
        match self.ahead(by) {
            b'\n' => 1,
            b'\r' => match (self.ahead(by + 1), self.ahead(by + 2)) {
                (b'\n', _) => 2,
                // Lines are cut before YAML is read, and that takes one of the two away.
                (b'\r', b'\n') => 3,
                _ => 1,
            },
            0xc2 if self.ahead(by + 1) == 0x85 => 2,
            0xe2 if self.ahead(by + 1) == 0x80 && matches!(self.ahead(by + 2), 0xa8 | 0xa9) => 3,
            _ => 0,
        }
    }

    #[inline]
    pub(super) fn is_break(&self) -> bool {
        self.break_at(0) > 0
    }

    #[inline]
    pub(super) fn is_break_or_end(&self) -> bool {
        self.is_end() || self.is_break()
    }

    /// Whether a blank, a line break or the end stands further on.
    #[inline]
    pub(super) fn is_space_at(&self, by: usize) -> bool {
        self.at + by >= self.bytes.len()
            || matches!(self.ahead(by), b' ' | b'\t' | b'\n' | b'\r')
            || self.break_at(by) > 0
    }

    /// Whether `---` or `...` stands alone at the start of a line here.
    pub(super) fn is_document_indicator(&self) -> bool {
        self.column() == 0
            && matches!(self.bytes.get(self.at..self.at + 3), Some(b"---" | b"..."))
            && self.is_space_at(3)
    }

    /// Goes on by so many bytes, in which no line ends.
    #[inline]
    pub(super) fn skip(&mut self, bytes: usize) {
        let end = (self.at + bytes).min(self.bytes.len());
        self.wide += self.bytes[self.at..end].iter().filter(|&&byte| byte & 0xc0 == 0x80).count();
        self.at = end;
    }

    /// Goes on to the end of the line.
    pub(super) fn skip_to_break(&mut self) {
        let mut length = 0;
        while self.at + length < self.bytes.len() && self.break_at(length) == 0 {
            length += 1;
        }
        self.skip(length);
    }

    /// Goes over a line break.
    #[inline]
    pub(super) fn skip_line(&mut self) {
        self.at += self.break_at(0);
        self.line += 1;
        self.base = self.at - self.wide;
    }

    /// Goes over a line break and says what it is in a value.
    pub(super) fn take_line(&mut self) -> &'static str {
        let means = match (self.peek(), self.ahead(2)) {
            (0xe2, 0xa8) => "\u{2028}",
            (0xe2, 0xa9) => "\u{2029}",
            _ => "\n",
        };
        self.skip_line();
        means
    }

    /// The text between two bytes, which both start a character.
    pub(super) fn between(&self, start: usize, end: usize) -> &'t str {
        &self.text[start..end]
    }
}
