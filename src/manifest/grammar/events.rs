//! Tokens -> events: which values a document has, one inside the other.
//!
//! Only the first document of a text is read, as kubectl reads it; what follows is told
//! by [`Events::rest`].

use std::borrow::Cow;

use super::scanner::Scanner;
use super::{Bounds, Fault, Kind, Token};

/// What a document has next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) enum Event<'t> {
    Scalar {
        text: Cow<'t, str>,
        /// Without quotes and not after `|` or `>`.
        plain: bool,
        anchor: Option<&'t str>,
        /// Written out, as `tag:yaml.org,2002:int` or `!own`.
        tag: Option<String>,
    },
    Alias(&'t str),
    SequenceStart(Option<&'t str>),
    SequenceEnd,
    MappingStart(Option<&'t str>),
    MappingEnd,
}

/// The bytes of the text that something takes; none where it is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Span {
    pub(in super::super) start: usize,
    pub(in super::super) end: usize,
}

/// What may come next.
#[derive(Debug, Clone, Copy)]
enum State {
    Start,
    DocumentEnd,
    Over,
    BlockEntry,
    IndentlessEntry,
    BlockKey,
    BlockValue,
    FlowFirstEntry,
    FlowEntry,
    PairKey,
    PairValue,
    PairEnd,
    FlowFirstKey,
    FlowKey,
    FlowValue,
    FlowNoValue,
}

/// What a node may be where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Node {
    Flow,
    Block,
    /// A list may start at the column of its key.
    BlockOrIndentless,
}

type Found<'t> = Result<(Event<'t>, Span), Fault>;

/// The events of a text.
#[derive(Debug)]
pub(in super::super) struct Events<'t> {
    scanner: Scanner<'t>,
    state: State,
    after: Vec<State>,
    rest: Option<usize>,
}

/// Whether the next token is one of these.
macro_rules! next_is {
    ($self:ident, $kinds:pat) => {
        matches!($self.scanner.peek()?.kind, $kinds)
    };
}

impl<'t> Events<'t> {
    pub(in super::super) fn new(text: &'t str, bounds: Bounds) -> Self {
        let scanner = Scanner::new(text, bounds);
        Events { scanner, state: State::Start, after: Vec::new(), rest: None }
    }

