//! Rule texts, and places in them.
//!
//! What is checked later (a mutated program, say) still has to say where it stands, so
//! spans are kept in the syntax tree and the texts beside the program.

use std::sync::Arc;

use super::modules::ModuleId;
use crate::diagnostic::Place;

/// A rule text is at most so many bytes long.
pub const MAX_SOURCE: usize = 1 << 20;
/// So many problems of one program are told; a text with more has one big problem.
pub(super) const MAX_DIAGNOSTICS: usize = 100;

/// One rule text to load.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// What errors call it, as `rules/placement.dl`.
    pub file: &'a str,
    /// The whole text.
    pub text: &'a str,
    /// Whether it is a part of the tool; a user's text may only add to open relations.
    pub builtin: bool,
    /// The folder of a user's text: the texts of one folder are a module.
    pub folder: &'a str,
}

/// Bytes `start..end` of one of the loaded texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    pub(super) source: u32,
    pub(super) start: u32,
    pub(super) end: u32,
}

impl Span {
    /// From the start of `self` to the end of `last`.
    pub(super) fn to(self, last: Span) -> Span {
        Span { end: last.end.max(self.start), ..self }
    }
}

/// A loaded text with the starts of its lines.
#[derive(Debug, Clone)]
pub(super) struct Text {
    pub file: Arc<str>,
    pub text: Arc<str>,
    pub builtin: bool,
    /// None of a query, which sees what all of them say.
    pub module: Option<ModuleId>,
    pub doc: String,
    lines: Vec<usize>,
}

impl Text {
    pub fn new(source: &Source<'_>) -> Self {
        let lines = std::iter::once(0)
            .chain(source.text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1))
            .collect();
        Text {
            file: source.file.into(),
            text: source.text.into(),
            builtin: source.builtin,
            module: None,
            doc: String::new(),
            lines,
        }
    }

    /// The line, from 1, that a byte is on.
    pub fn line(&self, at: u32) -> u32 {
        u32::try_from(self.lines.partition_point(|start| *start <= at as usize)).unwrap_or(u32::MAX)
    }

    pub fn place(&self, span: Span) -> Place {
        // Handing over one line keeps this cheap in long files.
        let line = self.line(span.start);
        let from = self.lines.get((line as usize).saturating_sub(1)).copied().unwrap_or(0);
        let to = self.lines.get(line as usize).copied().unwrap_or(self.text.len());
        let one_line = self.text.get(from..to).unwrap_or("");
        let start = span.start as usize - from;
        let end = (span.end as usize).saturating_sub(from).min(one_line.len());
        Place { line, ..Place::of_span(self.file.clone(), one_line, start, end) }
    }

    pub fn slice(&self, span: Span) -> &str {
        self.text.get(span.start as usize..span.end as usize).unwrap_or("")
    }
}

/// The place of a span among all loaded texts.
pub(super) fn place(texts: &[Text], span: Span) -> Place {
    texts.get(span.source as usize).map_or_else(|| Place::file("<rules>"), |text| text.place(span))
}
