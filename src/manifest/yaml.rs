//! YAML text -> values, as Kubernetes reads YAML.
//!
//! A document is parsed into events by [`grammar`](super::grammar); what the events mean
//! (booleans, merge keys, aliases) is decided here, with bounds on depth, string length
//! and what aliases expand to. Nothing is kept of the text but the value, and where its
//! items start.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::anchors::{Anchors, Size, measure};
use super::deferred::Deferred;
use super::documents::{control_character, more_after};
use super::grammar::{Bounds, Event, Events, Fault, Span, What};
use super::limits::{Limits, Spent};
use super::marks::Marks;
use super::problem::{Problem, Spot};
use super::scalar::{self, Refusal};
use super::source::Mark;
use super::syntax::{control, refused, syntax};
use crate::diagnostic::Severity;

/// One document: its value, where it starts, and where each of its `items` does.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) value: Value,
    pub(super) start: Mark,
    pub(super) items: Vec<Mark>,
}

/// What came of a piece.
#[derive(Debug, Default)]
pub(super) struct Parsed {
    pub(super) document: Option<Document>,
    /// Why there is no document.
    pub(super) broken: Option<Problem>,
    /// What kubectl would take without a word.
    pub(super) notes: Vec<Problem>,
    /// How many more notes there are, and whether any is an error.
    pub(super) hidden: usize,
    pub(super) hides_errors: bool,
}

/// Every text ends with a line break when kubectl parses it.
pub(super) fn with_end(text: &str) -> std::borrow::Cow<'_, str> {
    if text.ends_with('\n') { text.into() } else { format!("{text}\n").into() }
}

/// The bounds of the grammar that follow from those of a reading.
pub(super) fn bounds(limits: &Limits) -> Bounds {
    Bounds { scalar: limits.scalar_bytes, gap: limits.scalar_bytes.saturating_mul(GAP) }
}

/// Parses one piece. What is `spent` belongs to the whole file; once that is too much,
/// there is no result.
pub(super) fn parse(text: &str, lines_before: u32, limits: &Limits, spent: &Spent) -> Parsed {
    let text = &*with_end(text);
    let mut builder = Builder {
        limits,
        marks: Marks::new(text, lines_before),
        stack: Vec::new(),
        anchors: Anchors::new(text, limits, spent),
        deferred: Deferred::new(text),
        root: None,
        items: Vec::new(),
        start: Mark::default(),
        parsed: Parsed::default(),
    };
    if let Some((at, c)) = control_character(text) {
        let spot = Span { start: at, end: at + c.len_utf8() };
        let broken = Some(*builder.problem(spot, control(c)));
        return Parsed { broken, ..Parsed::default() };
    }
    let mut events = Events::new(text, bounds(limits));
    while let Some(event) = events.next() {
        let step = match event {
            Ok((event, span)) => builder.event(event, span),
            Err(fault) => Err(builder.fault(fault)),
        };
        if let Err(problem) = step {
            builder.parsed.broken = Some(*problem);
            return builder.parsed;
        }
    }
    if let Some((refusal, span)) = builder.root.as_ref().and_then(|root| builder.deferred.left(root)) {
        builder.parsed.broken = Some(*builder.refuse(refusal, None, span));
        return builder.parsed;
    }
    if let Some(at) = events.rest().and_then(|end| more_after(text, end)) {
        let mut problem = Problem::new("after-end", "kubectl reads nothing from here to the next `---`")
            .help("start another document with a line `---`");
        problem.severity = Severity::Warning;
        let problem = builder.problem(Span { start: at, end: at + 1 }, problem);
        builder.note(*problem);
    }
    let Builder { root, start, items, mut parsed, .. } = builder;
    if !spent.document(limits) {
        parsed.document = Some(Document { value: root.unwrap_or(Value::Null), start, items });
    }
    parsed
}

/// So many times the length of the longest string may stand between two things that the
/// parser finds.
const GAP: usize = 4;

struct Builder<'t, 'l> {
    limits: &'l Limits,
    marks: Marks<'t>,
    stack: Vec<Frame<'t>>,
    anchors: Anchors<'t, 'l>,
    deferred: Deferred<'t>,
    root: Option<Value>,
    items: Vec<Mark>,
    start: Mark,
    parsed: Parsed,
}

