//! What came out of reading manifests.

use std::collections::{BTreeMap, BTreeSet};

use super::input::Input;
use super::options::Options;
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
    /// The files that were passed over: what stands in them is known, and is not among
    /// `objects`. In order.
    pub passed: Vec<Passed>,
    /// How the files were read, as it is remembered with each; empty where that is not done.
    pub how: String,
    /// The hashes of all files, in order; empty of one that could not be read.
    pub hashes: Vec<String>,
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
    /// How it was read.
    pub(super) options: Options,
}

impl Reading {
    /// Whether no object in it says what is to run: what only rules ask about does not.
    #[must_use]
    pub fn plans_nothing(&self) -> bool {
        self.kinds().keys().all(|kind| kind.is_other())
    }

    /// Whether there is no object in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty() && self.passed.is_empty()
    }

    /// The paths that the files are known under which were passed over.
    #[must_use]
    pub fn passed(&self) -> BTreeSet<Name> {
        self.passed.iter().map(|file| file.name.clone()).collect()
    }

    /// How many objects of each kind there are, with those of files that were passed over.
    #[must_use]
    pub fn kinds(&self) -> BTreeMap<Kind, usize> {
        let mut kinds: BTreeMap<Kind, usize> = BTreeMap::new();
        for object in &self.objects {
            *kinds.entry(object.kind).or_default() += 1;
        }
        for (kind, count) in self.passed.iter().flat_map(|file| &file.kinds) {
            *kinds.entry(*kind).or_default() += count;
        }
        kinds
    }

    /// Whether anything is wrong that fails a command.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(Diagnostic::is_error)
    }
}

/// A file that was passed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passed {
    /// The path as the user named it.
    pub path: Name,
    /// The path that it is known under.
    pub name: Name,
    /// SHA-256 of its bytes, in hexadecimal.
    pub sha256: String,
    /// How many objects of each kind stand in it.
    pub kinds: BTreeMap<Kind, usize>,
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
    /// Whether reading it again can say nothing but its objects: nothing was to be said of it,
    /// it has objects, no other file has one of them, and all of it is kept where they are.
    pub silent: bool,
}
