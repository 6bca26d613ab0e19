//! The layout: what fits on a line stands on one, and what does not fills lines, each but the
//! first further in. What has comments, or a line for each of its parts, has one for each.

use unicode_width::UnicodeWidthStr;

use super::pieces::Comment;
use super::tree::{Bracket, Item, Node, Part};

/// The longest line, in columns.
pub(super) const WIDTH: usize = 100;
/// How far a part stands in.
const INDENT: usize = 4;

/// Text that is written line by line.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub text: String,
}

impl Page {
    fn column(&self) -> usize {
        self.text.rsplit('\n').next().unwrap_or("").width()
    }

    pub fn put(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Ends the line, and begins the next one so far in.
    fn line(&mut self, indent: usize) {
        self.text.truncate(self.text.trim_end_matches(' ').len());
        self.text.push('\n');
        self.text.extend(std::iter::repeat_n(' ', indent));
    }

    /// Comments on lines of their own, each followed by a new line.
    fn over(&mut self, comments: &[Comment], indent: usize, mut first: bool) {
        for comment in comments {
            if comment.blank && !first {
                self.line(indent);
            }
            first = false;
            self.put(&comment.text);
            self.line(indent);
        }
    }

    /// Comments on lines of their own, each on a new line.
    fn below(&mut self, comments: &[Comment], indent: usize) {
        for comment in comments {
            self.line(indent);
            if comment.blank {
                self.line(indent);
            }
            self.put(&comment.text);
        }
    }

    /// Comments at the end of a line: what does not fit behind the first one stands below.
    pub fn last<'c>(&mut self, comments: impl IntoIterator<Item = &'c Comment>, indent: usize) {
        for (at, comment) in comments.into_iter().enumerate() {
            if at == 0 {
                self.put(" ");
                self.put(&comment.text);
            } else {
                self.line(indent);
                self.put(&below(&comment.text));
            }
        }
    }

    pub fn item(&mut self, item: &Item) {
        let head = flat(&item.head.nodes);
        if item.body.is_empty() {
            self.nodes(&item.head.nodes, 0, item.head.separator.width());
            self.put(&item.head.separator);
            self.last(&item.head.last, 0);
        } else {
            let body = row(&item.body);
            let fits = head.width() + item.arrow.width() + body.width() + 2 <= WIDTH;
            self.nodes(&item.head.nodes, 0, item.arrow.width() + 1);
            self.put(" ");
            self.put(&item.arrow);
            if fits && !item.broken {
                self.put(" ");
                self.put(&body);
                self.last(item.body.iter().flat_map(|part| &part.behind), 0);
            } else {
                let begins = !item.apart && head.width() <= WIDTH && !item.body.iter().any(is_or);
                if begins && item.body.first().is_some_and(|part| self.fits(part, 1)) {
                    self.put(" ");
                } else {
                    self.last(&item.head.last, INDENT);
                    self.line(INDENT);
                }
                self.parts(&item.body, INDENT, item.apart, 0);
                let last = item.body.last().map_or(&[][..], |part| &part.behind);
                self.last(last, 0);
            }
        }
        self.below(&item.after, 0);
    }

    /// Whether a part fits on the line as it is, so many columns from here.
    fn fits(&self, part: &Part, gap: usize) -> bool {
        !part.has_broken()
            && self.column() + gap + flat(&part.nodes).width() + part.separator.width() <= WIDTH
    }

    /// Parts of something that does not fit on a line, each on one of its own if they are to
    /// be `apart`; the page stands where the first one begins, and `tail` columns follow the
    /// last one.
    fn parts(&mut self, parts: &[Part], indent: usize, apart: bool, tail: usize) {
        let lines: Vec<String> = parts.split_inclusive(is_or).map(row).collect();
        let fit = lines.iter().all(|line| indent + line.width() <= WIDTH);
        if lines.len() > 1 && fit && !parts.iter().any(Part::is_broken) {
            for (at, line) in lines.iter().enumerate() {
                if at > 0 {
                    self.line(indent);
                }
                self.put(line);
            }
            return;
        }
        let mut follows = false;
        for (at, part) in parts.iter().enumerate() {
            let tail = if at + 1 < parts.len() { 0 } else { tail };
            if follows && !apart && !part.blank && self.fits(part, 1 + tail) {
                self.put(" ");
            } else if at > 0 {
                self.line(indent);
            }
            self.over(&part.over, indent, at == 0);
            if part.blank && (at > 0 || !part.over.is_empty()) {
                self.line(indent);
            }
            let (alone, start) = (is_or(part), self.text.len());
            self.nodes(&part.nodes, indent, if alone { 0 } else { part.separator.width() + tail });
            // Nothing follows on the last line of what has several.
            follows = !alone && !self.text[start..].contains('\n');
            if alone {
                self.last(&part.last, indent);
                self.below(&part.under, indent);
                self.line(indent);
                self.put(&part.separator);
                self.last(&part.behind, indent);
            } else {
                self.put(&part.separator);
                // What is behind a full stop is written where the item ends.
                let behind = if part.separator.starts_with('.') { &[][..] } else { &part.behind };
                self.last(part.last.iter().chain(behind), indent);
            }
        }
    }

