//! The manifests of a use case: files, folders and texts, read with what is to be said
//! of them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::listener::Listener;
use crate::diagnostic::Diagnostic;
use crate::hash::sha256;
use crate::kube::Kind;
use crate::manifest::{self, Input, Known, Options, Reading};

/// So many kinds that are left alone are named.
const SHOWN: usize = 20;

/// What is read.
#[derive(Debug, Clone, Default)]
pub struct Manifests {
    /// Files, folders and texts, in the order in which they were named.
    pub inputs: Vec<Input>,
    /// How they are read.
    pub options: Options,
}

impl Manifests {
    /// Whether nothing was named.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.inputs.is_empty()
    }

    /// Whether a folder is read, be it in one that is.
    #[must_use]
    pub fn has_folder(&self, folder: &Path) -> bool {
        let full = |path: &Path| std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let folder = full(folder);
        self.paths()
            .iter()
            .map(|path| full(path))
            .any(|path| folder == path || (self.options.recursive && folder.starts_with(&path)))
    }

    /// The files and folders.
    pub(super) fn paths(&self) -> Vec<PathBuf> {
        let path = |input: &Input| match input {
            Input::Path(path) => Some(path.clone()),
            Input::Text { .. } => None,
        };
        self.inputs.iter().filter_map(path).collect()
    }

    /// Where a `dsrules.yaml` may stand: the folders that are read.
    pub(super) fn beside(&self) -> Vec<PathBuf> {
        beside(&self.paths(), &self.options)
    }

    /// How files are read, as it is remembered with each: whatever makes another object of the
    /// same text, or finds something else to say of it. Which folders are read is no part of it.
    pub(super) fn how(&self) -> String {
        let options = Options { recursive: false, ..self.options.clone() };
        sha256(format!("{} {options:?}", env!("CARGO_PKG_VERSION")))
    }

    /// The files with the hashes of their content, where that is all that is named.
    pub(super) fn hashes(&self) -> Option<Vec<(PathBuf, String)>> {
        let all = self.inputs.iter().all(|input| matches!(input, Input::Path(_)));
        if all { manifest::hashes(&self.inputs, &self.options) } else { None }
    }

    /// Reads all of it, and tells nothing of it.
    ///
    /// # Errors
    /// When nothing was named.
    pub fn read_silently(&self) -> Result<Reading, Diagnostic> {
        self.read_changed(None)
    }

    /// The same, but for files of which it is known what stands in them.
    fn read_changed(&self, known: Option<&Known<'_>>) -> Result<Reading, Diagnostic> {
        if self.is_empty() {
            return Err(Diagnostic::error("no-input", "no manifest was named")
                .help("name files or folders, as `dsrules plan fleet` or `dsrules apply fleet`, or `-` for stdin; `dsrules init` writes a folder to begin with"));
        }
        let is_blank =
            |input: &Input| matches!(input, Input::Text { bytes, .. } if bytes.trim_ascii().is_empty());
        let blank = self.inputs.len() > 1 && self.inputs.iter().any(is_blank);
        let mut reading = manifest::read_changed(&self.inputs, &self.options, known);
        if blank {
            // Among other inputs it would not be missed.
            let warning = Diagnostic::warning("empty-stdin", "nothing came from stdin (`-`)");
            reading.diagnostics.push(warning.help("look whether the command before the pipe failed"));
        }
        Ok(reading)
    }

    /// Reads all of it. What is no error is told; errors are left in the reading.
    ///
    /// # Errors
    /// When nothing was named.
    pub fn read(&self, listener: &dyn Listener) -> Result<Reading, Diagnostic> {
        self.read_but(None, listener)
    }

    /// The same, but for files of which it is known what stands in them.
    pub(super) fn read_but(
        &self,
        known: Option<&Known<'_>>,
        listener: &dyn Listener,
    ) -> Result<Reading, Diagnostic> {
        let mut reading = self.read_changed(known)?;
        listener.tell(reading.diagnostics.extract_if(.., |found| !found.is_error()).collect());
        // Without any object this is an error, or the whole of the answer.
        if reading.has_errors() || reading.plans_nothing() {
            return Ok(reading);
        }
        let kinds = reading.kinds();
        let is_whole = kinds.contains_key(&Kind::Node) && kinds.contains_key(&Kind::DaemonSet);
        if let Some(folder) = self.deeper().filter(|_| !is_whole) {
            let shown = folder.display();
            listener.note(&format!("note: the folders in `{shown}` were not read: `-R` reads them too"));
        }
        note_others(&reading, listener);
        Ok(reading)
    }

    /// The first folder with manifests in its folders that are not read.
    fn deeper(&self) -> Option<PathBuf> {
        self.paths().into_iter().find(|path| !self.options.recursive && has_deeper(path))
    }

    /// Names `-R` in what is said of an input without objects, where that is the way out.
    pub(super) fn point_deeper(&self, reading: &mut Reading) {
        let mut empty = reading.diagnostics.iter_mut().filter(|error| error.code == "no-objects");
        let Some(error) = empty.next() else { return };
        if let Some(folder) = self.deeper() {
            let folder = folder.display();
            error.help =
                Some(format!("there are manifests in the folders in `{folder}`: `-R` reads them too"));
        }
    }
}

