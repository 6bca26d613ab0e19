//! Text into tokens, each with its span.
//!
//! Written by hand because recovery matters: a bad character or an unclosed string is
//! one error, and everything after it is still read. It never looks at meaning.

use super::source::Span;
use super::units::{Wrong, literal};
use crate::diagnostic::{Diagnostic, Place};

/// A piece of text that means something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// A name of a relation (`label`), a type or a variable (`Node`, `_rest`).
    Name(String),
    /// A quoted text, its escapes resolved.
    Text(String),
    /// Digits, and perhaps a unit.
    Number(i64),
    /// `v"1.2.3"`
    Version(String),
    /// `.type`, `.decl` or another word after a dot at the start of a line.
    Directive(String),
    /// A `///` line.
    Doc(String),
    /// A `//!` line.
    FileDoc(String),
    /// Punctuation and operators.
    Mark(&'static str),
    /// The end of the text.
    End,
}

impl Token {
    /// How an error calls it.
    pub fn shown(&self) -> String {
        match self {
            Token::Name(name) => format!("`{name}`"),
            Token::Text(_) => "a text".to_owned(),
            Token::Version(_) => "a version".to_owned(),
            Token::Number(number) => format!("`{number}`"),
            Token::Directive(word) => format!("`.{word}`"),
            Token::Doc(_) => "a `///` comment".to_owned(),
            Token::FileDoc(_) => "a `//!` comment".to_owned(),
            Token::Mark(mark) => format!("`{mark}`"),
            Token::End => "the end of the file".to_owned(),
        }
    }
}

/// Something that is no token.
#[derive(Debug, Clone)]
pub(super) struct Fault {
    pub code: &'static str,
    pub message: String,
    pub help: &'static str,
    pub span: Span,
}

impl Fault {
    /// As a person is told it.
    pub fn told(&self, place: Place) -> Diagnostic {
        Diagnostic::error(self.code, self.message.clone()).at(place).help(self.help)
    }
}

/// The longest name; also keeps the search for similar names cheap.
pub(super) const MAX_NAME: usize = 64;

/// No more than this many faults of one text are kept: a binary file is one mistake,
/// not a million.
pub(super) const MAX_FAULTS: usize = 50;

const MARKS: [&str; 27] = [
    "?-", ":-", "::", "!=", "<=", "<:", ">=", "(", ")", ",", ".", "!", "=", "<", ">", "+", "-", "*", "/",
    "%", ":", "_", ";", "[", "]", "{", "}",
];

/// All tokens of a text, ending with [`Token::End`].
pub(super) fn tokens(source: u32, text: &str) -> (Vec<(Token, Span)>, Vec<Fault>) {
    let mut lexer = Lexer { source, text, at: 0, tokens: Vec::new(), faults: Vec::new() };
    lexer.run();
    (lexer.tokens, lexer.faults)
}

struct Lexer<'a> {
    source: u32,
    text: &'a str,
    at: usize,
    tokens: Vec<(Token, Span)>,
    faults: Vec<Fault>,
}

