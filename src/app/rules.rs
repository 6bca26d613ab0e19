//! The program of a use case: the built-in rules with those of the user.

use std::path::{Path, PathBuf};

use super::listener::Listener;
use crate::datalog::Program;
use crate::diagnostic::Diagnostic;
use crate::policy::{self, Asked, Found, is_flag};
use crate::source::absolute;
use crate::state::OwnFile;
use crate::target::Memory;

/// A program, and the user's files in it that go with the input at hand.
pub struct Policy {
    /// The files, by their full paths.
    pub own: Vec<OwnFile>,
    /// The built-in rules with these and with what other inputs brought.
    pub program: Program,
}

/// What was asked for, or is named by a `dsrules.yaml` beside the manifests.
pub(super) fn find(asked: &Asked, beside: &[PathBuf]) -> Found {
    policy::find(&Asked { beside: [&asked.beside, beside].concat(), ..asked.clone() })
}

/// Whether only the built-in rules are meant.
pub(super) fn are_none(found: &Found) -> bool {
    found.files.is_empty() && found.problems.is_empty()
}

/// The program of what was asked for alone.
///
/// # Errors
/// Everything that is wrong with the rules.
pub fn alone(asked: &Asked, listener: &dyn Listener) -> Result<Program, Vec<Diagnostic>> {
    Ok(with(find(asked, &[]), None, None, listener)?.program)
}

/// The program of a use case without manifests: with the rules that the inputs of the
/// store brought.
pub(super) fn of_store(
    asked: &Asked,
    store: &dyn Memory,
    listener: &dyn Listener,
) -> Result<Program, Vec<Diagnostic>> {
    Ok(with(find(asked, &[]), None, Some(store), listener)?.program)
}

/// The program with what was found, and with what the store's inputs but this one brought.
pub(super) fn with(
    found: Found,
    input: Option<&str>,
    store: Option<&dyn Memory>,
    listener: &dyn Listener,
) -> Result<Policy, Vec<Diagnostic>> {
    let (policy, warnings) = Policy::of(found.into_files()?, input, store)?;
    listener.tell(warnings);
    Ok(policy)
}

impl Policy {
    /// The program with these files and with what the store's inputs but this one
    /// brought; and what there is to warn about.
    pub(super) fn of(
        shown: Vec<OwnFile>,
        input: Option<&str>,
        store: Option<&dyn Memory>,
    ) -> Result<(Policy, Vec<Diagnostic>), Vec<Diagnostic>> {
        let full = |file: &OwnFile| match is_flag(file) {
            true => file.path.clone(),
            false => absolute(Path::new(&*file.path)).into(),
        };
        let own: Vec<OwnFile> =
            shown.iter().map(|file| OwnFile { path: full(file), ..file.clone() }).collect();
        let mut kept = match store {
            Some(store) => store.own_files(input)?,
            None => Vec::new(),
        };
        // What was said on a command line went with its input, and nothing takes its place.
        kept.retain(|stored| {
            is_flag(stored) || !own.iter().any(|it| it.path == stored.path && it.relation == stored.relation)
        });
        let loaded = policy::load_with(&kept, &shown);
        match loaded.program {
            Some(program) => Ok((Policy { own, program }, loaded.diagnostics)),
            None => Err(loaded.diagnostics),
        }
    }
}
