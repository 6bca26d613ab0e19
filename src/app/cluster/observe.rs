//! A live cluster as a store: every command that reads a store can look at a cluster.
//!
//! The store is a file of its own in a private folder, which goes with it. It holds what the
//! cluster holds, as it stands: nothing is planned and nothing is made.

use std::time::Duration;

use tempfile::TempDir;

use super::merged::unversioned;
use super::reading::{Taker, read};
use super::slim::Slim;
use crate::app::listener::Listener;
use crate::app::manifests::Manifests;
use crate::app::open::Database;
use crate::app::rules;
use crate::cluster::Access;
use crate::diagnostic::Diagnostic;
use crate::kube::Object;
use crate::policy::Asked;
use crate::state::World;
use crate::target::Memory;

/// So many objects are written at a time: they are in memory until then.
const BATCH: usize = 4_000;

/// What is kept of pods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// What the built-in rules ask about.
    Parts,
    /// All that they say.
    Whole,
}

impl Detail {
    /// What a plan by these rules asks about: nobody knows what rules of somebody's own do.
    #[must_use]
    pub fn of(rules: &Asked, manifests: &Manifests) -> Detail {
        let own = rules::find(rules, &manifests.beside());
        if rules::are_none(&own) { Detail::Parts } else { Detail::Whole }
    }
}

/// A cluster as it was seen.
#[derive(Debug)]
pub struct Observed {
    /// The store that holds it, for as long as this is there.
    pub database: Database,
    /// The name of the cluster.
    pub name: String,
    folder: TempDir,
}

/// Reads a cluster at the time `now`.
///
/// # Errors
/// When no cluster is known by that name, it does not answer, something of it may not be read
/// without which nothing can be said, or cannot be understood.
pub fn observe(
    access: &Access,
    detail: Detail,
    now: i64,
    listener: &dyn Listener,
) -> Result<Observed, Vec<Diagnostic>> {
    listener.stage("reading the cluster");
    let folder = tempfile::Builder::new().prefix("dsrules-").tempdir().map_err(no_room)?;
    let mut taking =
        Taking { folder: &folder, tried: 0, now, store: None, world: World::default(), fresh: 0, slim: None };
    taking.slim = (detail == Detail::Parts).then(Slim::default);
    let name = read(access, &mut taking, listener)?;
    let path = taking.path();
    taking.end()?;
    let database = Database { path, wait: Duration::ZERO, cluster: Some(name.as_str().into()) };
    Ok(Observed { database, name, folder })
}

impl Observed {
    /// The folder that it is kept in.
    #[must_use]
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }
}

fn no_room(error: std::io::Error) -> Diagnostic {
    Diagnostic::error("no-folder", "there is no folder to keep what is read of the cluster")
        .because(error.to_string())
        .help("TMPDIR says where it is made")
}

/// What was taken by now.
struct Taking<'f> {
    folder: &'f TempDir,
    tried: usize,
    now: i64,
    store: Option<Box<dyn Memory>>,
    world: World,
    /// How many objects are not written yet.
    fresh: usize,
    /// What pods have in common, where no more than parts of them are kept.
    slim: Option<Slim>,
}

impl Taking<'_> {
    fn path(&self) -> std::path::PathBuf {
        self.folder.path().join(format!("cluster-{}.db", self.tried))
    }

    fn save(&mut self) -> Result<(), Diagnostic> {
        self.fresh = 0;
        self.store.as_mut().map_or(Ok(()), |store| store.save(&mut self.world))
    }

    fn end(mut self) -> Result<(), Diagnostic> {
        self.save()?;
        self.store.as_mut().map_or(Ok(()), |store| store.commit())
    }
}

impl Taker for Taking<'_> {
    fn begin(&mut self) -> Result<(), Diagnostic> {
        self.tried += 1;
        (self.world, self.fresh) = (World::default(), 0);
        let database = Database { path: self.path(), wait: Duration::ZERO, cluster: None };
        let mut store = database.write_or_make("dsrules --cluster")?;
        store.begin()?;
        self.store = Some(store);
        Ok(())
    }

    fn pod(&mut self, item: &str) -> bool {
        let pod = self.slim.as_mut().and_then(|slim| slim.pod(item, self.now));
        // It is small, and very many are written at once at a fraction of what it costs in pieces.
        pod.map(|pod| self.world.see_pod(pod)).is_some()
    }

    fn take(&mut self, objects: Vec<Object>) -> Result<(), Diagnostic> {
        self.fresh += objects.len();
        for mut object in objects {
            // The store gives its own, and what an apply comes to is compared without.
            unversioned(&mut object.value);
            self.world.see(object, self.now);
        }
        if self.fresh >= BATCH { self.save() } else { Ok(()) }
    }
}