/// The error for an input without a single object that is of use here: what is planned
/// for it would be about something else.
pub(super) fn nothing_read(reading: &Reading) -> Diagnostic {
    let kinds = reading.kinds();
    let count = reading.others.values().chain(kinds.values()).sum::<usize>();
    let others = kinds.keys().map(|kind| kind.name());
    let kinds: BTreeSet<&str> = reading.others.keys().map(String::as_str).chain(others).collect();
    let kinds: Vec<&str> = kinds.into_iter().take(SHOWN).collect();
    let error = Diagnostic::error("no-objects", "nothing was read that could be planned");
    let error = match count {
        0 => error,
        1 => error.because(format!("dsrules has no use for its only object: {}", kinds.join(", "))),
        _ => error.because(format!("dsrules has no use for its {count} objects: {}", kinds.join(", "))),
    };
    let read = Kind::ALL.map(|kind| kind.name()).join(", ");
    error.help(format!("name files or folders with objects of the kinds that it reads: {read}"))
}

/// What the scheduler asks about, beside the kinds that are managed.
const SCHEDULERS: [&str; 2] = ["PriorityClass", "PodDisruptionBudget"];

/// Names what was read and is of no use here, or only to rules.
pub fn note_others(reading: &Reading, listener: &dyn Listener) {
    let mut kept: BTreeMap<&str, usize> = BTreeMap::new();
    let is_kept = |kind: Kind| kind.is_other() && !SCHEDULERS.contains(&kind.written());
    let kinds = reading.kinds();
    for (kind, count) in kinds.iter().filter(|(kind, _)| is_kept(**kind)) {
        *kept.entry(kind.name()).or_default() += count;
    }
    let left = reading.others.iter().map(|(kind, count)| (kind.as_str(), *count));
    for (what, kinds) in [
        ("kept for rules to ask about, and no more", kept.into_iter().collect::<Vec<_>>()),
        ("left alone what dsrules has no use for", left.collect()),
    ] {
        let mut told: Vec<String> =
            kinds.iter().take(SHOWN).map(|(kind, count)| format!("{count} {kind}")).collect();
        if kinds.len() > SHOWN {
            told.push(format!("and {} kinds more", kinds.len() - SHOWN));
        }
        if !told.is_empty() {
            listener.note(&format!("note: {what}: {}", told.join(", ")));
        }
    }
}

/// Whether there are manifests in the folders of a folder.
fn has_deeper(folder: &Path) -> bool {
    let is_hidden = |entry: &walkdir::DirEntry| entry.file_name().as_encoded_bytes().starts_with(b".");
    let walk = walkdir::WalkDir::new(folder).min_depth(1).into_iter();
    let mut files = walk.filter_entry(|entry| !is_hidden(entry)).filter_map(Result::ok);
    files.any(|entry| entry.depth() > 1 && manifest::is_manifest(entry.path()))
}

/// The paths, and the folders in them that manifests are read from.
pub(super) fn beside(paths: &[PathBuf], options: &Options) -> Vec<PathBuf> {
    let mut folders = BTreeSet::new();
    if options.recursive {
        for path in paths {
            // What is wrong with a path is said when it is read.
            let files = manifest::list(path, true, &options.limits).unwrap_or_default();
            folders.extend(files.iter().filter_map(|file| file.parent()).map(Path::to_owned));
        }
    }
    paths.iter().cloned().chain(folders).collect()
}
