//! Asked the same again: the shortest way to "there is nothing to do".
//!
//! When an apply leaves nothing to do, now or later, the store remembers what was asked:
//! the files by their content, how they were read, and the rules. The same question about
//! a store that has not changed has the same answer, and nothing is parsed, loaded or
//! derived for it. What depends on the time, or on rules of a user, is never remembered.

use super::options::Options;
use crate::datalog::Program;
use crate::diagnostic::Diagnostic;
use crate::hash::sha256;
use crate::manifest;
use crate::plan::{Applied, Plan};
use crate::policy::builtin::BUILTIN;
use crate::state::{Change, World};
use crate::target::sqlite::Store;

/// A hash of what is asked: the input `id` with its files, each with its path and the hash
/// of its content. Two questions with one hash would be a change that is never made, so it
/// is one that nobody finds two texts for.
#[must_use]
pub fn asked(id: &str, files: &[(String, String)], reading: &manifest::Options, options: &Options) -> String {
    let how = format!("{reading:?} {:?} {}", options.readiness, options.prune);
    // Debug quotes every text, so that none can run into the next.
    let asked = format!("{:?}", (env!("CARGO_PKG_VERSION"), BUILTIN, id, files, how));
    sha256(asked)
}

/// The plan without anything to do, if the store was found settled for the same before.
///
/// # Errors
/// When the store cannot be read.
pub fn unchanged(store: &Store, id: &str, asked: &str) -> Result<Option<Plan>, Diagnostic> {
    if !store.is_settled(asked)? {
        return Ok(None);
    }
    let brought = store.input(id)?.objects.into_iter().filter(|(_, brought)| brought.file.is_some());
    let objects = brought.map(|((kind, key), _)| Applied { kind, key, change: Change::Unchanged });
    Ok(Some(Plan { objects: objects.collect(), statuses: store.statuses()?, ..Plan::default() }))
}

/// Whether there will be nothing to do until something changes.
pub(super) fn is_settled(plan: &Plan, world: &World, program: &Program) -> bool {
    program.rules().all(|rule| rule.builtin)
        && plan.waiting.is_empty()
        && world.backoff.is_empty()
        && world.deleted_owners.is_empty()
        && plan.statuses.len() == world.daemonsets.len()
}
