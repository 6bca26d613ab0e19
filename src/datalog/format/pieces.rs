//! Tokens with all that stands between them: comments, blank lines, and the space that one
//! wants in front of it.
//!
//! The lexer leaves comments out, so they are found in the gaps between its tokens. Each
//! belongs to the token beside it, and keeps its place on the line.

use super::super::lexer::Token;
use super::super::source::Span;
use super::super::words::{Sort, sort_of};

/// Where a comment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stands {
    /// On a line of its own, or on several.
    Alone,
    /// `/* … */` at the start of a line, before a token.
    Before,
    /// `/* … */` behind a token, with more behind it or not.
    Behind,
    /// At the end of a line: nothing can follow it there.
    Last,
}

#[derive(Debug, Clone)]
pub(super) struct Comment {
    pub text: String,
    pub stands: Stands,
    /// Whether a blank line is above it.
    pub blank: bool,
}

/// A token with the comments beside it.
#[derive(Debug)]
pub(super) struct Piece<'a> {
    pub token: &'a Token,
    pub text: &'a str,
    /// Whether a space stands before it, where it stands on a line with the one before.
    pub space: bool,
    /// Whether it, or a comment before it, starts a line.
    pub new_line: bool,
    /// Whether a blank line is directly above it.
    pub blank: bool,
    pub before: Vec<Comment>,
    pub behind: Vec<Comment>,
}

impl Piece<'_> {
    pub fn is(&self, mark: &str) -> bool {
        matches!(self.token, Token::Mark(found) if *found == mark)
    }
}

/// All tokens of a text, the end among them.
pub(super) fn pieces<'a>(text: &'a str, tokens: &'a [(Token, Span)]) -> Vec<Piece<'a>> {
    let mut pieces: Vec<Piece<'a>> = Vec::with_capacity(tokens.len());
    let mut end = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    for (at, (token, span)) in tokens.iter().enumerate() {
        let (start, close) = (span.start as usize, span.end as usize);
        let gap = Gap::read(text.get(end..start).unwrap_or(""), at == 0, *token == Token::End);
        let (behind, before) =
            gap.comments.into_iter().partition(|it| matches!(it.stands, Stands::Behind | Stands::Last));
        if let Some(last) = pieces.last_mut() {
            last.behind = behind;
        }
        pieces.push(Piece {
            token,
            text: text.get(start..close).unwrap_or("").trim_end(),
            space: at > 0 && space(tokens, at, end < start),
            new_line: gap.new_line,
            blank: gap.lines > 1,
            before,
            behind: Vec::new(),
        });
        end = close;
    }
    pieces
}

/// What stands between two tokens.
struct Gap {
    comments: Vec<Comment>,
    /// Line feeds behind the last comment.
    lines: usize,
    /// Whether there is a line feed before what comes first, or before the token.
    new_line: bool,
}

impl Gap {
    fn read(text: &str, first: bool, last: bool) -> Gap {
        let mut gap = Gap { comments: Vec::new(), lines: 0, new_line: first };
        let (mut at, mut own_line) = (0, first);
        while let Some(c) = text[at..].chars().next() {
            let rest = &text[at..];
            let length = match c {
                '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
                '/' if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |end| end + 2),
                _ => {
                    own_line |= c == '\n';
                    gap.new_line |= c == '\n';
                    gap.lines += usize::from(c == '\n');
                    at += c.len_utf8();
                    continue;
                }
            };
            let comment = rest[..length].trim_end();
            let many = comment.contains('\n');
            let stands = match (comment.starts_with("//"), own_line) {
                (true, true) => Stands::Alone,
                (true, false) => Stands::Last,
                (false, true) if !many && leads_on(&rest[length..], last) => Stands::Before,
                (false, true) => Stands::Alone,
                (false, false) if many => Stands::Last,
                (false, false) => Stands::Behind,
            };
            // Nothing of a token is on the line on which a long comment ends.
            own_line |= many;
            let blank = gap.lines > 1;
            gap.comments.push(Comment { text: comment.replace("\r\n", "\n"), stands, blank });
            gap.lines = 0;
            at += length;
        }
        gap
    }
}

/// Whether the token stands on the line that goes on here.
fn leads_on(rest: &str, last: bool) -> bool {
    let rest = rest.trim_start_matches(|c: char| c.is_whitespace() && c != '\n');
    match rest.strip_prefix("/*").and_then(|inside| inside.split_once("*/")) {
        Some((inside, rest)) => !inside.contains('\n') && leads_on(rest, last),
        None => rest.is_empty() && !last,
    }
}

/// Whether it is a word that a value may follow, so that what comes is no list of arguments
/// and no subtraction.
fn is_word(token: &Token) -> bool {
    let Token::Name(name) = token else { return false };
    matches!(sort_of(name), Some(Sort::Keyword | Sort::Aggregate))
}

/// Whether a token ends a value, so that `-` behind it subtracts.
fn ends_value(token: &Token) -> bool {
    match token {
        Token::Name(_) => !is_word(token),
        Token::Text(_) | Token::Number(_) | Token::Version(_) => true,
        Token::Mark(mark) => matches!(*mark, "_" | ")" | "]" | "}"),
        _ => false,
    }
}

/// Whether a space stands before a token; `was` says whether something stands there now.
fn space(tokens: &[(Token, Span)], at: usize, was: bool) -> bool {
    let mark = |at: usize| match tokens.get(at) {
        Some((Token::Mark(mark), _)) => *mark,
        _ => "",
    };
    let before = &tokens[at - 1].0;
    let is_sign = mark(at - 1) == "-" && (at < 2 || !ends_value(&tokens[at - 2].0));
    let of = matches!(tokens.get(at + 1), Some((Token::Name(name), _)) if name == "of");
    match (mark(at - 1), mark(at)) {
        ("{", "}") => false,
        ("{", _) | (_, "}") => true,
        (_, "," | ";" | "." | ")" | "]" | "::") | ("(" | "[" | "!" | "::", _) => false,
        (_, "%") if of => false,
        (_, ":") => mark(at + 1) == "{",
        (_, "(") if matches!(before, Token::Name(_)) => was && is_word(before),
        _ => !is_sign,
    }
}
