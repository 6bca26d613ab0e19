//! YAML text -> values, as Kubernetes reads YAML.
//!
//! A stream is cut at its `---` lines first, as kubectl does, so that one broken
//! document does not hide the others. Each piece is parsed into events by
//! `saphyr-parser`; what the events mean (booleans, merge keys, aliases) is decided
//! here, with bounds on depth, string length and what aliases expand to. Line and
//! column come with the events; nothing else is kept of the text.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Span, Tag};
use serde_json::{Map, Value};

use super::limits::Limits;
use super::problem::{Problem, Spot};
use super::scalar::{self, Refusal};
use super::source::{Mark, clamp};
use crate::diagnostic::Severity;

/// A piece of a stream between two `---` lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chunk {
    /// Where it stands in the text.
    pub(super) range: Range<usize>,
    /// How many lines stand before it.
    pub(super) lines_before: u32,
}

/// One document: its value, where it starts, and where each of its `items` does.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) value: Value,
    pub(super) start: Mark,
    pub(super) items: Vec<Mark>,
}

/// Cuts a stream at its `---` lines. A piece that only has directives (`%YAML`) stays
/// with the document that they are for. Gives up after `most` pieces.
pub(super) fn split(text: &str, most: usize) -> Vec<Chunk> {
    let mut chunks = Vec::new();
    let (mut start, mut lines_before, mut offset, mut line) = (0, 0, 0, 0_u32);
    let mut only_directives = true;
    let mut directives = false;
    for raw in text.split_inclusive('\n') {
        let separator = raw.strip_prefix("---").is_some_and(|rest| {
            let rest = rest.trim();
            rest.is_empty() || rest.starts_with('#')
        });
        if separator && !(directives && only_directives) {
            if !text[start..offset].trim().is_empty() {
                chunks.push(Chunk { range: start..offset, lines_before });
            }
            if chunks.len() >= most {
                return chunks;
            }
            (start, lines_before) = (offset + raw.len(), line + 1);
            (only_directives, directives) = (true, false);
        } else if separator {
            only_directives = false;
        } else if raw.starts_with('%') {
            directives = true;
        } else if !raw.trim().is_empty() && !raw.starts_with('#') {
            only_directives = false;
        }
        offset += raw.len();
        line = line.saturating_add(1);
    }
    if !text[start..].trim().is_empty() {
        chunks.push(Chunk { range: start..text.len(), lines_before });
    }
    chunks
}

/// Parses one piece. Documents that are whole are kept when a later one is broken.
pub(super) fn parse(text: &str, lines_before: u32, limits: &Limits) -> (Vec<Document>, Vec<Problem>) {
    let mut builder = Builder {
        limits,
        lines_before,
        stack: Vec::new(),
        anchors: HashMap::new(),
        expanded: 0,
        root: None,
        items: Vec::new(),
        start: Mark::default(),
        problems: Vec::new(),
    };
    let mut documents = Vec::new();
    let mut parser = Parser::new_from_str(text);
    while let Some(event) = parser.next_event() {
        let (event, span) = match event {
            Ok(event) => event,
            Err(error) => {
                builder.problems.push(syntax(&error, lines_before));
                break;
            }
        };
        if matches!(event, Event::DocumentEnd) {
            let value = builder.root.take().unwrap_or(Value::Null);
            let items = std::mem::take(&mut builder.items);
            documents.push(Document { value, start: builder.start, items });
            builder.anchors.clear();
            builder.expanded = 0;
        } else if let Err(problem) = builder.event(event, span) {
            builder.problems.push(*problem);
            break;
        }
    }
    (documents, builder.problems)
}

struct Builder<'l> {
    limits: &'l Limits,
    lines_before: u32,
    stack: Vec<Frame>,
    anchors: HashMap<usize, Value>,
    /// Bytes that came from aliases and merges in this document.
    expanded: usize,
    root: Option<Value>,
    items: Vec<Mark>,
    start: Mark,
    problems: Vec<Problem>,
}

struct Frame {
    anchor: usize,
    open: Open,
}

enum Open {
    List(Vec<Value>),
    Mapping { map: Map<String, Value>, key: Option<Key>, merged: BTreeSet<String> },
}

