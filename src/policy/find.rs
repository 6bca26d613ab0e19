//! Which files the user means, and their texts; values of parameters are such a text as well.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::config::parse;
use super::settings::FLAG;
use crate::diagnostic::{Diagnostic, Place};
use crate::state::{CONFIG, OwnFile, OwnKind};

/// Where to look for rules and facts.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// Rule files, and folders of rules and facts.
    pub rules: Vec<PathBuf>,
    /// Files of facts, and folders of them.
    pub facts: Vec<PathBuf>,
    /// Values of parameters, as `quota=3` or `module::quota=3`.
    pub params: Vec<String>,
    /// Manifests and folders of manifests, beside which a `dsrules.yaml` may stand.
    pub beside: Vec<PathBuf>,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Found {
    /// The files, each once.
    pub files: Vec<OwnFile>,
    /// Every file and folder that was looked at, whether it is there or not: something
    /// else can only be found when one of these differs.
    pub places: BTreeSet<PathBuf>,
    /// What cannot be read.
    pub problems: Vec<Diagnostic>,
}

impl Found {
    /// The files, if all of them could be read.
    ///
    /// # Errors
    /// Everything that cannot be read.
    pub fn into_files(self) -> Result<Vec<OwnFile>, Vec<Diagnostic>> {
        if self.problems.is_empty() { Ok(self.files) } else { Err(self.problems) }
    }
}

/// Reads all of them: first what stands beside the manifests. Each file is read once,
/// however often it is named.
#[must_use]
pub fn find(asked: &Asked) -> Found {
    let mut reader = Reader::default();
    let mut folders = BTreeSet::new();
    for path in &asked.beside {
        let folder = if path.is_dir() { path } else { path.parent().unwrap_or(Path::new("")) };
        if folders.insert(folder) {
            reader.config(folder);
        }
    }
    asked.rules.iter().for_each(|path| reader.rules(path, "--rules"));
    asked.facts.iter().for_each(|path| reader.facts(path, "--facts"));
    if !asked.params.is_empty() {
        reader.found.files.push(OwnFile::new(FLAG, OwnKind::Parameters, asked.params.join("\n").as_str()));
    }
    reader.found
}

#[derive(Default)]
struct Reader {
    found: Found,
    seen: BTreeSet<PathBuf>,
}

impl Reader {
    fn config(&mut self, folder: &Path) {
        let path = folder.join(CONFIG);
        self.found.places.insert(path.clone());
        let text = match is_readable(&path).and_then(|()| fs::read_to_string(&path)) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return,
            Err(error) => return self.found.problems.push(unreadable(&path, &error, CONFIG)),
        };
        let shown = path.display().to_string();
        match parse(&shown, &text) {
            Ok(config) => {
                if !config.params.is_empty() {
                    let parameters = OwnFile::new(shown.as_str(), OwnKind::Parameters, text.as_str());
                    self.found.files.push(parameters);
                }
                let (rules, facts) = (config.rules.from(folder), config.facts.from(folder));
                rules.iter().for_each(|path| self.rules(path, &shown));
                facts.iter().for_each(|path| self.facts(path, &shown));
            }
            Err(error) => self.found.problems.push(error),
        }
    }

    fn rules(&mut self, path: &Path, named_by: &str) {
        if !path.is_dir() {
            return self.file(path, OwnKind::Rules, named_by);
        }
        let Some(inside) = self.inside(path, "dl", named_by) else { return };
        let facts = path.join("facts");
        self.found.places.insert(facts.clone());
        if inside.is_empty() && !facts.is_dir() {
            let error = Diagnostic::error("no-rules", "there are no rules in the folder")
                .at(Place::file(path.display().to_string()))
                .help("rule files end in `.dl`; facts stand in a folder `facts` beside them, as `facts/rack.csv`");
            return self.found.problems.push(error);
        }
        inside.iter().for_each(|file| self.file(file, OwnKind::Rules, named_by));
        if facts.is_dir() {
            self.facts(&facts, named_by);
        }
    }

    fn facts(&mut self, path: &Path, named_by: &str) {
        if !path.is_dir() {
            return self.file(path, OwnKind::Csv, named_by);
        }
        let Some(inside) = self.inside(path, "csv", named_by) else { return };
        if inside.is_empty() {
            let error = Diagnostic::error("no-facts", "there are no facts in the folder")
                .at(Place::file(path.display().to_string()))
                .help("files of facts end in `.csv` and are named after their input, as `rack.csv`");
            return self.found.problems.push(error);
        }
        inside.iter().for_each(|file| self.file(file, OwnKind::Csv, named_by));
    }

    /// The files of a folder with this extension, in order.
    fn inside(&mut self, folder: &Path, extension: &str, named_by: &str) -> Option<Vec<PathBuf>> {
        self.found.places.insert(folder.to_owned());
        let list = || -> io::Result<Vec<PathBuf>> {
            let mut paths = Vec::new();
            for entry in fs::read_dir(folder)? {
                let path = entry?.path();
                if path.extension().is_some_and(|found| found == extension) {
                    paths.push(path);
                }
            }
            paths.sort();
            Ok(paths)
        };
        let mut paths =
            list().map_err(|error| self.found.problems.push(unreadable(folder, &error, named_by))).ok()?;
        paths.retain(|path| match is_readable(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                self.found.problems.push(unreadable(path, &error, named_by));
                false
            }
            _ => true,
        });
        Some(paths)
    }

    fn file(&mut self, path: &Path, kind: OwnKind, named_by: &str) {
        self.found.places.insert(path.to_owned());
        if !self.seen.insert(fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())) {
            return;
        }
        match fs::read_to_string(path) {
            Ok(text) => {
                let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
                self.found.files.push(OwnFile::new(path.display().to_string().as_str(), kind, text));
            }
            Err(error) => self.found.problems.push(unreadable(path, &error, named_by)),
        }
    }
}

/// Whether a file that was found, not named, can be read without waiting for anyone.
fn is_readable(path: &Path) -> io::Result<()> {
    let found = fs::metadata(path)?;
    let waits = !found.is_file() && !found.is_dir();
    if waits { Err(io::Error::other("it is a pipe, a device or a socket, not a file")) } else { Ok(()) }
}

fn unreadable(path: &Path, error: &io::Error, named_by: &str) -> Diagnostic {
    let shown = path.display();
    Diagnostic::error("unreadable-rules", format!("`{shown}` cannot be read"))
        .at(Place::file(shown.to_string()))
        .because(error.to_string())
        .help(format!(
            "it is named by `{named_by}`; rules are .dl files, facts .csv files, or folders of them"
        ))
}
