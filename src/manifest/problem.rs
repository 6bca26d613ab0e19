//! Something wrong in a text, before it is known how the text is shown.
//!
//! A [`Problem`] has a mark at most; the file and the source line are added when it
//! becomes a [`Diagnostic`], so that work on many threads need not share texts.

use crate::diagnostic::{Diagnostic, Place, Severity};

use super::source::{Mark, Source};
use super::tool;

/// Where in its text something is: as the YAML parser says it, or as bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spot {
    /// Line, column and width.
    Mark(Mark),
    /// From the first byte to behind the last.
    Bytes(usize, usize),
}

impl Spot {
    /// As line, column and width.
    pub(super) fn mark(self, source: &Source) -> Mark {
        match self {
            Spot::Mark(mark) => mark,
            Spot::Bytes(start, end) => source.mark(start, end),
        }
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone)]
pub(super) struct Problem {
    pub(super) severity: Severity,
    pub(super) code: &'static str,
    pub(super) message: String,
    pub(super) spot: Option<Spot>,
    pub(super) label: String,
    pub(super) note: Option<String>,
    pub(super) help: Option<String>,
}

impl Problem {
    pub(super) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Problem {
            severity: Severity::Error,
            code,
            message: message.into(),
            spot: None,
            label: String::new(),
            note: None,
            help: None,
        }
    }

    pub(super) fn at(mut self, spot: Spot) -> Self {
        self.spot = Some(spot);
        self
    }

    pub(super) fn labelled(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    pub(super) fn because(mut self, note: impl Into<String>) -> Self {
        self.note = Some(note.into());
        self
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// What a person is shown.
    pub(super) fn into_diagnostic(self, source: &Source) -> Diagnostic {
        let message = cut(self.message);
        let mut diagnostic = match self.severity {
            Severity::Error => Diagnostic::error(self.code, message),
            Severity::Warning => Diagnostic::warning(self.code, message),
            Severity::Note => Diagnostic::note(self.code, message),
        };
        diagnostic.place = Some(match self.spot {
            Some(spot) => source.place(spot.mark(source)),
            None => crate::diagnostic::Place::file(source.name.clone()),
        });
        if matches!(self.code, "yaml-syntax" | "mapping-key" | "json-syntax")
            && let Some(cause) = cause(source, diagnostic.place.as_ref())
        {
            return in_words(cause, diagnostic);
        }
        diagnostic.label = self.label;
        diagnostic.notes.extend(self.note.map(cut));
        let way_out = || tool::way_out(self.code, &source.name);
        diagnostic.help = self.help.map(cut).or_else(way_out);
        diagnostic
    }
}

/// A key of megabytes may stand in a sentence about it.
fn cut(text: String) -> String {
    const LONGEST: usize = 1_000;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

fn in_words((cause, help): (Cause, String), mut diagnostic: Diagnostic) -> Diagnostic {
    match cause {
        Cause::Template => "this is a template, not a manifest".clone_into(&mut diagnostic.message),
        Cause::Conflict(place) => {
            "a merge conflict was left in the file".clone_into(&mut diagnostic.message);
            diagnostic.place = Some(place);
        }
        Cause::LineAbove => {}
    }
    diagnostic.help = Some(help);
    diagnostic
}

/// What a syntax error really comes from, where the text around it tells.
enum Cause {
    Template,
    Conflict(Place),
    LineAbove,
}

/// So many lines around an error are looked at for what it comes from.
const NEAR: u32 = 50;

fn cause(source: &Source, place: Option<&Place>) -> Option<(Cause, String)> {
    let place = place?;
    if place.text.contains("{{") {
        return Some((
            Cause::Template,
            "render it first, as with `helm template`, or quote the `{{`".to_owned(),
        ));
    }
    let near = place.line.saturating_sub(NEAR)..place.line.saturating_add(NEAR);
    let marker =
        near.into_iter().find(|line| source.line(*line).is_some_and(|text| text.starts_with("<<<<<<< ")));
    if let Some(line) = marker {
        let spot = source.place(Mark { line, column: 1, width: 7 });
        return Some((
            Cause::Conflict(spot),
            "keep one of the two versions and remove the markers".to_owned(),
        ));
    }
    let above = source.line(place.line.checked_sub(1)?)?.trim();
    let bare = !above.is_empty() && above.bytes().all(|b| b.is_ascii_alphanumeric());
    (bare && place.text.contains(':'))
        .then(|| (Cause::LineAbove, format!("write `{above}:`, if the line above is a key")))
}
