//! All objects that are served, as of one moment, and what changed of late.
//!
//! What changed is kept for a while, at most so many changes, and hardly more bytes of former
//! objects than there are of those that are served: a watch begins at a version that
//! is still known, and a list goes on as things stood when it began. Each change of a resource's
//! objects has a version of its own (see [`number`]), so that who has heard of
//! one knows what comes behind it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::changes::{Change, Differs, number};
use super::entry::Entry;
use super::refused::Refused;
use super::resource::RESOURCES;
use crate::kube::ObjectKey;

/// So many changes are remembered.
const REMEMBERED: usize = 20_000;

/// What they keep takes so many bytes more than what is served, at most: where little is served a
/// long run does not grow by many times that, and where much is, all of it may change at once.
const BYTES: usize = 16 << 20;

/// The objects of one resource.
pub type Objects = BTreeMap<ObjectKey, Arc<Entry>>;

/// All objects that are served.
#[derive(Debug, Default)]
pub struct Replica {
    objects: [Objects; RESOURCES.len()],
    changes: VecDeque<Arc<Change>>,
    /// The bytes of all objects, and those that only changes keep.
    served: usize,
    kept: usize,
    /// The place that the next change gets.
    next: u64,
    /// The version up to which changes are no longer known.
    forgotten: u64,
    version: u64,
}

impl Replica {
    /// The version that its objects are of.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The place that the next change gets.
    #[must_use]
    pub fn next(&self) -> u64 {
        self.next
    }

    /// The objects of a resource.
    #[must_use]
    pub fn objects(&self, resource: usize) -> &Objects {
        &self.objects[resource]
    }

    /// One object.
    #[must_use]
    pub fn get(&self, resource: usize, key: &ObjectKey) -> Option<&Arc<Entry>> {
        self.objects[resource].get(key)
    }

    /// Begins with these objects: of what was before nothing is known.
    pub fn begin(&mut self, version: u64) {
        self.changes.clear();
        self.kept = 0;
        (self.forgotten, self.version) = (version, version);
    }

    /// Takes in what changed after the version `from`, up to `to`.
    pub fn take(&mut self, changed: Vec<Differs>, from: u64, to: u64) {
        self.version = self.version.max(to);
        let mut found = Vec::new();
        for (resource, key, now) in changed {
            let before = match &now {
                Some(entry) => self.objects[resource].insert(key.clone(), entry.clone()),
                None => self.objects[resource].remove(&key),
            };
            self.served =
                self.served.saturating_add(size(now.as_ref())).saturating_sub(size(before.as_ref()));
            let version = now.as_ref().map_or(u64::MAX, |entry| entry.version);
            let change = |before, now| Change { at: 0, version, shared: false, resource, key, before, now };
            match (before, now) {
                (None, None) => {}
                // Another one of the same name.
                (Some(before), Some(now)) if before.uid != now.uid => {
                    let came = change(None, Some(now));
                    found.push(Change { key: came.key.clone(), before: Some(before), now: None, ..came });
                    found.push(came);
                }
                (before, now) => found.push(change(before, now)),
            }
        }
        number(&mut found, from, to);
        for change in found {
            self.kept = self.kept.saturating_add(change.keeps());
            self.changes.push_back(Arc::new(Change { at: self.next, ..change }));
            self.next += 1;
        }
        while self.is_too_much()
            && let Some(gone) = self.changes.pop_front()
        {
            self.kept = self.kept.saturating_sub(gone.keeps());
            self.forgotten = self.forgotten.max(gone.version);
        }
    }

    fn is_too_much(&self) -> bool {
        self.changes.len() > REMEMBERED || self.kept > self.served.saturating_add(BYTES)
    }

    /// Puts the objects of a resource in place of those that were there, as one who begins.
    pub fn put(&mut self, resource: usize, objects: Objects) {
        let bytes = |objects: &Objects| objects.values().map(|it| size(Some(it))).sum::<usize>();
        let before = std::mem::replace(&mut self.objects[resource], objects);
        self.served =
            self.served.saturating_add(bytes(&self.objects[resource])).saturating_sub(bytes(&before));
    }

    /// What of a resource differs from `objects`.
    #[must_use]
    pub fn differences(&self, resource: usize, mut objects: Objects) -> Vec<Differs> {
        let mut changed = Vec::new();
        for (key, before) in &self.objects[resource] {
            match objects.remove(key) {
                None => changed.push((resource, key.clone(), None)),
                Some(now) if Arc::ptr_eq(&now, before) || now.text == before.text => {}
                Some(now) => changed.push((resource, key.clone(), Some(now))),
            }
        }
        changed.extend(objects.into_iter().map(|(key, now)| (resource, key, Some(now))));
        changed
    }

    /// The changes since a place; `None` where some are forgotten.
    #[must_use]
    pub fn since(&self, at: u64) -> Option<impl Iterator<Item = &Arc<Change>>> {
        let first = self.changes.front().map_or(self.next, |change| change.at);
        let skip = usize::try_from(at.checked_sub(first)?).ok()?;
        Some(self.changes.iter().skip(skip))
    }

    /// The changes after a version. What shares its version with others is told again to who has
    /// heard of it, or of some of it.
    ///
    /// # Errors
    /// When they are forgotten, or the version is yet to come.
    pub fn after(&self, version: u64) -> Result<impl Iterator<Item = &Arc<Change>>, Refused> {
        if version < self.forgotten {
            return Err(Refused::too_old(version, self.forgotten));
        }
        if version > self.version {
            return Err(Refused::too_new(version, self.version));
        }
        let is_after = move |it: &&Arc<Change>| it.version > version || it.version == version && it.shared;
        Ok(self.changes.iter().filter(is_after))
    }