impl Lexer<'_> {
    fn run(&mut self) {
        if self.text.starts_with('\u{feff}') {
            self.at = '\u{feff}'.len_utf8();
        }
        let mut line_is_empty = true;
        while let Some(c) = self.rest().chars().next() {
            let start = self.at;
            match c {
                '\n' => {
                    self.at += 1;
                    line_is_empty = true;
                    continue;
                }
                c if c.is_whitespace() => {
                    self.at += c.len_utf8();
                    continue;
                }
                '/' if self.rest().starts_with("//") => self.comment(line_is_empty),
                '/' if self.rest().starts_with("/*") => {
                    self.block_comment();
                    line_is_empty |= self.text[start..self.at].contains('\n');
                    continue;
                }
                '"' => self.quoted(),
                '0'..='9' => self.number(),
                'v' if self.rest().starts_with("v\"") => {
                    self.at += 1;
                    self.quoted();
                    if let Some((token, span)) = self.tokens.last_mut()
                        && let Token::Text(text) = token
                    {
                        *token = Token::Version(std::mem::take(text));
                        span.start -= 1;
                    }
                }
                'a'..='z' | 'A'..='Z' | '_' => {
                    let name = self.word();
                    self.push(if name == "_" { Token::Mark("_") } else { Token::Name(name) }, start);
                }
                '.' if self.is_directive(line_is_empty) => {
                    self.at += 1;
                    let word = self.word();
                    self.push(Token::Directive(word), start);
                }
                _ => self.mark(c),
            }
            line_is_empty = false;
        }
        self.push(Token::End, self.at);
    }

    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    /// A word behind a full stop is a directive where a line begins; one that everybody knows is
    /// one also behind a space, so that a line has room for rules and a query.
    fn is_directive(&self, line_is_empty: bool) -> bool {
        let rest = &self.rest()[1..];
        let known = |word: &&str| rest.strip_prefix(*word).is_some_and(|rest| rest.starts_with(' '));
        let behind_space = || self.text[..self.at].ends_with(char::is_whitespace);
        rest.starts_with(|c: char| c.is_ascii_alphabetic())
            && (line_is_empty || behind_space() && ["decl", "type", "param"].iter().any(known))
    }

    fn span(&self, start: usize) -> Span {
        let clamp = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Span { source: self.source, start: clamp(start), end: clamp(self.at) }
    }

    fn push(&mut self, token: Token, start: usize) {
        let span = self.span(start);
        self.tokens.push((token, span));
    }

    fn fault(&mut self, code: &'static str, message: String, help: &'static str, start: usize) {
        if self.faults.len() < MAX_FAULTS {
            let span = self.span(start);
            self.faults.push(Fault { code, message, help, span });
        }
    }

    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &str {
        let start = self.at;
        let rest = &self.text[start..];
        self.at += rest.find(|c: char| !wanted(c)).unwrap_or(rest.len());
        &self.text[start..self.at]
    }

    fn word(&mut self) -> String {
        let start = self.at;
        let rest = &self.text.as_bytes()[start..];
        let is_over = |byte: &u8| !byte.is_ascii_alphanumeric() && *byte != b'_';
        self.at += rest.iter().position(is_over).unwrap_or(rest.len());
        let mut word = self.text[start..self.at].to_owned();
        if word.len() > MAX_NAME {
            word.truncate(MAX_NAME);
            self.fault(
                "name-too-long",
                format!("a name has {} characters, the limit is {MAX_NAME}", self.at - start),
                "use a shorter name",
                start,
            );
        }
        word
    }

    fn comment(&mut self, own_line: bool) {
        let start = self.at;
        let text = self.text;
        self.at = text[start..].find('\n').map_or(text.len(), |length| start + length);
        let line = text[start..self.at].trim_end();
        let words = |prefix: usize| {
            let rest = &line[prefix..];
            rest.strip_prefix(' ').unwrap_or(rest).to_owned()
        };
        // `////` is a plain comment, as in Rust. A comment behind code belongs to nothing.
        if own_line && line.starts_with("///") && !line.starts_with("////") {
            self.push(Token::Doc(words(3)), start);
        } else if own_line && line.starts_with("//!") {
            self.push(Token::FileDoc(words(3)), start);
        }
    }

    /// `/* … */`, over as many lines as it likes; one in another ends with the first `*/`.
    fn block_comment(&mut self) {
        let start = self.at;
        match self.rest().find("*/") {
            Some(end) => self.at += end + "*/".len(),
            None => {
                self.at += "/*".len();
                self.fault(
                    "unclosed-comment",
                    "a comment is not closed".to_owned(),
                    "close it with `*/`, or start each of its lines with `//`",
                    start,
                );
                self.at = self.text.len();
            }
        }
    }

    fn quoted(&mut self) {
        let start = self.at;
        self.at += 1;
        let mut text = String::new();
        loop {
            let Some(c) = self.rest().chars().next().filter(|c| *c != '\n') else {
                self.fault(
                    "unclosed-text",
                    "a text is not closed on its line".to_owned(),
                    "close it with `\"`; a line feed inside is written `\\n`",
                    start,
                );
                break;
            };
            self.at += c.len_utf8();
            match c {
                '"' => break,
                '\\' => {
                    let escape = self.at - 1;
                    let Some(c) = self.rest().chars().next().filter(|c| *c != '\n') else { continue };
                    self.at += c.len_utf8();
                    match c {
                        '"' | '\\' => text.push(c),
                        'n' => text.push('\n'),
                        't' => text.push('\t'),
                        _ => self.fault(
                            "unknown-escape",
                            format!("`\\{c}` is no escape"),
                            "the escapes are `\\\"`, `\\\\`, `\\n` and `\\t`",
                            escape,
                        ),
                    }
                }
                c => text.push(c),
            }
        }
        self.push(Token::Text(text), start);
    }

    fn number(&mut self) {
        let start = self.at;
        self.take_while(|c| c.is_ascii_alphanumeric() || c == '_');
        let fraction =
            self.rest().strip_prefix('.').filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        if fraction.is_some() {
            self.at += 1;
            self.take_while(|c| c.is_ascii_alphanumeric() || c == '_');
        }
        let word = &self.text[start..self.at];
        let number = literal(word);
        if let Err(wrong) = number {
            let shown: String = word.chars().take(MAX_NAME).collect();
            let (code, message, help) = match wrong {
                Wrong::Large => (
                    "number-too-large",
                    format!("`{shown}` is over {}, the largest number", i64::MAX),
                    "numbers have 64 bits; compare with something smaller, or divide both sides",
                ),
                Wrong::Fraction => (
                    "no-whole-number",
                    format!("`{shown}` is no whole number"),
                    "a number is a whole one: CPUs are counted in thousandths (`1500m`, `1.5cpu`), memory in bytes (`1.5Gi`)",
                ),
                Wrong::Unit | Wrong::Digits => (
                    "syntax",
                    format!("`{shown}` is neither a number nor a name"),
                    "a number is digits, and perhaps a unit: `100m`, `1.5cpu`, `64Mi`, `2k`, `30s`, `5min`, `1h`, `30d`; a text stands in quotes",
                ),
            };
            self.fault(code, message, help, start);
        }
        self.push(Token::Number(number.unwrap_or(0)), start);
    }

    fn mark(&mut self, c: char) {
        let start = self.at;
        let rest = &self.text.as_bytes()[start..];
        // Most are one character, so one look tells that it is none.
        let is_here = |mark: &&&str| rest[0] == mark.as_bytes()[0] && rest.starts_with(mark.as_bytes());
        if let Some(mark) = MARKS.iter().find(is_here) {
            self.at += mark.len();
            self.push(Token::Mark(mark), start);
            return;
        }
        // One fault for a whole run of strange characters.
        self.at += c.len_utf8();
        self.take_while(|c| !c.is_ascii() || c.is_ascii_control() && c != '\n');
        let help = match c {
            '\'' | '`' | '\u{201c}' | '\u{201d}' => "texts stand in straight double quotes: `\"text\"`",
            '#' => "a comment starts with `//`",
            '&' => "parts of a rule are joined with `,`, which is an and",
            '|' => "`;` is an or, and `,` an and",
            '{' | '}' => "arguments stand in `(` and `)`",
            _ => "outside of texts and comments rules are written in ASCII",
        };
        self.fault("syntax", format!("unexpected character `{c}`"), help, start);
    }
}
