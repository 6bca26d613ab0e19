//! How far what takes long is: counted by who does it, looked at by who shows it.
//!
//! There is one count for the whole process, of what is done last; it decides nothing, and is
//! looked at from another thread. Where no end is known nothing is counted.

use std::sync::atomic::{AtomicUsize, Ordering};

static DONE: AtomicUsize = AtomicUsize::new(0);
static ALL: AtomicUsize = AtomicUsize::new(0);
/// How often a count was begun.
static NTH: AtomicUsize = AtomicUsize::new(0);

/// A count as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// Which one it is.
    pub nth: usize,
    /// What is done.
    pub done: usize,
    /// What there is to do; 0 where that is not known.
    pub all: usize,
}

/// Begins to count towards `all`.
pub fn begin(all: usize) {
    ALL.store(0, Ordering::Relaxed);
    DONE.store(0, Ordering::Relaxed);
    NTH.fetch_add(1, Ordering::Relaxed);
    ALL.store(all, Ordering::Relaxed);
}

/// So many more are done.
pub fn add(more: usize) {
    DONE.fetch_add(more, Ordering::Relaxed);
}

/// So many are done in all, of so many that it may have become.
pub fn set(done: usize, all: usize) {
    DONE.store(done, Ordering::Relaxed);
    ALL.store(all, Ordering::Relaxed);
}

/// The count as it stands.
#[must_use]
pub fn now() -> Count {
    let (all, done) = (ALL.load(Ordering::Relaxed), DONE.load(Ordering::Relaxed));
    Count { nth: NTH.load(Ordering::Relaxed), done, all }
}