enum Key {
    Name(String),
    Merge,
}

type Step = Result<(), Box<Problem>>;

impl Builder<'_> {
    fn event(&mut self, event: Event<'_>, span: Span) -> Step {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.scalar(&text, style, anchor, tag.as_deref(), span)
            }
            Event::SequenceStart(anchor, _) => self.open(anchor, Open::List(Vec::new()), span),
            Event::MappingStart(anchor, _) => {
                self.open(anchor, Open::Mapping { map: Map::new(), key: None, merged: BTreeSet::new() }, span)
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(frame) = self.stack.pop() else { return Ok(()) };
                let value = match frame.open {
                    Open::List(list) => Value::Array(list),
                    Open::Mapping { map, .. } => Value::Object(map),
                };
                self.keep(frame.anchor, &value, span)?;
                self.place(value, span)
            }
            Event::Alias(anchor) => self.alias(anchor, span),
            _ => Ok(()),
        }
    }

    /// Notes where a document or a list's item starts.
    fn begin(&mut self, span: Span) {
        let mark = mark_of(span.start, span.len(), self.lines_before);
        if self.stack.is_empty() {
            self.start = mark;
        } else if let [
            Frame { open: Open::Mapping { key: Some(Key::Name(key)), .. }, .. },
            Frame { open: Open::List(_), .. },
        ] = self.stack.as_slice()
            && key == "items"
        {
            self.items.push(mark);
        }
    }

    fn open(&mut self, anchor: usize, open: Open, span: Span) -> Step {
        self.begin(span);
        if let Some(Frame { open: Open::Mapping { key: None, .. }, .. }) = self.stack.last() {
            return Err(self.problem(
                span,
                Problem::new("mapping-key", "a mapping or a list cannot be a key")
                    .help("keys are plain words; a value with `{` must be quoted: \"{...}\""),
            ));
        }
        if self.stack.len() >= self.limits.depth {
            return Err(self.too_deep(span));
        }
        self.stack.push(Frame { anchor, open });
        Ok(())
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        anchor: usize,
        tag: Option<&Tag>,
        span: Span,
    ) -> Step {
        self.begin(span);
        if text.len() > self.limits.scalar_bytes {
            let message = format!(
                "a string of {} bytes is longer than the limit of {}",
                text.len(),
                self.limits.scalar_bytes
            );
            return Err(self.problem(span, Problem::new("scalar-too-long", message)));
        }
        let plain = style == ScalarStyle::Plain;
        if let Some(Frame { open: Open::Mapping { key: key @ None, .. }, .. }) = self.stack.last_mut()
            && plain
            && tag.is_none()
            && text == "<<"
        {
            *key = Some(Key::Merge);
            return Ok(());
        }
        let value = match tag {
            None if plain => scalar::resolve(text),
            None => Ok(Value::from(text)),
            Some(tag) if tag.is_yaml_core_schema() => scalar::resolve_tagged(&tag.suffix, text),
            Some(_) => Ok(Value::from(text)),
        };
        let value = match value {
            Ok(value) => value,
            Err(refusal) => return Err(self.problem(span, refused(refusal, text, tag))),
        };
        if let (Value::Bool(read), Some(Frame { open: Open::Mapping { key: None, .. }, .. })) =
            (&value, self.stack.last())
            && !matches!(text, "true" | "false")
        {
            let message = format!("the key `{text}` is a boolean in YAML and becomes `{read}`");
            let mut problem = Problem::new("boolean-key", message).help(format!("quote it: \"{text}\""));
            problem.severity = Severity::Warning;
            let problem = self.problem(span, problem);
            self.problems.push(*problem);
        }
        self.keep(anchor, &value, span)?;
        self.place(value, span)
    }

    fn alias(&mut self, anchor: usize, span: Span) -> Step {
        self.begin(span);
        let Some(value) = self.anchors.get(&anchor).cloned() else {
            return Err(self.problem(
                span,
                Problem::new("recursive-alias", "an alias stands inside the value that it is an alias of")
                    .help("write the value out"),
            ));
        };
        let (bytes, depth) = measure(&value);
        self.charge(bytes, span)?;
        if self.stack.len() + depth > self.limits.depth {
            return Err(self.too_deep(span));
        }
        self.place(value, span)
    }

    /// Keeps the value of an anchor for its aliases.
    fn keep(&mut self, anchor: usize, value: &Value, span: Span) -> Step {
        if anchor > 0 {
            self.charge(measure(value).0, span)?;
            self.anchors.insert(anchor, value.clone());
        }
        Ok(())
    }

    fn charge(&mut self, bytes: usize, span: Span) -> Step {
        self.expanded = self.expanded.saturating_add(bytes);
        if self.expanded <= self.limits.alias_bytes {
            return Ok(());
        }
        let message = format!("aliases expand to more than {} bytes", self.limits.alias_bytes);
        Err(self.problem(
            span,
            Problem::new("alias-expansion", message)
                .help("write the value out where it is needed, or use fewer aliases"),
        ))
    }

    /// Puts a finished value where it belongs: into the list or mapping that is open.
    fn place(&mut self, value: Value, span: Span) -> Step {
        let Some(frame) = self.stack.last_mut() else {
            self.root = Some(value);
            return Ok(());
        };
        match &mut frame.open {
            Open::List(list) => list.push(value),
            Open::Mapping { map, key, merged } => match key.take() {
                None => match key_text(&value) {
                    Some(text) if map.contains_key(&text) && !merged.contains(&text) => {
                        let problem = Problem::new(
                            "duplicate-key",
                            format!("the key `{text}` stands twice in one mapping"),
                        )
                        .help("keep one of the two; a second one would silently replace the first");
                        *key = Some(Key::Name(text));
                        let problem = self.problem(span, problem);
                        self.problems.push(*problem);
                    }
                    Some(text) => *key = Some(Key::Name(text)),
                    None => {
                        let problem = Problem::new("mapping-key", "a key must be a string")
                            .help("quote the key, or remove a `:` that stands alone");
                        return Err(self.problem(span, problem));
                    }
                },
                Some(Key::Name(name)) => {
                    merged.remove(&name);
                    map.insert(name, value);
                }
                Some(Key::Merge) => {
                    let sources = match value {
                        Value::Object(source) => vec![Value::Object(source)],
                        // Earlier ones win over later ones, so they are merged last.
                        Value::Array(list) => list.into_iter().rev().collect(),
                        other => vec![other],
                    };
                    for source in sources {
                        let Value::Object(source) = source else {
                            let problem =
                                Problem::new("merge-key", "`<<` needs a mapping or a list of mappings").help(
                                    "`<<: *name` takes the keys of a mapping that was anchored with `&name`",
                                );
                            return Err(self.problem(span, problem));
                        };
                        for (name, value) in source {
                            merged.insert(name.clone());
                            map.insert(name, value);
                        }
                    }
                }
            },
        }
        Ok(())
    }

    fn too_deep(&self, span: Span) -> Box<Problem> {
        self.problem(
            span,
            Problem::new(
                "nesting",
                format!("lists and mappings nest deeper than {} levels", self.limits.depth),
            ),
        )
    }

    fn problem(&self, span: Span, problem: Problem) -> Box<Problem> {
        Box::new(problem.at(Spot::Mark(mark_of(span.start, span.len(), self.lines_before))))
    }
}