    /// A part, its brackets broken where they must be; `tail` columns follow it.
    fn nodes(&mut self, nodes: &[Node], indent: usize, tail: usize) {
        for (at, node) in nodes.iter().enumerate() {
            match node {
                Node::Word { space, text } => {
                    self.put(if *space && at > 0 { " " } else { "" });
                    self.put(text);
                }
                Node::Bracket(bracket) => {
                    self.put(if bracket.space && at > 0 { " " } else { "" });
                    let line = bracketed(bracket);
                    let room = rest(&nodes[at + 1..]).unwrap_or(tail + flat(&nodes[at + 1..]).width());
                    let fits = self.column() + line.width() + room <= WIDTH;
                    if (fits || bracket.parts.is_empty()) && !bracket.broken {
                        self.put(&line);
                    } else {
                        self.bracket(bracket, indent, room);
                    }
                }
            }
        }
    }

    /// A bracket that does not fit on the line. What is in it begins behind it, where it can;
    /// else it stands between two lines that have the bracket.
    fn bracket(&mut self, bracket: &Bracket, indent: usize, room: usize) {
        let inner = indent + INDENT;
        let pad = pad(bracket);
        let tail = pad.len() + bracket.close.width() + room;
        self.put(&bracket.open);
        if !bracket.apart && self.hangs(&bracket.parts, inner, pad.len(), tail) {
            self.put(pad);
            self.parts(&bracket.parts, inner, false, tail);
            self.put(pad);
            self.put(&bracket.close);
            return;
        }
        self.last(&bracket.last, inner);
        self.line(inner);
        self.parts(&bracket.parts, inner, bracket.apart, 0);
        match bracket.over.split_first() {
            Some((first, rest)) if bracket.parts.is_empty() => {
                self.put(&first.text);
                self.below(rest, inner);
            }
            _ => self.below(&bracket.over, inner),
        }
        self.line(indent);
        self.put(&bracket.close);
    }

    /// Whether parts can begin on this line: with `;`, each way must fit on one.
    fn hangs(&self, parts: &[Part], indent: usize, gap: usize, tail: usize) -> bool {
        let ways: Vec<usize> = parts.split_inclusive(is_or).map(|way| row(way).width()).collect();
        let starts = std::iter::once(self.column() + gap).chain(std::iter::repeat(indent));
        let ends = starts.zip(&ways).map(|(start, width)| start + width);
        match ways.len() {
            0 => false,
            1 => parts.len() > 1 && self.fits(&parts[0], gap),
            many => {
                !parts.iter().any(Part::has_broken)
                    && ends.enumerate().all(|(at, end)| end + if at + 1 < many { 0 } else { tail } <= WIDTH)
            }
        }
    }
}

/// Whether `;` follows a part.
fn is_or(part: &Part) -> bool {
    part.separator.starts_with(';')
}

/// A comment from the end of a line, on a line of its own: there `///` would say something.
fn below(text: &str) -> String {
    let is_doc = text.starts_with("//!") || text.starts_with("///") && !text.starts_with("////");
    if is_doc { format!("//{}", &text[3..]) } else { text.to_owned() }
}

/// The columns up to the next bracket that can be broken, if there is one.
fn rest(nodes: &[Node]) -> Option<usize> {
    let at = nodes.iter().position(|node| matches!(node, Node::Bracket(it) if !it.parts.is_empty()))?;
    let Node::Bracket(bracket) = &nodes[at] else { return None };
    Some(flat(&nodes[..at]).width() + usize::from(bracket.space) + bracket.open.width())
}

/// Nodes on one line.
fn flat(nodes: &[Node]) -> String {
    let mut out = String::new();
    for (at, node) in nodes.iter().enumerate() {
        let (space, text) = match node {
            Node::Word { space, text } => (*space, text.clone()),
            Node::Bracket(bracket) => (bracket.space, bracketed(bracket)),
        };
        if space && at > 0 {
            out.push(' ');
        }
        out.push_str(&text);
    }
    out
}

/// Parts on one line.
fn row(parts: &[Part]) -> String {
    parts.iter().map(|it| format!("{}{}", flat(&it.nodes), it.separator)).collect::<Vec<_>>().join(" ")
}

/// What stands between a bracket and what is in it.
fn pad(bracket: &Bracket) -> &'static str {
    if bracket.open.ends_with('{') && !bracket.parts.is_empty() { " " } else { "" }
}

fn bracketed(bracket: &Bracket) -> String {
    let pad = pad(bracket);
    format!("{}{pad}{}{pad}{}", bracket.open, row(&bracket.parts), bracket.close)
}
