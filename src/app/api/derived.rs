//! Objects that nobody wrote: events, of which the store keeps rows, and endpoint slices, which
//! are derived. Their versions are of those at which they were found to be so.

use std::sync::Arc;

use serde_json::{Value, json};

use super::entry::Entry;
use super::replica::{Objects, Replica};
use super::resource::{EVENTS, Resource, SLICES};
use crate::app::slices;
use crate::diagnostic::Diagnostic;
use crate::hash::sha256;
use crate::kube::{Kind, ObjectKey, timestamp};
use crate::target::Memory;
use crate::target::sqlite::StoredEvent;

/// Versions that are given to what is found to be new: each once, as far as there are so many.
pub(super) struct Fresh {
    /// The one that comes next.
    pub(super) next: u64,
    /// The last that there is.
    pub(super) last: u64,
}

impl Fresh {
    fn next(&mut self) -> u64 {
        let version = self.next.min(self.last);
        self.next = version.saturating_add(1);
        version
    }
}

/// The events of a store, beside those that were written as objects.
///
/// # Errors
/// When the store cannot be read.
pub(super) fn events(
    store: &dyn Memory,
    replica: &Replica,
    versions: &mut Fresh,
    into: &mut Objects,
) -> Result<(), Diagnostic> {
    for event in store.events(None)? {
        add(event_of(&event, replica), EVENTS, replica, versions, into);
    }
    Ok(())
}

/// The slices of all services, beside those that were written as objects.
///
/// # Errors
/// When the store cannot be read, or the rules derive too much.
pub(super) fn slices(
    store: &dyn Memory,
    now: i64,
    replica: &Replica,
    versions: &mut Fresh,
    into: &mut Objects,
) -> Result<(), Diagnostic> {
    for mut slice in slices::derived(store, None, now)? {
        let metadata = &slice["metadata"];
        let uid = uid(&format!("EndpointSlice/{}/{}", metadata["namespace"], metadata["name"]));
        slice["metadata"]["uid"] = json!(uid);
        add(slice, SLICES, replica, versions, into);
    }
    Ok(())
}

/// Adds an object, at the version that it had before where it is as it was.
fn add(mut object: Value, resource: usize, replica: &Replica, versions: &mut Fresh, into: &mut Objects) {
    let text = |value: &Value| value.as_str().unwrap_or("").to_owned();
    let key = ObjectKey::new(text(&object["metadata"]["namespace"]), text(&object["metadata"]["name"]));
    if let Some(before) = replica.get(resource, &key) {
        object["metadata"]["resourceVersion"] = json!(before.version.to_string());
        if *before.text == *object.to_string() {
            into.insert(key, before.clone());
            return;
        }
    }
    object["metadata"]["resourceVersion"] = json!(versions.next().to_string());
    into.insert(key, Arc::new(Entry::of(&object)));
}

/// An event as an API server has it: with a name of its own, and the uid of what it is about.
fn event_of(event: &StoredEvent, replica: &Replica) -> Value {
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

/// A uid that stands for a text.
fn uid(of: &str) -> String {
    let hash = sha256(of);
    format!("{}-{}-5{}-8{}-{}", &hash[..8], &hash[8..12], &hash[12..15], &hash[15..18], &hash[18..30])
}
