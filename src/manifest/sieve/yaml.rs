//! YAML, line by line: documents are cut as a stream is cut, items of a list where they begin.

use std::io::{self, BufRead};

use super::about::About;
use super::kept::Kept;

/// Which part of a document the lines belong to.
enum Part {
    /// No list, as far as is known.
    Whole,
    /// The items of a list, which are indented so far; not known before the first.
    Items(Option<usize>),
    /// What follows them.
    After,
}

struct Lines<'s> {
    about: &'s About,
    kept: &'s mut Kept,
    /// The lines of what is looked at, and the number of the first.
    text: Vec<u8>,
    start: u32,
    part: Part,
    /// Whether it is kept whatever is in it.
    odd: bool,
}

/// Keeps what may be about the node.
pub(super) fn sieve(
    reader: &mut impl BufRead,
    about: &About,
    kept: &mut Kept,
    first: bool,
) -> io::Result<()> {
    let mut lines = Lines { about, kept, text: Vec::new(), start: 0, part: Part::Whole, odd: false };
    let mut number = 0_u32;
    loop {
        let from = lines.text.len();
        if reader.read_until(b'\n', &mut lines.text)? == 0 {
            break;
        }
        lines.take(from, number)?;
        number = number.saturating_add(1);
        if first && !lines.kept.is_blank() {
            return Ok(());
        }
    }
    lines.end()
}

impl Lines<'_> {
    /// Looks at the line that begins at `from` of what is looked at.
    fn take(&mut self, from: usize, number: u32) -> io::Result<()> {
        let line = &self.text[from..];
        if let Some(after) = line.strip_prefix(b"---") {
            let after = after.trim_ascii();
            let odd = !after.is_empty() && after[0] != b'#';
            self.cut(from, number)?;
            (self.part, self.odd) = (Part::Whole, odd);
            return Ok(());
        }
        match self.part {
            Part::Whole if line.trim_ascii_end() == b"items:" => {
                self.odd = true;
                self.cut(self.text.len(), number + 1)?;
                (self.part, self.odd) = (Part::Items(None), false);
            }
            Part::Items(indent) => {
                let spaces = line.iter().take_while(|byte| **byte == b' ').count();
                let begins = is_dash(&line[spaces..]) && indent.is_none_or(|indent| indent == spaces);
                let blank = line.trim_ascii().is_empty() || line[spaces..].starts_with(b"#");
                if begins {
                    self.cut(from, number)?;
                    self.part = Part::Items(Some(spaces));
                } else if spaces == 0 && !blank {
                    self.cut(from, number)?;
                    (self.part, self.odd) = (Part::After, true);
                }
            }
            Part::Whole | Part::After => {}
        }
        Ok(())
    }

    /// Ends what is looked at before `at`, where the line `number` begins.
    fn cut(&mut self, at: usize, number: u32) -> io::Result<()> {
        let rest = self.text.split_off(at);
        self.end()?;
        self.text.extend(rest);
        self.start = number;
        Ok(())
    }

    fn end(&mut self) -> io::Result<()> {
        let indent = match self.part {
            Part::Items(Some(indent)) => Some(indent),
            _ => None,
        };
        let is_elsewhere = |kind| self.about.is_elsewhere(kind, &self.text);
        if !self.odd && kind(&self.text, indent).is_some_and(is_elsewhere) {
            self.kept.passed += 1;
        } else {
            self.kept.keep(&self.text, self.start)?;
        }
        self.text.clear();
        Ok(())
    }
}

fn is_dash(text: &[u8]) -> bool {
    text.first() == Some(&b'-') && text.get(1).is_none_or(u8::is_ascii_whitespace)
}

/// The kind that a document says it is of, or an item that is indented so far; `None` where it
/// does not say so plainly.
fn kind(text: &[u8], item: Option<usize>) -> Option<&[u8]> {
    let mut lines = text.split(|byte| *byte == b'\n');
    let mut found = None;
    let mut indent = 0;
    if let Some(before) = item {
        let line = lines.next()?;
        let blanks = line[before + 1..].iter().take_while(|byte| **byte == b' ').count();
        indent = before + 1 + blanks;
        found = value_of(&line[indent..]);
    }
    for line in lines {
        let at_level = line.len() > indent && line[..indent].iter().all(|byte| *byte == b' ');
        if at_level && let Some(kind) = value_of(&line[indent..]) {
            if found.is_some() {
                return None;
            }
            found = Some(kind);
        }
    }
    found
}

/// What stands on the line of the key `kind`.
fn value_of(line: &[u8]) -> Option<&[u8]> {
    let keys: [&[u8]; 3] = [b"kind:", b"\"kind\":", b"'kind':"];
    let value = keys.iter().find_map(|key| line.strip_prefix(*key))?;
    let value = value.windows(2).position(|two| two == b" #").map_or(value, |at| &value[..at]).trim_ascii();
    let quoted = [b'"', b'\''].iter().find_map(|quote| {
        value.strip_prefix(std::slice::from_ref(quote))?.strip_suffix(std::slice::from_ref(quote))
    });
    Some(quoted.unwrap_or(value))
}
