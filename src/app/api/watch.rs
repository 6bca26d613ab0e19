//! Watch: what became of the objects that are meant, one change after the other.

use std::sync::Arc;

use super::changes::Change;
use super::engine::Engine;
use super::entry::Entry;
use super::read::{Begin, Chosen};
use super::refused::{Reason, Refused};

/// What became of an object, as one sees it who sees only those that are meant.
#[derive(Debug, Clone)]
pub struct Event {
    /// `ADDED`, `MODIFIED` or `DELETED`.
    pub what: &'static str,
    /// The object; of one that is gone as it was last.
    pub entry: Arc<Entry>,
    /// The version from which on it is so.
    pub version: u64,
}

/// Some events, and where to go on.
#[derive(Debug)]
pub struct Events {
    /// In order.
    pub events: Vec<Event>,
    /// The place of the next change.
    pub next: u64,
    /// The version that all is known up to.
    pub version: u64,
    /// The time, in seconds of Unix time.
    pub now: i64,
}

impl Engine {
    /// Begins to watch.
    ///
    /// # Errors
    /// When the version is no longer known or not yet there.
    pub fn watch(&mut self, chosen: &Chosen, begin: Begin) -> Result<Events, Refused> {
        self.wants(chosen.resource)?;
        let replica = self.replica();
        let events = match begin {
            Begin::After(version) => {
                replica.after(version)?.filter_map(|change| seen(change, chosen)).collect()
            }
            Begin::List(version) if version > replica.version() => {
                return Err(Refused::too_new(version, replica.version()));
            }
            Begin::All | Begin::List(_) => {
                let all = replica.objects(chosen.resource).iter();
                let added = |entry: &Arc<Entry>| Event {
                    what: "ADDED",
                    entry: entry.clone(),
                    version: entry.version,
                };
                all.filter(|(key, entry)| chosen.has(key, entry)).map(|(_, entry)| added(entry)).collect()
            }
            Begin::Now => Vec::new(),
        };
        Ok(self.events(events))
    }

    /// What changed since a place.
    ///
    /// # Errors
    /// When some of it is no longer known.
    pub fn watched(&mut self, chosen: &Chosen, from: u64) -> Result<Events, Refused> {
        let Some(changes) = self.replica().since(from) else {
            let message = "The resourceVersion for the provided watch is too old.";
            return Err(Refused::new(Reason::Expired, message));
        };
        let events = changes.filter_map(|change| seen(change, chosen)).collect();
        Ok(self.events(events))
    }

    fn events(&self, events: Vec<Event>) -> Events {
        let replica = self.replica();
        Events { events, next: replica.next(), version: replica.version(), now: self.now() }
    }
}

/// What a change is to one who sees only the objects that are meant.
fn seen(change: &Change, chosen: &Chosen) -> Option<Event> {
    if change.resource != chosen.resource {
        return None;
    }
    let meant = |entry: &&Arc<Entry>| chosen.has(&change.key, entry);
    let (before, now) = (change.before.as_ref().filter(meant), change.now.as_ref().filter(meant));
    let event = |what, entry: &Arc<Entry>| Event { what, entry: entry.clone(), version: change.version };
    match (before, now) {
        (None, None) => None,
        (None, Some(now)) => Some(event("ADDED", now)),
        (Some(before), None) => Some(event("DELETED", before)),
        (Some(_), Some(now)) => Some(event("MODIFIED", now)),
    }
}
