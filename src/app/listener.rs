//! Who hears what a use case says while it works.
//!
//! Results are in what a use case gives back. What comes before them, a warning or the
//! stage that begins, is said at once: a person may wait for long.

use crate::diagnostic::Diagnostic;

/// Hears what is said.
pub trait Listener {
    /// Warnings, and errors that are gone past; there may be none.
    fn tell(&self, found: Vec<Diagnostic>);

    /// A line worth knowing.
    fn note(&self, note: &str);

    /// The stage that begins.
    fn stage(&self, name: &'static str);
}

/// Hears nothing: for a caller who wants only the outcome.
pub struct Silent;

impl Listener for Silent {
    fn tell(&self, _: Vec<Diagnostic>) {}

    fn note(&self, _: &str) {}

    fn stage(&self, _: &'static str) {}
}
