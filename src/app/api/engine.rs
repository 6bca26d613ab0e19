//! What is served and what changes it: a store, the replica that is read, and what others do to
//! the store meanwhile.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value, json};

use super::derived::{self, Fresh};
use super::entry::Entry;
use super::events::{About, Recorded};
use super::following::{Followed, Following};
use super::refused::Refused;
use super::replica::{Objects, Replica};
use super::resource::{EVENTS, RESOURCES, Resource, SLICES};
use super::source::{Edit, Source};
use crate::app::open::Database;
use crate::app::options::Options;
use crate::app::session::Session;
use crate::diagnostic::Diagnostic;
use crate::kube::{self, Kind, ObjectKey};
use crate::policy::Asked;
use crate::target::Memory;
use crate::target::etcd::CONFLICT;

/// So often a write is tried where others write to a shared store meanwhile.
const TRIES: usize = 10;

/// What is served.
pub struct Serving {
    /// The store.
    pub database: Database,
    /// The folder that it follows, which nobody else has it do.
    pub folder: Option<Followed>,
    /// Whether clients may write; it is the store's one writer then.
    pub write: bool,
    /// The user's own rules.
    pub rules: Asked,
    /// How plans are made.
    pub options: Options,
    /// The time, in seconds of Unix time.
    pub clock: Arc<dyn Fn() -> i64 + Send + Sync>,
}

/// A store that is served.
pub struct Engine {
    serving: Serving,
    source: Source,
    replica: Replica,
    events: Recorded,
    /// The store's moment that the replica is of.
    moment: (u64, i64),
    /// Whether somebody has asked for endpoint slices: from then on they are kept.
    slices: bool,
    /// When the rules were asked last.
    asked: i64,
}

