//! The user's rules and facts while the watcher runs: read again at each look.
//!
//! Files that are not understood leave the rules as they are: the last good ones go on
//! to decide, and the error stands until it is mended, as with a manifest.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::app::rules::{Policy, find};
use crate::diagnostic::Diagnostic;
use crate::policy::Asked;
use crate::state::OwnFile;
use crate::target::Memory;

/// What is known of the user's files.
pub(super) struct Rules {
    asked: Asked,
    /// The watched folder: files in it are shown without its name.
    dir: PathBuf,
    /// Under which the store remembers them.
    id: String,
    /// Those that decide.
    good: Vec<OwnFile>,
    /// Those that are not understood, if that is what was found last.
    bad: Option<Vec<OwnFile>>,
    errors: Vec<Diagnostic>,
    /// Where something may change.
    places: BTreeSet<PathBuf>,
}

/// What reading them again came to.
#[derive(Default)]
pub(super) struct Reread {
    /// The rules to go on with, where they differ from those that decide.
    pub(super) policy: Option<Policy>,
    /// The files that differ.
    pub(super) files: Vec<String>,
    /// Files that are in error no longer.
    pub(super) mended: Vec<String>,
    /// Errors that are new, and warnings about what changed.
    pub(super) told: Vec<Diagnostic>,
}

impl Rules {
    /// Reads them for the first time; then they have to be right, as there are no others
    /// to go on with.
    pub(super) fn new(
        asked: &Asked,
        dir: &Path,
        beside: &[PathBuf],
        id: &str,
        store: &dyn Memory,
    ) -> Result<(Rules, Policy, Vec<Diagnostic>), Vec<Diagnostic>> {
        let found = find(asked, beside);
        let places = found.places.clone();
        let good = found.into_files()?;
        let (policy, warnings) = Policy::of(good.clone(), Some(id), Some(store))?;
        let rules = Rules {
            asked: asked.clone(),
            dir: dir.to_owned(),
            id: id.to_owned(),
            good,
            bad: None,
            errors: Vec::new(),
            places,
        };
        Ok((rules, policy, warnings))
    }

    /// Every file and folder that may say something else one day.
    pub(super) fn places(&self) -> &BTreeSet<PathBuf> {
        &self.places
    }

    /// The files that are in error.
    pub(super) fn broken(&self) -> Vec<String> {
        let files: BTreeSet<String> = self
            .errors
            .iter()
            .filter(|error| error.is_error())
            .filter_map(|error| error.place.as_ref())
            .map(|place| self.shown(&place.file))
            .collect();
        files.into_iter().collect()
    }

    /// Reads them again.
    pub(super) fn reread(&mut self, beside: &[PathBuf], store: &dyn Memory) -> Reread {
        let found = find(&self.asked, beside);
        self.places.clone_from(&found.places);
        let before = self.broken();
        let mut reread = Reread::default();
        match found.into_files() {
            Err(problems) => {
                self.bad = None;
                self.wrong(problems, &mut reread);
            }
            Ok(files) if self.bad.as_ref() == Some(&files) => {}
            Ok(files) if files == self.good => self.errors.clear(),
            Ok(files) => match Policy::of(files.clone(), Some(&self.id), Some(store)) {
                Ok((policy, warnings)) => {
                    self.errors.clear();
                    reread.files = self.differ(&files);
                    reread.told = warnings;
                    reread.policy = Some(policy);
                    self.good = files;
                }
                Err(errors) => {
                    reread.files = self.differ(&files);
                    self.bad = Some(files);
                    self.wrong(errors, &mut reread);
                }
            },
        }
        if self.errors.is_empty() {
            self.bad = None;
        }
        let broken = self.broken();
        // Where they could not even be read, or are as they were, the errors name them.
        if reread.files.is_empty() && before != broken {
            reread.files =
                before.iter().chain(&broken).cloned().collect::<BTreeSet<_>>().into_iter().collect();
        }
        reread.mended = before.into_iter().filter(|file| !broken.contains(file)).collect();
        reread
    }

    fn wrong(&mut self, errors: Vec<Diagnostic>, reread: &mut Reread) {
        if self.errors != errors {
            reread.told.clone_from(&errors);
        }
        self.errors = errors;
    }

    /// The files that are not what they were.
    fn differ(&self, now: &[OwnFile]) -> Vec<String> {
        let (before, now): (BTreeSet<&OwnFile>, BTreeSet<&OwnFile>) =
            (self.good.iter().collect(), now.iter().collect());
        let paths = before.symmetric_difference(&now).map(|file| self.shown(&file.path));
        paths.collect::<BTreeSet<String>>().into_iter().collect()
    }

    fn shown(&self, path: &str) -> String {
        Path::new(path).strip_prefix(&self.dir).unwrap_or(Path::new(path)).display().to_string()
    }
}
