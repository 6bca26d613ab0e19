//! Where objects of an input stand, for what is said of them after they were read.
//!
//! Reading keeps no places, but for the file of each object. What is asked for is found by
//! reading that file a second time.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;

use super::input::{self, Input};
use super::options::Options;
use super::read;
use super::reading::Reading;
use super::update::way;
use crate::diagnostic::Place;
use crate::kube::{Kind, Name, ObjectKey};
use crate::validate::path::FieldPath;

/// Where the objects of an input stand.
#[derive(Debug, Clone, Default)]
pub struct Places {
    inputs: Vec<Input>,
    files: Vec<(Kind, ObjectKey, Name)>,
    options: Options,
}

impl Reading {
    /// Where its objects stand.
    #[must_use]
    pub fn places(&self, options: &Options) -> Places {
        let file =
            |object: &crate::kube::Object| (object.kind, object.key.clone(), object.origin.file.clone());
        Places {
            inputs: self.inputs.clone(),
            files: self.objects.iter().map(file).collect(),
            options: options.clone(),
        }
    }
}

impl Reading {
    /// Where objects may stand that came as texts; of files it is not known which they are in.
    #[must_use]
    pub fn texts(&self) -> Places {
        let texts = self.inputs.iter().filter(|input| matches!(input, Input::Text { .. }));
        Places { inputs: texts.cloned().collect(), files: Vec::new(), options: self.options.clone() }
    }
}

impl Places {
    /// Adds an object of a file that was passed over.
    pub fn add(&mut self, kind: Kind, key: ObjectKey, file: Name) {
        self.files.push((kind, key, file));
    }

    /// The same for objects of these files as well.
    #[must_use]
    pub fn and(mut self, held: Vec<(Kind, ObjectKey, PathBuf)>) -> Places {
        let more = Places::of(held, &self.options);
        let known: BTreeSet<Name> = self.inputs.iter().map(input::name_of).collect();
        self.inputs.extend(more.inputs.into_iter().filter(|input| !known.contains(&input::name_of(input))));
        self.files.extend(more.files);
        self
    }

    /// Where objects stand of which the files are known.
    #[must_use]
    pub fn of(held: Vec<(Kind, ObjectKey, PathBuf)>, options: &Options) -> Places {
        let paths: BTreeSet<PathBuf> = held.iter().map(|(_, _, path)| path.clone()).collect();
        let named =
            |(kind, key, path): (Kind, ObjectKey, PathBuf)| (kind, key, input::name_of(&Input::Path(path)));
        Places {
            inputs: paths.into_iter().map(Input::Path).collect(),
            files: held.into_iter().map(named).collect(),
            options: options.clone(),
        }
    }

    /// Where fields of objects stand, as `spec.template`; of a field that is not there the
    /// nearest one around it, and nothing of an object that is not of the input.
    #[must_use]
    pub fn find(&self, wanted: &[(Kind, &ObjectKey, &str)]) -> Vec<Option<Place>> {
        let wanted: Vec<_> = wanted.iter().map(|(kind, key, path)| (*kind, *key, way(path))).collect();
        self.find_paths(&wanted)
    }

    /// The same by the paths of the fields.
    #[must_use]
    pub fn find_paths(&self, wanted: &[(Kind, &ObjectKey, FieldPath)]) -> Vec<Option<Place>> {
        let mut places = vec![None; wanted.len()];
        let mut asked: HashMap<(Kind, &ObjectKey), Vec<usize>> = HashMap::new();
        for (at, (kind, key, _)) in wanted.iter().enumerate() {
            asked.entry((*kind, *key)).or_default().push(at);
        }
        let mut files: BTreeMap<&Name, Vec<usize>> = BTreeMap::new();
        if !asked.is_empty() {
            for (kind, key, file) in &self.files {
                files.entry(file).or_default().extend(asked.get(&(*kind, key)).into_iter().flatten());
            }
        }
        for (file, fields) in files.into_iter().filter(|(_, fields)| !fields.is_empty()) {
            let Some(input) = self.inputs.iter().find(|input| input::name_of(input) == *file) else {
                continue;
            };
            let wanted: Vec<(Kind, ObjectKey, FieldPath)> = fields
                .iter()
                .map(|at| (wanted[*at].0, wanted[*at].1.clone(), wanted[*at].2.clone()))
                .collect();
            for (at, place) in fields.into_iter().zip(read::find(input, None, &wanted, &self.options)) {
                places[at] = place;
            }
        }
        places
    }
}
