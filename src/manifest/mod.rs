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
mod known;
mod limits;
mod locate;
mod marks;
mod object;
mod options;
mod places;
mod problem;
mod read;
mod reading;
mod scalar;
mod scan;
mod schema;
mod sieve;
mod source;
mod syntax;
mod told;
mod tool;
mod twice;
mod update;
mod versions;
mod wording;
mod written;
mod yaml;

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::{Diagnostic, Place};
use crate::kube::{Kind, ObjectKey};

pub use crate::validate::path::FieldPath;
pub use edited::{faults, faults_of_fields};
pub(crate) use field::put;
pub use field::{Target, typed, way_to};
pub use input::{Input, hash, hashes, is_elsewhere, is_manifest, list};
pub use known::{Having, Known};
pub use limits::Limits;
pub use options::{FieldValidation, Options};
pub use places::Places;
pub use reading::{Passed, ReadFile, Reading};
pub use source::{Format, Mark, Source};
pub use written::place_of;

use problem::Spot;
use twice::Twice;

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
    read_changed(inputs, options, None)
}

/// Reads the manifests of all inputs but those of which it is known what stands in them, and
/// comes to the same: a file that has an object which is met in one that is read is read too.
#[must_use]
pub fn read_changed(inputs: &[Input], options: &Options, known: Option<&Known<'_>>) -> Reading {
    let mut diagnostics = Vec::new();
    let (files, unread) = input::gather(inputs, options.recursive, &options.limits, &mut diagnostics);
    let outcomes = known::outcomes(&files, options, known);
    let mut reading = Reading { diagnostics, unread, ..Reading::default() };
    let mut seen: BTreeMap<(Kind, ObjectKey), (usize, usize, Spot)> = BTreeMap::new();
    let (mut twice, mut met_again) = (Vec::new(), BTreeSet::new());
    // The place that a file has among all of them, of each that is read.
    let mut places = Vec::new();
    for (nth, outcome) in outcomes.into_iter().enumerate() {
        let outcome = match outcome {
            known::Read::Anew(outcome) => outcome,
            known::Read::Passed(passed) => {
                reading.hashes.push(passed.sha256.clone());
                reading.passed.push(passed);
                continue;
            }
        };
        let mut file = outcome.file;
        reading.hashes.push(file.sha256.clone());
        for (kind, count) in outcome.others {
            *reading.others.entry(kind).or_default() += count;
        }
        reading.diagnostics.extend(outcome.diagnostics);
        for (object, spot) in outcome.objects {
            let identity = (object.kind, object.key.clone());
            if let Some((_, file_of_first, _)) = seen.get(&identity) {
                met_again.extend([*file_of_first, nth]);
            }
            match seen.get(&identity) {
                None => {
                    seen.insert(identity.clone(), (reading.objects.len(), nth, spot));
                    reading.objects.push(object);
                }
                Some((first, ..)) if reading.objects[*first].value == object.value => {}
                // Nothing is decided by it, so nothing is stopped: the last one counts, as for
                // `kubectl apply`.
                Some((first, ..)) if object.kind.is_other() => reading.objects[*first] = object,
                Some(&(_, file_of_first, first)) => {
                    twice.push(Twice { object, second: (nth, spot), first: (file_of_first, first) });
                    file.complete = false;
                    continue;
                }
            }
            file.objects.push(identity);
        }
        places.push(nth);
        reading.files.push(file);
    }
    for (file, _) in reading.files.iter_mut().zip(&places).filter(|(_, nth)| met_again.contains(*nth)) {
        file.silent = false;
    }
    twice::drop_all(&twice, &mut reading);
    reading.diagnostics.extend(twice::tell(twice, &files, options));
    let nothing = reading.objects.is_empty() && reading.others.is_empty() && reading.passed.is_empty();
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
    reading.options = options.clone();
    reading
}
