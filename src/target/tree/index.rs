//! `.dsrules` in a node's folder: which files there are dsrules' own.
//!
//! It is written before a file that it names is created, and after one that it no
//! longer names is gone, so after a crash it may name too much, never too little. A
//! kubelet passes over files whose name begins with a dot.

use std::collections::BTreeSet;
use std::io::Read;

use serde::{Deserialize, Serialize};

use super::disk::Handle;

/// The index file's name.
pub(super) const INDEX: &str = ".dsrules";

/// More is not read; it is not ours then.
const LONGEST: u64 = 64 * 1024 * 1024;

/// What the index says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Index {
    /// The node: an index that was copied into another folder says nothing.
    pub(super) node: String,
    /// Whether dsrules made the folder, and so removes it when it is empty.
    pub(super) made: bool,
    /// The files.
    pub(super) files: BTreeSet<String>,
    /// What the tree was written as; nothing of a plain one.
    #[serde(default, flatten)]
    pub(super) written: Written,
}

/// How a tree was written, for commands that do not say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Written {
    /// The name of the format.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) format: Option<String>,
    /// The path of the node's folder on its machine, where one was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) at: Option<String>,
}

impl Index {
    /// Reads the index of a folder; `None` when there is none of this node's.
    pub(super) fn read(dir: &Handle, node: &str) -> Option<Index> {
        let mut text = String::new();
        dir.file(INDEX).ok()?.take(LONGEST).read_to_string(&mut text).ok()?;
        serde_json::from_str::<Index>(&text).ok().filter(|index| index.node == node)
    }

    /// The text of the index.
    pub(super) fn text(&self) -> std::io::Result<String> {
        let mut text = serde_json::to_string_pretty(self)?;
        text.push('\n');
        Ok(text)
    }
}
