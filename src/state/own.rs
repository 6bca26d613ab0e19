//! A file of the user's own policy: rules, facts or values of parameters, as text.

use crate::kube::Name;

/// The name of the file that says which files of the user's own go with a folder. It is
/// no manifest.
pub const CONFIG: &str = "dsrules.yaml";

/// What a file of the user's own is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum OwnKind {
    /// A rule text.
    Rules,
    /// A table of facts, with commas.
    Csv,
    /// Values of parameters.
    Parameters,
    /// Facts in JSON.
    Json,
    /// What a query found in another program's file, as JSON, a row a line.
    Query,
}

impl OwnKind {
    /// All of them; the place of each is the number that the store has for it, so a new one
    /// stands at the end.
    const ALL: [OwnKind; 5] =
        [OwnKind::Rules, OwnKind::Csv, OwnKind::Parameters, OwnKind::Json, OwnKind::Query];

    /// The number that stands for it.
    #[must_use]
    pub fn number(self) -> i64 {
        Self::ALL.iter().position(|it| *it == self).and_then(|at| at.try_into().ok()).unwrap_or(0)
    }

    /// The one that a number stands for.
    #[must_use]
    pub fn of_number(number: i64) -> Option<OwnKind> {
        Self::ALL.get(usize::try_from(number).ok()?).copied()
    }
}

/// A text of the user's own policy. The store keeps those that an apply used, because what
/// is derived later must be derived with them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct OwnFile {
    /// The path, as errors and explanations show it.
    pub path: Name,
    /// What it is.
    pub kind: OwnKind,
    /// The input that its facts are for; empty where the file is named after it.
    pub relation: Name,
    /// The whole text.
    pub text: Name,
}

impl OwnFile {
    /// A file that needs no more to be said of it.
    pub fn new(path: impl Into<Name>, kind: OwnKind, text: impl Into<Name>) -> Self {
        OwnFile { path: path.into(), kind, relation: Name::default(), text: text.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_its_number() {
        for kind in OwnKind::ALL {
            assert_eq!(OwnKind::of_number(kind.number()), Some(kind));
        }
        assert_eq!(OwnKind::of_number(-1).or(OwnKind::of_number(99)), None);
        assert_eq!(OwnKind::Csv.number(), 1, "as the first stores have it");
    }
}
