//! Tests of plans for a user's own repository: manifests, rules and the plan expected.
//!
//! ```text
//!   a case = a folder with `expected-plan.yaml`
//!     before/             manifests of what was there before (optional)
//!     *.yaml, dsrules.yaml, rules, facts     as `dsrules plan FOLDER` takes them
//! ```
//! A case is planned in memory, from an empty cluster or from what `before/` leads to,
//! at a time that stands in the file, so it says the same on every machine. Nothing is
//! written here.

mod expected;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::app::options::Options;
use crate::app::planning::{self, Planned};
use crate::datalog::Program;
use crate::diagnostic::{Diagnostic, Place};
use crate::manifest::{self, Input, Reading};
use crate::policy::{self, Asked};
use crate::state::{CONFIG, Gone, World};

pub use expected::{EXPECTED, Expected, Settings};

/// The folder of a case that says what was there before.
const BEFORE: &str = "before";

/// A case and what came of it.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Its folder, below the one that was named.
    pub name: String,
    /// The file with what is expected.
    pub file: PathBuf,
    /// What it says.
    pub expected: String,
    /// What it should say to be right; or what is wrong with the case.
    pub got: Result<String, Vec<Diagnostic>>,
}

impl Outcome {
    /// Whether all is as expected.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.got.as_ref().is_ok_and(|got| *got == self.expected)
    }
}

/// The cases below a folder, in order. `named` folders that have manifests and no
/// expectation yet are cases too when expectations are to be written.
///
/// # Errors
/// When a folder cannot be read.
pub fn find(root: &Path, starting: bool) -> Result<Vec<PathBuf>, Diagnostic> {
    let unreadable = |path: &Path, error: &io::Error| {
        Diagnostic::error("unreadable", format!("`{}` cannot be read", path.display()))
            .because(error.to_string())
            .help("name a folder of test cases")
    };
    let mut found = Vec::new();
    for entry in walkdir::WalkDir::new(root).sort_by_file_name() {
        let entry = entry.map_err(|error| {
            let at = error.path().unwrap_or(root).to_owned();
            let error = error.into_io_error().unwrap_or_else(|| io::Error::other("the folder changed"));
            unreadable(&at, &error)
        })?;
        if entry.file_name() == EXPECTED
            && let Some(folder) = entry.path().parent()
        {
            found.push(folder.to_owned());
        }
    }
    if found.is_empty() && starting && root.is_dir() {
        found.push(root.to_owned());
    }
    if found.is_empty() {
        return Err(Diagnostic::error("no-cases", format!("there is no test case in `{}`", root.display()))
            .help(format!("a case is a folder of manifests with an `{EXPECTED}`; `dsrules test DIR --update` writes the first one")));
    }
    Ok(found)
}

/// Runs a case.
#[must_use]
pub fn run(root: &Path, folder: &Path, more: &Asked) -> Outcome {
    let file = folder.join(EXPECTED);
    let below = folder.strip_prefix(root).unwrap_or(folder).display().to_string();
    let name = if below.is_empty() { root.display().to_string() } else { below };
    let waits = fs::metadata(&file).is_ok_and(|found| !found.is_file());
    let read = if waits { Err(io::Error::other("it is not a file")) } else { fs::read_to_string(&file) };
    match read {
        Ok(expected) => {
            let got = plan(folder, &file, &expected, more);
            Outcome { name, file, expected, got }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let got = plan(folder, &file, "", more);
            Outcome { name, file, expected: String::new(), got }
        }
        Err(error) => {
            let error = Diagnostic::error("unreadable", "the expected plan cannot be read")
                .at(Place::file(file.display().to_string()))
                .because(error.to_string());
            Outcome { name, file, expected: String::new(), got: Err(vec![error]) }
        }
    }
}

fn plan(folder: &Path, file: &Path, expected: &str, more: &Asked) -> Result<String, Vec<Diagnostic>> {
    let settings = expected::settings(&file.display().to_string(), expected).map_err(|error| vec![error])?;
    let asked = Asked { beside: vec![folder.to_owned()], ..more.clone() };
    let files = policy::find(&asked).into_files()?;
    let loaded = policy::load(&files);
    let Some(program) = loaded.program else { return Err(loaded.diagnostics) };
    let options = settings.options();
    let mut world = World::default();
    let before = folder.join(BEFORE);
    if before.is_dir() {
        // What was there is there, whatever the rules for changes say.
        let options = Options { ignore_violations: true, ..options.clone() };
        planned(&mut world, read(vec![Input::Path(before)])?, &program, &options)?;
    }
    let mut inputs = Vec::new();
    for path in manifests(folder).map_err(|error| {
        vec![Diagnostic::error("unreadable", error.to_string()).at(Place::file(folder.display().to_string()))]
    })? {
        inputs.push(Input::Path(path));
    }
    let reading = if inputs.is_empty() { Reading::default() } else { read(inputs)? };
    let planned = planned(&mut world, reading, &program, &options)?;
    Ok(Expected::new(settings, &planned).to_text())
}

fn planned(
    world: &mut World,
    reading: Reading,
    program: &Program,
    options: &Options,
) -> Result<Planned, Vec<Diagnostic>> {
    planning::plan(world, reading.objects, &Gone::default(), program, options).map_err(|error| vec![error])
}

fn read(inputs: Vec<Input>) -> Result<Reading, Vec<Diagnostic>> {
    let reading = manifest::read(&inputs, &manifest::Options::default());
    if reading.has_errors() { Err(reading.diagnostics) } else { Ok(reading) }
}

/// The manifests of a case: the files of its folder, but for what is about the test.
fn manifests(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let is_manifest = path
            .extension()
            .is_some_and(|extension| ["yaml", "yml", "json"].iter().any(|known| extension == *known));
        let is_ours = path.file_name().is_some_and(|name| name == EXPECTED || name == CONFIG);
        if path.is_file() && is_manifest && !is_ours {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}
