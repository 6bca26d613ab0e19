//! JSON text -> values, with what Kubernetes refuses refused.
//!
//! `serde_json` does the work. On top of it, a key that stands twice is an error (it
//! would silently win), and so is an integer that 64 bits with a sign cannot hold.
//! A large `List` is cut into its items first, so each can be parsed on its own and a
//! broken one is found without giving up on the others' places.

use std::fmt;
use std::ops::Range;

use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::map::Entry;
use serde_json::{Map, Value};

use super::limits::Limits;
use super::problem::{Problem, Spot};
use super::scalar::number_of;
use super::scan::{self, Entries};
use super::source::Source;

/// A value of a stream of JSON values: where it stands, and where the items of a
/// `List` do, if it is one whose outline is sound.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Outline {
    pub(super) range: Range<usize>,
    /// The `items` with their brackets, and each item.
    pub(super) items: Option<(Range<usize>, Vec<Range<usize>>)>,
}

/// Finds the values of a stream, up to `most`. From a value whose outline is not sound, all that is
/// left is one value, for the parser to say what is wrong with it.
pub(super) fn split(text: &str, most: usize) -> Vec<Outline> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = scan::skip_space(bytes, 0);
    while at < bytes.len() && found.len() < most {
        let outline = outline(text, at).unwrap_or(Outline { range: at..bytes.len(), items: None });
        at = scan::skip_space(bytes, outline.range.end);
        found.push(outline);
    }
    found
}

fn outline(text: &str, at: usize) -> Option<Outline> {
    let bytes = text.as_bytes();
    if bytes.get(at) != Some(&b'{') {
        return Some(Outline { range: at..scan::value_end(bytes, at)?, items: None });
    }
    let mut entries = Entries::new(bytes, at)?;
    let mut is_list = false;
    let mut items = None;
    while let Some((key, start)) = entries.next_start() {
        let key = key?;
        let end = if bytes.get(start) == Some(&b'[') && scan::key_text(text, &key).as_deref() == Some("items")
        {
            let mut list = Entries::new(bytes, start)?;
            let ranges: Vec<Range<usize>> = list.by_ref().map(|entry| entry.value).collect();
            let end = list.end?;
            items = Some((start..end, ranges));
            end
        } else {
            let end = scan::value_end(bytes, start)?;
            if scan::key_text(text, &key).as_deref() == Some("kind") {
                is_list = text[start..end].ends_with("List\"");
            }
            end
        };
        entries.ended(end);
    }
    let end = entries.end?;
    Some(Outline { range: at..end, items: items.filter(|_| is_list) })
}

/// A value, and what kubectl takes in it without a word.
#[derive(Debug)]
pub(super) struct Parsed {
    pub(super) value: Value,
    pub(super) note: Option<Problem>,
}

/// Parses one value.
pub(super) fn parse(source: &Source, range: Range<usize>, limits: &Limits) -> Result<Parsed, Box<Problem>> {
    parse_text(&source.text[range.clone()], range.start, limits)
}

/// Parses a text that stands at the byte `base` of its file.
pub(super) fn parse_text(text: &str, base: usize, limits: &Limits) -> Result<Parsed, Box<Problem>> {
    let read = |text: &str, lenient: bool| {
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let value = Strict { limits, depth: 0, lenient }.deserialize(&mut deserializer)?;
        deserializer.end().map(|()| value)
    };
    match read(text, false) {
        Ok(value) => Ok(Parsed { value, note: None }),
        Err(error) => {
            let problem = problem(base, text, &error);
            let halves = problem.message.contains("hex escape") || problem.message.contains("surrogate");
            let again = match problem.code {
                "duplicate-key" | "number-too-large" => read(text, true),
                _ if halves => read(&without_halves(text), true),
                _ => Err(error),
            };
            match again {
                Ok(value) => Ok(Parsed { value, note: Some(problem) }),
                Err(_) => Err(Box::new(problem)),
            }
        }
    }
}

