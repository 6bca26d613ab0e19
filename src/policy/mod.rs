//! The policy: the built-in rules, and a user's own with the `dsrules.yaml` that names them.
//!
//! ```text
//!   --rules, --facts, dsrules.yaml -> files (find) -> texts -> program with facts (load)
//!   --param, params: -> files as well -> settings
//! ```
//! A rule folder is its `.dl` files and the files of its folder `facts` (CSV, JSON); a file of
//! facts fills the input that it is named after, or that a `dsrules.yaml` names. Nothing here runs rules.

pub mod builtin;
mod config;
mod constraints;
mod csv;
mod effects;
mod find;
mod json;
mod lint;
mod lints;
pub mod parts;
mod paths;
pub mod relations;
mod settings;
mod sqlite;
mod table;

use self::builtin::UserRules;
use crate::datalog::{Kind, Program};
use crate::diagnostic::Diagnostic;
use crate::state::{OwnFile, OwnKind};

pub use constraints::constraints;
pub use find::{Asked, Found, find};
pub use lints::{LINTS, lint, silence};
pub use paths::wrong as wrong_path;
pub use settings::{is_flag, setting};

/// What loading gives: a program if there were no errors, and all there is to say about
/// the user's own files.
#[derive(Debug)]
pub struct Loaded {
    /// The built-in rules, the user's and the user's facts.
    pub program: Option<Program>,
    /// Errors and warnings, by place.
    pub diagnostics: Vec<Diagnostic>,
}

/// Loads the built-in rules with the user's files.
#[must_use]
pub fn load(files: &[OwnFile]) -> Loaded {
    load_with(&[], files)
}

/// The same with files that are kept from an earlier time: what they say of parameters gives
/// way to what the others say.
#[must_use]
pub fn load_with(kept: &[OwnFile], own: &[OwnFile]) -> Loaded {
    let mut unclear = Vec::new();
    let settings = settings::settings(kept, own, &mut unclear);
    let files = || kept.iter().chain(own);
    let texts: Vec<UserRules> = files()
        .filter(|file| file.kind == OwnKind::Rules)
        .map(|file| UserRules { file: file.path.to_string(), text: file.text.to_string() })
        .collect();
    let loaded = builtin::load_with(&texts, &settings);
    let mut diagnostics = loaded.diagnostics;
    diagnostics.extend(unclear);
    diagnostics.retain(|found| found.is_error() || !builtin::is_builtin(found));
    lint::hints(&mut diagnostics, &texts);
    let Some(mut program) = loaded.program else {
        return Loaded { program: None, diagnostics };
    };
    let mut given = Vec::new();
    for file in files() {
        match file.kind {
            OwnKind::Csv => table::read(&program, file, &mut given, &mut diagnostics),
            OwnKind::Json | OwnKind::Query => json::read(&program, file, &mut given, &mut diagnostics),
            OwnKind::Rules | OwnKind::Parameters => {}
        }
    }
    program = program.with_given(given);
    lint::names(&program, &mut diagnostics);
    paths::check(&program, &mut diagnostics);
    effects::check(&program, &mut diagnostics);
    empty_inputs(&program, &mut diagnostics);
    for file in files().filter(|file| file.kind == OwnKind::Rules && file.text.contains("allow:")) {
        lints::unknown(file, &mut diagnostics);
    }
    silence(&mut diagnostics, kept);
    silence(&mut diagnostics, own);
    Diagnostic::sort(&mut diagnostics);
    let failed = diagnostics.iter().any(Diagnostic::is_error);
    Loaded { program: (!failed).then_some(program), diagnostics }
}

/// Warns about inputs of the user that have no rows.
fn empty_inputs(program: &Program, found: &mut Vec<Diagnostic>) {
    for declaration in program.declarations().filter(|it| !it.builtin && it.kind == Kind::Input) {
        if !program.given().any(|given| given.relation == declaration.id) {
            let name = &declaration.name;
            let warning =
                Diagnostic::warning("no-facts", format!("there are no facts for the input `{name}`"))
                    .at(program.place_of(declaration))
                    .help(format!("put them into `facts/{name}.csv`, or state them here: `{name}(...).`"));
            found.push(warning);
        }
    }
}
