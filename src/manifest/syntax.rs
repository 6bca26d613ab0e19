//! What is wrong with YAML, in words that point to the usual cause.

use saphyr_parser::{ScanError, Tag};

use super::problem::{Problem, Spot};
use super::scalar::Refusal;
use super::yaml::mark_of;

/// A scalar that means nothing that Kubernetes has.
pub(super) fn refused(refusal: Refusal, text: &str, tag: Option<&Tag>) -> Problem {
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

/// What the parser could not read.
pub(super) fn syntax(error: &ScanError, lines_before: u32) -> Problem {
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
        ("valid yaml whitespace", "a tab stands where YAML wants a space", "write a space after the `:`"),
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
