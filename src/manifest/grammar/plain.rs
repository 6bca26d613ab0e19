//! Scalars without quotes, over one line or several.

use std::borrow::Cow;

use super::scanner::Scanner;
use super::{Fault, Kind, Token};

impl<'t> Scanner<'t> {
    pub(super) fn plain(&mut self) -> Result<Token<'t>, Fault> {
        let flow = self.in_flow();
        let indent = self.indent + 1;
        let start = self.text.at;
        let mut end = start;
        // What came before the last line break, if there is one.
        let mut folded: Option<String> = None;
        // Where the words of this line start, and what stands between them and those before.
        let mut from = start;
        let mut gap = String::new();
        let mut after_break = false;
        loop {
            if self.text.is_document_indicator() || self.text.peek() == b'#' {
                break;
            }
            let word = self.word_length(flow)?;
            if word > 0 {
                if after_break {
                    let before = folded.get_or_insert_default();
                    before.push_str(&gap);
                    gap.clear();
                    from = self.text.at;
                    after_break = false;
                }
                self.text.skip(word);
                end = self.text.at;
                self.bounded(folded.as_ref().map_or(0, String::len) + end - from, start)?;
            }
            if !self.text.is_blank() && !self.text.is_break() {
                break;
            }
            let mut breaks = 0;
            let mut first = "";
            loop {
                if self.text.is_blank() {
                    let column = isize::try_from(self.text.column()).unwrap_or(isize::MAX);
                    if after_break && column < indent && self.text.peek() == b'\t' {
                        let says = "found a tab character that violates indentation";
                        return Err(Fault::syntax(says, self.text.at));
                    }
                    self.text.skip(1);
                } else if self.text.is_break() {
                    if !after_break {
                        folded.get_or_insert_default().push_str(self.text.between(from, end));
                        (after_break, from) = (true, end);
                        gap.clear();
                    }
                    let line = self.text.take_line();
                    if breaks == 0 {
                        first = line;
                    } else {
                        gap.push_str(line);
                    }
                    breaks += 1;
                } else {
                    break;
                }
                self.bounded_gap(end)?;
            }
            if breaks > 0 {
                if first != "\n" {
                    gap.insert_str(0, first);
                } else if breaks == 1 {
                    gap.push(' ');
                }
            }
            let column = isize::try_from(self.text.column()).unwrap_or(isize::MAX);
            if !flow && column < indent {
                break;
            }
        }
        if after_break {
            self.key_allowed = true;
        }
        let text = match folded {
            None => Cow::Borrowed(self.text.between(start, end)),
            Some(mut text) => {
                text.push_str(self.text.between(from, end));
                Cow::Owned(text)
            }
        };
        Ok(Token { kind: Kind::Scalar { text, plain: true }, start, end })
    }

    /// How many bytes follow that belong to the scalar, up to a blank or what ends it.
    fn word_length(&self, flow: bool) -> Result<usize, Fault> {
        let mut length = 0;
        loop {
            match self.text.ahead(length) {
                b' ' | b'\t' | b'\n' | b'\r' => return Ok(length),
                b':' if self.text.is_space_at(length + 1) => return Ok(length),
                b',' | b'?' | b'[' | b']' | b'{' | b'}' if flow => return Ok(length),
                0 => return Ok(length),
                0xc2 | 0xe2 if self.text.break_at(length) > 0 => return Ok(length),
                _ => length += 1,
            }
        }
    }
}
