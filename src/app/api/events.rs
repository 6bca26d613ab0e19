//! Events, of which the store keeps rows: as objects, and which of them are about what, so that
//! after a change those are read that are about what it touched.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::changes::Differs;
use super::derived::{Fresh, add, uid};
use super::replica::{Objects, Replica};
use super::resource::{EVENTS, Resource};
use crate::diagnostic::Diagnostic;
use crate::hash::sha256;
use crate::kube::{Kind, ObjectKey, timestamp};
use crate::target::Memory;
use crate::target::sqlite::StoredEvent;

/// What events are about: the name of its kind, and its own.
pub(super) type About = (String, ObjectKey);

/// The events that are served.
#[derive(Debug, Default)]
pub(super) struct Recorded {
    /// Those about each object, and when the oldest of them was last seen.
    about: BTreeMap<About, (BTreeSet<ObjectKey>, i64)>,
    /// The same, the oldest first.
    oldest: BTreeSet<(i64, About)>,
    count: usize,
    /// When the last of all was seen.
    newest: i64,
}

impl Recorded {
    /// All events of a store, beside those that were written as objects.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn all(
        store: &dyn Memory,
        replica: &Replica,
        versions: &mut Fresh,
        into: &mut Objects,
    ) -> Result<Recorded, Diagnostic> {
        let mut all = Recorded::default();
        for event in store.events(None)? {
            all.put(&event, replica, versions, into);
        }
        Ok(all)
    }

    /// What is otherwise of the events about what a change touched, and of those that went with
    /// time. Nothing where it is not known which went: then all of them are to be read.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn differences(
        &mut self,
        touched: BTreeSet<About>,
        store: &dyn Memory,
        replica: &Replica,
        versions: &mut Fresh,
    ) -> Result<Option<Vec<Differs>>, Diagnostic> {
        let (mut before, mut now) = (BTreeSet::new(), Objects::new());
        let mut read = |recorded: &mut Recorded, about: About| {
            before.extend(recorded.take(&about));
            for event in store.events_about(&about.0, &about.1)? {
                recorded.put(&event, replica, versions, &mut now);
            }
            Ok::<_, Diagnostic>(())
        };
        touched.into_iter().try_for_each(|about| read(self, about))?;
        let kept = StoredEvent::kept_since(self.newest);
        let old = self.oldest.iter().take_while(|(seen, _)| *seen < kept).map(|(_, about)| about.clone());
        old.collect::<Vec<_>>().into_iter().try_for_each(|about| read(self, about))?;
        if store.count_of_events()? != Some(self.count) {
            return Ok(None);
        }
        let gone = before.into_iter().filter(|key| !now.contains_key(key)).map(|key| (EVENTS, key, None));
        let mut differs: Vec<Differs> = gone.collect();
        differs.extend(now.into_iter().filter_map(|(key, entry)| {
            let is_same = replica.get(EVENTS, &key).is_some_and(|before| before.text == entry.text);
            (!is_same).then_some((EVENTS, key, Some(entry)))
        }));
        Ok(Some(differs))
    }

    /// Forgets which events there are about an object.
    fn take(&mut self, about: &About) -> BTreeSet<ObjectKey> {
        let Some((keys, seen)) = self.about.remove(about) else { return BTreeSet::new() };
        self.oldest.remove(&(seen, about.clone()));
        self.count -= keys.len();
        keys
    }

    /// Takes in an event: of those about the same the oldest comes first.
    fn put(&mut self, event: &StoredEvent, replica: &Replica, versions: &mut Fresh, into: &mut Objects) {
        let about = (event.of.clone(), event.about.clone());
        self.newest = self.newest.max(event.last_seen);
        self.count += 1;
        let (keys, seen) = self.about.entry(about.clone()).or_insert((BTreeSet::new(), event.last_seen));
        keys.insert(add(object(event, replica), EVENTS, replica, versions, into));
        self.oldest.insert((*seen, about));
    }
}

/// An event as an API server has it: with a name of its own, and the uid of what it is about.
fn object(event: &StoredEvent, replica: &Replica) -> Value {
    let mut object = event.object();
    // The message of one that stands for many differs, and the others' do not.
    let message = event.message.strip_prefix("(combined").map_or(&*event.message, |_| "");
    let about = format!("{} {} {} {} {message}", event.of, event.about, event.kind, event.reason);
    let hash = sha256(&about);
    object["metadata"] = json!({
        "name": format!("{}.{}", event.about.name, &hash[..16]),
        "namespace": match &*event.about.namespace { "" => "default", namespace => namespace },
        "uid": uid(&about),
        "creationTimestamp": timestamp(event.first_seen),
    });
    let about = Kind::from_name(&event.of)
        .and_then(|kind| Resource::named(kind.info().group(), "v1", kind.info().plural))
        .and_then(|resource| replica.get(resource, &event.about));
    if let Some(about) = about {
        object["involvedObject"]["uid"] = json!(&*about.uid);
    }
    object["reportingComponent"] = json!(event.source);
    object["reportingInstance"] = json!("");
    object["eventTime"] = Value::Null;
    object
}
