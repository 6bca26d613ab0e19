//! A rule or a declaration as brackets in brackets, and what stands between their commas.
//!
//! Comments go to where they can stand whatever the layout: over a part, behind it, or
//! inside of the bracket that they are in. So a second run finds them where the first one
//! put them.

use super::pieces::{Comment, Piece, Stands};

/// A part of a bracket or a body, up to its comma.
#[derive(Debug, Default)]
pub(super) struct Part {
    /// Comments over it.
    pub over: Vec<Comment>,
    /// Whether a blank line is above it, below those comments.
    pub blank: bool,
    /// Whether it stands first on its line.
    pub first: bool,
    pub nodes: Vec<Node>,
    /// Comments at the end of its line.
    pub last: Vec<Comment>,
    /// Comments on lines of their own over a `;` that follows.
    pub under: Vec<Comment>,
    /// `,`, `;`, `.` or nothing.
    pub separator: String,
    /// Comments behind the separator.
    pub behind: Vec<Comment>,
}

#[derive(Debug)]
pub(super) enum Node {
    /// A token, with comments that may stand within a line.
    Word {
        space: bool,
        text: String,
    },
    Bracket(Bracket),
}

#[derive(Debug)]
pub(super) struct Bracket {
    pub space: bool,
    pub open: String,
    /// Comments behind the opening one, at the end of its line.
    pub last: Vec<Comment>,
    pub parts: Vec<Part>,
    /// Comments over the closing one.
    pub over: Vec<Comment>,
    pub close: String,
    /// Whether it is written over several lines whatever its length.
    pub broken: bool,
    /// Whether each part has a line of its own there.
    pub apart: bool,
}

/// A whole item.
#[derive(Debug, Default)]
pub(super) struct Item {
    pub head: Part,
    /// `:-`, if there is a body.
    pub arrow: String,
    pub body: Vec<Part>,
    /// Comments that stood before the full stop, on lines of their own.
    pub after: Vec<Comment>,
    /// Whether the body is written over several lines whatever its length.
    pub broken: bool,
    /// Whether each part has a line of its own there.
    pub apart: bool,
}

impl Part {
    /// Whether comments stand over it or at the end of its line.
    pub fn is_commented(&self) -> bool {
        [&self.over, &self.last, &self.under, &self.behind].iter().any(|comments| !comments.is_empty())
    }

    /// Whether it cannot stand on a line with others.
    pub fn is_broken(&self) -> bool {
        self.is_commented() || self.has_broken()
    }

    /// Whether a bracket in it is written over several lines.
    pub fn has_broken(&self) -> bool {
        self.nodes.iter().any(|node| matches!(node, Node::Bracket(bracket) if bracket.broken))
    }
}