impl Engine {
    /// Opens the store and reads it.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn open(mut serving: Serving) -> Result<Self, Vec<Diagnostic>> {
        let now = (serving.clock)();
        let source = match serving.folder.take() {
            // Who follows others writes what they wrote.
            None if !serving.write && serving.database.shared.is_some() => {
                Source::Read(serving.database.write("dsrules serve")?)
            }
            None if !serving.write => Source::Read(serving.database.read()?),
            None => Source::written(&serving.database, &serving.rules)?,
            Some(folder) => {
                Source::Folder(Box::new(Following::new(folder, &looking(&serving.options, now))?))
            }
        };
        let mut engine = Engine {
            serving,
            source,
            replica: Replica::default(),
            events: Recorded::default(),
            moment: (0, 0),
            slices: false,
            asked: 0,
        };
        engine.moment = engine.store().moment()?;
        let version = engine.moment.0;
        for (resource, objects) in engine.read_all(version)? {
            engine.replica.put(resource, objects);
        }
        engine.read_events(version)?;
        engine.replica.begin(version);
        Ok(engine)
    }

    /// What is read.
    #[must_use]
    pub fn replica(&self) -> &Replica {
        &self.replica
    }

    /// The time, in seconds of Unix time.
    #[must_use]
    pub fn now(&self) -> i64 {
        (self.serving.clock)()
    }

    /// Takes in what others have committed, and says whether that was anything.
    ///
    /// # Errors
    /// When the store cannot be read; the replica is as it was.
    pub fn refresh(&mut self) -> Result<bool, Diagnostic> {
        let options = looking(&self.serving.options, self.now());
        if let Source::Folder(folder) = &mut self.source {
            let looked = folder.look(&options);
            if looked {
                self.follow()?;
            }
            return Ok(looked);
        }
        self.source.follow()?;
        let moment = self.store().moment()?;
        if moment == self.moment {
            return Ok(false);
        }
        // What is committed meanwhile is read now or the next time: the moment is of before.
        self.compare(moment)?;
        Ok(true)
    }

    /// Takes in whatever the store has otherwise.
    fn compare(&mut self, moment: (u64, i64)) -> Result<(), Diagnostic> {
        let read = self.read_all(moment.0)?;
        let changed = read.into_iter().flat_map(|(at, objects)| self.replica.differences(at, objects));
        let changed = changed.collect();
        self.replica.take(changed, self.moment.0, moment.0);
        self.read_events(moment.0)?;
        self.moment = moment;
        Ok(())
    }

    /// Whether anything may be written.
    #[must_use]
    pub fn writes(&self) -> bool {
        self.serving.write
    }

    fn store(&self) -> &dyn Memory {
        self.source.store()
    }

    /// How a plan is made now.
    pub(super) fn options(&self) -> Options {
        Options { now: self.now(), ..self.serving.options.clone() }
    }

    /// The store with its rules and the world in memory, where it is written here.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(super) fn loaded(&mut self, options: &Options) -> Result<Option<&Session>, Diagnostic> {
        self.source.loaded(options)
    }

    /// Looks at whether an object may be written, or be taken away.
    ///
    /// # Errors
    /// When a file has it.
    pub(super) fn admit(
        &self,
        it: &Resource,
        kind: Kind,
        key: &ObjectKey,
        goes: bool,
    ) -> Result<(), Refused> {
        match &self.source {
            Source::Folder(folder) => folder.admit(it, kind, key, goes),
            Source::Read(_) | Source::Write(_) => Ok(()),
        }
    }

    /// Commits a change with what follows from it.
    ///
    /// # Errors
    /// When the user's rules refuse it, others changed the same object of a shared store, or the
    /// store cannot be written; then nothing has changed.
    pub(super) fn commit(&mut self, it: &Resource, edit: Edit) -> Result<(), Refused> {
        let options = self.options();
        let now = options.now;
        let mut taken = self.source.take(edit.clone(), &options);
        for _ in 0..TRIES {
            if taken.as_ref().err().is_none_or(|error| error.code != CONFLICT) {
                break;
            }
            let before = self.version(&edit);
            self.refresh()?;
            if self.version(&edit) != before {
                return Err(Refused::changed(it, edit.object().map_or("", |(_, key)| &*key.name)));
            }
            taken = self.source.take(edit.clone(), &options);
        }
        if let Err(error) = taken {
            if self.source.session().is_none_or(|session| session.refused().is_empty()) {
                return Err(error.into());
            }
            return Err(Refused::forbidden(it, "", &format!("a rule refuses it: {}", error.message)));
        }
        self.asked = now;
        self.follow()?;
        Ok(())
    }

    /// The version of the object that an edit is about, as clients know it.
    fn version(&self, edit: &Edit) -> Option<u64> {
        let (kind, key) = edit.object()?;
        let resource = RESOURCES.iter().position(|it| it.stored() == Some(kind))?;
        self.replica.get(resource, key).map(|entry| entry.version)
    }

    /// Has the rules asked again where time alone may change what they say.
    ///
    /// # Errors
    /// As [`commit`](Engine::commit).
    pub fn tick(&mut self) -> Result<(), Refused> {
        let now = self.now();
        let Source::Write(session) = &self.source else { return Ok(()) };
        let due = session.tick(self.asked).is_some_and(|tick| tick.at <= now);
        if due && now != self.asked { self.commit(&RESOURCES[EVENTS], Edit::Nothing) } else { Ok(()) }
    }

    /// Takes in what was committed here.
    fn follow(&mut self) -> Result<(), Diagnostic> {
        let Some(session) = self.source.session() else { return Ok(()) };
        let store = session.store();
        let moment = store.moment()?;
        let Some(touched) = session.touched() else { return self.compare(moment) };
        let of = |(kind, key): &(Kind, ObjectKey)| (kind.name().to_owned(), key.clone());
        let about = touched.iter().chain(session.told()).map(of).collect();
        let mut changed = Vec::new();
        for (kind, key) in touched {
            let Some(resource) = RESOURCES.iter().position(|it| it.stored() == Some(*kind)) else { continue };
            let entry = store.object(*kind, key)?.map(|object| self.entry(resource, key, object));
            changed.push((resource, key.clone(), entry));
        }
        self.replica.take(changed, self.moment.0, moment.0);
        if self.slices {
            let differences = self.replica.differences(SLICES, self.read(SLICES, moment.0)?);
            self.replica.take(differences, self.moment.0, moment.0);
        }
        self.follow_events(about, moment.0)?;
        self.moment = moment;
        Ok(())
    }

    /// Derives what is derived only where somebody asks for it.
    ///
    /// # Errors
    /// When the store cannot be read, or the rules derive too much.
    pub fn wants(&mut self, resource: usize) -> Result<(), Refused> {
        if resource == SLICES && !self.slices {
            self.slices = true;
            let version = self.replica.version();
            let objects = self.read(SLICES, version)?;
            self.replica.put(SLICES, objects);
        }
        Ok(())
    }

    fn read_all(&self, version: u64) -> Result<Vec<(usize, Objects)>, Diagnostic> {
        let all = (0..RESOURCES.len()).filter(|at| *at != EVENTS);
        all.map(|at| Ok((at, self.read(at, version)?))).collect()
    }

    /// Takes in all events: behind all others, whose uids they name.
    fn read_events(&mut self, version: u64) -> Result<(), Diagnostic> {
        let mut objects = self.read(EVENTS, version)?;
        let (store, mut fresh) = (self.source.store(), self.fresh(version));
        self.events = Recorded::all(store, &self.replica, &mut fresh, &mut objects)?;
        let differences = self.replica.differences(EVENTS, objects);
        self.replica.take(differences, self.moment.0, version);
        Ok(())
    }

    /// Takes in the events about what was touched.
    fn follow_events(&mut self, about: BTreeSet<About>, version: u64) -> Result<(), Diagnostic> {
        let (store, mut fresh) = (self.source.store(), self.fresh(version));
        match self.events.differences(about, store, &self.replica, &mut fresh)? {
            Some(differences) => self.replica.take(differences, self.moment.0, version),
            None => self.read_events(version)?,
        }
        Ok(())
    }

    /// Versions for what is found to be new in the store at a version.
    fn fresh(&self, version: u64) -> Fresh {
        Fresh { next: self.moment.0.saturating_add(1), last: version }
    }

    /// The objects of a resource as the store has them.
    fn read(&self, resource: usize, version: u64) -> Result<Objects, Diagnostic> {
        let mut objects = Objects::new();
        let Some(kind) = RESOURCES[resource].stored() else { return Ok(objects) };
        self.store().objects(kind, None, &mut |key, object| {
            let entry = self.entry(resource, &key, object);
            objects.insert(key, entry);
            Ok(())
        })?;
        if resource == SLICES && self.slices {
            let mut fresh = self.fresh(version);
            derived::slices(self.store(), self.now(), &self.replica, &mut fresh, &mut objects)?;
        }
        Ok(objects)
    }

    /// The entry of a stored object; the one that is there where it has not changed.
    fn entry(&self, resource: usize, key: &ObjectKey, object: Value) -> Arc<Entry> {
        let same = |before: &&Arc<Entry>| {
            object["metadata"]["resourceVersion"].as_str() == Some(before.version.to_string().as_str())
                && object["metadata"]["uid"] == *before.uid
        };
        match self.replica.get(resource, key).filter(same) {
            Some(before) => before.clone(),
            None => Arc::new(Entry::of(&as_served(resource, object))),
        }
    }
}

/// How a folder is looked at.
fn looking(options: &Options, now: i64) -> Options {
    Options { now, prune: true, ..options.clone() }
}

/// A stored object as it is served: under the one version of its group that is served, with what
/// an API server fills in, as clients go by it.
fn as_served(resource: usize, mut object: Value) -> Value {
    let resource = &RESOURCES[resource];
    object["apiVersion"] = json!(resource.api_version());
    object["kind"] = json!(resource.kind);
    if let Some(kind) = resource.stored() {
        let namespace = object["metadata"]["namespace"].as_str().unwrap_or("").to_owned();
        kube::defaults(kind, &mut object, &namespace);
    }
    object
}
