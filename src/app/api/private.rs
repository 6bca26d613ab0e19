//! Stores that are only there to be served: in a private folder, gone with what serves them.

use tempfile::TempDir;

use crate::app::cluster::merged::unversioned;
use crate::app::listener::Listener;
use crate::app::manifests::{Manifests, nothing_read};
use crate::app::open::Database;
use crate::diagnostic::Diagnostic;
use crate::state::World;

/// So many objects are written at a time.
const BATCH: usize = 4_000;

/// A store that goes with this.
#[derive(Debug)]
pub struct Private {
    /// The store.
    pub database: Database,
    _folder: TempDir,
}

impl Private {
    /// One of which nothing is there yet.
    ///
    /// # Errors
    /// When there is no folder for it.
    pub fn new() -> Result<Private, Diagnostic> {
        let made = tempfile::Builder::new().prefix("dsrules-").tempdir();
        let folder = made.map_err(|error| {
            Diagnostic::error("no-folder", "there is no folder to keep what is served")
                .because(error.to_string())
                .help("TMPDIR says where it is made")
        })?;
        let path = folder.path().join("served.db");
        Ok(Private { database: Database { path, ..Database::default() }, _folder: folder })
    }

    /// One with what stands in files, as it stands there: somebody's cluster is looked at, so
    /// nothing is planned and nothing is made.
    ///
    /// # Errors
    /// Everything that is wrong with the files.
    pub fn of(manifests: &Manifests, now: i64, listener: &dyn Listener) -> Result<Private, Vec<Diagnostic>> {
        let mut reading = manifests.read(listener)?;
        if reading.plans_nothing() && !reading.has_errors() {
            reading.diagnostics.push(nothing_read(&reading));
        }
        manifests.point_deeper(&mut reading);
        if reading.has_errors() {
            return Err(reading.diagnostics);
        }
        let private = Private::new()?;
        let mut store = private.database.write_or_make("dsrules serve")?;
        let mut world = World::default();
        store.begin()?;
        for (nth, mut object) in reading.objects.into_iter().enumerate() {
            // The store gives its own.
            unversioned(&mut object.value);
            world.see(object, now);
            if nth % BATCH == BATCH - 1 {
                store.save(&mut world)?;
            }
        }
        store.save(&mut world)?;
        store.commit()?;
        Ok(private)
    }
}
