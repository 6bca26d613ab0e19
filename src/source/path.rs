//! The path that a file is on record under.

use std::path::Path;

/// A path that means the same file from every folder; as it is where that is not known.
#[must_use]
pub fn absolute(path: &Path) -> String {
    std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned()).display().to_string()
}
