//! A store as controllers know one: revisions, keys that are compared, and all that ever was.

use std::collections::BTreeMap;

use dsrules::app::controller::{Before, Entry, Transaction};

/// What a revision wrote.
#[derive(Clone)]
pub struct Written {
    pub revision: i64,
    pub keys: Vec<(String, Option<Entry>)>,
    /// The member that wrote it, and up to which revision it had heard.
    pub by: Option<(String, i64)>,
}

#[derive(Default)]
pub struct Store {
    pub keys: BTreeMap<String, Entry>,
    pub revision: i64,
    pub log: Vec<Written>,
}

impl Store {
    /// Writes keys, whatever is there.
    pub fn write(&mut self, keys: Vec<(String, Option<Vec<u8>>)>, by: Option<(String, i64)>) -> i64 {
        self.revision += 1;
        let revision = self.revision;
        let mut written = Vec::new();
        for (key, value) in keys {
            let entry = value.map(|value| Entry {
                created: self.keys.get(&key).map_or(revision, |it| it.created),
                modified: revision,
                value,
            });
            match &entry {
                Some(entry) => drop(self.keys.insert(key.clone(), entry.clone())),
                None => drop(self.keys.remove(&key)),
            }
            written.push((key, entry));
        }
        self.log.push(Written { revision, keys: written, by });
        revision
    }

    /// Carries a transaction out, if all is as it is to be.
    pub fn commit(&mut self, transaction: &Transaction) -> Option<i64> {
        let Transaction { guard, seen, ops } = transaction;
        let member = self.keys.get(&format!("members/{}", guard.member));
        let alive = member.is_some_and(|it| it.created == guard.created);
        let term = self.keys.get("term").map_or(0, |it| it.modified) == guard.term;
        let fits = ops.iter().all(|op| match op.before {
            Before::Absent => !self.keys.contains_key(&op.key),
            Before::Revision(revision) => self.keys.get(&op.key).is_some_and(|it| it.modified == revision),
            Before::Any => true,
        });
        if !(alive && term && fits) {
            return None;
        }
        let keys = ops.iter().map(|op| (op.key.clone(), op.value.clone())).collect();
        Some(self.write(keys, Some((guard.member.to_string(), *seen))))
    }
}
