//! Files of the user's own policy, rules and facts, that differ between two sides.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Serialize;

use crate::source::absolute;
use crate::state::{Change, OwnFile};

/// A file that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OwnChange {
    /// Its path below the side's folder.
    pub file: String,
    /// What became of it.
    pub change: Change,
}

/// The files that are other on the second side, by the paths below the sides' folders.
pub(super) fn changes(base: (&Path, &[OwnFile]), head: (&Path, &[OwnFile])) -> Vec<OwnChange> {
    let (before, after) = (texts(base), texts(head));
    let files: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let change = |file: &String| match (before.get(file), after.get(file)) {
        (None, _) => Some(Change::Created),
        (_, None) => Some(Change::Deleted),
        (old, new) if old != new => Some(Change::Configured),
        _ => None,
    };
    files
        .into_iter()
        .filter_map(|file| change(file).map(|change| OwnChange { file: file.clone(), change }))
        .collect()
}

/// What stands in each file; one may be for several inputs.
fn texts<'a>((root, own): (&Path, &'a [OwnFile])) -> BTreeMap<String, BTreeSet<(&'a str, &'a str)>> {
    let root = absolute(root);
    let mut texts: BTreeMap<String, BTreeSet<(&str, &str)>> = BTreeMap::new();
    for file in own {
        let path = Path::new(&*file.path);
        let below = path.strip_prefix(&root).unwrap_or(path).display().to_string();
        texts.entry(below).or_default().insert((&file.relation, &file.text));
    }
    texts
}