/// Halves of a pair of escapes are U+FFFD to kubectl.
fn without_halves(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let code = |at: usize| {
            let digits = rest.get(at..at + 6)?.strip_prefix("\\u")?;
            u32::from_str_radix(digits, 16).ok()
        };
        let (taken, mended) = match (code(0), code(6)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => (12, None),
            (Some(0xd800..=0xdfff), _) => (6, Some("\\ufffd")),
            _ => (rest.chars().take(2).map(char::len_utf8).sum(), None),
        };
        out.push_str(mended.unwrap_or(&rest[..taken]));
        rest = &rest[taken..];
    }
    out + rest
}

fn problem(base: usize, text: &str, error: &serde_json::Error) -> Problem {
    let at = offset(text, error.line(), error.column());
    let said = error.to_string();
    let said = said.rsplit_once(" at line ").map_or(said.as_str(), |(what, _)| what);
    if let Some((code, message)) = said.split_once("\u{0}") {
        let code = *OWN.iter().find(|own| **own == code).unwrap_or(&"json-syntax");
        let (start, end) = match text[..at].bytes().last() {
            Some(b'"') => (text[..at - 1].rfind('"').unwrap_or(at - 1), at),
            _ if code == "number-too-large" => (number_before(text, at), at),
            _ => (at.saturating_sub(1), at),
        };
        let problem = match code {
            // As it was written, not as it was read.
            "number-too-large" => too_large(&text[start..end]),
            "duplicate-key" => Problem::new(code, message).help("keep one of the two"),
            _ => Problem::new(code, message),
        };
        return problem.at(Spot::Bytes(base + start, base + end));
    }
    let spot = |start: usize, end: usize| Spot::Bytes(base + start, base + end);
    if said.contains("recursion limit") {
        return Problem::new("nesting", "lists and objects nest too deep").at(spot(at.saturating_sub(1), at));
    }
    if said.contains("out of range") {
        let start = number_before(text, at);
        return too_large(&text[start..at]).at(spot(start, at.max(start + 1)));
    }
    let mut start = at.saturating_sub(1);
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    let (message, help) = in_words(said, &text[start..]);
    let problem = Problem::new("json-syntax", message);
    let problem = if help.is_empty() { problem } else { problem.help(help) };
    problem.at(spot(start, at.max(start + word(&text[start..]).len())))
}

/// What serde_json said, and what to do, by what stands where it stopped.
fn in_words(said: &str, rest: &str) -> (String, String) {
    let plain = format!("this is no JSON: {said}");
    let told = |message: &str, help: &str| (message.to_owned(), help.to_owned());
    if rest.starts_with("//") || rest.starts_with("/*") || rest.starts_with('#') {
        return told("JSON has no comments", "remove it, or write YAML, which has comments after `#`");
    }
    if rest.starts_with("---") {
        return told(
            "values of JSON follow each other without `---`",
            "remove the line, or begin the text with `---`, so that it is YAML",
        );
    }
    if rest.starts_with('\'') {
        return told("JSON has no single quotes", "write \"...\" instead of '...'");
    }
    match (said, word(rest)) {
        ("trailing comma", _) => (plain, "remove the comma before the closing bracket".to_owned()),
        (said, _) if said.starts_with("EOF") => (plain, "the text ends too early: is it whole?".to_owned()),
        (said, _) if said.starts_with("control character") => {
            (plain, "write it as an escape, like \\n or \\t".to_owned())
        }
        (said, _) if said.contains("hex escape") || said.contains("surrogate") => {
            (plain, "a character beyond U+FFFF is two escapes, like \\ud83d\\ude00".to_owned())
        }
        ("key must be a string", _) => (
            plain,
            "put keys into double quotes; a text that starts with `{` is JSON, unless `---` stands before it"
                .to_owned(),
        ),
        (_, word @ ("NaN" | "Infinity" | "nan" | "inf")) => {
            (format!("JSON has no `{word}`"), "leave the field out".to_owned())
        }
        (_, "True" | "TRUE" | "False" | "FALSE" | "None" | "NULL" | "undefined") => {
            (plain, "write `true`, `false` or `null`".to_owned())
        }
        ("expected value", word) if word.starts_with(|c: char| c.is_ascii_alphabetic()) => {
            (plain, format!("put text into double quotes: \"{word}\""))
        }
        (said, _) if said.starts_with("expected `,` or") => {
            (plain, "is a comma missing before it?".to_owned())
        }
        _ => (plain, String::new()),
    }
}

