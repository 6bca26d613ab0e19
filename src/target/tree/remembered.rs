//! What a tree is, as its folders say: for commands that do not say it themselves.

use std::path::{Path, PathBuf};

use super::format::{Destination, Format};
use super::index::Index;
use super::objects::Tree;
use super::open_root;
use crate::diagnostic::Diagnostic;

impl Destination {
    /// The tree in a folder, in the format that is asked for, or else in the one that it has;
    /// the same of the path of a node's folder on its machine.
    ///
    /// # Errors
    /// When the folder cannot be used.
    pub fn find(folder: PathBuf, format: Option<Format>, at: Option<PathBuf>) -> Result<Self, Diagnostic> {
        let (has, stands) = remembered(&folder)?;
        Ok(Destination { folder, format: format.or(has).unwrap_or_default(), at: at.or(stands) })
    }
}

fn remembered(folder: &Path) -> Result<(Option<Format>, Option<PathBuf>), Diagnostic> {
    let Some(root) = open_root(folder, false, None)? else { return Ok((None, None)) };
    for node in Tree::nodes(&root)? {
        let index = root.open(&node).ok().and_then(|dir| Index::read(&dir, &node));
        if let Some(Index { written, .. }) = index {
            let format = Format::ALL.into_iter().find(|it| written.format.as_deref() == Some(it.name()));
            return Ok((format, written.at.map(PathBuf::from)));
        }
    }
    Ok((None, None))
}