struct Frame<'t> {
    anchor: Option<(&'t str, u32)>,
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

impl<'t> Builder<'t, '_> {
    fn event(&mut self, event: Event<'t>, span: Span) -> Step {
        match event {
            Event::Scalar { text, plain, anchor, tag } => {
                self.begin(span);
                let anchor = anchor.map(|name| self.anchors.begin(name));
                let size = Size { bytes: Size::NODE + text.len(), depth: 0, nodes: 1 };
                self.anchors.count(1);
                if self.is_key() {
                    return self.key(&text, plain, anchor, tag.as_deref(), span);
                }
                let value = if plain || tag.is_some() {
                    self.resolve(&text, tag.as_deref(), span)
                        .map_err(|refusal| self.refuse(refusal, tag.as_deref(), span))?
                } else {
                    Value::String(text.into_owned())
                };
                if plain && value.is_f64() {
                    self.check_digits(&value, span);
                }
                self.keep(anchor, &value, size, span)?;
                self.place(value, false, span)
            }
            Event::SequenceStart(anchor) => self.open(anchor, Open::List(Vec::new()), span),
            Event::MappingStart(anchor) => {
                self.open(anchor, Open::Mapping { map: Map::new(), key: None, merged: BTreeSet::new() }, span)
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(frame) = self.stack.pop() else { return Ok(()) };
                let value = match frame.open {
                    Open::List(list) => Value::Array(list),
                    Open::Mapping { map, .. } => Value::Object(map),
                };
                if self.anchors.is_kept(frame.anchor) {
                    self.keep(frame.anchor, &value, measure(&value), span)?;
                }
                self.place(value, false, span)
            }
            Event::Alias(name) => {
                self.begin(span);
                let (value, depth) =
                    self.anchors.expand(name).map_err(|problem| self.problem(span, problem))?;
                if self.stack.len() + depth > self.limits.depth {
                    return Err(self.too_deep(span));
                }
                self.place(value, true, span)
            }
        }
    }

    /// What a plain scalar, or one with a tag, is.
    fn resolve(&mut self, text: &str, tag: Option<&str>, span: Span) -> Result<Value, Refusal> {
        let value = tag.map_or_else(|| scalar::resolve(text), |tag| scalar::resolve_tagged(tag, text));
        match value {
            Err(Refusal::NotANumber) => Ok(self.deferred.value(scalar::key(tag, text)?, span)),
            value => value,
        }
    }

    /// Whether a key of a mapping comes next.
    fn is_key(&self) -> bool {
        matches!(self.stack.last(), Some(Frame { open: Open::Mapping { key: None, .. }, .. }))
    }

    /// Notes where a document or a list's item starts.
    fn begin(&mut self, span: Span) {
        if self.stack.is_empty() {
            self.start = self.marks.mark(span.start, span.end);
        } else if let [
            Frame { open: Open::Mapping { key: Some(Key::Name(key)), .. }, .. },
            Frame { open: Open::List(_), .. },
        ] = self.stack.as_slice()
            && key == "items"
        {
            self.items.push(self.marks.mark(span.start, span.end));
        }
    }

    fn open(&mut self, anchor: Option<&'t str>, open: Open, span: Span) -> Step {
        self.begin(span);
        if self.is_key() {
            return Err(self.problem(
                span,
                Problem::new("mapping-key", "a mapping or a list cannot be a key")
                    .help("keys are plain words; a value with `{` must be quoted: \"{...}\""),
            ));
        }
        if self.stack.len() >= self.limits.depth {
            return Err(self.too_deep(span));
        }
        self.anchors.count(1);
        let anchor = anchor.map(|name| self.anchors.begin(name));
        self.stack.push(Frame { anchor, open });
        Ok(())
    }

    fn key(
        &mut self,
        text: &str,
        plain: bool,
        anchor: Option<(&'t str, u32)>,
        tag: Option<&str>,
        span: Span,
    ) -> Step {
        let merges = match tag {
            None => plain,
            Some(tag) => matches!(tag, "!" | "tag:yaml.org,2002:merge"),
        };
        if merges
            && text == "<<"
            && let Some(Frame { open: Open::Mapping { key, .. }, .. }) = self.stack.last_mut()
        {
            *key = Some(Key::Merge);
            return Ok(());
        }
        let name = if plain || tag.is_some() { scalar::key(tag, text) } else { Ok(text.to_owned()) };
        let name = match name {
            Err(Refusal::Key) => self.deferred.key(Refusal::Key, span),
            name => name.map_err(|refusal| self.refuse(refusal, tag, span))?,
        };
        if plain && tag.is_none() && matches!(name.as_str(), "true" | "false") && name != text {
            let message = format!("the key `{text}` is a boolean in YAML and becomes `{name}`");
            let mut problem = Problem::new("boolean-key", message).help(format!("quote it: \"{text}\""));
            problem.severity = Severity::Warning;
            let problem = self.problem(span, problem);
            self.note(*problem);
        }
        let value = Value::String(name);
        let size = Size { bytes: Size::NODE + text.len(), depth: 0, nodes: 1 };
        if self.anchors.is_kept(anchor) {
            // As a value it may be something else than a string.
            let own = if plain || tag.is_some() { self.resolve(text, tag, span).ok() } else { None };
            self.keep(anchor, own.as_ref().unwrap_or(&value), size, span)?;
        }
        self.place(value, false, span)
    }

    /// Keeps the value of an anchor for its aliases.
    fn keep(&mut self, anchor: Option<(&'t str, u32)>, value: &Value, size: Size, span: Span) -> Step {
        let Some(anchor) = anchor else { return Ok(()) };
        self.anchors.keep(anchor, value, size).map_err(|problem| self.problem(span, problem))
    }

    /// A number that became another one.
    fn check_digits(&mut self, value: &Value, span: Span) {
        let text = self.marks.text(span);
        if scalar::loses_digits(text, value) {
            let message = format!("`{text}` does not fit into 64 bits");
            let problem = Problem::new("number-too-large", message)
                .help(format!("quote it if it is meant as text: \"{text}\""));
            let problem = self.problem(span, problem);
            self.note(*problem);
        }
    }

    fn refuse(&mut self, refusal: Refusal, tag: Option<&str>, span: Span) -> Box<Problem> {
        let problem = refused(refusal, self.marks.text(span), tag);
        self.problem(span, problem)
    }

    /// Puts a finished value where it belongs: into the list or mapping that is open.
    fn place(&mut self, value: Value, is_alias: bool, span: Span) -> Step {
        let Some(frame) = self.stack.last_mut() else {
            self.root = Some(value);
            return Ok(());
        };
        match &mut frame.open {
            Open::List(list) => list.push(value),
            Open::Mapping { map, key, merged } => match key.take() {
                None => {
                    let text = match value {
                        Value::String(text) => text,
                        Value::Bool(_) | Value::Number(_) => value.to_string(),
                        Value::Null => self.deferred.key(Refusal::Key, span),
                        Value::Array(_) | Value::Object(_) => match self.deferred.name(&value) {
                            Some(name) => name.to_owned(),
                            None => return Err(self.refuse(Refusal::Key, None, span)),
                        },
                    };
                    let twice = map.contains_key(&text) && !merged.contains(&text);
                    if twice {
                        let message = format!("the key `{text}` stands twice in one mapping");
                        let problem = Problem::new("duplicate-key", message)
                            .help("keep one of the two; a second one would silently replace the first");
                        *key = Some(Key::Name(text));
                        let problem = self.problem(span, problem);
                        self.note(*problem);
                    } else {
                        *key = Some(Key::Name(text));
                    }
                }
                Some(Key::Name(name)) => {
                    merged.remove(&name);
                    map.insert(name, value);
                }
                Some(Key::Merge) => {
                    let sources = match value {
                        // Earlier ones win over later ones, so they are merged last.
                        Value::Array(list) if !is_alias => list.into_iter().rev().collect(),
                        other => vec![other],
                    };
                    for source in sources {
                        let source =
                            match source {
                                Value::Object(map) if self.deferred.name(&source).is_none() => map,
                                _ => {
                                    let problem =
                                Problem::new("merge-key", "`<<` needs a mapping or a list of mappings").help(
                                    "`<<: *name` takes the keys of a mapping that was anchored with `&name`",
                                );
                                    return Err(self.problem(span, problem));
                                }
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

    /// Something that reading can go on with: so many are kept, the others counted.
    fn note(&mut self, problem: Problem) {
        if self.parsed.notes.len() < self.limits.diagnostics {
            self.parsed.notes.push(problem);
        } else {
            self.parsed.hidden += 1;
            self.parsed.hides_errors |= problem.severity == Severity::Error;
        }
    }

    /// Why the text cannot be read on.
    fn fault(&mut self, fault: Fault) -> Box<Problem> {
        let problem = match fault.what {
            What::Syntax(says) => syntax(says, self.marks.char_at(fault.at)),
            What::TooLong => too_long(self.limits),
            What::Endless => {
                let most = self.limits.scalar_bytes.saturating_mul(GAP);
                Problem::new("endless", format!("more than {most} bytes of comments or blank lines follow"))
                    .help("remove them")
            }
        };
        self.problem(Span { start: fault.at, end: fault.at }, problem)
    }

    fn too_deep(&mut self, span: Span) -> Box<Problem> {
        let message = format!("lists and mappings nest deeper than {} levels", self.limits.depth);
        self.problem(span, Problem::new("nesting", message))
    }

    fn problem(&mut self, span: Span, problem: Problem) -> Box<Problem> {
        Box::new(problem.at(Spot::Mark(self.marks.mark(span.start, span.end))))
    }
}

/// A string that no object can have.
fn too_long(limits: &Limits) -> Problem {
    let message = format!("a string is longer than the limit of {} bytes", limits.scalar_bytes);
    Problem::new("scalar-too-long", message).help("an API server takes no such string: is it the right file?")
}
