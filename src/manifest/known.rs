//! Files of which it is known what stands in them: they are passed over.
//!
//! A file is known by its path and the hash of its content, and only if reading it would say
//! nothing but its objects. What it has is then told by whoever knows it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::input::{self, Input};
use super::options::Options;
use super::read::{self, Outcome};
use super::reading::Passed;
use crate::cores;
use crate::kube::{Kind, Name, ObjectKey};
use crate::meter;

/// What is known of files before they are read.
pub struct Known<'k> {
    /// By the path that they are known under: the hash of their content, and how many objects of
    /// each kind stand in them, which is all that reading them would say.
    pub files: BTreeMap<Name, (String, BTreeMap<Kind, usize>)>,
    /// The hashes of files that have been found out already.
    pub hashes: BTreeMap<PathBuf, String>,
    /// The path that a file is known under.
    pub name: fn(&Path) -> String,
    /// Of the known files those that have one of these objects; `None` if that cannot be told.
    pub having: &'k Having<'k>,
}

/// Gives the files that have one of these objects.
pub type Having<'h> = dyn Fn(&BTreeSet<(Kind, &ObjectKey)>) -> Option<BTreeSet<Name>> + 'h;

/// What came of a file.
pub(super) enum Read {
    Anew(Outcome),
    Passed(Passed),
}

/// Reads what is not known, on all cores; what comes of the files is in their order.
pub(super) fn outcomes(files: &[Input], options: &Options, known: Option<&Known<'_>>) -> Vec<Read> {
    meter::begin(files.len());
    let counted = |outcome: Read| {
        meter::add(1);
        outcome
    };
    let Some(known) = known else {
        return cores::on_all(files.len(), |nth| counted(anew(&files[nth], options)));
    };
    let Known { files: of, hashes, name, having } = known;
    let mut outcomes =
        cores::on_all(files.len(), |nth| counted(one(&files[nth], options, of, hashes, *name)));
    let shared = shared(&outcomes, having);
    let is_shared = |file: &Passed| shared.as_ref().is_none_or(|shared| shared.contains(&file.name));
    let again: Vec<usize> = (0..files.len())
        .filter(|nth| matches!(&outcomes[*nth], Read::Passed(file) if is_shared(file)))
        .collect();
    let anew_ones = cores::on_all(again.len(), |nth| anew(&files[again[nth]], options));
    for (nth, outcome) in again.into_iter().zip(anew_ones) {
        outcomes[nth] = outcome;
    }
    outcomes
}

/// The files that were passed over and have an object which was met in another file.
fn shared(outcomes: &[Read], having: &Having<'_>) -> Option<BTreeSet<Name>> {
    let (mut met, mut passed, mut shared) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for outcome in outcomes {
        match outcome {
            Read::Anew(one) => met.extend(one.objects.iter().map(|(object, _)| (object.kind, &object.key))),
            // One that is named twice has all of its objects twice.
            Read::Passed(file) if !passed.insert(&file.name) => drop(shared.insert(file.name.clone())),
            Read::Passed(_) => {}
        }
    }
    if !passed.is_empty() && !met.is_empty() {
        shared.extend(having(&met)?);
    }
    Some(shared)
}

fn one(
    input: &Input,
    options: &Options,
    known: &BTreeMap<Name, (String, BTreeMap<Kind, usize>)>,
    hashes: &BTreeMap<PathBuf, String>,
    name: fn(&Path) -> String,
) -> Read {
    let Input::Path(path) = input else { return anew(input, options) };
    let name = Name::from(name(path));
    let Some((sha256, kinds)) = known.get(&name) else { return anew(input, options) };
    let passed = |found: &str| {
        let passed =
            Passed { path: input::name_of(input), name, sha256: sha256.clone(), kinds: kinds.clone() };
        (found == sha256).then_some(Read::Passed(passed))
    };
    match hashes.get(path) {
        Some(hash) => passed(hash).unwrap_or_else(|| anew(input, options)),
        None => read::unless(input, options, passed, Read::Anew),
    }
}

fn anew(input: &Input, options: &Options) -> Read {
    read::unless(input, options, |_| None, Read::Anew)
}
