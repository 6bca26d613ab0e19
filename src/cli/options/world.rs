//! What `explain` and `query` look at: the store, or manifests without one.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use dsrules::datalog::Program;
use dsrules::diagnostic::Diagnostic;
use dsrules::explain::{Explanation, Segment, SourceField};

use dsrules::kube::{Kind, Name, ObjectKey};
use dsrules::manifest::{self, Input, Options};
use dsrules::state::World;
use dsrules::target::sqlite::Store;
use dsrules::validate::path::{FieldPath, Step};

use super::input::{beside, inputs};
use super::resources::{meant, missing, not_found};
use super::rules::RuleArgs;
use crate::cli::context::Context;
use crate::cli::exit::Failure;

/// Where to look.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Input")]
pub struct WorldArgs {
    /// Manifests to look at instead of the database, as if they were all there is; `-` for stdin
    #[arg(long, short = 'f', value_name = "PATH")]
    filename: Vec<PathBuf>,
    /// Read the folders in folders too
    #[arg(long, short = 'R', requires = "filename")]
    recursive: bool,
    #[command(flatten)]
    pub rules: RuleArgs,
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
    Read(BTreeMap<(Kind, ObjectKey), Name>, Vec<Input>, Options),
    Store(Box<Store>),
}

impl Origins {
    /// What is to be looked into again for a file: stdin is read only once.
    fn input(&self, file: &Name) -> Input {
        let text = match self {
            Origins::Read(_, texts, _) => {
                texts.iter().find(|it| matches!(it, Input::Text { name, .. } if **name == **file))
            }
            Origins::Store(_) => None,
        };
        text.cloned().unwrap_or_else(|| Input::Path(PathBuf::from(&**file)))
    }
}

impl WorldArgs {
    /// Loads it.
    pub fn load(&self, namespace: &str, context: &Context) -> Result<Seen, Failure> {
        if self.filename.is_empty() {
            let store = context.read()?;
            let program = self.rules.of_store(&store, context)?;
            let mut world = store.load()?;
            // One more pass over the nodes is nothing to somebody who waits for an answer.
            store.load_details(&mut world)?;
            return Ok(Seen { world, program, origins: Origins::Store(Box::new(store)) });
        }
        let options = Options {
            recursive: self.recursive,
            default_namespace: namespace.to_owned(),
            ..Options::default()
        };
        let named: Vec<PathBuf> =
            self.filename.iter().filter(|path| path.as_os_str() != "-").cloned().collect();
        let program = self.rules.with(&beside(&named, &options), None, None, context)?.program;
        let inputs = inputs(&self.filename, &options)?;
        let reading = manifest::read(&inputs, &options);
        if reading.has_errors() {
            return Err(reading.diagnostics.into());
        }
        if !reading.diagnostics.is_empty() {
            context.tell(reading.diagnostics);
        }
        let texts = inputs.into_iter().filter(|input| matches!(input, Input::Text { .. })).collect();
        let mut world = World { detailed: true, ..World::default() };
        let mut origins = BTreeMap::new();
        for object in reading.objects {
            origins.insert((object.kind, object.key.clone()), object.origin.file.clone());
            world.put(object, context.seconds());
        }
        Ok(Seen { world, program, origins: Origins::Read(origins, texts, options) })
    }
}

impl Seen {
    /// An error about an object that is not there, with what may have been meant.
    pub fn missing(&self, kind: Kind, key: &ObjectKey) -> Diagnostic {
        if let Origins::Store(store) = &self.origins {
            return missing(kind, key, store).unwrap_or_else(|error| error);
        }
        let keys = self.world.keys(kind);
        let none = "it is not among these manifests".to_owned();
        not_found(kind, &key.name).help(meant(key, keys.into_iter()).unwrap_or(none))
    }

    /// Says of each fact where it was written, as far as that is known.
    pub fn locate(&self, explanation: &mut Explanation) -> Result<(), Diagnostic> {
        let mut wanted: Vec<SourceField> = Vec::new();
        explanation.locate(&mut |source| {
            wanted.push(source.clone());
            None
        });
        let mut files: BTreeMap<(Name, Option<String>), Vec<SourceField>> = BTreeMap::new();
        let stored = match &self.origins {
            Origins::Read(..) => BTreeMap::new(),
            Origins::Store(store) => {
                store.files_of(&wanted.iter().map(|source| (source.kind, source.key.clone())).collect())?
            }
        };
        for source in wanted {
            let file = match &self.origins {
                Origins::Read(origins, ..) => {
                    origins.get(&(source.kind, source.key.clone())).map(|file| (file.clone(), None))
                }
                Origins::Store(_) => stored
                    .get(&(source.kind, source.key.clone()))
                    .map(|(file, hash)| (file.clone(), Some(hash.clone()))),
            };
            if let Some(file) = file {
                files.entry(file).or_default().push(source);
            }
        }
        let options = match &self.origins {
            Origins::Read(.., options) => options.clone(),
            Origins::Store(_) => Options::default(),
        };
        let mut places: BTreeMap<SourceField, String> = BTreeMap::new();
        for ((file, hash), sources) in files {
            let fields: Vec<_> =
                sources.iter().map(|source| (source.kind, source.key.clone(), path(source))).collect();
            let input = self.origins.input(&file);
            let found = manifest::find(&input, hash.as_deref(), &fields, &options);
            for (source, place) in sources.into_iter().zip(found) {
                if let Some(place) = place {
                    places.insert(source, format!("{}:{}", shown(&place.file), place.line));
                }
            }
        }
        explanation
            .locate(&mut |source| Some(places.get(source).cloned().unwrap_or_else(|| source.to_string())));
        Ok(())
    }
}

/// A path from here on, if it is below this folder.
fn shown(file: &str) -> String {
    let here = std::env::current_dir().ok();
    let below = here.as_ref().and_then(|here| std::path::Path::new(file).strip_prefix(here).ok());
    below.map_or_else(|| file.to_owned(), |below| below.display().to_string())
}

fn path(source: &SourceField) -> FieldPath {
    let step = |segment: &Segment| match segment {
        Segment::Field(name) => Step::Field(name.clone()),
        Segment::Index(index) => Step::Index(*index),
    };
    FieldPath(source.path.iter().map(step).collect())
}
