//! What explain and query look at: the store, or manifests without one.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::cluster::merged::merged;
use super::listener::Listener;
use super::load::{complete, wants_whole};
use super::manifests::Manifests;
use super::open::Database;
use super::options::Options;
use super::resources::{meant, missing, not_found};
use super::rules;
use super::schedule::{self, Coming};
use crate::datalog::{Program, Query};
use crate::diagnostic::Diagnostic;
use crate::explain::{self, Segment, SourceField, locate};
use crate::facts;
use crate::kube::{Kind, Name, ObjectKey};
use crate::manifest::{self, Input};
use crate::policy::Asked;
use crate::state::{Part, Whole, World};
use crate::target::Memory;
use crate::validate::path::{FieldPath, Step};

/// Where to look.
#[derive(Debug, Clone)]
pub struct Sight {
    /// The store.
    pub database: Database,
    /// Manifests to look at instead, as if they were all there is; on top of a live cluster as
    /// `kubectl apply` would put them there.
    pub manifests: Manifests,
    /// The user's own rules.
    pub rules: Asked,
    /// The time, in seconds of Unix time.
    pub now: i64,
    /// Whether all of a store is looked at, whatever the question: it comes to the same.
    pub whole: bool,
}

/// Says which part of a store is asked about, by rules and store.
pub(super) type Choose<'a> = &'a dyn Fn(&Program, &dyn Memory) -> Result<Part, Diagnostic>;

/// A part of a store, with all that it says of its objects.
fn world_of(store: &dyn Memory, part: &Part, whole: Whole) -> Result<World, Diagnostic> {
    let mut world = store.load_part(part)?;
    // One more pass over the nodes is nothing to somebody who waits for an answer.
    store.load_details(&mut world)?;
    store.load_whole(&mut world, whole)?;
    Ok(world)
}

/// What there is to look at.
pub struct Seen {
    /// The objects.
    pub world: World,
    /// The rules.
    pub program: Program,
    origins: Origins,
}

/// Where objects were written.
enum Origins {
    Read(BTreeMap<(Kind, ObjectKey), Name>, Manifests),
    Store(Box<dyn Memory>),
}

impl Origins {
    /// What is to be looked into again for a file: stdin is read only once.
    fn input(&self, file: &Name) -> Input {
        let text = match self {
            Origins::Read(_, manifests) => {
                manifests.inputs.iter().find(|it| matches!(it, Input::Text { name, .. } if **name == **file))
            }
            Origins::Store(_) => None,
        };
        text.cloned().unwrap_or_else(|| Input::Path(PathBuf::from(&**file)))
    }
}

impl Sight {
    /// Loads it.
    ///
    /// # Errors
    /// When the manifests, the rules or the store are not sound.
    pub fn load(&self, listener: &dyn Listener) -> Result<Seen, Vec<Diagnostic>> {
        self.load_part(listener, &|_, _| Ok(Part::default()))
    }

    /// Loads the part of a store that a question is about; of manifests all.
    ///
    /// # Errors
    /// As [`Sight::load`].
    pub(super) fn load_part(
        &self,
        listener: &dyn Listener,
        part: Choose<'_>,
    ) -> Result<Seen, Vec<Diagnostic>> {
        match (self.manifests.is_empty(), &self.database.cluster) {
            (true, _) => self.of_store(listener, part),
            (false, None) => self.of_manifests(None, listener),
            (false, Some(_)) => self.of_manifests(Some(&*self.database.read()?), listener),
        }
    }

    /// The rules that go with what is seen, as they are asked for by now.
    ///
    /// # Errors
    /// Everything that is wrong with them.
    pub(super) fn rules_for(&self, seen: &Seen, listener: &dyn Listener) -> Result<Program, Vec<Diagnostic>> {
        match &seen.origins {
            Origins::Store(store) => rules::of_store(&self.rules, &**store, listener),
            Origins::Read(..) => {
                let found = rules::find(&self.rules, &self.manifests.beside());
                Ok(rules::with(found, None, None, listener)?.program)
            }
        }
    }

