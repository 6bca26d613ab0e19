//! The built-in rule texts, compiled into the binary.
//!
//! They are the only place where policy stands; a user's own texts are loaded after
//! them and may add to the relations that are declared open.

use std::fs;
use std::path::Path;

use super::relations;
use crate::datalog::{Loaded, Program, QUERY, Setting, Source};
use crate::diagnostic::Diagnostic;

/// File name and text of each, in the order in which they build on each other.
pub const BUILTIN: &[(&str, &str)] = &[
    ("rules/placement.dl", include_str!("../../rules/placement.dl")),
    ("rules/ownership.dl", include_str!("../../rules/ownership.dl")),
    ("rules/cascade.dl", include_str!("../../rules/cascade.dl")),
    ("rules/history.dl", include_str!("../../rules/history.dl")),
    ("rules/pods.dl", include_str!("../../rules/pods.dl")),
    ("rules/rollout.dl", include_str!("../../rules/rollout.dl")),
    ("rules/status.dl", include_str!("../../rules/status.dl")),
    ("rules/waiting.dl", include_str!("../../rules/waiting.dl")),
    ("rules/ports.dl", include_str!("../../rules/ports.dl")),
    ("rules/priority.dl", include_str!("../../rules/priority.dl")),
    ("rules/budgets.dl", include_str!("../../rules/budgets.dl")),
    ("rules/scheduling.dl", include_str!("../../rules/scheduling.dl")),
    ("rules/eviction.dl", include_str!("../../rules/eviction.dl")),
    ("rules/lifecycle.dl", include_str!("../../rules/lifecycle.dl")),
    ("rules/capacity.dl", include_str!("../../rules/capacity.dl")),
    ("rules/picture.dl", include_str!("../../rules/picture.dl")),
    ("rules/service.dl", include_str!("../../rules/service.dl")),
    ("rules/cluster.dl", include_str!("../../rules/cluster.dl")),
];

/// The version of the list of relations that are exported, and so are for rules of a user's: a
/// new one when one of them goes, has other columns, or is new and open. What comes without a
/// new version breaks no rule, as a user's own names go before these.
pub const LIST_VERSION: u32 = 1;

/// Whether something was found in a built-in text.
#[must_use]
pub fn is_builtin(found: &Diagnostic) -> bool {
    found.place.as_ref().is_some_and(|place| BUILTIN.iter().any(|(file, _)| *file == &*place.file))
}

/// A rule text of a user: where it was read from, and what it says.
#[derive(Debug, Clone)]
pub struct UserRules {
    /// The path as the user named it.
    pub file: String,
    /// The text.
    pub text: String,
}

/// The folder that a file is in, the same one from wherever it is named: its rules are a
/// module of that name. What is typed stands in none.
pub(super) fn folder_of(file: &str) -> String {
    if file == QUERY {
        return QUERY.to_owned();
    }
    let folder = Path::new(file).parent().filter(|folder| *folder != Path::new(""));
    let folder = folder.unwrap_or(Path::new("."));
    fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned()).display().to_string()
}

/// Loads the built-in rules and a user's after them.
#[must_use]
pub fn load(own: &[UserRules]) -> Loaded {
    load_with(own, &[])
}

/// The same with values for parameters.
#[must_use]
pub fn load_with(own: &[UserRules], settings: &[Setting]) -> Loaded {
    let builtin = BUILTIN.iter().map(|(file, text)| Source { file, text, builtin: true, folder: "" });
    let folders: Vec<String> = own.iter().map(|rules| folder_of(&rules.file)).collect();
    let own = own.iter().zip(&folders).map(|(rules, folder)| Source {
        file: &rules.file,
        text: &rules.text,
        builtin: false,
        folder,
    });
    let mut loaded = Program::load_trusting(&builtin.chain(own).collect::<Vec<_>>(), settings);
    match loaded.program.take().map(relations::resolved) {
        Some(Ok(program)) => loaded.program = Some(program),
        Some(Err(wrong)) => loaded.diagnostics.extend(wrong),
        None => {}
    }
    loaded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_texts_that_are_trusted_are_sound() {
        let texts = BUILTIN.iter().map(|(file, text)| Source { file, text, builtin: true, folder: "" });
        let loaded = Program::load(&texts.collect::<Vec<_>>());
        let wrong: Vec<&Diagnostic> = loaded.diagnostics.iter().filter(|found| found.is_error()).collect();
        assert!(wrong.is_empty(), "{wrong:#?}");
        assert!(loaded.program.is_some());
    }
}
