//! Paths under which inputs and files are remembered: from everywhere the same.

use std::fs;
use std::path::{Path, PathBuf};

/// A path that means the same file from every folder; as it is where that is not known.
#[must_use]
pub fn absolute(path: &Path) -> String {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned()).display().to_string()
}

/// The name of the input that these paths are: the same paths, however and from wherever
/// they are written, are the same input.
#[must_use]
pub fn id_of<'p>(paths: impl Iterator<Item = &'p PathBuf>) -> String {
    let mut paths: Vec<String> = paths.map(|path| absolute(path)).collect();
    paths.sort();
    paths.dedup();
    paths.join("\n")
}
