//! YAML text -> events, by the grammar that kubectl reads.
//!
//! ```text
//! text -> tokens -> events
//! text    scanner   events     (scalars: plain, quoted, block; names: anchors, tags)
//! ```
//! That grammar is libyaml's of 2006, YAML 1.1 with its own leniency and strictness, which
//! no crate has: the ports of libyaml to Rust follow its later releases (which take
//! `%YAML 1.2`, `\/` and `a?b` in brackets), the others follow YAML 1.2, where brackets and
//! quoted strings must be indented. Each rule here was compared with kubectl itself; see
//! `tests/yaml-kubectl`. What the events mean is not known here.

mod block;
mod events;
mod names;
mod plain;
mod quoted;
mod scanner;
mod text;

use std::borrow::Cow;

pub(super) use events::{Event, Events, Span};

/// Why there is no further event, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) what: What,
    /// The byte that it is about.
    pub(super) at: usize,
}

/// What is wrong with a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    /// It is no YAML; in the words that kubectl has for it.
    Syntax(&'static str),
    /// A scalar or a name is longer than allowed.
    TooLong,
    /// More comments and blank lines than allowed.
    Endless,
}

impl Fault {
    fn syntax(says: &'static str, at: usize) -> Self {
        Fault { what: What::Syntax(says), at }
    }
}

/// The bounds of one text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// Bytes of a scalar or a name.
    pub(super) scalar: usize,
    /// Bytes of comments and blank lines between two tokens.
    pub(super) gap: usize,
}

/// A token: what it is and which bytes it takes.
#[derive(Debug)]
struct Token<'t> {
    kind: Kind<'t>,
    start: usize,
    end: usize,
}

#[derive(Debug)]
enum Kind<'t> {
    End,
    Directive,
    DocumentStart,
    DocumentEnd,
    BlockSequenceStart,
    BlockMappingStart,
    BlockEnd,
    FlowSequenceStart,
    FlowSequenceEnd,
    FlowMappingStart,
    FlowMappingEnd,
    BlockEntry,
    FlowEntry,
    Key,
    Value,
    Alias(&'t str),
    Anchor(&'t str),
    /// Written out, if its handle is one that every text has.
    Tag(Option<String>),
    Scalar {
        text: Cow<'t, str>,
        plain: bool,
    },
}
