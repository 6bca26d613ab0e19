//! Reports: a folder that agents share, with a file for each node.
//!
//! ```text
//!  DIR/<node>.json   how the node stands; its agent alone writes it
//! ```
//! Every write is whole or not there: a temporary file of the node's own, then a rename.

mod report;

use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use cap_std::ambient_authority;
use cap_std::fs::Dir;

use crate::diagnostic::{Diagnostic, Place};

pub use report::{API_VERSION, DaemonSetReport, GROUP, KIND, PodReport, Report, Reporter};

/// The most that is read of a report.
const LONGEST: u64 = 16 << 20;

/// A folder of reports.
#[derive(Debug, Clone)]
pub struct Reports {
    path: PathBuf,
}

/// All that a folder says.
#[derive(Debug, Default)]
pub struct Reading {
    /// The reports, in the order of their nodes.
    pub reports: Vec<Report>,
    /// What cannot be read.
    pub problems: Vec<Diagnostic>,
}

impl Reports {
    /// A folder, which need not be there before something is written.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        Reports { path: path.to_owned() }
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes the report of a node, in place of the one before.
    ///
    /// # Errors
    /// When it cannot be written; then the one before is still there.
    pub fn write(&self, report: &Report) -> Result<(), Diagnostic> {
        let write = || -> io::Result<()> {
            let dir = make(&self.path)?;
            let text = serde_json::to_string_pretty(report).map_err(io::Error::other)?;
            let temporary = temporary(&report.node);
            prepare(&dir, &temporary, &(text + "\n"))?;
            dir.rename(&temporary, &dir, file(&report.node))
        };
        write().map_err(|error| self.failed("written", &error))
    }

    /// Reads all reports. One that is no report of this version, or cannot be read, is told, and
    /// the others are read all the same.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn read(&self) -> Result<Reading, Diagnostic> {
        let failed = |error: io::Error| self.failed("read", &error);
        let dir = Dir::open_ambient_dir(&self.path, ambient_authority()).map_err(failed)?;
        let mut names = Vec::new();
        for entry in dir.entries().map_err(failed)? {
            let name = entry.map_err(failed)?.file_name().to_string_lossy().into_owned();
            if name.ends_with(".json") && !name.starts_with('.') {
                names.push(name);
            }
        }
        names.sort();
        let mut all = Reading::default();
        for name in names {
            match read(&dir, &name) {
                Ok(report) => all.reports.push(report),
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => {
                    let shown = self.path.join(&name).display().to_string();
                    let what = format!("`{shown}` is no report that can be read: {error}");
                    all.problems.push(Diagnostic::error("report", what));
                }
            }
        }
        Ok(all)
    }

    /// The report of a node, if there is one that can be read.
    #[must_use]
    pub fn of(&self, node: &str) -> Option<Report> {
        read(&Dir::open_ambient_dir(&self.path, ambient_authority()).ok()?, &file(node)).ok()
    }

    fn failed(&self, what: &str, error: &io::Error) -> Diagnostic {
        let shown = self.path.display().to_string();
        Diagnostic::error("reports-folder", format!("the folder of reports `{shown}` cannot be {what}"))
            .at(Place::file(shown.as_str()))
            .because(error.to_string())
            .help("all agents need one folder that they may write to: `--reports DIR`")
    }
}

fn file(node: &str) -> String {
    format!("{node}.json")
}

/// A temporary file of a node's own.
fn temporary(node: &str) -> String {
    format!(".{node}.tmp")
}

/// The folder, made if it is missing.
fn make(path: &Path) -> io::Result<Dir> {
    if !path.is_dir() {
        Dir::create_ambient_dir_all(path, ambient_authority())?;
    }
    Dir::open_ambient_dir(path, ambient_authority())
}

/// Writes a temporary file, to disk.
fn prepare(dir: &Dir, name: &str, text: &str) -> io::Result<()> {
    let mut file = dir.create(name)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn read(dir: &Dir, name: &str) -> io::Result<Report> {
    // A pipe would be waited for, for ever.
    if !dir.metadata(name)?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let mut text = String::new();
    dir.open(name)?.take(LONGEST).read_to_string(&mut text)?;
    let report: Report = serde_json::from_str(&text).map_err(|error| why(&text, &error))?;
    is_known(&report.api_version, &report.kind)?;
    if file(&report.node) != name {
        return Err(io::Error::other(format!("it claims the node `{}`, whose file is another", report.node)));
    }
    Ok(report)
}

/// Whether a document is a report of the version that is known here.
fn is_known(version: &str, kind: &str) -> io::Result<()> {
    match (version, kind) {
        (API_VERSION, KIND) => Ok(()),
        (version, KIND) if version.starts_with(GROUP) => Err(io::Error::other(format!(
            "it is of the version `{version}`, and this dsrules reads `{API_VERSION}`: take a newer one"
        ))),
        _ => Err(io::Error::other(format!("it is no {KIND} of an agent"))),
    }
}

/// Why a text is no report: of one that is another document, that, and not what is wrong in it.
fn why(text: &str, error: &serde_json::Error) -> io::Error {
    let of = |value: &serde_json::Value, name: &str| value[name].as_str().unwrap_or("").to_owned();
    let value = serde_json::from_str::<serde_json::Value>(text).ok();
    let known = value.map_or(Ok(()), |it| is_known(&of(&it, "apiVersion"), &of(&it, "kind")));
    known.err().unwrap_or_else(|| match error.is_eof() {
        true => io::Error::other(format!("it ends too early, half written or half copied: {error}")),
        false => io::Error::other(error.to_string()),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn report(node: &str) -> Report {
        let (api_version, kind) = (API_VERSION.to_owned(), KIND.to_owned());
        Report { api_version, kind, node: node.into(), beat: 7, ..Report::default() }
    }

    #[test]
    fn what_is_written_is_read() {
        let root = tempfile::tempdir().unwrap();
        let reports = Reports::new(&root.path().join("made"));
        assert!(reports.read().is_err());
        let mut one = report("n1");
        one.daemon_sets.push(DaemonSetReport {
            name: "web".into(),
            desired: 1,
            ..DaemonSetReport::default()
        });
        reports.write(&one).unwrap();
        reports.write(&report("n2")).unwrap();
        std::fs::write(reports.path().join("n3.json"), "{}").unwrap();
        std::fs::write(reports.path().join("n4.json"), "{").unwrap();
        let read = reports.read().unwrap();
        assert_eq!(read.reports, [one.clone(), report("n2")]);
        assert_eq!(read.problems.len(), 2);
        assert_eq!(reports.of("n1"), Some(one));
        assert_eq!(reports.of("n3"), None);
    }
}