    fn of_store(&self, listener: &dyn Listener, part: Choose<'_>) -> Result<Seen, Vec<Diagnostic>> {
        let store = self.database.read()?;
        let program = rules::of_store(&self.rules, &*store, listener)?;
        let part = if self.whole { Part::default() } else { part(&program, &*store)? };
        let world = world_of(&*store, &part, wants_whole(&program))?;
        Ok(Seen { world, program, origins: Origins::Store(store) })
    }

    /// Manifests as all there is, or on top of what a store has.
    fn of_manifests(
        &self,
        below: Option<&dyn Memory>,
        listener: &dyn Listener,
    ) -> Result<Seen, Vec<Diagnostic>> {
        let Manifests { inputs, options } = &self.manifests;
        let found = rules::find(&self.rules, &self.manifests.beside());
        let program = rules::with(found, None, None, listener)?.program;
        let mut reading = manifest::read(inputs, options);
        if reading.has_errors() {
            return Err(reading.diagnostics);
        }
        listener.tell(reading.diagnostics);
        let mut world = World { detailed: true, whole: Whole::ALL, ..World::default() };
        if let Some(store) = below {
            merged(&mut reading.objects, store)?;
            world = world_of(store, &Part::default(), Whole::ALL)?;
        }
        let mut origins = BTreeMap::new();
        for object in reading.objects {
            origins.insert((object.kind, object.key.clone()), object.origin.file.clone());
            world.put(object, self.now);
        }
        Ok(Seen { world, program, origins: Origins::Read(origins, self.manifests.clone()) })
    }
}