/// Reads an item: all of its tokens.
pub(super) fn item(pieces: &mut [Piece<'_>]) -> Item {
    settle(pieces);
    let mut reader = Reader { pieces, at: 0 };
    let is_rule = !matches!(pieces.first(), Some(piece) if piece.text.starts_with('.'));
    let mut item = Item { head: reader.head(is_rule), ..Item::default() };
    if let Some(arrow) = reader.pieces.get(reader.at).filter(|piece| is_rule && piece.is(":-")) {
        reader.at += 1;
        item.arrow = with_comments(arrow, true);
        item.head.last.extend(behind(arrow, Stands::Last));
        let over = alone(arrow).collect();
        (item.body, item.after) = reader.parts(over);
        item.apart = item.body.iter().all(|part| part.first);
    } else if let Some(stop) = reader.pieces.get(reader.at) {
        item.head.separator = with_comments(stop, true);
        item.head.last.extend(behind(stop, Stands::Last));
        item.after.extend(alone(stop));
    }
    if let Some(last) = item.body.last_mut() {
        // What ends the item is behind the full stop, as it is the next time.
        let moved = std::mem::take(&mut last.last);
        last.behind.splice(0..0, moved);
    }
    let last = item.body.len().saturating_sub(1);
    item.apart |= !item.head.last.is_empty()
        || item
            .body
            .iter()
            .enumerate()
            .any(|(at, part)| if at < last { part.is_commented() } else { !part.over.is_empty() });
    item.broken = item.apart || item.body.iter().any(Part::has_broken);
    item
}

/// A comment before a token that starts no part is one behind the token before that.
fn settle(pieces: &mut [Piece<'_>]) {
    let starts = ["(", "[", "{", ",", ";", ":-"];
    for at in 1..pieces.len() {
        if starts.iter().any(|start| pieces[at - 1].is(start)) {
            continue;
        }
        let (moved, kept) =
            std::mem::take(&mut pieces[at].before).into_iter().partition(|it| it.stands == Stands::Before);
        pieces[at].before = kept;
        let moved: Vec<Comment> = moved;
        pieces[at - 1].behind.extend(moved.into_iter().map(|it| Comment { stands: Stands::Behind, ..it }));
    }
}

struct Reader<'p, 'a> {
    pieces: &'p [Piece<'a>],
    at: usize,
}

impl Reader<'_, '_> {
    /// What stands before `:-`, or all of a declaration. A comment over its first line
    /// would part it from its sentence, so those in it go to the end of the line.
    fn head(&mut self, is_rule: bool) -> Part {
        let mut part = Part::default();
        while let Some(piece) = self.pieces.get(self.at) {
            if is_rule && (piece.is(":-") || piece.is(".")) {
                break;
            }
            if self.at > 0 {
                part.last.extend(alone(piece));
            }
            self.node(&mut part);
        }
        part
    }

    /// One token or one bracket.
    fn node(&mut self, part: &mut Part) {
        let piece = &self.pieces[self.at];
        self.at += 1;
        if !["(", "[", "{"].iter().any(|open| piece.is(open)) {
            part.last.extend(behind(piece, Stands::Last));
            part.nodes.push(Node::Word { space: piece.space, text: with_comments(piece, false) });
            return;
        }
        let mut open = with_comments(piece, false);
        // A comment behind the bracket stands before what comes first in it.
        let first: Vec<Comment> = behind(piece, Stands::Behind).collect();
        if !first.is_empty() {
            open.truncate(open.len() - first.iter().map(|it| it.text.len() + 1).sum::<usize>());
        }
        let (mut parts, over) = self.parts(Vec::new());
        let was_apart = piece.is("{") && parts.iter().all(|part| part.first);
        let close = self.pieces.get(self.at);
        self.at += 1;
        let mut end = close.map_or_else(String::new, |close| with_comments(close, false));
        let prefix = first.iter().map(|it| format!("{} ", it.text)).collect::<String>();
        match parts.first_mut().and_then(|part| part.nodes.first_mut()) {
            Some(Node::Word { text, .. }) => text.insert_str(0, &prefix),
            Some(Node::Bracket(bracket)) => bracket.open.insert_str(0, &prefix),
            None => end.insert_str(0, &prefix),
        }
        let last: Vec<Comment> = behind(piece, Stands::Last).collect();
        let is_commented = !last.is_empty() || !over.is_empty() || parts.iter().any(Part::is_commented);
        let apart = is_commented || was_apart && !parts.is_empty();
        let broken = apart || parts.iter().any(Part::has_broken);
        part.last.extend(close.into_iter().flat_map(|close| behind(close, Stands::Last)));
        let space = piece.space;
        part.nodes.push(Node::Bracket(Bracket { space, open, last, parts, over, close: end, broken, apart }));
    }

    /// What stands between separators, up to the closing bracket or the full stop; and the
    /// comments over that. The full stop is read, as the separator of the last part.
    fn parts(&mut self, over: Vec<Comment>) -> (Vec<Part>, Vec<Comment>) {
        let mut parts = Vec::new();
        let mut part = Part { over, ..Part::default() };
        while let Some(piece) = self.pieces.get(self.at) {
            if [")", "]", "}"].iter().any(|close| piece.is(close)) {
                let mut over: Vec<Comment> = alone(piece).collect();
                if part.nodes.is_empty() {
                    over.splice(0..0, part.over);
                } else {
                    parts.push(part);
                }
                return (parts, over);
            }
            let separates = !(piece.is(",") && is_first(&part));
            if separates && [",", ";", "."].iter().any(|separator| piece.is(separator)) {
                self.at += 1;
                part.separator = with_comments(piece, true);
                part.behind.extend(behind(piece, Stands::Last));
                let mut over: Vec<Comment> = alone(piece).collect();
                if piece.is(";") {
                    part.under = std::mem::take(&mut over);
                }
                parts.push(std::mem::take(&mut part));
                if piece.is(".") {
                    return (parts, over);
                }
                part.over = over;
                continue;
            }
            part.over.extend(alone(piece));
            if part.nodes.is_empty() {
                (part.blank, part.first) = (piece.blank, piece.new_line);
            }
            self.node(&mut part);
        }
        (parts, part.over)
    }
}

/// Whether a part is the beginning of `first 2 A, B by C, D : { … }`, whose commas are its own.
fn is_first(part: &Part) -> bool {
    let is_word = |node: &Node| matches!(node, Node::Word { .. });
    let begins = matches!(part.nodes.first(), Some(Node::Word { text, .. }) if text == "first");
    let has_braces =
        part.nodes.iter().any(|node| matches!(node, Node::Bracket(it) if it.open.starts_with('{')));
    begins && part.nodes.get(1).is_some_and(is_word) && !has_braces
}

fn alone(piece: &Piece<'_>) -> impl Iterator<Item = Comment> {
    piece.before.iter().filter(|it| it.stands == Stands::Alone).cloned()
}

fn behind(piece: &Piece<'_>, stands: Stands) -> impl Iterator<Item = Comment> {
    piece.behind.iter().filter(move |it| it.stands == stands).cloned()
}

/// A token with the comments that stand within its line. Nothing stands before a separator,
/// so there a comment from before it stands behind.
pub(super) fn with_comments(piece: &Piece<'_>, separator: bool) -> String {
    let before = piece.before.iter().filter(|it| it.stands == Stands::Before).map(|it| it.text.as_str());
    let behind = piece.behind.iter().filter(|it| it.stands == Stands::Behind).map(|it| it.text.as_str());
    let token = std::iter::once(piece.text);
    let words: Vec<&str> = if separator {
        token.chain(before).chain(behind).collect()
    } else {
        before.chain(token).chain(behind).collect()
    };
    words.join(" ")
}
