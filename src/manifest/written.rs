//! The place of a field in a YAML text that is no manifest.

use super::locate::{Wanted, first_mapping, in_yaml};
use super::source::{Format, Source};
use crate::diagnostic::Place;
use crate::validate::path::{FieldPath, Part};

/// Where the text of a file has a field, or the nearest thing around it; none where the text
/// holds no mapping.
#[must_use]
pub fn place_of(file: &str, text: &str, path: &FieldPath) -> Option<Place> {
    let wanted = Wanted { start: first_mapping(text, 0)?, path: path.clone(), part: Part::Value };
    let spot = in_yaml(text, 0, &[wanted]).pop()??;
    let source = Source::new(file.into(), text.to_owned(), Format::Yaml);
    Some(source.place(spot.mark(&source)))
}
