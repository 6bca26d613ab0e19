//! Tests of rules and plans for a user's own repository: manifests, rules and what is expected.
//!
//! ```text
//!   a case = a folder with `expected-plan.yaml`
//!     before/             manifests of what was there before (optional)
//!     expected-*.yaml, expected-*.yml     the same case with other settings (optional; each says its kind)
//!     *.yaml, dsrules.yaml, rules, facts     as `dsrules plan FOLDER` takes them
//! ```
//! A case is planned in memory, from an empty cluster or from what `before/` leads to,
//! at a time that stands in the file, so it says the same on every machine. The file
//! expects a plan (`lines`), rows of relations (`rows`), or both. Nothing is written here.

mod cell;
mod coverage;
mod derived;
mod expected;
mod lines;
mod rows;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use self::derived::Derived;
use self::expected::Written;
use self::lines::Lines;
use self::rows::Expectation;
use crate::app::derived::{State as Rows, derive, own_relations};
use crate::app::options::Options;
use crate::app::planning::{self, Planned};
use crate::app::put::put_all;
use crate::datalog::{Program, RelationId};
use crate::diagnostic::{Diagnostic, Place};
use crate::manifest::{self, Input, Reading};
use crate::policy::{self, Asked};
use crate::state::{CONFIG, Gone, OwnFile, OwnKind, World};

pub use cell::Cell;
pub use coverage::{Clause, Coverage};
pub use expected::{EXPECTED, Settings, State};
pub use rows::{Difference, Differing};

/// The folder of a case that says what was there before.
const BEFORE: &str = "before";

/// A case and what came of it.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Its folder, below the one that was named; and the file, if it is not the first.
    pub name: String,
    /// The folder.
    pub folder: PathBuf,
    /// The file with what is expected.
    pub file: PathBuf,
    /// What came of it; or what is wrong with the case.
    pub got: Result<Got, Vec<Diagnostic>>,
}

/// What came of a case that could be planned.
#[derive(Debug, Clone)]
pub struct Got {
    /// What the file should say to be right.
    pub text: String,
    /// The plan that is expected and the one that was made, if they differ.
    pub plan: Option<(String, String)>,
    /// The relations whose rows differ.
    pub rows: Vec<Difference>,
    /// Whether what differs is all written in the file's text, so that it can be taken
    /// from there; else something is said of rows that does not hold.
    pub can_update: bool,
}

impl Outcome {
    /// Whether all is as expected.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.got.as_ref().is_ok_and(|got| got.plan.is_none() && got.rows.is_empty())
    }
}

/// The files of the cases below a folder, in order. `named` folders that have manifests and no
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
        if is_expected(entry.path()) {
            found.push(entry.into_path());
        }
    }
    if found.is_empty() && starting && root.is_dir() {
        found.push(root.join(EXPECTED));
    }
    if found.is_empty() {
        return Err(Diagnostic::error("no-cases", format!("there is no test case in `{}`", root.display()))
            .help(format!("a case is a folder of manifests with an `{EXPECTED}`; `dsrules test DIR --update` writes the first one")));
    }
    Ok(found)
}

fn is_expected(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let text = || fs::read_to_string(path).ok().filter(|_| path.is_file());
    expected::is_expected(name, text)
}

/// Runs the case of a file.
#[must_use]
pub fn run(root: &Path, file: &Path, more: &Asked) -> Outcome {
    let folder = file.parent().unwrap_or(root);
    let is_first = file.file_name().is_some_and(|name| name == EXPECTED);
    let below = if is_first { folder } else { file };
    let below = below.strip_prefix(root).unwrap_or(below).display().to_string();
    let name = if below.is_empty() { root.display().to_string() } else { below };
    let waits = fs::metadata(file).is_ok_and(|found| !found.is_file());
    let read = if waits { Err(io::Error::other("it is not a file")) } else { fs::read_to_string(file) };
    let got = match read {
        Ok(text) => got(folder, file, &text, more),
        Err(error) if error.kind() == io::ErrorKind::NotFound => got(folder, file, "", more),
        Err(error) => Err(vec![
            Diagnostic::error("unreadable", "what is expected cannot be read")
                .at(Place::file(file.display().to_string()))
                .because(error.to_string()),
        ]),
    };
    Outcome { name, folder: folder.to_owned(), file: file.to_owned(), got }
}

/// The rules that the cases of these files fire, before their plans or after. What is wrong with a
/// case is told when it is run.
#[must_use]
pub fn coverage(files: &[PathBuf], more: &Asked) -> Coverage {
    let mut coverage = Coverage::default();
    for file in files {
        let _ = cover(file, more, &mut coverage);
    }
    coverage
}

fn cover(file: &Path, more: &Asked, coverage: &mut Coverage) -> Result<(), Vec<Diagnostic>> {
    let folder = file.parent().unwrap_or(file);
    let text = fs::read_to_string(file).unwrap_or_default();
    let shown = file.display().to_string();
    let written = Written::read(&shown, &text)?;
    let program = program(folder, &shown, &text, &written, more)?;
    let mut case = Case::read(folder, &program, written.settings.options())?;
    let wanted = own_relations(&program);
    let given = case.state(&wanted, None)?;
    let planned = case.planned()?;
    let after = case.state(&wanted, Some(&planned))?;
    coverage.add(&program, &[given, after]);
    Ok(())
}

