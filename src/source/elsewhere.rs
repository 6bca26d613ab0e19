//! Files in which nothing is about the one node that a folder is read for.
//!
//! A fleet has a file for each node, so of such a file no more is kept than two numbers: one for
//! its path, one for what tells whether it has changed. It is read once, and not again.

use std::hash::{BuildHasher, Hash};
use std::path::Path;

use rustc_hash::{FxBuildHasher, FxHashMap};

use super::mark::Mark;
use crate::manifest::{self, Options};

/// The files that are passed over.
#[derive(Debug, Default)]
pub(super) struct Elsewhere {
    now: FxHashMap<u64, u64>,
    before: FxHashMap<u64, u64>,
}

impl Elsewhere {
    /// Begins a look at the folder; one at all of it meets every file that is still there.
    pub(super) fn begin(&mut self, whole: bool) {
        self.before = if whole { std::mem::take(&mut self.now) } else { FxHashMap::default() };
    }

    /// Whether a file is passed over; it is read if that is not known.
    pub(super) fn has(&mut self, path: &Path, mark: Option<&Mark>, options: &Options) -> bool {
        if options.node.is_none() {
            return false;
        }
        let Some(mark) = mark else { return false };
        let (path_hash, mark_hash) = (hash(path), hash(mark));
        let known = self.now.get(&path_hash).or_else(|| self.before.get(&path_hash));
        let passed = known == Some(&mark_hash) || manifest::is_elsewhere(path, options);
        if passed {
            self.now.insert(path_hash, mark_hash);
        } else {
            self.now.remove(&path_hash);
        }
        passed
    }
}

fn hash<T: Hash + ?Sized>(it: &T) -> u64 {
    FxBuildHasher.hash_one(it)
}
