//! What inputs brought, as it is on record, and what changed in the files of one.
//!
//! An input is what was named on the command line, by a stable id; its files are known
//! by content hash.

use std::collections::BTreeMap;

use crate::kube::{Kind, Name, Object, ObjectKey};

/// One file of an input, as it is when it is saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputFile {
    /// The path within the input.
    pub path: Name,
    /// SHA-256 of its content, in hexadecimal.
    pub sha256: String,
    /// The objects in it, each with the fingerprint of its manifest
    /// ([`Written::object`](crate::kube::Written)): where the world still has the same,
    /// a file with the same hash need not be parsed.
    pub objects: Vec<(Kind, ObjectKey, u64)>,
    /// How it was read, if reading it so again would say nothing but these objects; else empty.
    pub how: String,
}

/// What is known of a file of which all objects are stored as it wrote them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownFile {
    /// SHA-256 of its content, in hexadecimal.
    pub sha256: String,
    /// As in [`InputFile`]: it need not be read again if this is how it would be.
    pub how: String,
    /// How many objects of each kind it has.
    pub kinds: BTreeMap<Kind, usize>,
}

/// What is on record of an input.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Input {
    /// The files, by path, each with its hash.
    pub files: BTreeMap<Name, String>,
    /// All objects its applies brought that may still be there.
    pub objects: BTreeMap<(Kind, ObjectKey), Brought>,
}

/// What is on record of an object that an input brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brought {
    /// The file that has it; `None` when none of the input's has it any longer.
    pub file: Option<Name>,
    /// The fingerprint of its manifest.
    pub written: u64,
    /// Whether a file of another input has it too: then it is not pruned.
    pub elsewhere: bool,
}

/// Objects, each with its file and the file's hash.
pub type FilesOf = BTreeMap<(Kind, ObjectKey), (Name, String)>;

/// What changed in the files of an input: what goes into the world at once.
#[derive(Debug, Default)]
pub struct Delta {
    /// Objects that are new or say something new.
    pub objects: Vec<Object>,
    /// Objects that are no longer wanted.
    pub gone: Vec<(Kind, ObjectKey)>,
    /// The files that changed, as the store has them on record and as they are now.
    pub files: Vec<(Option<InputFile>, Option<InputFile>)>,
}
