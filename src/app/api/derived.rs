//! Objects that nobody wrote: events, of which the store keeps rows (see [`super::events`]), and
//! endpoint slices, which are derived. Their versions are of those at which they were found to be so.

use std::sync::Arc;

use serde_json::{Value, json};

use super::entry::Entry;
use super::replica::{Objects, Replica};
use super::resource::SLICES;
use crate::app::slices;
use crate::diagnostic::Diagnostic;
use crate::hash::sha256;
use crate::kube::ObjectKey;
use crate::target::Memory;

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

/// Adds an object, at the version that it had before where it is as it was, and gives its key.
pub(super) fn add(
    mut object: Value,
    resource: usize,
    replica: &Replica,
    versions: &mut Fresh,
    into: &mut Objects,
) -> ObjectKey {
    let text = |value: &Value| value.as_str().unwrap_or("").to_owned();
    let key = ObjectKey::new(text(&object["metadata"]["namespace"]), text(&object["metadata"]["name"]));
    if let Some(before) = replica.get(resource, &key) {
        object["metadata"]["resourceVersion"] = json!(before.version.to_string());
        if *before.text == *object.to_string() {
            into.insert(key.clone(), before.clone());
            return key;
        }
    }
    object["metadata"]["resourceVersion"] = json!(versions.next().to_string());
    into.insert(key.clone(), Arc::new(Entry::of(&object)));
    key
}

/// A uid that stands for a text.
pub(super) fn uid(of: &str) -> String {
    let hash = sha256(of);
    format!("{}-{}-5{}-8{}-{}", &hash[..8], &hash[8..12], &hash[12..15], &hash[15..18], &hash[18..30])
}
