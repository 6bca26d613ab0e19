//! A write with what it expects to find, and what becomes of one that finds something else.

use std::fmt;

use super::object::Item;
use crate::diagnostic::{Diagnostic, Place};
use crate::kube::{Kind, Name, ObjectKey};

/// The version of an object in a target. Nothing is to be read in it: it is the same one
/// for as long as the object is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Version(Inner);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Inner {
    /// Of a row or a revision: there are millions, and they need no memory of their own.
    Number(u64),
    Text(Name),
}

impl Version {
    /// A version that a target counts.
    #[must_use]
    pub fn number(number: u64) -> Self {
        Version(Inner::Number(number))
    }

    /// A version that is a text, as a hash of the content.
    #[must_use]
    pub fn text(text: &str) -> Self {
        Version(Inner::Text(text.into()))
    }

    /// The number, for the target that counted it.
    #[must_use]
    pub fn as_number(&self) -> Option<u64> {
        match &self.0 {
            Inner::Number(number) => Some(*number),
            Inner::Text(_) => None,
        }
    }

    /// The text, for the target that made it.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match &self.0 {
            Inner::Number(_) => None,
            Inner::Text(text) => Some(text),
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Inner::Number(number) => number.fmt(f),
            Inner::Text(text) => text.fmt(f),
        }
    }
}

/// One write, with what it expects to find.
#[derive(Debug, Clone)]
pub enum Write<'w> {
    /// There must be no such object.
    Create(Item<'w>),
    /// It must be there in this version.
    Replace(Item<'w>, Version),
    /// The same, and then it is gone.
    Delete(Kind, &'w ObjectKey, Version),
}

impl Write<'_> {
    /// What is written.
    #[must_use]
    pub fn object(&self) -> (Kind, &ObjectKey) {
        match self {
            Write::Create(item) | Write::Replace(item, _) => (item.kind(), &item.meta().key),
            Write::Delete(kind, key, _) => (*kind, key),
        }
    }

    /// The version that has to be there; `None` where nothing may be.
    #[must_use]
    pub fn expected(&self) -> Option<&Version> {
        match self {
            Write::Create(_) => None,
            Write::Replace(_, version) | Write::Delete(_, _, version) => Some(version),
        }
    }

    /// The conflict of this write with what is there in a target, which a person knows as
    /// `place`.
    #[must_use]
    pub fn conflict(&self, place: &str, found: Option<Version>) -> Conflict {
        let (kind, key) = self.object();
        let expected = self.expected().cloned();
        Conflict { place: place.to_owned(), kind, key: key.clone(), expected, found }
    }
}

/// A write that found something else than it expected. Nothing was written by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The target, as a person named it.
    pub place: String,
    /// What was to be written.
    pub kind: Kind,
    /// Its key.
    pub key: ObjectKey,
    /// The version that was to be there; `None` where nothing was.
    pub expected: Option<Version>,
    /// The version that is there; `None` where nothing is.
    pub found: Option<Version>,
}

impl From<Conflict> for Diagnostic {
    fn from(conflict: Conflict) -> Diagnostic {
        let Conflict { place, kind, key, expected, found } = conflict;
        let key = if key.namespace.is_empty() { key.name.to_string() } else { key.to_string() };
        let object = format!("{}/{key}", kind.resource());
        let why = match (expected, found) {
            (None, Some(found)) => format!("it was to be made, and is there in version {found}"),
            (Some(expected), None) => format!("version {expected} was expected, and it is gone"),
            (Some(expected), Some(found)) => format!("version {expected} was expected, and {found} is there"),
            (None, None) => "it was to be made, and was there a moment ago".to_owned(),
        };
        Diagnostic::error("conflict", format!("`{object}` in `{place}` was changed by somebody else"))
            .at(Place::file(place))
            .because(why)
            .help("run the command again: it begins with what is there now")
    }
}

/// Why a batch was not written.
#[derive(Debug, Clone)]
pub enum Refused {
    /// A write found something else than it expected.
    Conflict(Box<Conflict>),
    /// The target cannot be written, or not so.
    Told(Box<Diagnostic>),
}

impl From<Diagnostic> for Refused {
    fn from(told: Diagnostic) -> Self {
        Refused::Told(Box::new(told))
    }
}

impl From<Conflict> for Refused {
    fn from(conflict: Conflict) -> Self {
        Refused::Conflict(Box::new(conflict))
    }
}

impl From<Refused> for Diagnostic {
    fn from(refused: Refused) -> Diagnostic {
        match refused {
            Refused::Conflict(conflict) => (*conflict).into(),
            Refused::Told(told) => *told,
        }
    }
}