/// What a key becomes in JSON, where all keys are strings.
pub(super) fn key_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        _ => None,
    }
}

/// Bytes that a value takes, roughly, and how deep it nests.
fn measure(value: &Value) -> (usize, usize) {
    const NODE: usize = 64;
    let fold =
        |(bytes, depth): (usize, usize), (more, deep): (usize, usize)| (bytes + more, depth.max(deep + 1));
    match value {
        Value::String(text) => (NODE + text.len(), 0),
        Value::Array(list) => list.iter().map(measure).fold((NODE, 1), fold),
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| {
                let (bytes, depth) = measure(value);
                (bytes + key.len(), depth)
            })
            .fold((NODE, 1), fold),
        _ => (NODE, 0),
    }
}

pub(super) fn mark_of(marker: Marker, width: usize, lines_before: u32) -> Mark {
    Mark {
        line: lines_before.saturating_add(clamp(marker.line())),
        column: clamp(marker.col() + 1),
        width: clamp(width.max(1)),
    }
}

fn refused(refusal: Refusal, text: &str, tag: Option<&Tag>) -> Problem {
    match refusal {
        Refusal::TooLarge => Problem::new("number-too-large", format!("`{text}` does not fit into 64 bits"))
            .help(format!("quote it if it is meant as text: \"{text}\"")),
        Refusal::NotANumber => {
            Problem::new("not-a-number", format!("`{text}` is a number that Kubernetes does not have"))
                .help(format!("quote it if it is meant as text: \"{text}\""))
        }
        Refusal::Tag => {
            let tag = tag.map_or("", |tag| tag.suffix.as_str());
            Problem::new("yaml-tag", format!("`{text}` is no `!!{tag}`"))
                .help("remove the tag or mend the value")
        }
    }
}

