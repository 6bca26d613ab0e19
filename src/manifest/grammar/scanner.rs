//! Text -> tokens: what a character starts, where keys and blocks begin and end.
//!
//! Only when a `:` comes is it known that what stands before it was a key, and that a
//! mapping began there: where one may begin is remembered for each bracket that is open
//! (a simple key: on one line, within 1,024 characters), and the tokens wait until it is
//! settled.

use std::collections::VecDeque;

use super::text::Text;
use super::{Bounds, Fault, Kind, Token, What};

/// How far a key may be from its `:`, in characters.
const LONGEST_KEY: usize = 1024;

#[derive(Debug)]
pub(super) struct Scanner<'t> {
    pub(super) text: Text<'t>,
    pub(super) bounds: Bounds,
    tokens: VecDeque<Token<'t>>,
    /// Tokens that were taken.
    taken: usize,
    /// The column of the block that is open, and of those around it; -1 outside of all.
    pub(super) indent: isize,
    indents: Vec<isize>,
    /// For the text outside of brackets, and for each open bracket: where a key may have begun.
    keys: Vec<Option<SimpleKey>>,
    pub(super) key_allowed: bool,
    ended: bool,
    /// Whether the first token is known to be the next one.
    ready: bool,
}

#[derive(Debug, Clone, Copy)]
struct SimpleKey {
    /// Outside of brackets at the indentation of the block nothing but a key can stand.
    required: bool,
    token: usize,
    at: usize,
    index: usize,
    line: usize,
    column: usize,
}

impl<'t> Scanner<'t> {
    pub(super) fn new(text: &'t str, bounds: Bounds) -> Self {
        Scanner {
            text: Text::new(text),
            bounds,
            tokens: VecDeque::new(),
            taken: 0,
            indent: -1,
            indents: Vec::new(),
            keys: vec![None],
            key_allowed: true,
            ended: false,
            ready: false,
        }
    }