    /// What of a resource was otherwise at a version, as it was then.
    ///
    /// # Errors
    /// As [`after`](Replica::after).
    pub fn otherwise(
        &self,
        resource: usize,
        version: u64,
    ) -> Result<BTreeMap<ObjectKey, Option<Arc<Entry>>>, Refused> {
        let mut was = BTreeMap::new();
        let since = self.after(version)?.filter(|it| it.resource == resource && it.version > version);
        for change in since {
            was.entry(change.key.clone()).or_insert_with(|| change.before.clone());
        }
        Ok(was)
    }
}

/// What an object takes, roughly.
fn size(entry: Option<&Arc<Entry>>) -> usize {
    entry.map_or(0, |entry| entry.size())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    fn entry(version: u64) -> Option<Arc<Entry>> {
        Some(Arc::new(Entry::of(&json!({ "metadata": { "resourceVersion": version.to_string() } }))))
    }

    #[test]
    fn what_was_is_known_for_as_long_as_changes_are() {
        let mut replica = Replica::default();
        let key = |name: &str| ObjectKey::new("", name);
        replica.put(2, [(key("a"), entry(3).unwrap())].into());
        replica.begin(5);
        replica.take(vec![(2, key("b"), entry(6))], 5, 6);
        replica.take(vec![(2, key("a"), None), (2, key("b"), entry(7))], 6, 8);
        assert_eq!(replica.objects(2).len(), 1);
        let was = replica.otherwise(2, 5).unwrap();
        assert_eq!(was[&key("a")].as_ref().map(|it| it.version), Some(3));
        assert!(was[&key("b")].is_none());
        assert_eq!(replica.otherwise(2, 6).unwrap()[&key("b")].as_ref().unwrap().version, 6);
        assert_eq!(replica.after(6).unwrap().count(), 2);
        assert!(replica.after(4).is_err() && replica.after(9).is_err());
        assert_eq!(replica.since(1).unwrap().map(|it| it.version).collect::<Vec<_>>(), [7, 8]);
    }

    #[test]
    fn who_has_heard_of_a_change_is_told_what_comes_behind_it() {
        let mut replica = Replica::default();
        let key = |name: &str| ObjectKey::new("", name);
        replica.put(2, ["a", "b", "d"].map(|name| (key(name), entry(3).unwrap())).into());
        replica.begin(5);
        replica.take(vec![(2, key("a"), None), (2, key("b"), None), (2, key("c"), entry(7))], 5, 8);
        let told = |replica: &Replica, version| -> Vec<(String, u64)> {
            let after = replica.after(version).unwrap();
            after.map(|it| (it.key.name.to_string(), it.version)).collect()
        };
        let all = [("a", 6), ("c", 7), ("b", 8)].map(|(name, version)| (name.to_owned(), version));
        for (nth, version) in (5..9).enumerate() {
            assert_eq!(told(&replica, version), all[nth..], "after {version}");
        }
        // Of a store that has given it no version it is told again.
        replica.take(vec![(2, key("d"), None)], 8, 8);
        assert_eq!(told(&replica, 8), [("d".to_owned(), 8)]);
    }

    #[test]
    fn what_changes_keep_is_bounded_by_what_is_served() {
        let large = |version: u64| {
            let text = "x".repeat(64 << 10);
            let meta = json!({ "resourceVersion": version.to_string() });
            Some(Arc::new(Entry::of(&json!({ "metadata": meta, "text": text }))))
        };
        let mut replica = Replica::default();
        let keys: Vec<ObjectKey> = (0..200).map(|nth| ObjectKey::new("", format!("n{nth}"))).collect();
        // Much is served: all of it may change at once, and each change is still known.
        replica.put(2, keys.iter().map(|key| (key.clone(), large(1).unwrap())).collect());
        let all =
            |from: u64| (0..).zip(&keys).map(|(nth, key)| (2, key.clone(), large(from + nth))).collect();
        replica.take(all(2), 1, 201);
        assert_eq!(replica.since(0).unwrap().count(), 200);
        replica.take(all(202), 201, 401);
        assert!(replica.since(0).is_none() && replica.since(200).is_some());
        // Little is served: hardly more is known of what was.
        let gone = keys.iter().skip(1).map(|key| (2, key.clone(), None)).collect();
        replica.take(gone, 401, 600);
        let one = (601..801).map(|version| (2, keys[0].clone(), large(version))).collect();
        replica.take(one, 600, 800);
        assert!(replica.kept <= BYTES + (256 << 10) && replica.served < 256 << 10, "{}", replica.kept);
        assert!(replica.after(650).is_err() && replica.after(790).is_ok());
        assert_eq!(replica.after(800).unwrap().count(), 0);
    }

    #[test]
    fn no_more_changes_are_remembered_than_may_be() {
        let mut replica = Replica::default();
        for nth in 0..REMEMBERED as u64 + 10 {
            replica.take(vec![(2, ObjectKey::new("", "a"), entry(nth + 1))], nth, nth + 1);
        }
        assert!(replica.since(9).is_none());
        assert_eq!(replica.since(10).unwrap().count(), REMEMBERED);
        assert!(replica.after(9).is_err());
        assert_eq!(replica.after(10).unwrap().count(), REMEMBERED);
    }
}
