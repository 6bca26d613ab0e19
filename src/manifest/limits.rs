//! How much of anything an input may hold.
//!
//! Manifests come from people, tools and pipes, so every dimension in which a text
//! can grow has a bound, and each bound has an error of its own. The defaults are far
//! above what real clusters need; they are data, so a caller may set others.

use std::sync::atomic::{AtomicUsize, Ordering};

/// The bounds of one reading. [`Limits::default`] has the documented defaults.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one JSON file or of stdin. Default 2 GiB.
    pub file_bytes: u64,
    /// Bytes of one YAML file: reading YAML costs ten times what JSON does. Default 512 MiB.
    pub yaml_bytes: u64,
    /// Files of one reading. Default 1,000,000.
    pub files: usize,
    /// Documents of one file. Default 1,000,000.
    pub documents: usize,
    /// How deep lists and mappings may nest. Default 100.
    pub depth: usize,
    /// Bytes of one string, and of one key. Default 4 MiB.
    pub scalar_bytes: usize,
    /// Bytes of one object as compact JSON. Default 3 MiB, what an API server takes.
    pub object_bytes: usize,
    /// Bytes that the aliases and merge keys of one document may expand to. Default 16 MiB.
    pub alias_bytes: usize,
    /// Diagnostics of one file that are shown; the others are counted. Default 1,000.
    pub diagnostics: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            file_bytes: 2 << 30,
            yaml_bytes: 512 << 20,
            files: 1_000_000,
            documents: 1_000_000,
            depth: 100,
            scalar_bytes: 4 << 20,
            object_bytes: 3 << 20,
            alias_bytes: 16 << 20,
            diagnostics: 1_000,
        }
    }
}

/// What the documents of one file have used up together, on all threads.
#[derive(Debug)]
pub(super) struct Spent {
    documents: AtomicUsize,
    expanded: AtomicUsize,
    expanded_most: usize,
}

impl Spent {
    /// Nothing yet, of a text of so many bytes: what aliases expand to may be a few times
    /// that, whatever the number of documents.
    pub(super) fn new(text: usize, limits: &Limits) -> Self {
        const TIMES: usize = 4;
        Spent {
            documents: AtomicUsize::new(0),
            expanded: AtomicUsize::new(0),
            expanded_most: limits.alias_bytes.saturating_add(text.saturating_mul(TIMES)),
        }
    }

    /// Counts a document; whether there are too many.
    pub(super) fn document(&self, limits: &Limits) -> bool {
        self.documents.fetch_add(1, Ordering::Relaxed) >= limits.documents
    }

    /// Counts what an alias expands to; whether it is too much.
    pub(super) fn expand(&self, bytes: usize) -> bool {
        let before = self.expanded.fetch_add(bytes, Ordering::Relaxed);
        before.saturating_add(bytes) > self.expanded_most
    }

    /// What was too much in the end: it does not depend on the order of the threads.
    pub(super) fn too_much(&self, limits: &Limits) -> Option<Exceeded> {
        if self.documents.load(Ordering::Relaxed) > limits.documents {
            return Some(Exceeded::Documents);
        }
        let expanded = self.expanded.load(Ordering::Relaxed) > self.expanded_most;
        expanded.then_some(Exceeded::Aliases(self.expanded_most))
    }
}

/// What there was too much of in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exceeded {
    /// Documents.
    Documents,
    /// Bytes that aliases expand to, and how many are allowed.
    Aliases(usize),
}