    /// The next event; none after the end of the document.
    pub(in super::super) fn next(&mut self) -> Option<Found<'t>> {
        let found = self.step().transpose();
        if matches!(found, None | Some(Err(_))) {
            self.state = State::Over;
        }
        found
    }

    /// Where the document ended, if it did before the end of the text.
    pub(in super::super) fn rest(&self) -> Option<usize> {
        self.rest
    }

    fn step(&mut self) -> Result<Option<(Event<'t>, Span)>, Fault> {
        match self.state {
            State::Over => return Ok(None),
            State::Start => return self.start(),
            State::DocumentEnd => {
                let token = self.scanner.peek()?;
                self.rest = (!matches!(token.kind, Kind::End)).then_some(token.start);
                return Ok(None);
            }
            State::BlockEntry => self.block_entry(),
            State::IndentlessEntry => self.indentless_entry(),
            State::BlockKey => self.block_key(),
            State::BlockValue => self.block_value(),
            State::FlowFirstEntry => self.flow_entry(true),
            State::FlowEntry => self.flow_entry(false),
            State::PairKey => self.pair_key(),
            State::PairValue => self.pair_value(),
            State::PairEnd => {
                self.state = State::FlowEntry;
                let at = self.scanner.peek()?.start;
                Ok((Event::MappingEnd, Span { start: at, end: at }))
            }
            State::FlowFirstKey => self.flow_key(true),
            State::FlowKey => self.flow_key(false),
            State::FlowValue => self.flow_value(),
            State::FlowNoValue => {
                self.state = State::FlowKey;
                let at = self.scanner.peek()?.start;
                Ok(nothing(at))
            }
        }
        .map(Some)
    }

    fn start(&mut self) -> Result<Option<(Event<'t>, Span)>, Fault> {
        self.state = State::DocumentEnd;
        match self.scanner.peek()?.kind {
            Kind::End => return Ok(None),
            Kind::Directive => {
                let at = self.scanner.peek()?.start;
                return Err(Fault::syntax("did not find expected <document start>", at));
            }
            Kind::DocumentStart => {
                let end = self.taken()?.end;
                if next_is!(self, Kind::Directive | Kind::DocumentStart | Kind::DocumentEnd | Kind::End) {
                    return Ok(Some(nothing(end)));
                }
            }
            _ => {}
        }
        self.node(Node::Block, State::DocumentEnd).map(Some)
    }

    fn taken(&mut self) -> Result<Token<'t>, Fault> {
        self.scanner.peek()?;
        let end = self.scanner.text.at;
        Ok(self.scanner.take().unwrap_or(Token { kind: Kind::End, start: end, end }))
    }

    /// The collection is at its end: what is around it goes on.
    fn leave(&mut self) {
        self.state = self.after.pop().unwrap_or(State::Over);
    }

    /// A collection begins; when it is over, `then` goes on.
    fn enter(&mut self, first: State, then: State) {
        self.after.push(then);
        self.state = first;
    }

    fn node(&mut self, allowed: Node, then: State) -> Found<'t> {
        let start = self.scanner.peek()?.start;
        let (mut anchor, mut tag) = (None, None);
        let mut end = start;
        loop {
            match &self.scanner.peek()?.kind {
                Kind::Anchor(name) if anchor.is_none() => {
                    anchor = Some(*name);
                    end = self.taken()?.end;
                }
                Kind::Tag(_) if tag.is_none() => {
                    let token = self.taken()?;
                    end = token.end;
                    let Kind::Tag(Some(written)) = token.kind else {
                        return Err(Fault::syntax("found undefined tag handle", token.start));
                    };
                    tag = Some(written);
                }
                _ => break,
            }
        }
        let described = anchor.is_some() || tag.is_some();
        let token = self.scanner.peek()?;
        let at = token.start;
        let block = allowed != Node::Flow;
        match token.kind {
            Kind::Alias(name) if !described => {
                let end = self.taken()?.end;
                self.state = then;
                Ok((Event::Alias(name), Span { start, end }))
            }
            Kind::BlockEntry if allowed == Node::BlockOrIndentless => {
                self.enter(State::IndentlessEntry, then);
                Ok((Event::SequenceStart(anchor), Span { start: at, end: at }))
            }
            Kind::Scalar { .. } => {
                let token = self.taken()?;
                self.state = then;
                let Kind::Scalar { text, plain } = token.kind else { return Ok(nothing(at)) };
                Ok((Event::Scalar { text, plain, anchor, tag }, Span { start, end: token.end }))
            }
            Kind::FlowSequenceStart => {
                let end = self.taken()?.end;
                self.enter(State::FlowFirstEntry, then);
                Ok((Event::SequenceStart(anchor), Span { start: at, end }))
            }
            Kind::FlowMappingStart => {
                let end = self.taken()?.end;
                self.enter(State::FlowFirstKey, then);
                Ok((Event::MappingStart(anchor), Span { start: at, end }))
            }
            Kind::BlockSequenceStart if block => {
                self.taken()?;
                self.enter(State::BlockEntry, then);
                Ok((Event::SequenceStart(anchor), Span { start: at, end: at }))
            }
            Kind::BlockMappingStart if block => {
                self.taken()?;
                self.enter(State::BlockKey, then);
                Ok((Event::MappingStart(anchor), Span { start: at, end: at }))
            }
            _ if described => {
                self.state = then;
                Ok((Event::Scalar { text: Cow::Borrowed(""), plain: true, anchor, tag }, Span { start, end }))
            }
            _ => Err(Fault::syntax("did not find expected node content", at)),
        }
    }

    fn empty(&mut self, at: usize, then: State) -> Found<'t> {
        self.state = then;
        Ok(nothing(at))
    }

    fn end(&mut self, event: Event<'t>) -> Found<'t> {
        let token = self.taken()?;
        self.leave();
        Ok((event, Span { start: token.start, end: token.end }))
    }

    fn block_entry(&mut self) -> Found<'t> {
        match self.scanner.peek()?.kind {
            Kind::BlockEntry => {
                let end = self.taken()?.end;
                if next_is!(self, Kind::BlockEntry | Kind::BlockEnd) {
                    return self.empty(end, State::BlockEntry);
                }
                self.node(Node::Block, State::BlockEntry)
            }
            Kind::BlockEnd => self.end(Event::SequenceEnd),
            _ => Err(Fault::syntax("did not find expected '-' indicator", self.scanner.peek()?.start)),
        }
    }

    fn indentless_entry(&mut self) -> Found<'t> {
        if !next_is!(self, Kind::BlockEntry) {
            let at = self.scanner.peek()?.start;
            self.leave();
            return Ok((Event::SequenceEnd, Span { start: at, end: at }));
        }
        let end = self.taken()?.end;
        if next_is!(self, Kind::BlockEntry | Kind::Key | Kind::Value | Kind::BlockEnd) {
            return self.empty(end, State::IndentlessEntry);
        }
        self.node(Node::Block, State::IndentlessEntry)
    }

    fn block_key(&mut self) -> Found<'t> {
        match self.scanner.peek()?.kind {
            Kind::Key => {
                let end = self.taken()?.end;
                if next_is!(self, Kind::Key | Kind::Value | Kind::BlockEnd) {
                    return self.empty(end, State::BlockValue);
                }
                self.node(Node::BlockOrIndentless, State::BlockValue)
            }
            Kind::BlockEnd => self.end(Event::MappingEnd),
            _ => Err(Fault::syntax("did not find expected key", self.scanner.peek()?.start)),
        }
    }

    fn block_value(&mut self) -> Found<'t> {
        if !next_is!(self, Kind::Value) {
            let at = self.scanner.peek()?.start;
            return self.empty(at, State::BlockKey);
        }
        let end = self.taken()?.end;
        if next_is!(self, Kind::Key | Kind::Value | Kind::BlockEnd) {
            return self.empty(end, State::BlockKey);
        }
        self.node(Node::BlockOrIndentless, State::BlockKey)
    }

    fn flow_entry(&mut self, first: bool) -> Found<'t> {
        if next_is!(self, Kind::FlowSequenceEnd) {
            return self.end(Event::SequenceEnd);
        }
        if !first {
            let token = self.scanner.peek()?;
            if !matches!(token.kind, Kind::FlowEntry) {
                return Err(Fault::syntax("did not find expected ',' or ']'", token.start));
            }
            self.taken()?;
        }
        if next_is!(self, Kind::Key) {
            let token = self.taken()?;
            self.state = State::PairKey;
            return Ok((Event::MappingStart(None), Span { start: token.start, end: token.end }));
        }
        if next_is!(self, Kind::FlowSequenceEnd) {
            return self.end(Event::SequenceEnd);
        }
        self.node(Node::Flow, State::FlowEntry)
    }

    /// A mapping of one pair in a list: `[a: b]`.
    fn pair_key(&mut self) -> Found<'t> {
        if next_is!(self, Kind::Value | Kind::FlowEntry | Kind::FlowSequenceEnd) {
            // libyaml takes this token, whatever it is.
            let end = self.taken()?.end;
            return self.empty(end, State::PairValue);
        }
        self.node(Node::Flow, State::PairValue)
    }

    fn pair_value(&mut self) -> Found<'t> {
        if next_is!(self, Kind::Value) {
            self.taken()?;
            if !next_is!(self, Kind::FlowEntry | Kind::FlowSequenceEnd) {
                return self.node(Node::Flow, State::PairEnd);
            }
        }
        let at = self.scanner.peek()?.start;
        self.empty(at, State::PairEnd)
    }

    fn flow_key(&mut self, first: bool) -> Found<'t> {
        if next_is!(self, Kind::FlowMappingEnd) {
            return self.end(Event::MappingEnd);
        }
        if !first {
            let token = self.scanner.peek()?;
            if !matches!(token.kind, Kind::FlowEntry) {
                return Err(Fault::syntax("did not find expected ',' or '}'", token.start));
            }
            self.taken()?;
        }
        if next_is!(self, Kind::Key) {
            self.taken()?;
            if next_is!(self, Kind::Value | Kind::FlowEntry | Kind::FlowMappingEnd) {
                let at = self.scanner.peek()?.start;
                return self.empty(at, State::FlowValue);
            }
            return self.node(Node::Flow, State::FlowValue);
        }
        if next_is!(self, Kind::FlowMappingEnd) {
            return self.end(Event::MappingEnd);
        }
        self.node(Node::Flow, State::FlowNoValue)
    }

    fn flow_value(&mut self) -> Found<'t> {
        if next_is!(self, Kind::Value) {
            self.taken()?;
            if !next_is!(self, Kind::FlowEntry | Kind::FlowMappingEnd) {
                return self.node(Node::Flow, State::FlowKey);
            }
        }
        let at = self.scanner.peek()?.start;
        self.empty(at, State::FlowKey)
    }
}

/// A value that is left out.
fn nothing<'t>(at: usize) -> (Event<'t>, Span) {
    let event = Event::Scalar { text: Cow::Borrowed(""), plain: true, anchor: None, tag: None };
    (event, Span { start: at, end: at })
}
