//! What tells whether a file may have changed, without reading it.

use std::fs::Metadata;
use std::path::Path;
use std::time::SystemTime;

/// Size, time and identity of a file, as they were.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Mark {
    bytes: u64,
    modified: Option<SystemTime>,
    /// Device, inode and change time, where there are such.
    inode: (u64, u64, i64, i64),
}

impl Mark {
    /// That of a file, if it can be asked.
    pub(super) fn of(path: &Path) -> Option<Mark> {
        let found = std::fs::metadata(path).ok()?;
        Some(Mark { bytes: found.len(), modified: found.modified().ok(), inode: inode(&found) })
    }
}

#[cfg(unix)]
fn inode(found: &Metadata) -> (u64, u64, i64, i64) {
    use std::os::unix::fs::MetadataExt;
    (found.dev(), found.ino(), found.ctime(), found.ctime_nsec())
}

#[cfg(not(unix))]
fn inode(_: &Metadata) -> (u64, u64, i64, i64) {
    (0, 0, 0, 0)
}
