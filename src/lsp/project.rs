//! Which files make the program that a rule file is a part of: those that a `dsrules.yaml`
//! above it names, if it names this one, else those of its folder; with what is written in
//! the editor instead of what is on disk.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use super::uri::uri_of;
use crate::datalog::{Outline, Program, Source};
use crate::diagnostic::Diagnostic;
use crate::policy::builtin::BUILTIN;
use crate::policy::{self, Asked};
use crate::state::{CONFIG, OwnFile, OwnKind};

/// A `dsrules.yaml` is looked for in so many folders above a rule file.
const FOLDERS: usize = 8;

/// A text that is open in the editor.
#[derive(Debug, Clone)]
pub(super) struct Buffer {
    /// As the editor calls it.
    pub uri: String,
    pub text: Arc<str>,
}

/// A rule text with what it names.
#[derive(Debug, Clone)]
pub(super) struct Document {
    /// The file, or what else the editor calls it; of a built-in one its name.
    pub path: PathBuf,
    pub uri: Option<String>,
    pub text: Arc<str>,
    pub outline: Arc<Outline>,
    pub builtin: bool,
}

/// Files that are one program.
#[derive(Debug)]
pub(super) struct Project {
    /// The rule files that a person writes, then the built-in ones.
    pub documents: Vec<Document>,
    /// All files, with facts.
    files: Vec<OwnFile>,
    /// What could not be read.
    problems: Vec<Diagnostic>,
    /// Whether the files are the built-in ones themselves.
    own: bool,
}

impl Project {
    /// Finds the program of a file.
    pub fn of(path: &Path, open: &BTreeMap<PathBuf, Buffer>) -> Project {
        let found = named_above(path).unwrap_or_else(|| beside(path, open));
        let mut files = found.files;
        let has = |files: &[OwnFile]| files.iter().any(|file| same(Path::new(&*file.path), path));
        if !has(&files) {
            files.push(OwnFile::new(path.display().to_string(), OwnKind::Rules, ""));
        }
        for file in files.iter_mut().filter(|file| file.kind != OwnKind::Parameters) {
            let path = Path::new(&*file.path);
            if let Some((_, buffer)) = open.iter().find(|(open, _)| same(open, path)) {
                file.text = buffer.text.clone();
            }
        }
        let named = |name: &str| files.iter().any(|file| Path::new(&*file.path).ends_with(name));
        let own = BUILTIN.iter().all(|(name, _)| named(name));
        let rules = files.iter().filter(|file| file.kind == OwnKind::Rules).map(|file| {
            let path = PathBuf::from(&*file.path);
            let buffer = open.iter().find(|(open, _)| same(open, &path)).map(|(_, buffer)| buffer);
            let uri = buffer.map(|buffer| buffer.uri.clone());
            let uri = Some(uri.unwrap_or_else(|| uri_of(&path)));
            let outline = Arc::new(Outline::of(&file.text));
            Document { path, uri, text: file.text.clone(), outline, builtin: false }
        });
        let mut documents: Vec<Document> = rules.collect();
        if !own {
            documents.extend(builtin().iter().cloned());
        }
        Project { documents, files, problems: found.problems, own }
    }

    /// The document of a file.
    pub fn document(&self, path: &Path) -> Option<usize> {
        self.documents.iter().position(|it| !it.builtin && same(&it.path, path))
    }

    /// All that is wrong with it.
    pub fn diagnostics(&self) -> Vec<Diagnostic> {
        let mut found = self.problems.clone();
        if self.own {
            let source = |file: &'_ OwnFile| (file.path.clone(), file.text.clone());
            let texts: Vec<_> = self.files.iter().map(source).collect();
            let sources: Vec<Source<'_>> =
                texts.iter().map(|(file, text)| Source { file, text, builtin: true, folder: "" }).collect();
            found.extend(Program::load(&sources).diagnostics);
        } else {
            found.extend(policy::load(&self.files).diagnostics);
        }
        // A value may come from a command line, which an editor has not.
        found.retain(|found| found.code != "parameter-not-set");
        found
    }

    /// All files, to be told of again when nothing is wrong with them any more.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().map(|file| Path::new(&*file.path))
    }
}

/// The built-in rule texts.
fn builtin() -> &'static [Document] {
    static DOCUMENTS: OnceLock<Vec<Document>> = OnceLock::new();
    DOCUMENTS.get_or_init(|| {
        let document = |(name, text): &(&str, &str)| Document {
            path: name.into(),
            uri: None,
            text: (*text).into(),
            outline: Arc::new(Outline::of(text)),
            builtin: true,
        };
        BUILTIN.iter().map(document).collect()
    })
}

/// What a `dsrules.yaml` above a file names, if the file is among it.
fn named_above(path: &Path) -> Option<policy::Found> {
    path.ancestors().skip(1).take(FOLDERS).find_map(|folder| {
        if !path.is_absolute() || !folder.join(CONFIG).is_file() {
            return None;
        }
        let found = policy::find(&Asked { beside: vec![folder.to_owned()], ..Asked::default() });
        let parent = path.parent();
        let names = |file: &OwnFile| {
            let file = Path::new(&*file.path);
            // One that is not saved yet belongs to the others of its folder.
            same(file, path) || !path.exists() && file.parent().zip(parent).is_some_and(|(a, b)| same(a, b))
        };
        found.files.iter().any(names).then_some(found)
    })
}

/// The rules of the folder that a file is in.
fn beside(path: &Path, open: &BTreeMap<PathBuf, Buffer>) -> policy::Found {
    let folder = path.parent().filter(|folder| path.is_absolute() && folder.is_dir());
    let mut found = match folder {
        Some(folder) => policy::find(&Asked { rules: vec![folder.to_owned()], ..Asked::default() }),
        None => policy::Found::default(),
    };
    // An empty folder is no mistake of who begins a file in it.
    found.problems.retain(|problem| problem.code != "no-rules");
    for other in open.keys().filter(|other| folder.is_some() && other.parent() == folder) {
        if !found.files.iter().any(|file| same(Path::new(&*file.path), other)) {
            found.files.push(OwnFile::new(other.display().to_string(), OwnKind::Rules, ""));
        }
    }
    found
}

/// Whether two paths are one file.
pub(super) fn same(one: &Path, other: &Path) -> bool {
    one == other
        || one.file_name() == other.file_name()
            && fs::canonicalize(one)
                .ok()
                .zip(fs::canonicalize(other).ok())
                .is_some_and(|(one, other)| one == other)
}
