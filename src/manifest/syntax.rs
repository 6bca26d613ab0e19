//! What is wrong with YAML, in words that point to the usual cause.

use super::problem::Problem;
use super::scalar::Refusal;

/// A scalar that means nothing that Kubernetes has.
pub(super) fn refused(refusal: Refusal, text: &str, tag: Option<&str>) -> Problem {
    match refusal {
        Refusal::NotANumber => {
            Problem::new("not-a-number", format!("`{text}` is a number that Kubernetes does not have"))
                .help(format!("quote it if it is meant as text: \"{text}\""))
        }
        Refusal::Tag => {
            let tag = tag.and_then(|tag| tag.rsplit(':').next()).unwrap_or_default();
            let value = match text.split_once(char::is_whitespace) {
                Some((tag, value)) if tag.starts_with('!') => value.trim_start(),
                _ if text.starts_with('!') => "",
                _ => text,
            };
            Problem::new("yaml-tag", format!("`{value}` is no `!!{tag}`"))
                .help("remove the tag or mend the value")
        }
        Refusal::Key => Problem::new("mapping-key", "a key must be a string")
            .help("quote the key, or remove a `:` that stands alone"),
    }
}

/// A character that no YAML may have.
pub(super) fn control(c: char) -> Problem {
    let code = u32::from(c);
    let message = format!("the control character U+{code:04X} stands here");
    let escape = if code < 0x100 { format!("\\x{code:02x}") } else { format!("\\u{code:04x}") };
    Problem::new("control-character", message)
        .help(format!("write it as an escape in a double-quoted string, like \"{escape}\", or remove it"))
}

const QUOTE_COLON: &str = "quote the text if the `:` belongs to it: \"a: b\"";
const QUOTE_VALUE: &str = "quote the value";
const INDENTATION: &str = "compare the indentation with the lines above";
const NO_COLON: &str = "a key has no `:` after it";
const COLON: &str = "write `key: value`, with a blank after the `:`";
const NAME_OF_TAG: &str = "a value that starts with `!` must be quoted";

/// What is told of what kubectl says: all of its words for a text that it cannot read.
const KNOWN: [(&str, &str, &str); 21] = [
    ("mapping values are not allowed", "a `:` stands where no key can be", QUOTE_COLON),
    ("mapping keys are not allowed", "a `?` stands where no key can be", QUOTE_VALUE),
    ("did not find expected key", "here should be a key of the mapping, at its indentation", INDENTATION),
    ("expected '-' indicator", "here should be the next `- ` of the list, at its indentation", INDENTATION),
    ("tab", "a tab stands where YAML wants spaces", "indent with spaces"),
    (
        "expected ',' or '}'",
        "a `{` is not closed before this",
        "close it with `}`, or quote the text that it belongs to: \"{...}\"",
    ),
    (
        "expected ',' or ']'",
        "a `[` is not closed before this",
        "close it with `]`, or quote the text that it belongs to: \"[...]\"",
    ),
    (
        "alphabetic or numeric character",
        "after `*` and `&` there must be a name",
        "quote the text if it only starts so: \"*\"",
    ),
    (
        "expected node content",
        "a value is missing here, or a bracket above is not closed",
        "close the bracket, or quote the text that it belongs to",
    ),
    ("could not find expected ':'", NO_COLON, COLON),
    (
        "unknown escape",
        "there is no such escape in a double-quoted string",
        "write `\\\\` for a backslash, or use single quotes",
    ),
    (
        "Unicode character escape",
        "this escape is no character",
        "write a character beyond U+FFFF with eight digits, like \\U0001F600",
    ),
    ("hexdecimal number", "an escape has too few digits", "\\x has two digits, \\u four and \\U eight"),
    (
        "unexpected end of stream",
        "this quoted string is not closed before the document ends",
        "close the quote",
    ),
    (
        "unexpected document indicator",
        "this quoted string is not closed before the document ends",
        "close the quote",
    ),
    (
        "block sequence entries are not allowed",
        "a `- ` stands where no list can be",
        "put the list on lines of its own, below its key",
    ),
    ("cannot start any token", "no value can start with this character", QUOTE_VALUE),
    ("tag", "there is no such tag", NAME_OF_TAG),
    ("whitespace or line break", "there is no such tag", NAME_OF_TAG),
    ("URI", "there is no such tag", NAME_OF_TAG),
    (
        "comment or line break",
        "after `|` or `>` the line must end",
        "put the text on lines of its own, indented, or quote it",
    ),
];

/// What the parser could not read, and what stands there.
pub(super) fn syntax(says: &str, next: Option<char>) -> Problem {
    if says.contains("<document start>") || says.contains("directive name") {
        return Problem::new("yaml-syntax", "kubectl reads no directives")
            .because(format!("the YAML parser says: {says}"))
            .help("remove the line, or quote the text that starts with `%`");
    }
    let tab = says.contains("any token") && next == Some('\t');
    let found = if tab { "tab" } else { says };
    let known = KNOWN.iter().find(|(words, ..)| found.contains(words));
    match known {
        Some((_, message, help)) => {
            Problem::new("yaml-syntax", *message).because(format!("the YAML parser says: {says}")).help(*help)
        }
        None => Problem::new("yaml-syntax", format!("this is no YAML: {says}")),
    }
}
