//! Paths under which inputs and files are remembered: from everywhere the same.

use std::path::PathBuf;

use crate::source::absolute;

/// The name of the input that these paths are: the same paths, however and from wherever
/// they are written, are the same input.
#[must_use]
pub fn id_of<'p>(paths: impl Iterator<Item = &'p PathBuf>) -> String {
    let mut paths: Vec<String> = paths.map(|path| absolute(path)).collect();
    paths.sort();
    paths.dedup();
    paths.join("\n")
}
