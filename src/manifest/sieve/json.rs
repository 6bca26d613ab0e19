//! JSON, byte by byte: values one after the other, and the items of lists among them.

use std::io::{self, BufRead};

use serde::Deserialize;

use super::about::About;
use super::kept::{Kept, newlines};

/// Where in a value the bytes stand.
struct Bytes<'s> {
    about: &'s About,
    kept: &'s mut Kept,
    /// What is looked at, and the line that it has come to.
    text: Vec<u8>,
    line: u32,
    depth: usize,
    string: Option<Text>,
    /// The last string of the outermost object, and whether a `:` follows it.
    key: Vec<u8>,
    is_key: bool,
    /// The items of the list that is read, if it is one.
    items: Option<Items>,
}

/// A string that has begun.
struct Text {
    escaped: bool,
    from: usize,
}

/// The items of a list.
#[derive(Default)]
struct Items {
    /// Whether one was kept.
    any: bool,
    /// Where the item that is read begins in what is looked at: blanks and a comma come before.
    begin: Option<usize>,
}

/// Keeps what may be about the node.
pub(super) fn sieve(
    reader: &mut impl BufRead,
    about: &About,
    kept: &mut Kept,
    first: bool,
) -> io::Result<()> {
    let mut bytes = Bytes {
        about,
        kept,
        text: Vec::new(),
        line: 0,
        depth: 0,
        string: None,
        key: Vec::new(),
        is_key: false,
        items: None,
    };
    loop {
        let chunk = reader.fill_buf()?;
        if chunk.is_empty() {
            break;
        }
        let count = chunk.len();
        for byte in chunk {
            bytes.take(*byte)?;
        }
        reader.consume(count);
        if first && !bytes.kept.is_blank() && bytes.items.is_none() {
            return Ok(());
        }
    }
    bytes.keep()
}

impl Bytes<'_> {
    fn take(&mut self, byte: u8) -> io::Result<()> {
        self.text.push(byte);
        if byte == b'\n' {
            self.line = self.line.saturating_add(1);
        }
        if let Some(string) = &mut self.string {
            match byte {
                _ if string.escaped => string.escaped = false,
                b'\\' => string.escaped = true,
                b'"' => {
                    if self.depth == 1 {
                        self.key = self.text[string.from..self.text.len() - 1].to_vec();
                    }
                    self.string = None;
                }
                _ => {}
            }
            return Ok(());
        }
        match byte {
            b'"' => self.string = Some(Text { escaped: false, from: self.text.len() }),
            b'{' | b'[' => self.opens(byte)?,
            b'}' | b']' => self.closes()?,
            b':' if self.depth == 1 => self.is_key = true,
            b',' if self.depth == 1 => self.is_key = false,
            _ => {}
        }
        Ok(())
    }

    fn opens(&mut self, byte: u8) -> io::Result<()> {
        self.depth += 1;
        if let Some(items) = &mut self.items {
            if self.depth == 3 {
                items.begin = Some(self.text.len() - 1);
            }
        } else if self.depth == 2 && byte == b'[' && self.is_key && self.key == b"items" {
            self.keep()?;
            self.items = Some(Items::default());
        }
        Ok(())
    }

    fn closes(&mut self) -> io::Result<()> {
        self.depth = self.depth.saturating_sub(1);
        match (self.depth, &mut self.items) {
            (2, Some(items)) => items.begin.take().map_or(Ok(()), |begin| self.item(begin)),
            // The list ends; what follows belongs to what is around it.
            (1, Some(_)) => {
                self.items = None;
                self.is_key = false;
                self.keep()
            }
            (0, None) => self.value(),
            _ => Ok(()),
        }
    }

    /// An item of a list has ended.
    fn item(&mut self, begin: usize) -> io::Result<()> {
        let item = &self.text[begin..];
        let passed = kind(item).is_some_and(|kind| self.about.is_elsewhere(kind.as_bytes(), item));
        let items = self.items.get_or_insert_default();
        if passed {
            self.kept.passed += 1;
            self.text.clear();
            return Ok(());
        }
        let comma = self.text[..begin].iter().position(|byte| *byte == b',');
        match (items.any, comma) {
            // The comma stood behind one that is not kept.
            (false, Some(at)) => {
                self.text.remove(at);
            }
            (true, None) => self.text.insert(0, b','),
            _ => {}
        }
        items.any = true;
        self.keep()
    }

    /// A value of the stream has ended.
    fn value(&mut self) -> io::Result<()> {
        self.is_key = false;
        let begin = self.text.iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or(0);
        let value = &self.text[begin..];
        if kind(value).is_some_and(|kind| self.about.is_elsewhere(kind.as_bytes(), value)) {
            self.kept.passed += 1;
            self.text.clear();
            return Ok(());
        }
        self.keep()
    }

    fn keep(&mut self) -> io::Result<()> {
        let begins = self.line.saturating_sub(newlines(&self.text));
        self.kept.keep(&self.text, begins)?;
        self.text.clear();
        Ok(())
    }
}

/// The kind that a value says it is of.
fn kind(value: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Kinded {
        kind: String,
    }
    serde_json::from_slice(value).ok().map(|it: Kinded| it.kind)
}
