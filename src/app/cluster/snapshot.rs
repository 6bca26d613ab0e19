//! All that is read of a cluster, to be kept as a file.

use std::collections::BTreeMap;

use super::reading::{Taker, read};
use crate::app::listener::Listener;
use crate::cluster::Access;
use crate::diagnostic::Diagnostic;
use crate::kube::{Compact, Kind, Object, ObjectKey};

/// The objects of a cluster as it stood.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// The name of the cluster.
    pub name: String,
    objects: BTreeMap<(Kind, ObjectKey), Compact>,
}

impl Snapshot {
    /// The objects in a stable order, as the cluster has them but for who set which field.
    pub fn objects(&self) -> impl Iterator<Item = serde_json::Value> {
        self.objects.values().map(Compact::value)
    }
}

impl Taker for Snapshot {
    fn begin(&mut self) -> Result<(), Diagnostic> {
        self.objects.clear();
        Ok(())
    }

    fn take(&mut self, objects: Vec<Object>) -> Result<(), Diagnostic> {
        self.objects.extend(objects.into_iter().map(|it| ((it.kind, it.key), Compact::from(&it.value))));
        Ok(())
    }
}

/// Reads a cluster.
///
/// # Errors
/// As [`observe`](super::observe()).
pub fn snapshot(access: &Access, listener: &dyn Listener) -> Result<Snapshot, Vec<Diagnostic>> {
    listener.stage("reading the cluster");
    let mut snapshot = Snapshot::default();
    snapshot.name = read(access, &mut snapshot, listener)?;
    Ok(snapshot)
}
