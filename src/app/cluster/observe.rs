//! A live cluster as a store: every command that reads a store can look at a cluster.
//!
//! The store is a file of its own in a private folder, which goes with it. It holds what the
//! cluster holds, as it stands: nothing is planned and nothing is made.

use std::collections::BTreeSet;

use super::merged::unversioned;
use super::reading::{Taker, read};
use super::slim::Slim;
use crate::app::listener::Listener;
use crate::app::manifests::Manifests;
use crate::app::open::Database;
use crate::app::rules;
use crate::cluster::Access;
use crate::diagnostic::Diagnostic;
use crate::kube::{Name, Object};
use crate::policy::Asked;
use crate::state::World;
use crate::target::{Aside, Memory};

/// So many objects are written at a time: they are in memory until then.
const BATCH: usize = 4_000;

/// What is kept of pods.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Detail {
    /// What the built-in rules ask about; of pods with these names all that they say.
    Parts(BTreeSet<Name>),
    /// All that they say.
    Whole,
}

impl Detail {
    /// What the built-in rules ask about.
    #[must_use]
    pub fn parts() -> Detail {
        Detail::Parts(BTreeSet::new())
    }

    /// What a plan by these rules asks about: nobody knows what rules of somebody's own do.
    #[must_use]
    pub fn of(rules: &Asked, manifests: &Manifests) -> Detail {
        let own = rules::find(rules, &manifests.beside());
        if rules::are_none(&own) { Detail::parts() } else { Detail::Whole }
    }
}

/// A cluster as it was seen.
#[derive(Debug)]
pub struct Observed {
    /// The store that holds it, for as long as this is there.
    pub database: Database,
    /// The name of the cluster.
    pub name: String,
    /// Where it is kept.
    _folder: Aside,
}

/// Reads a cluster at the time `now`, into a folder that was made for it.
///
/// # Errors
/// When no cluster is known by that name, it does not answer, something of it may not be read
/// without which nothing can be said, or cannot be understood.
pub fn observe(
    access: &Access,
    folder: Aside,
    detail: Detail,
    now: i64,
    listener: &dyn Listener,
) -> Result<Observed, Vec<Diagnostic>> {
    listener.stage("reading the cluster");
    let slim = match detail {
        Detail::Parts(but) => Some((Slim::default(), but)),
        Detail::Whole => None,
    };
    let (store, world) = (None, World::default());
    let mut taking = Taking { folder: &folder, tried: 0, now, store, world, fresh: 0, slim };
    let name = read(access, &mut taking, listener)?;
    let path = taking.path();
    taking.end()?;
    let database = Database { path, cluster: Some(name.as_str().into()), ..Database::default() };
    Ok(Observed { database, name, _folder: folder })
}

/// A private folder for what is read.
///
/// # Errors
/// When none can be made.
pub fn folder() -> Result<Aside, Diagnostic> {
    let no_room = |error: std::io::Error| {
        Diagnostic::error("no-folder", "there is no folder to keep what is read of the cluster")
            .because(error.to_string())
            .help("TMPDIR says where it is made")
    };
    Aside::new().map_err(no_room)
}

/// What was taken by now.
struct Taking<'f> {
    folder: &'f Aside,
    tried: usize,
    now: i64,
    store: Option<Box<dyn Memory>>,
    world: World,
    /// How many objects are not written yet.
    fresh: usize,
    /// What pods have in common, where no more than parts of them are kept, but for those with
    /// these names.
    slim: Option<(Slim, BTreeSet<Name>)>,
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
        let database = Database { path: self.path(), ..Database::default() };
        let mut store = database.write_or_make("dsrules --cluster")?;
        store.begin()?;
        self.store = Some(store);
        Ok(())
    }

    fn pod(&mut self, item: &str) -> bool {
        let Some((slim, but)) = &mut self.slim else { return false };
        let pod = slim.pod(item, self.now).filter(|pod| !but.contains(&pod.meta.key.name));
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
