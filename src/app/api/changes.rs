//! What changed, and at which version, so that who has heard of a change knows which come behind it.
//!
//! The store gives a version to each object that is written and to each that goes, and has that of
//! what is there. What went is found missing: it gets one of those that no object has, and of these
//! there are enough, as each was one's that went, or one's that was written again. Objects of
//! other resources may have the same, as nobody watches two at once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::entry::Entry;
use crate::kube::ObjectKey;

/// An object that is otherwise than it was: its resource, its key, and as it is if it is there.
pub type Differs = (usize, ObjectKey, Option<Arc<Entry>>);

/// What became of an object.
#[derive(Debug)]
pub struct Change {
    /// Its place among all changes.
    pub at: u64,
    /// The version from which on it is so.
    pub version: u64,
    /// Whether another change of the resource has the same version.
    pub shared: bool,
    /// The place of its resource.
    pub resource: usize,
    /// The object.
    pub key: ObjectKey,
    /// As it was; `None` where it is new.
    pub before: Option<Arc<Entry>>,
    /// As it is; `None` where it is gone.
    pub now: Option<Arc<Entry>>,
}

impl Change {
    /// The bytes that are kept for it alone: what was before nobody else has.
    #[must_use]
    pub fn keeps(&self) -> usize {
        size_of::<Self>() + self.key.name.len() + self.before.as_ref().map_or(0, |before| before.size())
    }
}

/// Says of changes that were found at once which version each has, and puts them in that order.
/// What is gone says with its version before which one it went.
pub fn number(changes: &mut [Change], from: u64, to: u64) {
    let mut taken: BTreeMap<usize, BTreeSet<u64>> = BTreeMap::new();
    for change in changes.iter().filter(|it| it.now.is_some()) {
        taken.entry(change.resource).or_default().insert(change.version);
    }
    changes.sort_by_key(|it| (it.resource, it.now.is_some(), it.version));
    let none = BTreeSet::new();
    for of_resource in changes.chunk_by_mut(|a, b| a.resource == b.resource) {
        let taken = of_resource.first().and_then(|it| taken.get(&it.resource)).unwrap_or(&none);
        let mut free = (from.saturating_add(1)..=to).filter(|it| !taken.contains(it)).peekable();
        for gone in of_resource.iter_mut().filter(|it| it.now.is_none()) {
            gone.version = free.next_if(|it| *it < gone.version).unwrap_or(gone.version.min(to));
        }
        share(of_resource, from);
    }
    // What goes and comes again at one version goes first.
    changes.sort_by_key(|it| (it.version, it.now.is_some()));
}

/// Marks what has no version for itself.
fn share(changes: &mut [Change], from: u64) {
    let mut times: BTreeMap<u64, usize> = BTreeMap::new();
    changes.iter().for_each(|it| *times.entry(it.version).or_default() += 1);
    for change in changes {
        change.shared = change.version <= from || times.get(&change.version).is_some_and(|it| *it > 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn change(name: &str, resource: usize, version: u64, is_there: bool) -> Change {
        let entry = Arc::new(Entry::of(&json!({})));
        let (before, now) = if is_there { (None, Some(entry)) } else { (Some(entry), None) };
        let key = ObjectKey::new("", name);
        Change { at: 0, version, shared: false, resource, key, before, now }
    }

    fn numbered(mut changes: Vec<Change>, from: u64, to: u64) -> Vec<(String, u64, bool)> {
        number(&mut changes, from, to);
        changes.iter().map(|it| (it.key.name.to_string(), it.version, it.shared)).collect()
    }

    #[test]
    fn what_went_gets_a_version_that_nothing_has() {
        let gone = u64::MAX;
        let changes = vec![
            change("a", 1, gone, false),
            change("b", 1, 12, true),
            // Went before it came again.
            change("c", 1, 12, false),
            change("d", 2, gone, false),
            change("e", 1, 11, true),
        ];
        let named = |all: &[(&str, u64, bool)]| -> Vec<(String, u64, bool)> {
            all.iter().map(|(name, version, shared)| ((*name).to_owned(), *version, *shared)).collect()
        };
        let expected =
            [("d", 10, false), ("c", 10, false), ("e", 11, false), ("b", 12, false), ("a", 13, false)];
        let mut is = numbered(changes, 9, 13);
        is.sort_by_key(|(name, version, _)| (*version, name != "d"));
        assert_eq!(is, named(&expected));
        // Where there are not enough they share the last, and those of before all are shared.
        let few = vec![change("a", 1, gone, false), change("b", 1, gone, false)];
        assert_eq!(numbered(few, 9, 10), named(&[("a", 10, true), ("b", 10, true)]));
        assert_eq!(numbered(vec![change("a", 1, gone, false)], 9, 9), named(&[("a", 9, true)]));
    }
}
