//! Scalars after `|` and `>`: lines at their own indentation.

use std::borrow::Cow;

use super::scanner::Scanner;
use super::{Fault, Kind, Token};

/// What becomes of the line breaks at the end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Chomping {
    Clip,
    Strip,
    Keep,
}

impl<'t> Scanner<'t> {
    pub(super) fn block_scalar(&mut self) -> Result<Token<'t>, Fault> {
        let start = self.text.at;
        let literal = self.text.peek() == b'|';
        self.text.skip(1);
        let (chomping, increment) = self.header(start)?;
        let mut end = self.text.at;
        let outer = usize::try_from(self.indent.max(0)).unwrap_or(0);
        let mut indent = increment.map_or(0, |increment| outer + increment);
        let mut text = String::new();
        let mut trailing = String::new();
        self.breaks(&mut indent, &mut trailing, &mut end)?;
        let mut leading = "";
        let mut was_blank = false;
        while self.text.column() == indent && !self.text.is_end() {
            let is_blank = self.text.is_blank();
            if !literal && leading == "\n" && !was_blank && !is_blank {
                if trailing.is_empty() {
                    text.push(' ');
                }
            } else {
                text.push_str(leading);
            }
            text.push_str(&trailing);
            trailing.clear();
            was_blank = is_blank;
            let from = self.text.at;
            self.text.skip_to_break();
            text.push_str(self.text.between(from, self.text.at));
            self.bounded(text.len(), start)?;
            leading = if self.text.is_end() { "" } else { self.text.take_line() };
            self.breaks(&mut indent, &mut trailing, &mut end)?;
        }
        if chomping != Chomping::Strip {
            text.push_str(leading);
        }
        if chomping == Chomping::Keep {
            text.push_str(&trailing);
        }
        Ok(Token { kind: Kind::Scalar { text: Cow::Owned(text), plain: false }, start, end })
    }

    /// What stands after `|` or `>` on its line: how to end, how deep it is.
    fn header(&mut self, start: usize) -> Result<(Chomping, Option<usize>), Fault> {
        let mut chomping = None;
        let mut increment = None;
        for _ in 0..2 {
            match self.text.peek() {
                b'+' if chomping.is_none() => chomping = Some(Chomping::Keep),
                b'-' if chomping.is_none() => chomping = Some(Chomping::Strip),
                b'0' if increment.is_none() => {
                    return Err(Fault::syntax("found an indentation indicator equal to 0", start));
                }
                digit @ b'1'..=b'9' if increment.is_none() => increment = Some(usize::from(digit - b'0')),
                _ => break,
            }
            self.text.skip(1);
        }
        while self.text.is_blank() {
            self.text.skip(1);
        }
        if self.text.peek() == b'#' {
            self.text.skip_to_break();
        }
        if !self.text.is_break_or_end() {
            return Err(Fault::syntax("did not find expected comment or line break", self.text.at));
        }
        if self.text.is_break() {
            self.text.skip_line();
        }
        Ok((chomping.unwrap_or(Chomping::Clip), increment))
    }

    /// Goes over indentation and empty lines; the first line that is not empty says how deep
    /// the scalar is, if its header did not.
    fn breaks(&mut self, indent: &mut usize, out: &mut String, end: &mut usize) -> Result<(), Fault> {
        *end = self.text.at;
        let from = self.text.at;
        let mut deepest = 0;
        loop {
            let open = |column: usize, indent: usize| indent == 0 || column < indent;
            while open(self.text.column(), *indent) && self.text.peek() == b' ' {
                self.text.skip(1);
            }
            deepest = deepest.max(self.text.column());
            if open(self.text.column(), *indent) && self.text.peek() == b'\t' {
                let says = "found a tab character where an indentation space is expected";
                return Err(Fault::syntax(says, self.text.at));
            }
            if !self.text.is_break() {
                break;
            }
            out.push_str(self.text.take_line());
            *end = self.text.at;
            self.bounded_gap(from)?;
        }
        if *indent == 0 {
            let least = usize::try_from(self.indent + 1).unwrap_or(0).max(1);
            *indent = deepest.max(least);
        }
        Ok(())
    }
}
