//! One object that is defined in two places, in two ways: which of them is meant nobody
//! can tell, so none is taken.

use std::collections::{BTreeMap, BTreeSet};

use super::input::{self, Input};
use super::options::Options;
use super::problem::Spot;
use super::read;
use super::reading::Reading;
use crate::diagnostic::{Diagnostic, Place};
use crate::kube::{Kind, Object, ObjectKey};

/// Two definitions of one object that say different things; each with its file.
#[derive(Debug)]
pub(super) struct Twice {
    /// The second one.
    pub(super) object: Object,
    pub(super) second: (usize, Spot),
    pub(super) first: (usize, Spot),
}

/// Takes every definition of these objects out of what was read. What the files have of
/// them is unknown, so what is stored stays as it is.
pub(super) fn drop_all(all: &[Twice], reading: &mut Reading) {
    let twice: BTreeSet<(Kind, &ObjectKey)> =
        all.iter().map(|twice| (twice.object.kind, &twice.object.key)).collect();
    if twice.is_empty() {
        return;
    }
    reading.objects.retain(|object| !twice.contains(&(object.kind, &object.key)));
    for file in &mut reading.files {
        let before = file.objects.len();
        file.objects.retain(|(kind, key)| !twice.contains(&(*kind, key)));
        file.complete &= file.objects.len() == before;
    }
}

/// What is told about them. Every file with such definitions is read once more, for their
/// places.
pub(super) fn tell(mut all: Vec<Twice>, files: &[Input], options: &Options) -> Vec<Diagnostic> {
    let hidden = all.len().saturating_sub(options.limits.diagnostics);
    all.truncate(options.limits.diagnostics);
    let mut by_file: BTreeMap<usize, Vec<Spot>> = BTreeMap::new();
    for (file, spot) in all.iter().flat_map(|twice| [twice.first, twice.second]) {
        by_file.entry(file).or_default().push(spot);
    }
    let mut places: BTreeMap<usize, std::vec::IntoIter<Place>> = BTreeMap::new();
    for (file, spots) in by_file {
        places.insert(file, read::places_again(&files[file], &spots, options).into_iter());
    }
    // In the order in which they were asked for.
    let mut next = |file: usize| {
        let place = places.get_mut(&file).and_then(Iterator::next);
        place.unwrap_or_else(|| Place::file(input::name_of(&files[file])))
    };
    let mut told: Vec<Diagnostic> = Vec::new();
    for twice in all {
        let (first, second) = (next(twice.first.0), next(twice.second.0));
        let object = &twice.object;
        let message = format!("{} `{}` is defined twice, with different content", object.kind, object.key);
        let diagnostic = Diagnostic::error("defined-twice", message)
            .at(second)
            .labelled("second definition")
            .related(first, "first definition")
            .help("remove one of the two, or give it another name or namespace");
        told.push(diagnostic);
    }
    if hidden > 0 {
        let message = format!("{hidden} more objects that are defined twice are not shown");
        told.push(Diagnostic::note("not-shown", message));
    }
    told
}