/// The letters and digits at the start of a text, of which there may be too many to show.
fn word(text: &str) -> &str {
    const LONGEST: usize = 40;
    let end = text.bytes().take(LONGEST).position(|b| !b.is_ascii_alphanumeric()).unwrap_or(LONGEST);
    text.get(..end.min(text.len())).unwrap_or("")
}

/// Where the number starts that ends before a byte.
fn number_before(text: &str, end: usize) -> usize {
    let number = |b: &u8| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E');
    let length = text.as_bytes()[..end].iter().rev().take_while(|b| number(b)).count();
    end - length
}

fn too_large(written: &str) -> Problem {
    const LONGEST: usize = 40;
    let shown = match written.get(..LONGEST).filter(|_| written.len() > LONGEST) {
        Some(start) => format!("{start}…"),
        None => written.to_owned(),
    };
    Problem::new("number-too-large", format!("`{shown}` does not fit into 64 bits"))
        .help("quote it if it is meant as text")
}

/// The codes of the errors that [`Strict`] makes, before a NUL in serde's message.
const OWN: [&str; 4] = ["duplicate-key", "number-too-large", "nesting", "scalar-too-long"];

/// The byte offset of serde_json's line and column, both in bytes and from 1.
fn offset(text: &str, line: usize, column: usize) -> usize {
    let start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let mut at = (start + column).min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// Reads any value, refusing what would be read differently from how it was written.
#[derive(Clone, Copy)]
struct Strict<'l> {
    limits: &'l Limits,
    depth: usize,
    /// As kubectl reads it: of two keys the last, of a number what a float holds.
    lenient: bool,
}

impl Strict<'_> {
    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        if self.depth >= self.limits.depth {
            return Err(E::custom(format!(
                "nesting\0lists and objects nest deeper than {} levels",
                self.limits.depth
            )));
        }
        Ok(Strict { depth: self.depth + 1, ..self })
    }

    fn string<E: serde::de::Error>(self, text: &str) -> Result<(), E> {
        if text.len() <= self.limits.scalar_bytes {
            return Ok(());
        }
        let message = format!("a string is longer than the limit of {} bytes", self.limits.scalar_bytes);
        Err(E::custom(format!("scalar-too-long\0{message}")))
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Value, E> {
        match i64::try_from(value) {
            Ok(value) => Ok(value.into()),
            #[allow(clippy::cast_precision_loss)]
            Err(_) if self.lenient => Ok((value as f64).into()),
            Err(_) => Err(E::custom(format!("number-too-large\0`{value}` does not fit into 64 bits"))),
        }
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        if !self.lenient && value.fract() == 0.0 && value.abs() >= 9_223_372_036_854_775_808.0 {
            return Err(E::custom(format!("number-too-large\0`{value}` does not fit into 64 bits")));
        }
        Ok(number_of(value))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Value, E> {
        self.string::<E>(text)?;
        Ok(text.into())
    }

    fn visit_string<E: serde::de::Error>(self, text: String) -> Result<Value, E> {
        self.string::<E>(&text)?;
        Ok(text.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let inner = self.deeper::<A::Error>()?;
        let mut list = Vec::new();
        while let Some(value) = access.next_element_seed(inner)? {
            list.push(value);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let inner = self.deeper::<A::Error>()?;
        let mut map = Map::new();
        while let Some(key) = access.next_key::<String>()? {
            self.string::<A::Error>(&key)?;
            match map.entry(key) {
                Entry::Occupied(mut twice) if self.lenient => {
                    twice.insert(access.next_value_seed(inner)?);
                }
                Entry::Occupied(twice) => {
                    let key = twice.key();
                    return Err(A::Error::custom(format!(
                        "duplicate-key\0the key `{key}` stands twice in one object"
                    )));
                }
                Entry::Vacant(place) => drop(place.insert(access.next_value_seed(inner)?)),
            }
        }
        Ok(Value::Object(map))
    }
}
