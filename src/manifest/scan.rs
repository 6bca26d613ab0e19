//! The outline of JSON text: where each entry of an object or list begins and ends.
//!
//! It finds the items of a large `List` so that each can be parsed on its own, and the
//! place of a field in an object that is already known to be JSON. It does not check
//! values (that is `serde_json`'s task) and never recurses.

use std::borrow::Cow;
use std::ops::Range;

/// An entry of an object or list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// The key with its quotes; `None` in a list.
    pub(super) key: Option<Range<usize>>,
    /// The value.
    pub(super) value: Range<usize>,
}

/// The first byte at or after `at` that is no white space.
pub(super) fn skip_space(text: &[u8], mut at: usize) -> usize {
    while matches!(text.get(at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
        at += 1;
    }
    at
}

/// The end of the value that starts at `at`, or `None` when its brackets or quotes do
/// not close.
pub(super) fn value_end(text: &[u8], at: usize) -> Option<usize> {
    match text.get(at)? {
        b'"' => string_end(text, at),
        b'{' | b'[' => {
            let mut depth = 0_usize;
            let mut at = at;
            loop {
                match text.get(at)? {
                    b'"' => {
                        at = string_end(text, at)?;
                        continue;
                    }
                    b'{' | b'[' => depth += 1,
                    b'}' | b']' => {
                        depth -= 1;
                        if depth == 0 {
                            return Some(at + 1);
                        }
                    }
                    _ => {}
                }
                at += 1;
            }
        }
        _ => {
            let rest = text.get(at..)?;
            let length = rest
                .iter()
                .position(|b| matches!(b, b',' | b'}' | b']' | b':' | b' ' | b'\t' | b'\n' | b'\r'));
            Some(at + length.unwrap_or(rest.len())).filter(|&end| end > at)
        }
    }
}

fn string_end(text: &[u8], at: usize) -> Option<usize> {
    let mut at = at + 1;
    loop {
        match text.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

/// The entries of the object or list that starts at a byte, one after the other.
/// After the last, [`Entries::end`] is the offset behind the closing bracket; it stays
/// `None` where the text is not as JSON wants it.
#[derive(Debug)]
pub(super) struct Entries<'t> {
    text: &'t [u8],
    at: usize,
    close: u8,
    first: bool,
    pub(super) end: Option<usize>,
}

impl<'t> Entries<'t> {
    /// `None` when neither an object nor a list starts at `at`.
    pub(super) fn new(text: &'t [u8], at: usize) -> Option<Self> {
        let close = match text.get(at)? {
            b'{' => b'}',
            b'[' => b']',
            _ => return None,
        };
        Some(Entries { text, at: at + 1, close, first: true, end: None })
    }

    /// The next entry's key and the start of its value.
    pub(super) fn next_start(&mut self) -> Option<(Option<Range<usize>>, usize)> {
        if self.end.is_some() {
            return None;
        }
        let text = self.text;
        let mut at = skip_space(text, self.at);
        if text.get(at) == Some(&self.close) {
            self.end = Some(at + 1);
            return None;
        }
        if !self.first {
            if text.get(at) != Some(&b',') {
                return None;
            }
            at = skip_space(text, at + 1);
        }
        self.first = false;
        if self.close == b']' {
            return Some((None, at));
        }
        if text.get(at) != Some(&b'"') {
            return None;
        }
        let key_end = string_end(text, at)?;
        let colon = skip_space(text, key_end);
        if text.get(colon) != Some(&b':') {
            return None;
        }
        Some((Some(at..key_end), skip_space(text, colon + 1)))
    }

    /// Says where the value ended that [`Entries::next_start`] found.
    pub(super) fn ended(&mut self, end: usize) {
        self.at = end;
    }
}

impl Iterator for Entries<'_> {
    type Item = Entry;

    fn next(&mut self) -> Option<Entry> {
        let (key, start) = self.next_start()?;
        let end = value_end(self.text, start)?;
        self.ended(end);
        Some(Entry { key, value: start..end })
    }
}

/// What a key with its quotes says.
pub(super) fn key_text<'t>(text: &'t str, key: &Range<usize>) -> Option<Cow<'t, str>> {
    let raw = &text[key.clone()];
    if raw.contains('\\') {
        return serde_json::from_str::<String>(raw).ok().map(Cow::Owned);
    }
    raw.get(1..raw.len() - 1).map(Cow::Borrowed)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn entries_are_found_and_their_end() {
        let text = r#" {"a": [1, "]"], "b\"": {"c": null} , "d":-1.5e3}x"#;
        let mut entries = Entries::new(text.as_bytes(), 1).unwrap();
        let found: Vec<&str> = entries.by_ref().map(|entry| &text[entry.value]).collect();
        assert_eq!(found, [r#"[1, "]"]"#, r#"{"c": null}"#, "-1.5e3"]);
        assert_eq!(&text[entries.end.unwrap()..], "x");
    }

    #[test]
    fn what_is_no_json_has_no_end() {
        for text in ["{", "{\"a\"", "{\"a\":1", "{\"a\":1,}", "[1 2]", "{a:1}", "[\"x"] {
            let mut entries = Entries::new(text.as_bytes(), 0).unwrap();
            entries.by_ref().for_each(drop);
            assert_eq!(entries.end, None, "{text}");
        }
    }
}
