//! Scalars in quotes: escapes, and lines that are folded wherever they start.

use std::borrow::Cow;

use super::scanner::Scanner;
use super::{Fault, Kind, Token};

impl<'t> Scanner<'t> {
    pub(super) fn quoted(&mut self) -> Result<Token<'t>, Fault> {
        let quote = self.text.peek();
        let start = self.text.at;
        self.text.skip(1);
        // Most are one line without escapes: they need not be copied.
        if let Some(length) = self.simple(quote) {
            let text = self.text.between(start + 1, start + 1 + length);
            self.text.skip(length + 1);
            self.bounded(length, start)?;
            let kind = Kind::Scalar { text: Cow::Borrowed(text), plain: false };
            return Ok(Token { kind, start, end: self.text.at });
        }
        let mut text = String::new();
        loop {
            if self.text.is_document_indicator() {
                return Err(Fault::syntax("found unexpected document indicator", start));
            }
            if self.text.is_end() {
                return Err(Fault::syntax("found unexpected end of stream", start));
            }
            let mut after_break = self.words(quote, &mut text, start)?;
            if self.text.peek() == quote {
                break;
            }
            self.fold(&mut text, &mut after_break)?;
        }
        self.text.skip(1);
        Ok(Token { kind: Kind::Scalar { text: Cow::Owned(text), plain: false }, start, end: self.text.at })
    }

    /// The length up to the closing quote, if nothing before it is more than it says.
    fn simple(&self, quote: u8) -> Option<usize> {
        let mut length = 0;
        loop {
            match self.text.ahead(length) {
                byte if byte == quote => {
                    let escaped = quote == b'\'' && self.text.ahead(length + 1) == b'\'';
                    return (!escaped).then_some(length);
                }
                b'\n' | b'\r' | b'\\' | 0 | 0xc2 | 0xe2 => return None,
                _ => length += 1,
            }
        }
    }

    /// Characters up to a blank, a line break or the closing quote; whether the last was an
    /// escaped line break.
    fn words(&mut self, quote: u8, out: &mut String, start: usize) -> Result<bool, Fault> {
        loop {
            let mut length = 0;
            while !self.text.is_space_at(length) {
                let byte = self.text.ahead(length);
                if byte == quote || byte == b'\\' && quote == b'"' {
                    break;
                }
                length += 1;
            }
            out.push_str(self.text.between(self.text.at, self.text.at + length));
            self.text.skip(length);
            self.bounded(out.len(), start)?;
            if self.text.is_space_at(0) {
                return Ok(false);
            }
            if quote == b'\'' {
                if self.text.ahead(1) != b'\'' {
                    return Ok(false);
                }
                out.push('\'');
                self.text.skip(2);
            } else if self.text.peek() == quote {
                return Ok(false);
            } else if self.text.break_at(1) > 0 {
                self.text.skip(1);
                self.text.skip_line();
                return Ok(true);
            } else {
                self.escape(out)?;
            }
        }
    }

    fn escape(&mut self, out: &mut String) -> Result<(), Fault> {
        let at = self.text.at;
        let digits = match self.text.ahead(1) {
            b'x' => 2,
            b'u' => 4,
            b'U' => 8,
            one => {
                out.push(match one {
                    b'0' => '\0',
                    b'a' => '\u{7}',
                    b'b' => '\u{8}',
                    b't' | b'\t' => '\t',
                    b'n' => '\n',
                    b'v' => '\u{b}',
                    b'f' => '\u{c}',
                    b'r' => '\r',
                    b'e' => '\u{1b}',
                    b' ' => ' ',
                    b'"' => '"',
                    b'\'' => '\'',
                    b'\\' => '\\',
                    b'N' => '\u{85}',
                    b'_' => '\u{a0}',
                    b'L' => '\u{2028}',
                    b'P' => '\u{2029}',
                    _ => return Err(Fault::syntax("found unknown escape character", at)),
                });
                self.text.skip(2);
                return Ok(());
            }
        };
        let mut code = 0_u32;
        for nth in 0..digits {
            let Some(digit) = char::from(self.text.ahead(2 + nth)).to_digit(16) else {
                return Err(Fault::syntax("did not find expected hexdecimal number", at));
            };
            code = code.wrapping_shl(4) | digit;
        }
        let Some(c) = char::from_u32(code) else {
            return Err(Fault::syntax("found invalid Unicode character escape code", at));
        };
        out.push(c);
        self.text.skip(2 + digits);
        Ok(())
    }

    /// Blanks and line breaks: one break is a blank, of more than one the first is dropped.
    fn fold(&mut self, out: &mut String, after_break: &mut bool) -> Result<(), Fault> {
        let from = self.text.at;
        let mut blanks = from;
        let (mut first, mut more) = ("", String::new());
        loop {
            if self.text.is_blank() {
                self.text.skip(1);
                if !*after_break {
                    blanks = self.text.at;
                }
            } else if self.text.is_break() {
                let line = self.text.take_line();
                if *after_break {
                    more.push_str(line);
                } else {
                    (first, *after_break) = (line, true);
                }
            } else {
                break;
            }
            self.bounded_gap(from)?;
        }
        if !*after_break {
            out.push_str(self.text.between(from, blanks));
        } else if first != "\n" {
            out.push_str(first);
            out.push_str(&more);
        } else if more.is_empty() {
            out.push(' ');
        } else {
            out.push_str(&more);
        }
        Ok(())
    }
}
