//! What a person is told when something is wrong: what, where, why, what to do.
//!
//! Every stage returns [`Diagnostic`]s instead of printing: `cli/` collects all of a
//! run, sorts them by place and renders them once. A message is one lower-case
//! sentence without a full stop, with what the user wrote in backticks; what would be
//! right goes into `help`. Text that came from outside may hold terminal escapes: it
//! is made visible here, once, so no caller can forget it.

use std::fmt;
use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use serde::Serialize;

/// How bad it is: an error fails the command, a warning and a note do not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The command fails.
    Error,
    /// Worth mending, but the command goes on.
    Warning,
    /// Worth knowing.
    Note,
}

/// A place in a source text: a file, a line and a column, with the line itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Place {
    /// The path as the user named it, or `<stdin>`, or `rules/placement.dl`.
    pub file: Arc<str>,
    /// Line, from 1. 0 means the whole file.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// How many characters are under the marker; at least 1.
    pub width: u32,
    /// The source line, without its end; of a long one only what is around the column.
    /// Empty where it is not known.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub text: Arc<str>,
    /// How many characters of the line stand before `text`.
    #[serde(skip_serializing_if = "is_zero")]
    pub cut: u32,
}

#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_zero(n: &u32) -> bool {
    *n == 0
}

/// How much of a long line is kept before and after a place: JSON may be one line of a
/// hundred megabytes, and every diagnostic has its own piece of it.
pub(crate) const KEPT: (usize, usize) = (200, 400);

/// The longest source line that is shown; of a longer one a window is shown.
const SHOWN_LINE: usize = 160;

impl Place {
    /// A whole file.
    #[must_use]
    pub fn file(file: impl Into<Arc<str>>) -> Self {
        Place { file: file.into(), line: 0, column: 0, width: 0, text: "".into(), cut: 0 }
    }

    /// The bytes `start..end` of `source`, which is the whole text of `file`.
    ///
    /// Offsets outside the text or inside a character are moved to the nearest
    /// boundary, so a wrong span never panics. Only the first line of a longer span
    /// is marked.
    #[must_use]
    pub fn of_span(file: impl Into<Arc<str>>, source: &str, start: usize, end: usize) -> Self {
        let start = floor_boundary(source, start);
        let end = floor_boundary(source, end.max(start));
        let line_start = source[..start].rfind('\n').map_or(0, |at| at + 1);
        let line = source[..line_start].matches('\n').count() + 1;
        let width = source[start..end].split('\n').next().unwrap_or("").chars().count();
        let column = source[line_start..start].chars().count() + 1;
        let (text, before) = around(source, line_start, start);
        Place {
            file: file.into(),
            line: clamp(line),
            column: clamp(column),
            width: clamp(width.max(1)),
            text: text.into(),
            cut: clamp(column - 1 - before),
        }
    }
}

/// The piece of a line that is kept around the byte `at`, and how many characters of it
/// stand before that byte.
pub(crate) fn around(source: &str, line_start: usize, at: usize) -> (&str, usize) {
    let before = source[line_start..at].char_indices().rev().take(KEPT.0);
    let (count, from) = before.fold((0, at), |(count, _), (offset, _)| (count + 1, line_start + offset));
    let rest = source[at..].split('\n').next().unwrap_or("");
    let rest = rest.strip_suffix('\r').unwrap_or(rest);
    let end = rest.char_indices().nth(KEPT.1).map_or(rest.len(), |(offset, _)| offset);
    (&source[from..at + end], count)
}

fn clamp(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

fn floor_boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&visible(&self.file))?;
        if self.line > 0 {
            write!(f, ":{}:{}", self.line, self.column)?;
        }
        Ok(())
    }
}

/// One thing to tell the user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// Error, warning or note.
    pub severity: Severity,
    /// A stable, short, kebab-case name of the kind of problem, as `unknown-relation`.
    pub code: &'static str,
    /// What is wrong: one lower-case sentence.
    pub message: String,
    /// Where; `None` when it is no file's fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// Short words under the marker, as `expected an integer`. May be empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub label: String,
    /// Other places that belong to it, each with a few words (`first defined here`).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub related: Vec<(Place, String)>,
    /// Why it is so.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

impl From<Diagnostic> for Vec<Diagnostic> {
    fn from(one: Diagnostic) -> Self {
        vec![one]
    }
}

