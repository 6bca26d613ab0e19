//! Asked the same again: the shortest way to "there is nothing to do".
//!
//! When an apply leaves nothing to do, now or later, the store remembers what was asked:
//! the files by their content, how they were read, and the rules. The same question about
//! a store that has not changed has the same answer, and nothing is parsed, loaded or
//! derived for it. What depends on the time, or on rules of a user, is never remembered.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::options::Options;
use super::request::Request;
use super::rules;
use super::unlisted;
use crate::datalog::Program;
use crate::diagnostic::Diagnostic;
use crate::hash::sha256;
use crate::manifest::{self, Reading};
use crate::plan::{Applied, Plan};
use crate::policy::Found;
use crate::policy::builtin::BUILTIN;
use crate::state::{Change, World};
use crate::target::Memory;

/// A hash of what is asked: the input `id` with its files, each with its path and the hash
/// of its content. Two questions with one hash would be a change that is never made, so it
/// is one that nobody finds two texts for.
fn asked(id: &str, files: &[(String, String)], reading: &manifest::Options, options: &Options) -> String {
    let how = format!("{reading:?} {:?} {:?} {}", options.readiness, options.schedule, options.prune);
    // Debug quotes every text, so that none can run into the next; the built-in ones, which are
    // long and are none of a user's, have their lengths in front.
    let mut asked = format!("{:?}", (env!("CARGO_PKG_VERSION"), id, files, how));
    for (file, text) in BUILTIN {
        asked.push_str(&format!("{} {file} {} {text}", file.len(), text.len()));
    }
    sha256(asked)
}

/// What is asked.
pub(super) struct Question {
    hash: String,
    paths: Vec<PathBuf>,
    hashes: Vec<String>,
}

impl Question {
    /// The files, each with the hash of its content.
    pub(super) fn hashes(&self) -> BTreeMap<PathBuf, String> {
        self.paths.iter().cloned().zip(self.hashes.iter().cloned()).collect()
    }

    /// The hash, if what was read is what was asked about, and nothing was to be said.
    pub(super) fn of(self, reading: &Reading) -> Option<String> {
        (!reading.noted && reading.hashes == self.hashes).then_some(self.hash)
    }
}

/// What is asked, where the store may know already that nothing is to be done: not with
/// rules of a user, which may ask for the time.
pub(super) fn ask(request: &Request, own: &Found) -> Option<Question> {
    let manifests = &request.manifests;
    if request.keep_going || !rules::are_none(own) {
        return None;
    }
    let (paths, hashes): (Vec<_>, Vec<String>) = manifests.hashes()?.into_iter().unzip();
    let named =
        paths.iter().map(|path| std::path::absolute(path).as_ref().unwrap_or(path).display().to_string());
    let files: Vec<(String, String)> = named.zip(hashes.iter().cloned()).collect();
    let hash = asked(&request.id, &files, &manifests.options, &request.options);
    Some(Question { hash, paths, hashes })
}

/// A store that has nothing to do, with the plan that says so.
pub(super) type Unchanged = (Box<dyn Memory>, Plan);

/// The plan without anything to do, and the store, if that was found settled for the same
/// before.
pub(super) fn unchanged(
    request: &Request,
    question: Option<&Question>,
) -> Result<Option<Unchanged>, Diagnostic> {
    let Some(question) = question else { return Ok(None) };
    let Some(store) = request.database.read_current()? else { return Ok(None) };
    let keep = request.options.by.keep;
    if !store.is_settled(&question.hash)? || keep.is_some() && keep != store.keeps()? {
        return Ok(None);
    }
    let (id, known) = (&request.id, store.known_files(&request.id)?);
    let names = known.keys().cloned().collect();
    let objects = store.input_but(id, &names)?.objects.into_iter();
    let objects = objects.filter(|(_, brought)| brought.file.is_some()).map(|((kind, key), _)| Applied {
        kind,
        key,
        change: Change::Unchanged,
    });
    let mut plan = Plan { objects: objects.collect(), statuses: store.statuses()?, ..Plan::default() };
    let kinds = known.values().flat_map(|file| &file.kinds);
    unlisted::list(&mut plan, &*store, id, &names, kinds, request.options.lists)?;
    Ok(Some((store, plan)))
}

/// Whether there will be nothing to do until something changes.
pub(super) fn is_settled(plan: &Plan, world: &World, program: &Program) -> bool {
    program.rules().all(|rule| rule.builtin) && is_done(plan, world)
}

/// Whether a plan leaves nothing that time alone would bring about.
pub(super) fn is_done(plan: &Plan, world: &World) -> bool {
    plan.waiting.is_empty()
        && plan.evictions.is_empty()
        && world.backoff.is_empty()
        && world.deleted_owners.is_empty()
        && plan.statuses.len() == world.daemonsets.len()
}