impl Seen {
    /// The world with whole objects, where a query needs them and it has them not.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(super) fn world_for(&self, query: &Query) -> Result<Cow<'_, World>, Diagnostic> {
        let mut world = Cow::Borrowed(&self.world);
        let whole = facts::wants_whole(&self.program, &query.relations(), query.atoms());
        if let Origins::Store(store) = &self.origins
            && world.whole.or(whole) != world.whole
        {
            store.load_whole(world.to_mut(), whole)?;
        }
        Ok(world)
    }

    /// Its world, with all that a plan needs of it that is made at `now`.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(super) fn to_plan(&self, mut world: World, now: i64) -> Result<World, Diagnostic> {
        if let Origins::Store(store) = &self.origins {
            let options = Options::at(now);
            let program = schedule::asked(&self.program, &options, &world, Coming::default());
            complete(&**store, &mut world, &program)?;
        }
        Ok(world)
    }

    /// Takes other rules to its world.
    pub(super) fn adopt(&mut self, program: Program) -> Result<(), Diagnostic> {
        if let Origins::Store(store) = &self.origins {
            store.load_whole(&mut self.world, wants_whole(&program))?;
        }
        self.program = program;
        Ok(())
    }

    /// Looks at another part of the store, unless that is in its world already; true if it did.
    pub(super) fn look_at(&mut self, part: &Part) -> Result<bool, Diagnostic> {
        let Origins::Store(store) = &self.origins else { return Ok(false) };
        let Some(seen) = &self.world.part else { return Ok(false) };
        if **seen == *part {
            return Ok(false);
        }
        self.world = world_of(&**store, part, self.world.whole.or(wants_whole(&self.program)))?;
        Ok(true)
    }

    /// The part of the store that a question is about.
    pub(super) fn part_of(&self, part: Choose<'_>) -> Result<Part, Diagnostic> {
        match &self.origins {
            Origins::Store(store) => part(&self.program, &**store),
            Origins::Read(..) => Ok(Part::default()),
        }
    }

    /// The keys of all objects of a kind, also of those that it does not look at.
    pub(super) fn keys(&self, kind: Kind) -> Result<Vec<ObjectKey>, Diagnostic> {
        let Origins::Store(store) = &self.origins else {
            return Ok(self.world.keys(kind).into_iter().cloned().collect());
        };
        let mut keys = Vec::new();
        store.objects(kind, None, &mut |key, _| {
            keys.push(key);
            Ok(())
        })?;
        Ok(keys)
    }

    /// Takes whole objects into its world, where a query needs them and it has them not; true
    /// if it did.
    pub(super) fn widen(&mut self, query: &Query) -> Result<bool, Diagnostic> {
        let world = match self.world_for(query)? {
            Cow::Owned(world) => world,
            Cow::Borrowed(_) => return Ok(false),
        };
        self.world = world;
        Ok(true)
    }

    /// An error about an object that is not there, with what may have been meant.
    pub(super) fn missing(&self, kind: Kind, key: &ObjectKey) -> Diagnostic {
        if let Origins::Store(store) = &self.origins {
            return missing(kind, key, &**store).unwrap_or_else(|error| error);
        }
        let keys = self.world.keys(kind);
        let none = "it is not among these manifests".to_owned();
        not_found(kind, &key.name).help(meant(key, keys.into_iter()).unwrap_or(none))
    }

    /// Says of each fact where it was written, as far as that is known; files below `here`
    /// are named from there on.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn locate(
        &self,
        trees: &mut [&mut Vec<explain::Step>],
        here: Option<&Path>,
    ) -> Result<(), Diagnostic> {
        let mut wanted: Vec<SourceField> = Vec::new();
        let mut want = |source: &SourceField| {
            wanted.push(source.clone());
            None
        };
        trees.iter_mut().for_each(|steps| locate(steps, &mut want));
        let options = match &self.origins {
            Origins::Read(_, manifests) => manifests.options.clone(),
            Origins::Store(_) => manifest::Options::default(),
        };
        let mut places: BTreeMap<SourceField, String> = BTreeMap::new();
        for ((file, hash), sources) in self.files(wanted)? {
            let fields: Vec<_> =
                sources.iter().map(|source| (source.kind, source.key.clone(), path(source))).collect();
            let input = self.origins.input(&file);
            let found = manifest::find(&input, hash.as_deref(), &fields, &options);
            for (source, place) in sources.into_iter().zip(found) {
                if let Some(place) = place {
                    places.insert(source, format!("{}:{}", shown(&place.file, here), place.line));
                }
            }
        }
        let mut place =
            |source: &SourceField| Some(places.get(source).cloned().unwrap_or_else(|| source.to_string()));
        trees.iter_mut().for_each(|steps| locate(steps, &mut place));
        Ok(())
    }

    /// The files in which fields were written, each with the hash that it had.
    fn files(&self, wanted: Vec<SourceField>) -> Result<Files, Diagnostic> {
        let stored = match &self.origins {
            Origins::Read(..) => BTreeMap::new(),
            Origins::Store(store) => {
                store.files_of(&wanted.iter().map(|source| (source.kind, source.key.clone())).collect())?
            }
        };
        let mut files = Files::new();
        for source in wanted {
            let object = (source.kind, source.key.clone());
            let file = match &self.origins {
                Origins::Read(origins, _) => origins.get(&object).map(|file| (file.clone(), None)),
                Origins::Store(_) => {
                    stored.get(&object).map(|(file, hash)| (file.clone(), Some(hash.clone())))
                }
            };
            if let Some(file) = file {
                files.entry(file).or_default().push(source);
            }
        }
        Ok(files)
    }
}

/// Fields by the file they were written in and the hash that it had.
type Files = BTreeMap<(Name, Option<String>), Vec<SourceField>>;

/// A path from `here` on, if it is below.
fn shown(file: &str, here: Option<&Path>) -> String {
    let below = here.and_then(|here| Path::new(file).strip_prefix(here).ok());
    below.map_or_else(|| file.to_owned(), |below| below.display().to_string())
}

fn path(source: &SourceField) -> FieldPath {
    let step = |segment: &Segment| match segment {
        Segment::Field(name) => Step::Field(name.clone()),
        Segment::Index(index) => Step::Index(*index),
    };
    FieldPath(source.path.iter().map(step).collect())
}
