//! YAML text -> values, as Kubernetes reads YAML.
//!
//! A stream is cut at its `---` lines first, as kubectl does, so that one broken
//! document does not hide the others. Each piece is parsed into events by
//! `saphyr-parser`; what the events mean (booleans, merge keys, aliases) is decided
//! here, with bounds on depth, string length and what aliases expand to. Line and
//! column come with the events; nothing else is kept of the text.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Span, Tag};
use serde_json::{Map, Value};

use super::bounded::{Allowance, Bounded};
use super::limits::{Limits, Spent};
use super::problem::{Problem, Spot};
use super::scalar;
use super::source::{Mark, clamp};
use super::syntax::{refused, syntax};
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

/// What came of a piece.
#[derive(Debug)]
pub(super) struct Parsed {
    pub(super) documents: Vec<Document>,
    pub(super) problems: Vec<Problem>,
    /// How many more problems there are, and whether any is an error.
    pub(super) hidden: usize,
    pub(super) hides_errors: bool,
}

/// Cuts a stream at its `---` lines. A piece that only has directives (`%YAML`) stays
/// with the document that they are for. Gives up after `most` pieces.
pub(super) fn split(text: &str, most: usize) -> Vec<Chunk> {
    let mut chunks = Vec::new();
    let (mut start, mut lines_before, mut offset, mut line) = (0, 0, 0, 0_u32);
    let mut only_directives = true;
    let mut directives = false;
    while offset < text.len() {
        // Within a document only the next separator counts.
        if !only_directives && !text[offset..].starts_with("---") {
            let Some(ahead) = text[offset..].find("\n---") else { break };
            let skipped = &text.as_bytes()[offset..=offset + ahead];
            line = line.saturating_add(clamp(skipped.iter().filter(|&&byte| byte == b'\n').count()));
            offset += skipped.len();
        }
        let raw = text[offset..].split_inclusive('\n').next().unwrap_or("");
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

/// Whether there must be more documents than `most`, told without parsing: a line that
/// starts or ends one may stand beside an empty one, but not beside many.
pub(super) fn has_more_documents(text: &str, most: usize) -> bool {
    let enough = most.saturating_mul(2).saturating_add(2);
    ["\n---", "\n..."].iter().any(|mark| text.matches(mark).take(enough).count() == enough)
}

/// Parses one piece. Documents that are whole are kept when a later one is broken.
/// What is `spent` belongs to the whole file; once that is too much, there is no result.
pub(super) fn parse(text: &str, lines_before: u32, limits: &Limits, spent: &Spent) -> Parsed {
    let mut builder = Builder {
        limits,
        spent,
        lines_before,
        stack: Vec::new(),
        anchors: HashMap::new(),
        expanded: 0,
        root: None,
        items: Vec::new(),
        start: Mark::default(),
        last: Marker::new(0, 1, 0),
        problems: Vec::new(),
        hidden: 0,
        hides_errors: false,
    };
    let mut documents = Vec::new();
    let allowance = Allowance::new(limits.scalar_bytes.saturating_mul(GAP));
    let mut parser = Parser::new(Bounded::new(text, allowance.clone()));
    while let Some(event) = parser.next_event() {
        if allowance.is_used_up() {
            builder.problems.push(builder.endless(&event, text));
            break;
        }
        allowance.renew();
        let (event, span) = match event {
            Ok(event) => event,
            Err(error) => {
                builder.problems.push(syntax(&error, lines_before));
                break;
            }
        };
        builder.last = span.end;
        if matches!(event, Event::DocumentEnd) {
            let value = builder.root.take().unwrap_or(Value::Null);
            let items = std::mem::take(&mut builder.items);
            documents.push(Document { value, start: builder.start, items });
            builder.anchors.clear();
            builder.expanded = 0;
            if spent.document(limits) {
                break;
            }
        } else if let Err(problem) = builder.event(event, span) {
            builder.problems.push(*problem);
            break;
        }
    }
    let Builder { problems, hidden, hides_errors, .. } = builder;
    Parsed { documents, problems, hidden, hides_errors }
}

/// So many times the length of the longest string may stand between two things that the
/// parser finds. It is more than one, as a flow collection may be read to its end first.
const GAP: usize = 4;

struct Builder<'l> {
    limits: &'l Limits,
    spent: &'l Spent,
    lines_before: u32,
    stack: Vec<Frame>,
    anchors: HashMap<usize, Value>,
    /// Bytes that came from aliases and merges in this document.
    expanded: usize,
    root: Option<Value>,
    items: Vec<Mark>,
    start: Mark,
    /// Where the last thing ended that the parser found.
    last: Marker,
    problems: Vec<Problem>,
    hidden: usize,
    hides_errors: bool,
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
            return Err(self.problem(span, too_long(self.limits)));
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
            self.note(*problem);
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
        if self.expanded <= self.limits.alias_bytes && !self.spent.expand(bytes) {
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
                        self.note(*problem);
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

    /// Something is wrong, but reading can go on: so many of it are kept, the others counted.
    fn note(&mut self, problem: Problem) {
        if self.problems.len() < self.limits.diagnostics {
            self.problems.push(problem);
        } else {
            self.hidden += 1;
            self.hides_errors |= problem.severity == Severity::Error;
        }
    }

    /// What is wrong where the text was ended, as nothing came of so much of it.
    fn endless(&self, event: &Result<(Event<'_>, Span), ScanError>, text: &str) -> Problem {
        let most = self.limits.scalar_bytes;
        let at = |marker: Marker| Spot::Mark(mark_of(marker, 1, self.lines_before));
        let quote = |marker: &Marker| matches!(text.chars().nth(marker.index()), Some('"' | '\''));
        match event {
            Ok((Event::Scalar(scalar, ..), span)) if scalar.len() > most => {
                too_long(self.limits).at(at(span.start))
            }
            Err(error) if quote(error.marker()) => too_long(self.limits).at(at(*error.marker())),
            Ok(_) => Problem::new(
                "endless",
                format!("more than {} bytes of comments or blank lines follow", most.saturating_mul(GAP)),
            )
            .help("remove them")
            .at(at(self.last)),
            Err(_) => Problem::new(
                "endless",
                format!("what follows has no end within {} bytes", most.saturating_mul(GAP)),
            )
            .help(
                "close the bracket, or write lists and mappings on lines of their own, or all of it as JSON",
            )
            .at(at(self.last)),
        }
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

/// A string that no object can have.
fn too_long(limits: &Limits) -> Problem {
    let message = format!("a string is longer than the limit of {} bytes", limits.scalar_bytes);
    Problem::new("scalar-too-long", message).help("an API server takes no such string: is it the right file?")
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
