//! Where to look: what is left of events once they are put together.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// More paths than this are looked at by looking at everything.
const MOST: usize = 4096;

/// The part of a folder that may have changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hint {
    /// These paths; nothing where there are none.
    Paths(BTreeSet<PathBuf>),
    /// All of it.
    Everything,
}

impl Default for Hint {
    fn default() -> Self {
        Hint::Paths(BTreeSet::new())
    }
}

impl Hint {
    /// Whether nothing may have changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        matches!(self, Hint::Paths(paths) if paths.is_empty())
    }

    /// Adds a path.
    pub fn add(&mut self, path: &Path) {
        if let Hint::Paths(paths) = self {
            paths.insert(path.to_owned());
            if paths.len() > MOST {
                *self = Hint::Everything;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn very_many_paths_are_everything() {
        let mut hint = Hint::default();
        assert!(hint.is_empty());
        (0..MOST).for_each(|nth| hint.add(Path::new(&format!("{nth}.yaml"))));
        assert!(matches!(&hint, Hint::Paths(paths) if paths.len() == MOST));
        hint.add(Path::new("0.yaml"));
        assert!(matches!(&hint, Hint::Paths(_)));
        hint.add(Path::new("one-more.yaml"));
        assert_eq!(hint, Hint::Everything);
    }
}