    /// The next token, which stays. After the last there is no end of [`Kind::End`].
    pub(super) fn peek(&mut self) -> Result<&Token<'t>, Fault> {
        if !self.ready {
            while !self.is_settled()? {
                self.fetch()?;
            }
            let end = self.text.at;
            if self.tokens.is_empty() {
                self.tokens.push_back(Token { kind: Kind::End, start: end, end });
            }
            self.ready = true;
        }
        Ok(&self.tokens[0])
    }

    /// Takes the token that was looked at.
    pub(super) fn take(&mut self) -> Option<Token<'t>> {
        self.taken += 1;
        self.ready = false;
        self.tokens.pop_front()
    }

    /// Whether the first token is there, and none can come before it any more.
    fn is_settled(&mut self) -> Result<bool, Fault> {
        if self.tokens.is_empty() {
            return Ok(self.ended);
        }
        self.forget_stale()?;
        Ok(!self.keys.iter().flatten().any(|key| key.token == self.taken))
    }

    pub(super) fn in_flow(&self) -> bool {
        self.keys.len() > 1
    }

    fn fetch(&mut self) -> Result<(), Fault> {
        self.skip_to_token()?;
        self.forget_stale()?;
        self.close_blocks(self.column());
        if self.text.is_end() {
            self.close_blocks(-1);
            self.drop_key()?;
            self.key_allowed = false;
            self.ended = true;
            self.push(Kind::End, self.text.at);
            return Ok(());
        }
        let first = self.text.peek();
        let spaced = self.text.is_space_at(1);
        if self.text.column() == 0 && first == b'%' {
            self.close_blocks(-1);
            self.drop_key()?;
            self.key_allowed = false;
            let token = self.directive()?;
            self.tokens.push_back(token);
            return Ok(());
        }
        if self.text.is_document_indicator() {
            self.close_blocks(-1);
            self.drop_key()?;
            self.key_allowed = false;
            let kind = if first == b'-' { Kind::DocumentStart } else { Kind::DocumentEnd };
            self.mark(kind, 3);
            return Ok(());
        }
        let flow = self.in_flow();
        match first {
            b'[' => self.open(Kind::FlowSequenceStart),
            b'{' => self.open(Kind::FlowMappingStart),
            b']' => self.close(Kind::FlowSequenceEnd),
            b'}' => self.close(Kind::FlowMappingEnd),
            b',' => {
                self.drop_key()?;
                self.key_allowed = true;
                self.mark(Kind::FlowEntry, 1);
                Ok(())
            }
            b'-' if spaced => self.entry(),
            b'?' if flow || spaced => self.key(),
            b':' if flow || spaced => self.value(),
            b'*' | b'&' => self.scalar_like(Self::anchor),
            b'!' => self.scalar_like(Self::tag),
            b'|' | b'>' if !flow => {
                self.drop_key()?;
                self.key_allowed = true;
                let token = self.block_scalar()?;
                self.tokens.push_back(token);
                Ok(())
            }
            b'\'' | b'"' => self.scalar_like(Self::quoted),
            b'-' => self.scalar_like(Self::plain),
            b'?' | b':' if !flow => self.scalar_like(Self::plain),
            b'?' | b':' | b'#' | b'|' | b'>' | b'%' | b'@' | b'`' | b' ' | b'\t' => {
                Err(Fault::syntax("found character that cannot start any token", self.text.at))
            }
            _ => self.scalar_like(Self::plain),
        }
    }

    fn column(&self) -> isize {
        isize::try_from(self.text.column()).unwrap_or(isize::MAX)
    }

    fn push(&mut self, kind: Kind<'t>, start: usize) {
        self.tokens.push_back(Token { kind, start, end: self.text.at });
    }

    /// A token of so many bytes.
    fn mark(&mut self, kind: Kind<'t>, bytes: usize) {
        let start = self.text.at;
        self.text.skip(bytes);
        self.push(kind, start);
    }

    /// Goes over blanks, comments and line breaks. A tab is no blank where a key may begin.
    fn skip_to_token(&mut self) -> Result<(), Fault> {
        let start = self.text.at;
        loop {
            while self.text.peek() == b' '
                || self.text.peek() == b'\t' && (self.in_flow() || !self.key_allowed)
            {
                self.text.skip(1);
            }
            if self.text.peek() == b'#' {
                self.text.skip_to_break();
            }
            self.bounded_gap(start)?;
            if !self.text.is_break() {
                return Ok(());
            }
            self.text.skip_line();
            if !self.in_flow() {
                self.key_allowed = true;
            }
        }
    }

    /// What began on another line, or too far away, is no key; where only a key can be, that
    /// is a fault.
    fn forget_stale(&mut self) -> Result<(), Fault> {
        let (line, index) = (self.text.line, self.text.index());
        for key in &mut self.keys {
            if let Some(known) = key
                && (known.line < line || known.index + LONGEST_KEY < index)
            {
                if known.required {
                    return Err(Fault::syntax("could not find expected ':'", known.at));
                }
                *key = None;
            }
        }
        Ok(())
    }

    /// A key may begin here.
    fn save_key(&mut self) -> Result<(), Fault> {
        if self.key_allowed {
            self.drop_key()?;
            let key = SimpleKey {
                required: !self.in_flow() && self.indent == self.column(),
                token: self.taken + self.tokens.len(),
                at: self.text.at,
                index: self.text.index(),
                line: self.text.line,
                column: self.text.column(),
            };
            if let Some(last) = self.keys.last_mut() {
                *last = Some(key);
            }
        }
        Ok(())
    }

    fn drop_key(&mut self) -> Result<(), Fault> {
        match self.keys.last_mut().and_then(Option::take) {
            Some(key) if key.required => Err(Fault::syntax("could not find expected ':'", key.at)),
            _ => Ok(()),
        }
    }

    /// Begins a block at a column, if it is deeper than the one that is open; its token
    /// comes before the one with the number.
    fn open_block(&mut self, column: isize, before: Option<usize>, kind: Kind<'t>, at: usize) {
        if self.in_flow() || self.indent >= column {
            return;
        }
        self.indents.push(self.indent);
        self.indent = column;
        let place = before.map_or(self.tokens.len(), |token| token - self.taken);
        self.tokens.insert(place, Token { kind, start: at, end: at });
    }

    fn close_blocks(&mut self, column: isize) {
        while !self.in_flow() && self.indent > column {
            self.push(Kind::BlockEnd, self.text.at);
            self.indent = self.indents.pop().unwrap_or(-1);
        }
    }

    fn open(&mut self, kind: Kind<'t>) -> Result<(), Fault> {
        self.save_key()?;
        self.keys.push(None);
        self.key_allowed = true;
        self.mark(kind, 1);
        Ok(())
    }

    fn close(&mut self, kind: Kind<'t>) -> Result<(), Fault> {
        self.drop_key()?;
        if self.in_flow() {
            self.keys.pop();
        }
        self.key_allowed = false;
        self.mark(kind, 1);
        Ok(())
    }

    fn entry(&mut self) -> Result<(), Fault> {
        if !self.in_flow() {
            if !self.key_allowed {
                let says = "block sequence entries are not allowed in this context";
                return Err(Fault::syntax(says, self.text.at));
            }
            self.open_block(self.column(), None, Kind::BlockSequenceStart, self.text.at);
        }
        self.drop_key()?;
        self.key_allowed = true;
        self.mark(Kind::BlockEntry, 1);
        Ok(())
    }

    fn key(&mut self) -> Result<(), Fault> {
        if !self.in_flow() {
            if !self.key_allowed {
                return Err(Fault::syntax("mapping keys are not allowed in this context", self.text.at));
            }
            self.open_block(self.column(), None, Kind::BlockMappingStart, self.text.at);
        }
        self.drop_key()?;
        self.key_allowed = !self.in_flow();
        self.mark(Kind::Key, 1);
        Ok(())
    }

    fn value(&mut self) -> Result<(), Fault> {
        if let Some(key) = self.keys.last_mut().and_then(Option::take) {
            let token = Token { kind: Kind::Key, start: key.at, end: key.at };
            self.tokens.insert(key.token - self.taken, token);
            let column = isize::try_from(key.column).unwrap_or(isize::MAX);
            self.open_block(column, Some(key.token), Kind::BlockMappingStart, key.at);
            self.key_allowed = false;
        } else {
            if !self.in_flow() {
                if !self.key_allowed {
                    let says = "mapping values are not allowed in this context";
                    return Err(Fault::syntax(says, self.text.at));
                }
                self.open_block(self.column(), None, Kind::BlockMappingStart, self.text.at);
            }
            self.key_allowed = !self.in_flow();
        }
        self.mark(Kind::Value, 1);
        Ok(())
    }

    /// What may be a key, and has none after it on its line without a `:`.
    fn scalar_like(&mut self, scan: fn(&mut Self) -> Result<Token<'t>, Fault>) -> Result<(), Fault> {
        self.save_key()?;
        self.key_allowed = false;
        let token = scan(self)?;
        self.tokens.push_back(token);
        Ok(())
    }

    /// A fault if what began at a byte is longer than a scalar or a name may be.
    #[inline]
    pub(super) fn bounded(&self, length: usize, start: usize) -> Result<(), Fault> {
        if length > self.bounds.scalar {
            return Err(Fault { what: What::TooLong, at: start });
        }
        Ok(())
    }

    /// A fault if too much of nothing stands between a byte and here.
    #[inline]
    pub(super) fn bounded_gap(&self, from: usize) -> Result<(), Fault> {
        if self.text.at - from > self.bounds.gap {
            return Err(Fault { what: What::Endless, at: from });
        }
        Ok(())
    }
}