/// The rules of a case, with the parameters that its file sets.
fn program(
    folder: &Path,
    shown: &str,
    text: &str,
    written: &Written,
    more: &Asked,
) -> Result<Program, Vec<Diagnostic>> {
    let asked = Asked { beside: vec![folder.to_owned()], ..more.clone() };
    let mut files = policy::find(&asked).into_files()?;
    if !written.settings.params.is_empty() {
        files.push(OwnFile::new(shown, OwnKind::Parameters, text));
    }
    let loaded = policy::load(&files);
    loaded.program.ok_or(loaded.diagnostics)
}

fn got(folder: &Path, file: &Path, text: &str, more: &Asked) -> Result<Got, Vec<Diagnostic>> {
    let shown = file.display().to_string();
    let written = Written::read(&shown, text)?;
    let program = program(folder, &shown, text, &written, more)?;
    let none = serde_yaml::Mapping::new();
    let expect = written.expect.as_ref().unwrap_or(&none);
    let expectations = rows::read(&program, &shown, text, expect)?;
    let mut case = Case::read(folder, &program, written.settings.options())?;
    let given = written.settings.state == Some(State::Given);
    let wanted: Vec<RelationId> = expectations.iter().map(|it| it.relation).collect();
    // Before the plan changes the world.
    let mut derived = if given && !wanted.is_empty() { Some(case.derived(&wanted, None)?) } else { None };
    let mut plan = None;
    if written.lines.is_some() || derived.is_none() {
        let planned = case.planned()?;
        if derived.is_none() && !wanted.is_empty() {
            derived = Some(case.derived(&wanted, Some(&planned))?);
        }
        plan = Some(Lines::of(&planned));
    }
    Ok(compare(&written, plan.as_ref(), &expectations, derived))
}

/// What differs.
fn compare(
    written: &Written,
    plan: Option<&Lines>,
    expectations: &[Expectation],
    derived: Option<Derived<'_>>,
) -> Got {
    let mut rows = Vec::new();
    let mut can_update = true;
    let mut expect = String::new();
    if let Some(mut derived) = derived {
        for expectation in expectations {
            let difference = expectation.compare(&mut derived);
            can_update &= difference.is_none() || expectation.is_exact();
            rows.extend(difference);
        }
        expect = rows::text(expectations, &derived);
    }
    let lines = written.lines.as_ref().zip(plan);
    let plan = lines.filter(|(wanted, got)| wanted != got);
    Got {
        text: written.text(lines.map(|(_, got)| got), &expect),
        plan: plan.map(|(wanted, got)| (wanted.to_text(), got.to_text())),
        rows,
        can_update,
    }
}

/// The cluster of a case: what was there before, and what comes to it.
struct Case<'a> {
    program: &'a Program,
    options: Options,
    world: World,
    reading: Reading,
}

impl<'a> Case<'a> {
    fn read(folder: &Path, program: &'a Program, options: Options) -> Result<Self, Vec<Diagnostic>> {
        let mut world = World { detailed: true, ..World::default() };
        let before = folder.join(BEFORE);
        if before.is_dir() {
            // What was there is there, whatever the rules for changes say.
            let options = Options { ignore_violations: true, ..options.clone() };
            planned(&mut world, read(vec![Input::Path(before)])?, program, &options)?;
        }
        let inputs: Vec<Input> = manifests(folder)
            .map_err(|error| {
                let place = Place::file(folder.display().to_string());
                vec![Diagnostic::error("unreadable", error.to_string()).at(place)]
            })?
            .into_iter()
            .map(Input::Path)
            .collect();
        let reading = if inputs.is_empty() { Reading::default() } else { read(inputs)? };
        Ok(Case { program, options, world, reading })
    }

    fn planned(&mut self) -> Result<Planned, Vec<Diagnostic>> {
        planned(&mut self.world, std::mem::take(&mut self.reading), self.program, &self.options)
    }

    /// The rows of relations with their reasons.
    fn derived(&self, wanted: &[RelationId], planned: Option<&Planned>) -> Result<Derived<'a>, Diagnostic> {
        Ok(Derived::new(self.program, self.state(wanted, planned)?))
    }

    /// The rows of relations: of the cluster as it was given, or as a plan left it.
    fn state(&self, wanted: &[RelationId], planned: Option<&Planned>) -> Result<Rows, Diagnostic> {
        let (now, limits) = (self.options.now, &self.options.limits);
        if let Some(planned) = planned {
            return derive(self.program, &self.world, now, Some(&planned.plan), wanted, limits);
        }
        let mut world = self.world.clone();
        put_all(&mut world, self.reading.objects.clone(), &Gone::default(), &self.options);
        derive(self.program, &world, now, None, wanted, limits)
    }
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
        let is_config = path.file_name().is_some_and(|name| name == CONFIG);
        if path.is_file() && is_manifest && !is_config && !is_expected(&path) {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}
