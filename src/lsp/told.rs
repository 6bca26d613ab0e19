//! Diagnostics as an editor shows them.

use std::str::FromStr;

use lsp_types::{
    Diagnostic as Shown, DiagnosticRelatedInformation, DiagnosticSeverity, Location, NumberOrString,
    Position, Range, Uri,
};

use super::utf16::units;
use crate::diagnostic::{Diagnostic, Place, Severity};

/// A diagnostic; `uri` gives the address of a file.
pub(super) fn shown(found: &Diagnostic, uri: &dyn Fn(&str) -> Option<String>) -> Shown {
    let severity = match found.severity {
        Severity::Error => DiagnosticSeverity::ERROR,
        Severity::Warning => DiagnosticSeverity::WARNING,
        Severity::Note => DiagnosticSeverity::INFORMATION,
    };
    let notes = found.notes.iter().map(|note| format!("\nnote: {note}"));
    let help = found.help.iter().map(|help| format!("\nhelp: {help}"));
    let message = std::iter::once(found.message.clone()).chain(notes).chain(help).collect();
    let related: Vec<DiagnosticRelatedInformation> = found
        .related
        .iter()
        .filter_map(|(place, words)| {
            let uri = Uri::from_str(&uri(&place.file)?).ok()?;
            let location = Location { uri, range: range(place) };
            Some(DiagnosticRelatedInformation { location, message: words.clone() })
        })
        .collect();
    Shown {
        range: found.place.as_ref().map(range).unwrap_or_default(),
        severity: Some(severity),
        code: Some(NumberOrString::String(found.code.to_owned())),
        source: Some("dsrules".to_owned()),
        message,
        related_information: (!related.is_empty()).then_some(related),
        ..Shown::default()
    }
}

/// A place, whose columns are characters, in units of UTF-16: the line stands in it.
fn range(place: &Place) -> Range {
    let Some(line) = place.line.checked_sub(1) else { return Range::default() };
    let skip = place.column.saturating_sub(1).saturating_sub(place.cut) as usize;
    let before: String = place.text.chars().take(skip).collect();
    let marked: String = place.text.chars().skip(skip).take(place.width as usize).collect();
    let start = place.cut + units(&before).max(u32::try_from(skip).unwrap_or(0));
    let end = start + units(&marked).max(1);
    Range { start: Position { line, character: start }, end: Position { line, character: end } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_units_of_utf_16() {
        let text = "a\n  b(\"😀ö\", Xx)\n";
        let start = text.find("Xx").unwrap_or(0);
        let found = range(&Place::of_span("f", text, start, start + 2));
        assert_eq!(found.start, Position { line: 1, character: 11 });
        assert_eq!(found.end, Position { line: 1, character: 13 });
        assert_eq!(range(&Place::file("f")), Range::default());
    }
}
