//! How manifests are to be read.

use super::limits::Limits;
use crate::kube::Name;

/// What is done about unknown fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FieldValidation {
    /// They are errors.
    #[default]
    Strict,
    /// They are warnings.
    Warn,
    /// Nothing is said.
    Ignore,
}

/// How to read.
#[derive(Debug, Clone)]
pub struct Options {
    /// Whether folders in folders are read.
    pub recursive: bool,
    /// What is done about unknown fields; they are kept in any case.
    pub validate: FieldValidation,
    /// The namespace of objects that name none.
    pub default_namespace: String,
    /// The one node that the reading is for: Nodes and Pods of others are passed over, as text
    /// where that tells them.
    pub node: Option<Name>,
    /// Whether what is secret in a Secret is kept.
    pub secrets: bool,
    /// The bounds.
    pub limits: Limits,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            recursive: false,
            validate: FieldValidation::Strict,
            default_namespace: "default".to_owned(),
            node: None,
            secrets: false,
            limits: Limits::default(),
        }
    }
}
