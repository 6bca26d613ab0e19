//! What stands before a value: anchors, aliases and tags.

use super::scanner::Scanner;
use super::{Fault, Kind, Token};

/// What `!!` stands for.
const CORE: &str = "tag:yaml.org,2002:";

impl<'t> Scanner<'t> {
    pub(super) fn anchor(&mut self) -> Result<Token<'t>, Fault> {
        let start = self.text.at;
        let alias = self.text.peek() == b'*';
        self.text.skip(1);
        let name = self.name();
        self.bounded(name.len(), start)?;
        let ended = self.text.is_space_at(0)
            || matches!(self.text.peek(), b'?' | b':' | b',' | b']' | b'}' | b'%' | b'@' | b'`');
        if name.is_empty() || !ended {
            return Err(Fault::syntax("did not find expected alphabetic or numeric character", start));
        }
        let kind = if alias { Kind::Alias(name) } else { Kind::Anchor(name) };
        Ok(Token { kind, start, end: self.text.at })
    }

    /// `%YAML 1.1` or `%TAG !a! b`, which are read over: kubectl never gets to use them.
    pub(super) fn directive(&mut self) -> Result<Token<'t>, Fault> {
        let start = self.text.at;
        self.text.skip(1);
        let name = self.name();
        if name.is_empty() || !self.text.is_space_at(0) {
            return Err(Fault::syntax("could not find expected directive name", start));
        }
        self.skip_blanks();
        // Whether it is one, and whether a comment may follow without a space.
        let (sound, ended) = match name {
            "YAML" => {
                let major = self.name();
                let is_parted = self.text.peek() == b'.';
                if is_parted {
                    self.text.skip(1);
                }
                let minor = self.name();
                (is_parted && is_version(major) && is_version(minor), self.text.peek() == b'#')
            }
            "TAG" => {
                let is_handle = self.text.peek() == b'!';
                self.uri_or_nothing("", start)?;
                self.skip_blanks();
                (is_handle && !self.uri_or_nothing("", start)?.is_empty(), false)
            }
            _ => return Err(Fault::syntax("found unknown directive name", start)),
        };
        let ended = ended || self.text.is_space_at(0);
        self.skip_blanks();
        if self.text.peek() == b'#' {
            self.text.skip_to_break();
        }
        if !sound || !ended || !self.text.is_break_or_end() {
            return Err(Fault::syntax("did not find expected comment or line break", start));
        }
        Ok(Token { kind: Kind::Directive, start, end: self.text.at })
    }

    fn skip_blanks(&mut self) {
        while self.text.is_blank() {
            self.text.skip(1);
        }
    }

    /// Letters, digits, `_` and `-`.
    fn name(&mut self) -> &'t str {
        let from = self.text.at;
        let mut length = 0;
        while self.text.ahead(length).is_ascii_alphanumeric()
            || matches!(self.text.ahead(length), b'_' | b'-')
        {
            length += 1;
        }
        self.text.skip(length);
        self.text.between(from, self.text.at)
    }

    pub(super) fn tag(&mut self) -> Result<Token<'t>, Fault> {
        let start = self.text.at;
        let tag = if self.text.ahead(1) == b'<' {
            self.text.skip(2);
            let uri = self.uri("", start)?;
            if self.text.peek() != b'>' {
                return Err(Fault::syntax("did not find the expected '>'", start));
            }
            self.text.skip(1);
            Some(uri)
        } else {
            self.text.skip(1);
            let name = self.name();
            if self.text.peek() == b'!' {
                self.text.skip(1);
                let suffix = self.uri("", start)?;
                // Other handles than `!!` come from directives, and none are read.
                name.is_empty().then(|| format!("{CORE}{suffix}"))
            } else {
                Some(format!("!{}", self.uri_or_nothing(name, start)?))
            }
        };
        if !self.text.is_space_at(0) {
            return Err(Fault::syntax("did not find expected whitespace or line break", start));
        }
        Ok(Token { kind: Kind::Tag(tag), start, end: self.text.at })
    }

    fn uri(&mut self, head: &str, start: usize) -> Result<String, Fault> {
        let uri = self.uri_or_nothing(head, start)?;
        if uri.is_empty() {
            return Err(Fault::syntax("did not find expected tag URI", start));
        }
        Ok(uri)
    }

    fn uri_or_nothing(&mut self, head: &str, start: usize) -> Result<String, Fault> {
        let mut bytes = head.as_bytes().to_vec();
        loop {
            let byte = self.text.peek();
            let taken = match byte {
                b'%' => {
                    let digit = |by| char::from(self.text.ahead(by)).to_digit(16);
                    let octet = digit(1).zip(digit(2)).and_then(|(a, b)| u8::try_from(a * 16 + b).ok());
                    let Some(octet) = octet else {
                        return Err(Fault::syntax("did not find URI escaped octet", start));
                    };
                    bytes.push(octet);
                    3
                }
                b'_' | b'-' | b';' | b'/' | b'?' | b':' | b'@' | b'&' | b'=' | b'+' | b'$' | b',' | b'.'
                | b'!' | b'~' | b'*' | b'\'' | b'(' | b')' | b'[' | b']' => {
                    bytes.push(byte);
                    1
                }
                _ if byte.is_ascii_alphanumeric() => {
                    bytes.push(byte);
                    1
                }
                _ => break,
            };
            self.text.skip(taken);
            self.bounded(bytes.len(), start)?;
        }
        String::from_utf8(bytes).map_err(|_| Fault::syntax("found an incorrect trailing UTF-8 octet", start))
    }
}

/// A number of one or two digits, as libyaml takes them.
fn is_version(text: &str) -> bool {
    matches!(text.len(), 1 | 2) && text.bytes().all(|byte| byte.is_ascii_digit())
}
