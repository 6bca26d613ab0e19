//! One layout for every rule text: what `dsrules rules fmt` writes.
//!
//! It works on tokens and the comments between them, so nothing is lost and a new construct
//! needs no new code here; which tokens make one rule or declaration is what the parser
//! says. What comes out is read again, and must be the same tokens and comments: a text that
//! this layout cannot hold is left as it is.

mod pieces;
mod print;
mod tree;

use super::lexer::{Token, tokens};
use super::parser::{declared_tests, parse};
use super::source::{MAX_SOURCE, Source, Text};
use crate::diagnostic::{Diagnostic, Place};
use pieces::{Piece, Stands, pieces};
use print::Page;
use tree::{item, with_comments};

/// The text in its one layout.
///
/// # Errors
/// What is wrong with the syntax; names and types do not matter.
pub fn format(file: &str, text: &str) -> Result<String, Vec<Diagnostic>> {
    if text.len() > MAX_SOURCE {
        let message = format!("a rule text of {} bytes is over the limit of {MAX_SOURCE}", text.len());
        return Err(vec![Diagnostic::error("source-too-large", message).at(Place::file(file))]);
    }
    let items = parse(0, text, declared_tests(text).collect(), false);
    if !items.faults.is_empty() {
        let text = Text::new(&Source { file, text, builtin: false, folder: "" });
        return Err(items.faults.iter().map(|fault| fault.told(text.place(fault.span))).collect());
    }
    let (found, _) = tokens(0, text);
    let mut all = pieces(text, &found);
    let before = said(&all);
    let out = page(&mut all, &items.spans);
    if before != said(&pieces(&out, &tokens(0, &out).0)) {
        let error = Diagnostic::error("unformatted", "a comment stands where no layout can hold it");
        return Err(vec![error.at(Place::file(file)).help("put the comments on lines of their own")]);
    }
    let first_line = text.split_inclusive('\n').next().unwrap_or("");
    Ok(if first_line.ends_with("\r\n") { out.replace('\n', "\r\n") } else { out })
}

/// All that a text says: its tokens, and its comments in whatever order.
fn said(pieces: &[Piece<'_>]) -> (Vec<Token>, Vec<String>) {
    let comments = pieces.iter().flat_map(|piece| piece.before.iter().chain(&piece.behind));
    let mut comments: Vec<String> =
        comments.map(|it| it.text.trim_start_matches(['/', '!']).to_owned()).collect();
    comments.sort();
    (pieces.iter().map(|piece| piece.token.clone()).collect(), comments)
}

/// Lays out all items, given which tokens each one has.
fn page(pieces: &mut [Piece<'_>], items: &[(usize, usize)]) -> String {
    let mut page = Page::default();
    let (mut at, mut items) = (0, items.iter().peekable());
    while let Some(piece) = pieces.get(at) {
        for comment in piece.before.iter().filter(|it| it.stands == Stands::Alone) {
            above(&mut page, comment.blank);
            page.put(&comment.text);
            page.put("\n");
        }
        if *piece.token == Token::End {
            break;
        }
        above(&mut page, piece.blank);
        let end = items.next_if(|(start, _)| *start == at).map_or(at + 1, |(_, end)| *end).max(at + 1);
        match piece.token {
            Token::Doc(_) | Token::FileDoc(_) => page.put(&with_comments(piece, false)),
            _ => page.item(&item(&mut pieces[at..end])),
        }
        page.put("\n");
        at = end;
    }
    page.text
}

/// A blank line, where there was one; not at the top.
fn above(page: &mut Page, blank: bool) {
    if blank && !page.text.is_empty() {
        page.put("\n");
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::format;

    #[test]
    fn a_rule_stands_on_one_line_or_stays_with_a_line_for_each_part() {
        for (text, formatted) in [
            ("a( X ):-b(X),!c( X,_ ),X>=- 2 ,Y=X*-3.", "a(X) :- b(X), !c(X, _), X >= -2, Y = X * -3.\n"),
            ("\n\n.type  A\n\n\n\n.type B", ".type A\n\n.type B\n"),
            (".decl a( x :N,y: number )  input\n.", ".decl a(x: N, y: number) input.\n"),
            ("a(1).a(2) .", "a(1).\na(2).\n"),
            ("a(X) :-\n  b(X),\nc(X).", "a(X) :-\n    b(X),\n    c(X).\n"),
            ("a(X) :-\n  b(X), c(X).", "a(X) :- b(X), c(X).\n"),
            (
                "a(X):-X=count:{b(Y)},X>10 % of Y,Z=sum -Y:{c(Y)}.",
                "a(X) :- X = count : { b(Y) }, X > 10% of Y, Z = sum -Y : { c(Y) }.\n",
            ),
            (
                "a(X):-b(X);(c(X);d(X)),X !in[\"a\",\"b\"],X not in [1].",
                "a(X) :- b(X); (c(X); d(X)), X !in [\"a\", \"b\"], X not in [1].\n",
            ),
            ("/// say\n  a(1). // why", "/// say\na(1). // why\n"),
            ("a(X) :- b(X) // why\n .", "a(X) :- b(X). // why\n"),
            ("a(X) :- b(X) // b\n , c(X).", "a(X) :-\n    b(X), // b\n    c(X).\n"),
            ("", ""),
        ] {
            assert_eq!(format("t.dl", text).unwrap(), formatted, "{text}");
        }
    }
}
