//! What is to stand in one node's folder.

use std::collections::BTreeMap;

use super::data::Data;
use super::disk::Mode;
use super::index::Written;
use super::place::FileName;

/// The files of one node's folder, and those of the volumes of its pods.
#[derive(Debug, Default)]
pub(super) struct Files {
    pub(super) own: BTreeMap<FileName, Text>,
    pub(super) data: Data,
    /// As what they are written.
    pub(super) written: Written,
}

/// What is to stand in a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Text {
    pub(super) text: String,
    /// Whether it says what a Secret holds, and so is its owner's alone.
    pub(super) is_secret: bool,
}

impl Text {
    /// One that anybody may read.
    pub(super) fn open(text: String) -> Self {
        Text { text, is_secret: false }
    }

    /// Its permissions, where they are not just those of any new file.
    pub(super) fn mode(&self) -> Option<Mode> {
        self.is_secret.then_some(0o600)
    }
}
