//! A file of the user's own policy: rules or facts, as text.

use crate::kube::Name;

/// The name of the file that says which files of the user's own go with a folder. It is
/// no manifest.
pub const CONFIG: &str = "dsrules.yaml";

/// A rule text or a table of facts of the user. The store keeps those that an apply
/// used, because what is derived later must be derived with them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct OwnFile {
    /// The path, as errors and explanations show it.
    pub path: Name,
    /// Whether it is a table of facts (CSV); else it is a rule text.
    pub facts: bool,
    /// The whole text.
    pub text: Name,
}
