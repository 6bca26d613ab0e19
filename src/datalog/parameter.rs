//! Parameters: what a person sets for rules without touching their text.
//!
//! ```text
//!  .param quota: number = 2        declared in a rule file, with a default
//!  too_many(N) :- pods(N, Count), Count > quota.
//!  --param quota=3                 a setting, as are those of a dsrules.yaml
//! ```
//! A parameter is a constant: `settle` puts its value where its name stands, before a rule
//! is resolved, so nothing behind that knows of parameters.

use std::sync::Arc;

use super::expression::Term;
use super::modules::ModuleId;
use super::source::Span;
use super::types::Type;
use crate::diagnostic::Place;

/// A value that a person gives a parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// The module whose parameter is meant; without one all that have the name.
    pub module: Option<String>,
    /// The parameter's name.
    pub name: String,
    /// The value as it was written, without quotes.
    pub value: String,
    /// Where it was written.
    pub place: Place,
    /// Whether it is from an earlier time: what it was for may be gone, and nobody minds.
    pub kept: bool,
}

impl Setting {
    pub(super) fn is_for(&self, module: &str, name: &str) -> bool {
        self.name == name && self.module.as_deref().is_none_or(|it| it == module)
    }

    /// As one would name the parameter.
    pub(super) fn shown(&self) -> String {
        match &self.module {
            Some(module) => format!("{module}::{}", self.name),
            None => self.name.clone(),
        }
    }
}

/// A declared parameter with the value that it has.
#[derive(Debug, Clone)]
pub struct Parameter {
    /// The module it is of, whose rules alone know it.
    pub module: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
    /// Its type: a declared one or `number`.
    pub ty: Type,
    /// The value.
    pub value: Term,
    /// The value as it was written: `30d`, `"a"`.
    pub written: Arc<str>,
    /// The default as it was written, if there is one.
    pub default: Option<Arc<str>>,
    /// Who gave it the value, if it does not have its default.
    pub set: Option<Place>,
    /// The `///` lines over it.
    pub doc: String,
    /// The text it is from.
    pub file: Arc<str>,
    /// The line it starts on, from 1.
    pub line: u32,
    pub(super) of: ModuleId,
    pub(super) span: Span,
}

impl std::fmt::Display for Parameter {
    /// As it would be written with the value that it has: `quota: number = 3`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {} = {}", self.name, self.ty, self.written)
    }
}
