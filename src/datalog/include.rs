//! `.include "file.dl"`: which other files a rule text names.
//!
//! Whoever reads files follows it; a program is made of all texts together, so the engine
//! itself does nothing with it.

use super::lexer::{Token, tokens};
use super::source::{Source, Text};
use crate::diagnostic::Place;

/// The paths that a text includes, as they were written, each with its place.
#[must_use]
pub fn includes(file: &str, text: &str) -> Vec<(String, Place)> {
    if !text.contains(".include") {
        return Vec::new();
    }
    let (tokens, _) = tokens(0, text);
    let source = Text::new(&Source { file, text, builtin: false, folder: "" });
    let pairs = tokens.windows(2).filter_map(|pair| match pair {
        [(Token::Directive(word), _), (Token::Text(path), span)] if word == "include" => {
            Some((path.clone(), source.place(*span)))
        }
        _ => None,
    });
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_found_with_their_places() {
        let text = "// .include \"no.dl\"\n.include \"a.dl\"\nr(X) :- s(X, \".include\").\n  .include \"../b.dl\" .\n";
        let found = includes("x.dl", text);
        let shown: Vec<String> = found.iter().map(|(path, place)| format!("{path} {place}")).collect();
        assert_eq!(shown, ["a.dl x.dl:2:10", "../b.dl x.dl:4:12"]);
        assert!(includes("x.dl", "r(X) :- s(X).").is_empty());
    }
}
