//! Text -> objects: manifests as Kubernetes reads them, every error with its place.
//!
//! ```text
//! paths -> files -> documents -> objects -> checked objects
//!          input    yaml, json   object     schema, validate
//! ```
//! Files are read on all cores, and so are the parts of a large file. Objects keep
//! every field as it was written; defaults are not filled in. Nothing is printed, and
//! nothing is known of stores or rules.

mod anchors;
mod check;
mod deferred;
mod documents;
mod edited;
mod field;
mod foreign;
mod grammar;
mod input;
mod json;
mod limits;
mod locate;
mod marks;
mod object;
mod problem;
mod read;
mod scalar;
mod scan;
mod schema;
mod source;
mod syntax;
mod told;
mod twice;
mod update;
mod versions;
mod wording;
mod yaml;

use std::collections::BTreeMap;

use crate::diagnostic::{Diagnostic, Place};
use crate::kube::{Kind, Name, Object, ObjectKey};

pub use crate::validate::path::FieldPath;
pub use edited::faults;
pub(crate) use field::put;
pub use field::{Target, typed, way_to};
pub use input::{Input, hash, hashes, is_manifest, list};
pub use limits::Limits;
pub use source::{Format, Mark, Source};

use problem::Spot;
use twice::Twice;

/// What is done about unknown fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FieldValidation {
    /// They are errors.
    #[default]
    Strict,
    /// They are warnings.
    Warn,
    /// Nothing is said.
    Ignore,
}

/// How to read.
#[derive(Debug, Clone)]
pub struct Options {
    /// Whether folders in folders are read.
    pub recursive: bool,
    /// What is done about unknown fields; they are kept in any case.
    pub validate: FieldValidation,
    /// The namespace of objects that name none.
    pub default_namespace: String,
    /// The bounds.
    pub limits: Limits,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            recursive: false,
            validate: FieldValidation::Strict,
            default_namespace: "default".to_owned(),
            limits: Limits::default(),
        }
    }
}

/// What came out of reading.
#[derive(Debug, Default)]
pub struct Reading {
    /// The objects in which nothing is wrong, each identity once, in the order in which
    /// they were read. With errors in `diagnostics` they are not all that was meant.
    pub objects: Vec<Object>,
    /// The files, in order.
    pub files: Vec<ReadFile>,
    /// How many objects of kinds that are not read there were, by `apiVersion/kind`.
    pub others: BTreeMap<String, usize>,
    /// Files and folders that were named, or met in folders, and not read. What stands in
    /// them is unknown, not gone.
    pub unread: Vec<Name>,
    /// Everything that is wrong, in all files, sorted.
    pub diagnostics: Vec<Diagnostic>,
    /// Whether something was to be said about it, be it no error.
    pub noted: bool,
    /// What was read, to look places up again.
    inputs: Vec<Input>,
}

impl Reading {
    /// Whether anything is wrong that fails a command.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(Diagnostic::is_error)
    }
}

/// A file that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadFile {
    /// The path as the user named it, or `<stdin>`.
    pub path: Name,
    /// SHA-256 of its bytes, in hexadecimal; empty if it could not be read.
    pub sha256: String,
    /// How many bytes it has.
    pub bytes: u64,
    /// The objects that stand in it and are right.
    pub objects: Vec<(Kind, ObjectKey)>,
    /// Whether all of it was understood. What else stands in a file that was not is
    /// unknown, not gone.
    pub complete: bool,
    /// Whether nothing stands in it but white space, as where an editor has cut it off
    /// and not yet written it anew.
    pub blank: bool,
}

/// The error of a file that had objects and is cut to nothing: an editor cuts a file off
/// before it writes it anew, and a disk that is full goes no further, so what it had is
/// unknown, not gone.
#[must_use]
pub fn emptied(path: &str, had: usize) -> Diagnostic {
    let objects = if had == 1 { "the one object".to_owned() } else { format!("all of its {had} objects") };
    Diagnostic::error("emptied-file", format!("the file is empty and has lost {objects}"))
        .at(Place::file(path))
        .because("what it had stays as it is")
        .help("if it is meant, remove the file, or say `--allow-empty`")
}

/// The places of fields of objects in a file, which is read once more; nothing has a place
/// in a file that cannot be read, or that is not the one with this hash.
#[must_use]
pub fn find(
    input: &Input,
    sha256: Option<&str>,
    wanted: &[(Kind, ObjectKey, crate::validate::path::FieldPath)],
    options: &Options,
) -> Vec<Option<Place>> {
    read::find(input, sha256, wanted, options)
}

/// Reads all manifests of all inputs.
#[must_use]
pub fn read(inputs: &[Input], options: &Options) -> Reading {
    let mut diagnostics = Vec::new();
    let (files, unread) = input::gather(inputs, options.recursive, &options.limits, &mut diagnostics);
    let outcomes = read::all(&files, options);
    let mut reading = Reading { diagnostics, unread, ..Reading::default() };
    let mut seen: BTreeMap<(Kind, ObjectKey), (usize, usize, Spot)> = BTreeMap::new();
    let mut twice = Vec::new();
    for (nth, outcome) in outcomes.into_iter().enumerate() {
        let mut file = outcome.file;
        for (kind, count) in outcome.others {
            *reading.others.entry(kind).or_default() += count;
        }
        reading.diagnostics.extend(outcome.diagnostics);
        for (object, spot) in outcome.objects {
            let identity = (object.kind, object.key.clone());
            match seen.get(&identity) {
                None => {
                    seen.insert(identity.clone(), (reading.objects.len(), nth, spot));
                    reading.objects.push(object);
                }
                Some((first, ..)) if reading.objects[*first].value == object.value => {}
                Some(&(_, file_of_first, first)) => {
                    twice.push(Twice { object, second: (nth, spot), first: (file_of_first, first) });
                    file.complete = false;
                    continue;
                }
            }
            file.objects.push(identity);
        }
        reading.files.push(file);
    }
    twice::drop_all(&twice, &mut reading);
    reading.diagnostics.extend(twice::tell(twice, &files, options));
    let nothing = reading.objects.is_empty() && reading.others.is_empty();
    if nothing && !reading.has_errors() {
        let message =
            if inputs.is_empty() { "no manifest was named" } else { "there is no object in the manifests" };
        let mut diagnostic = Diagnostic::error("no-objects", message);
        if let [file] = reading.files.as_slice() {
            diagnostic = diagnostic.at(Place::file(file.path.clone()));
        }
        reading
            .diagnostics
            .push(diagnostic.help("a manifest has at least `apiVersion`, `kind` and `metadata.name`"));
    }
    Diagnostic::sort(&mut reading.diagnostics);
    reading.noted = !reading.diagnostics.is_empty() || !reading.others.is_empty();
    reading.inputs = files;
    reading
}