const QUOTE_COLON: &str = "quote the text if the `:` belongs to it: \"a: b\"";
const QUOTE_VALUE: &str = "quote the value";
const INDENTATION: &str = "compare the indentation with the lines above";
const NO_COLON: &str = "a key has no `:` after it";
const COLON: &str = "write `key: value`, with a blank after the `:`";

/// What the parser could not read, in words that point to the usual cause.
fn syntax(error: &saphyr_parser::ScanError, lines_before: u32) -> Problem {
    let info = error.info();
    let spot = Spot::Mark(mark_of(*error.marker(), 1, lines_before));
    let known = [
        ("mapping values are not allowed", "a `:` stands where no key can be", QUOTE_COLON),
        (
            "illegal placement of ':'",
            "a `:` stands where no key can be, or a bracket above is not closed",
            QUOTE_COLON,
        ),
        ("did not find expected key", "here should be a key of the mapping, at its indentation", INDENTATION),
        ("tab", "a tab stands where YAML wants spaces", "indent with spaces"),
        (
            "while parsing a flow mapping",
            "a `{` is not closed before this",
            "close it with `}`, or quote the text that it belongs to: \"{...}\"",
        ),
        (
            "while parsing a flow sequence",
            "a `[` is not closed before this",
            "close it with `]`, or quote the text that it belongs to: \"[...]\"",
        ),
        (
            "unknown anchor",
            "there is no anchor of this name above",
            "quote the text if it only starts with `*`: \"*text\"",
        ),
        (
            "anchor or alias",
            "after `*` and `&` there must be a name",
            "quote the text if it only starts so: \"*\"",
        ),
        (
            "expected node content",
            "a value is missing here, or a bracket above is not closed",
            "close the bracket, or quote the text that it belongs to",
        ),
        ("could not find expected ':'", NO_COLON, COLON),
        ("simple key expect", NO_COLON, COLON),
        (
            "escape",
            "there is no such escape in a double-quoted string",
            "write `\\\\` for a backslash, or use single quotes",
        ),
        ("unexpected end of", "the text ends inside a quoted string", "close the quote"),
        ("quoted scalar", "a quoted string is not closed", "close the quote"),
        (
            "block sequence entries are not allowed",
            "a `- ` stands where no list can be",
            "put the list on lines of its own, below its key",
        ),
        ("cannot start any token", "no value can start with this character", QUOTE_VALUE),
        ("unexpected character", "no value can start with this character", QUOTE_VALUE),
        ("wrongly indented", "this line is indented differently from the lines it belongs to", INDENTATION),
        (
            "invalid indentation",
            "this line is indented differently from the lines it belongs to",
            INDENTATION,
        ),
    ];
    if info.contains("recursion limit") {
        return Problem::new("nesting", "lists and mappings nest too deep").at(spot);
    }
    let lower = info.to_lowercase();
    for (found, message, help) in known {
        if lower.contains(found) {
            return Problem::new("yaml-syntax", message)
                .because(format!("the YAML parser says: {info}"))
                .help(help)
                .at(spot);
        }
    }
    Problem::new("yaml-syntax", format!("this is no YAML: {info}")).at(spot)
}
