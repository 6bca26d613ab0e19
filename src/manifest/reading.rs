//! What came out of reading manifests.

use std::collections::BTreeMap;

use super::input::Input;
use crate::diagnostic::Diagnostic;
use crate::kube::{Kind, Name, Object, ObjectKey};

/// What came out of reading.
#[derive(Debug, Default)]
pub struct Reading {
    /// The objects in which nothing is wrong, each identity once, in the order in which
    /// they were read. With errors in `diagnostics` they are not all that was meant.
    pub objects: Vec<Object>,
    /// The files, in order.
    pub files: Vec<ReadFile>,
    /// How many objects of kinds that are not read there were, by `apiVersion/kind`.
    pub others: BTreeMap<String, usize>,
    /// Files and folders that were named, or met in folders, and not read. What stands in
    /// them is unknown, not gone.
    pub unread: Vec<Name>,
    /// Everything that is wrong, in all files, sorted.
    pub diagnostics: Vec<Diagnostic>,
    /// Whether something was to be said about it, be it no error.
    pub noted: bool,
    /// What was read, to look places up again.
    pub(super) inputs: Vec<Input>,
}

impl Reading {
    /// Whether no object in it says what is to run: what only rules ask about does not.
    #[must_use]
    pub fn plans_nothing(&self) -> bool {
        self.objects.iter().all(|object| object.kind.is_other())
    }

    /// Whether anything is wrong that fails a command.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(Diagnostic::is_error)
    }
}

/// A file that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadFile {
    /// The path as the user named it, or `<stdin>`.
    pub path: Name,
    /// SHA-256 of its bytes, in hexadecimal; empty if it could not be read.
    pub sha256: String,
    /// How many bytes it has.
    pub bytes: u64,
    /// The objects that stand in it and are right.
    pub objects: Vec<(Kind, ObjectKey)>,
    /// Whether all of it was understood. What else stands in a file that was not is
    /// unknown, not gone.
    pub complete: bool,
    /// Whether nothing stands in it but white space, as where an editor has cut it off
    /// and not yet written it anew.
    pub blank: bool,
}