impl Diagnostic {
    /// An error of the kind `code`.
    pub fn error(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, code, message)
    }

    /// A warning of the kind `code`.
    pub fn warning(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, code, message)
    }

    /// A note of the kind `code`.
    pub fn note(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Severity::Note, code, message)
    }

    fn new(severity: Severity, code: &'static str, message: impl Into<String>) -> Self {
        Diagnostic {
            severity,
            code,
            message: message.into(),
            place: None,
            label: String::new(),
            related: Vec::new(),
            notes: Vec::new(),
            help: None,
        }
    }

    /// Says where.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }

    /// Puts a few words under the marker.
    #[must_use]
    pub fn labelled(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// Adds another place that belongs to it.
    #[must_use]
    pub fn related(mut self, place: Place, words: impl Into<String>) -> Self {
        self.related.push((place, words.into()));
        self
    }

    /// Says why.
    #[must_use]
    pub fn because(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Whether it fails the command.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// The form a person reads, in rustc's look; `colour` adds ANSI styles.
    #[must_use]
    pub fn render(&self, colour: bool) -> String {
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
            Severity::Note => Level::NOTE,
        };
        let message = visible(&self.message);
        let mut group = Group::with_title(level.primary_title(message.as_ref()).id(self.code));
        let shown: Vec<Shown> = self
            .place
            .iter()
            .map(|place| (place, self.label.as_str(), true))
            .chain(self.related.iter().map(|(place, words)| (place, words.as_str(), false)))
            .map(|(place, words, primary)| Shown::new(place, words, primary))
            .collect();
        for place in &shown {
            group = place.add_to(group);
        }
        let notes: Vec<String> = self.notes.iter().map(|note| visible(note).into_owned()).collect();
        for note in &notes {
            group = group.element(Level::NOTE.message(note.as_str()));
        }
        let help = self.help.as_ref().map(|help| visible(help).into_owned());
        if let Some(help) = &help {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
        let mut text = renderer.render(&[group]).to_string();
        if shown.is_empty() {
            text = without_gutter(&text);
        }
        for place in shown.iter().filter(|place| place.is_cut) {
            // The column is that of the whole line, which the snippet does not have.
            let head = format!("{}:{}:", place.file, place.line);
            let (wrong, right) = (place.text[..place.marker.start].chars().count() + 1, place.column);
            text = text.replacen(&format!("{head}{wrong}\n"), &format!("{head}{right}\n"), 1);
        }
        text
    }

    /// The order of a whole run's report: by place, errors before warnings.
    pub fn sort(all: &mut [Diagnostic]) {
        all.sort_by(|a, b| {
            (&a.place, a.severity, a.code, &a.message).cmp(&(&b.place, b.severity, b.code, &b.message))
        });
    }
}

/// `text` without the line that parts source from notes, where there is no source.
fn without_gutter(text: &str) -> String {
    let bare = |line: &&str| anstream::adapter::strip_str(line).to_string().trim() != "|";
    text.lines().filter(bare).collect::<Vec<_>>().join("\n")
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Diagnostic {}

/// A place made ready to be drawn: a window of a long line, escapes made visible.
struct Shown {
    file: String,
    line: usize,
    column: usize,
    is_cut: bool,
    text: String,
    marker: std::ops::Range<usize>,
    words: String,
    primary: bool,
}

impl Shown {
    fn new(place: &Place, words: &str, primary: bool) -> Self {
        let skip = (place.column.saturating_sub(place.cut) as usize).saturating_sub(1);
        let from = if skip > SHOWN_LINE / 2 && place.text.chars().nth(SHOWN_LINE).is_some() {
            skip - SHOWN_LINE / 2
        } else {
            0
        };
        let window: String = place.text.chars().skip(from).take(SHOWN_LINE).collect();
        let before: String = window.chars().take(skip - from).collect();
        let marked: String = window.chars().skip(skip - from).take(place.width as usize).collect();
        let start = visible(&before).len();
        let text = visible(&window).into_owned();
        let end = (start + visible(&marked).len().max(1)).min(text.len().max(start));
        Shown {
            file: visible(&place.file).into_owned(),
            line: place.line as usize,
            column: place.column as usize,
            is_cut: from > 0 || place.cut > 0,
            text,
            marker: start..end,
            words: visible(words).into_owned(),
            primary,
        }
    }

    fn add_to<'a>(&'a self, group: Group<'a>) -> Group<'a> {
        if self.line == 0 || self.text.is_empty() {
            let origin = annotate_snippets::Origin::path(self.file.as_str());
            return group.element(if self.line == 0 {
                origin
            } else {
                origin.line(self.line).char_column(self.column)
            });
        }
        let kind = if self.primary { AnnotationKind::Primary } else { AnnotationKind::Context };
        let snippet = Snippet::source(self.text.as_str())
            .line_start(self.line)
            .annotation(kind.span(self.marker.clone()).label(self.words.as_str()));
        group.element(snippet.path(self.file.as_str()))
    }
}

/// `text` with control characters (terminal escapes, bidirectional overrides, other line
/// ends, what cannot be seen) written out as `\u{1b}`, so that nothing from a file can act on the terminal. Line feeds
/// stay.
#[must_use]
pub fn visible(text: &str) -> std::borrow::Cow<'_, str> {
    if !text.contains(acts) {
        return text.into();
    }
    text.chars()
        .map(|c| match c {
            '\t' => " ".to_owned(),
            c if acts(c) => c.escape_unicode().to_string(),
            c => c.to_string(),
        })
        .collect::<String>()
        .into()
}

/// Whether a character does something to a terminal, or to how what is around it is seen,
/// rather than being seen itself. A line feed does what it is there for.
#[must_use]
pub fn acts(c: char) -> bool {
    (c.is_control() && c != '\n')
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Names from here on are compared with nothing.
const LONGEST_COMPARED: usize = 300;

/// The nearest of `known` to what was written, if it is near enough to be meant.
pub fn nearest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // What is much longer is far away, and takes long to compare.
    let length = written.chars().take(LONGEST_COMPARED + 1).count();
    if length > LONGEST_COMPARED {
        return None;
    }
    let written = written.to_lowercase();
    known
        .into_iter()
        .filter_map(|name| {
            let other = name.chars().count();
            let near = (other / 3).max(1);
            // Twice, as what is lower case may be longer.
            if other > LONGEST_COMPARED || length.abs_diff(other) > 2 * near {
                return None;
            }
            let distance = strsim::damerau_levenshtein(&written, &name.to_lowercase());
            (distance <= near).then_some((distance, name))
        })
        .min()
        .map(|(_, name)| name)
}

/// A count with its noun: `1 pod`, `2 pods`.
#[must_use]
pub fn counted(count: impl std::fmt::Display, noun: &str) -> String {
    let count = count.to_string();
    let s = if count == "1" { "" } else { "s" };
    format!("{count} {noun}{s}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_becomes_line_and_column_in_characters() {
        let place = Place::of_span("a.yaml", "one\n  zwölf: x\n", 6, 12);
        assert_eq!((place.line, place.column, place.width), (2, 3, 5));
        assert_eq!(&*place.text, "  zwölf: x");
    }

    #[test]
    fn a_wrong_span_never_panics() {
        let place = Place::of_span("a.yaml", "ö", 1, 900);
        assert_eq!((place.line, place.column), (1, 1));
    }

    #[test]
    fn of_a_long_line_a_piece_is_kept_and_the_column_stays_true() {
        let source = format!("a\n{}x{}\nb", "ä".repeat(5_000), "y".repeat(5_000));
        let at = source.find('x').expect("there is one");
        let place = Place::of_span("a.json", &source, at, at + 1);
        assert_eq!((place.line, place.column, place.cut), (2, 5_001, 4_800));
        assert_eq!(place.text.chars().count(), 600);
        let shown = Diagnostic::error("x", "y").at(place).render(false);
        assert!(shown.contains("a.json:2:5001"), "{shown}");
    }

    #[test]
    fn escapes_are_made_visible() {
        assert_eq!(visible("a\u{1b}[31m"), "a\\u{1b}[31m");
        let shown = Diagnostic::error("x", "bad \u{1b}[2J name")
            .at(Place::of_span("a\u{7}.yaml", "k: \u{1b}[2J\n", 3, 7))
            .help("do\rthis")
            .render(false);
        assert!(!shown.contains(|c: char| c.is_control() && c != '\n'), "{shown:?}");
    }

    #[test]
    fn without_a_place_notes_stand_right_below_the_message() {
        let told = Diagnostic::error("x", "wrong").because("why").help("do this");
        assert_eq!(told.render(false), "error[x]: wrong\n = note: why\n = help: do this");
        assert_eq!(told.render(true).lines().count(), 3, "{:?}", told.render(true));
    }

    #[test]
    fn the_nearest_name_must_be_near() {
        assert_eq!(nearest("matchlabel", ["matchLabels", "matchFields"]), Some("matchLabels"));
        assert_eq!(nearest("zzz", ["matchLabels"]), None);
    }
}
