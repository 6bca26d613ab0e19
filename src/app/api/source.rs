//! Where what is served is, and how it is changed: a store that others write, one that is written
//! here with the rules, or one that follows a folder.

use super::following::Following;
use crate::app::listener::Silent;
use crate::app::open::Database;
use crate::app::options::Options;
use crate::app::rules;
use crate::app::session::Session;
use crate::diagnostic::Diagnostic;
use crate::kube::{Kind, Object, ObjectKey};
use crate::policy::Asked;
use crate::state::{Cascade, Delta, World};
use crate::target::Memory;

/// Where objects are. What is large is boxed.
pub(super) enum Source {
    /// A store that others write.
    Read(Box<dyn Memory>),
    /// A store that is written here, with the rules.
    Write(Box<Session>),
    /// A store that follows a folder.
    Folder(Box<Following>),
}

/// The input that has what is written here.
const INPUT: &str = "kubernetes-api";

/// What is committed.
#[derive(Clone)]
pub(super) enum Edit {
    /// Nothing but what time has brought.
    Nothing,
    /// An object is written.
    Put(Object),
    /// An object goes, and what becomes of what it owns.
    Gone(Kind, ObjectKey, Cascade),
}

impl Edit {
    /// The object that it is about.
    pub(super) fn object(&self) -> Option<(Kind, &ObjectKey)> {
        match self {
            Edit::Nothing => None,
            Edit::Put(object) => Some((object.kind, &object.key)),
            Edit::Gone(kind, key, _) => Some((*kind, key)),
        }
    }

    /// What is done to the world before the change is taken in; says whether that was anything.
    fn prepare(&self, world: &mut World) -> bool {
        match self {
            Edit::Nothing => return false,
            // It is written whatever was written before.
            Edit::Put(object) => {
                if let Some(meta) = world.meta_mut(object.kind, &object.key) {
                    meta.written.object = 0;
                }
            }
            Edit::Gone(kind, key, cascade) => {
                if *cascade != Cascade::default() {
                    world.delete(*kind, key, *cascade);
                }
            }
        }
        true
    }

    /// The change. Whether the scheduler is asked depends on it.
    fn delta(self) -> Delta {
        match self {
            Edit::Put(object) => Delta { objects: vec![object], ..Delta::default() },
            Edit::Gone(kind, key, cascade) if cascade == Cascade::default() => {
                Delta { gone: vec![(kind, key)], ..Delta::default() }
            }
            Edit::Nothing | Edit::Gone(..) => Delta::default(),
        }
    }
}

impl Source {
    /// A store that is written here.
    pub(super) fn written(database: &Database, rules: &Asked) -> Result<Source, Vec<Diagnostic>> {
        let store = database.write_or_make("dsrules serve --write")?;
        let found = rules::find(rules, &[]);
        let policy = rules::with(found, Some(INPUT), Some(&*store), &Silent)?;
        Ok(Source::Write(Box::new(Session::new(store, policy.program, policy.own).strict())))
    }

    /// Takes in what others wrote where the store is shared.
    pub(super) fn follow(&mut self) -> Result<bool, Diagnostic> {
        match self {
            Source::Read(store) => store.follow(),
            Source::Write(session) => session.follow(),
            Source::Folder(_) => Ok(false),
        }
    }

    /// The store.
    pub(super) fn store(&self) -> &dyn Memory {
        match self {
            Source::Read(store) => &**store,
            Source::Write(session) => session.store(),
            Source::Folder(folder) => folder.session().store(),
        }
    }

    /// The store with its rules, where it is written here.
    pub(super) fn session(&self) -> Option<&Session> {
        match self {
            Source::Read(_) => None,
            Source::Write(session) => Some(session),
            Source::Folder(folder) => Some(folder.session()),
        }
    }

    /// The same with the world in memory.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(super) fn loaded(&mut self, options: &Options) -> Result<Option<&Session>, Diagnostic> {
        match self {
            Source::Read(_) => {}
            Source::Write(session) => session.ensure(options)?,
            Source::Folder(folder) => folder.amend(options, |_| false)?,
        }
        Ok(self.session())
    }

    /// Commits a change with what follows from it; a store that is only read takes none.
    ///
    /// # Errors
    /// When the user's rules refuse it, or the store cannot be written; then nothing has changed.
    pub(super) fn take(&mut self, edit: Edit, options: &Options) -> Result<(), Diagnostic> {
        match self {
            Source::Read(_) => Ok(()),
            Source::Write(session) => {
                session.amend(options, |world, _| edit.prepare(world))?;
                session.apply(INPUT, edit.delta(), options).map(drop)
            }
            Source::Folder(folder) => {
                folder.amend(options, |world| edit.prepare(world))?;
                folder.take(INPUT, edit.delta(), options)
            }
        }
    }
}
