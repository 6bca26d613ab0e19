//! Which files the user means, and their texts; values of parameters are such a text as well.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::string::FromUtf8Error;

use super::config::{FactSource, InputFrom, from_folder, parse};
use super::settings::FLAG;
use super::sqlite;
use crate::datalog::{QUERY, includes};
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
    /// Rules that are typed with a query.
    pub typed: Vec<String>,
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
    let typed = asked.typed.iter().map(|text| OwnFile::new(QUERY, OwnKind::Rules, text.as_str()));
    reader.found.files.extend(typed);
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
                config.rules.from(folder).iter().for_each(|path| self.rules(path, &shown));
                for source in config.facts.as_slice() {
                    match source {
                        FactSource::Path(path) => self.facts(&from_folder(folder, path), &shown),
                        FactSource::Input(from) => self.input_from(folder, from, &shown, &text),
                    }
                }
            }
            Err(error) => self.found.problems.push(error),
        }
    }

    /// What a `dsrules.yaml` in a folder says of one input, by its name and in its text.
    fn input_from(&mut self, folder: &Path, from: &InputFrom, shown: &str, text: &str) {
        let name = &from.relation;
        for (path, kind) in [(&from.csv, OwnKind::Csv), (&from.json, OwnKind::Json)] {
            path.iter().for_each(|path| self.input(&from_folder(folder, path), kind, name, shown));
        }
        for (path, query) in from.sqlite.iter().zip(&from.query) {
            // A query that YAML folds or escapes stands nowhere as it is.
            let place = match text.find(query.as_str()) {
                Some(at) => Place::of_span(shown, text, at, at + query.len()),
                None => Place::file(shown),
            };
            self.query(&from_folder(folder, path), query, name, &place);
        }
    }

    fn rules(&mut self, path: &Path, named_by: &str) {
        if !path.is_dir() {
            return self.file(path, OwnKind::Rules, named_by);
        }
        let Some(inside) = self.inside(path, &["dl"], named_by) else { return };
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
            return self.file(path, of_facts(path), named_by);
        }
        let Some(inside) = self.inside(path, &FACTS, named_by) else { return };
        if inside.is_empty() {
            let error = Diagnostic::error("no-facts", "there are no facts in the folder")
                .at(Place::file(path.display().to_string()))
                .help("files of facts end in `.csv`, `.json` or `.jsonl` and are named after their input, as `rack.csv`");
            return self.found.problems.push(error);
        }
        inside.iter().for_each(|file| self.file(file, of_facts(file), named_by));
    }

    /// The files of a folder with these extensions, in order.
    fn inside(&mut self, folder: &Path, extensions: &[&str], named_by: &str) -> Option<Vec<PathBuf>> {
        self.found.places.insert(folder.to_owned());
        let list = || -> io::Result<Vec<PathBuf>> {
            let mut paths = Vec::new();
            for entry in fs::read_dir(folder)? {
                let path = entry?.path();
                if path.extension().is_some_and(|found| extensions.iter().any(|it| found == *it)) {
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
        self.input(path, kind, "", named_by);
    }

    /// A rule file that another one includes, by a path from there on.
    fn included(&mut self, by: &Path, path: &str, at: Place) {
        let path = from_folder(by.parent().unwrap_or(Path::new("")), Path::new(path));
        let readable = is_readable(&path).and_then(|()| match path.is_dir() {
            true => Err(io::Error::other("it is a folder")),
            false => Ok(()),
        });
        match readable {
            Ok(()) => self.file(&path, OwnKind::Rules, &at.to_string()),
            Err(error) => {
                let message = format!("the included file `{}` cannot be read", path.display());
                let error = Diagnostic::error("unreadable-rules", message).at(at).because(error.to_string());
                self.found.problems.push(error.help("a path is relative to the file that includes it"));
                self.found.places.insert(path);
            }
        }
    }

    /// What a query finds in a SQLite file, for an input.
    fn query(&mut self, path: &Path, query: &str, relation: &str, named: &Place) {
        self.found.places.insert(path.to_owned());
        // What is written stands there before it gets into the file.
        self.found.places.insert(PathBuf::from(format!("{}-wal", path.display())));
        if let Err(error) = fs::metadata(path).and_then(|_| is_readable(path)) {
            return self.found.problems.push(unreadable(path, &error, &named.file));
        }
        match sqlite::rows(path, query) {
            Ok(text) => {
                let file = OwnFile::new(path.display().to_string(), OwnKind::Query, text);
                self.found.files.push(OwnFile { relation: relation.into(), ..file });
            }
            Err(error) => {
                self.found.problems.push(error.related(named.clone(), format!("for the input `{relation}`")));
            }
        }
    }

    /// A file of facts for an input that has a name, or any other.
    fn input(&mut self, path: &Path, kind: OwnKind, relation: &str, named_by: &str) {
        self.found.places.insert(path.to_owned());
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) => return self.found.problems.push(unreadable(path, &error, named_by)),
        };
        match String::from_utf8(bytes) {
            Ok(text) => {
                let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
                let shown = path.display().to_string();
                let file = OwnFile::new(shown.as_str(), kind, text);
                self.found.files.push(OwnFile { relation: relation.into(), ..file });
                if kind == OwnKind::Rules {
                    includes(&shown, text)
                        .into_iter()
                        .for_each(|(other, at)| self.included(path, &other, at));
                }
            }
            Err(error) => self.found.problems.push(no_text(path, &error)),
        }
    }
}

/// What files of facts end in.
const FACTS: [&str; 4] = ["csv", "json", "jsonl", "ndjson"];

/// What a file of facts is by its name.
fn of_facts(path: &Path) -> OwnKind {
    let extension = path.extension().and_then(|it| it.to_str()).unwrap_or("csv");
    if FACTS[1..].contains(&extension) { OwnKind::Json } else { OwnKind::Csv }
}

/// Whether a file that was found, not named, can be read without waiting for anyone.
fn is_readable(path: &Path) -> io::Result<()> {
    let found = fs::metadata(path)?;
    let waits = !found.is_file() && !found.is_dir();
    if waits { Err(io::Error::other("it is a pipe, a device or a socket, not a file")) } else { Ok(()) }
}

fn no_text(path: &Path, error: &FromUtf8Error) -> Diagnostic {
    let (text, at) = (String::from_utf8_lossy(error.as_bytes()), error.utf8_error().valid_up_to());
    let byte = error.as_bytes().get(at).copied().unwrap_or_default();
    Diagnostic::error("not-utf8", format!("the byte 0x{byte:02x} belongs to no character of UTF-8"))
        .at(Place::of_span(path.display().to_string(), &text, at, at + 1))
        .help("save the file as UTF-8")
}

fn unreadable(path: &Path, error: &io::Error, named_by: &str) -> Diagnostic {
    let shown = path.display();
    Diagnostic::error("unreadable-rules", format!("`{shown}` cannot be read"))
        .at(Place::file(shown.to_string()))
        .because(error.to_string())
        .help(format!(
            "it is named by `{named_by}`; rules are .dl files, facts .csv or .json files, or folders of them"
        ))
}
