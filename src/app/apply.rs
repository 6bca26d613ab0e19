//! Apply: manifests in, pods on their nodes, all of it or nothing.

use super::again::again;
use super::expected;
use super::export::export_store;
use super::follow;
use super::known;
use super::listener::Listener;
use super::options::Options;
use super::prepare::prepare;
use super::read::read;
use super::request::{Outcome, Request};
use super::rules;
use super::settled::{self, Question};
use super::transaction;
use crate::diagnostic::Diagnostic;

/// Applies the manifests: what the rules derive of them is saved, and the tree follows.
///
/// # Errors
/// Everything that is wrong with the manifests, the rules or the store. Then nothing has
/// changed; what fails after the store was written is in the outcome.
pub fn apply(request: &Request, listener: &dyn Listener) -> Result<Outcome, Vec<Diagnostic>> {
    again(listener, |listener| once(request, listener))
}

fn once(request: &Request, listener: &dyn Listener) -> Result<Outcome, Vec<Diagnostic>> {
    let tree = request.tree.as_ref();
    let now = request.options.now;
    listener.stage("reading");
    let own = rules::find(&request.rules, &request.manifests.beside());
    let question = settled::ask(request, &own);
    if let Some((store, plan)) = settled::unchanged(request, question.as_ref())? {
        expected::check(request.options.expected.as_ref(), &plan)?;
        let outcome = Outcome::unchanged(plan, true, follow::sync(tree, &*store));
        return Ok(Outcome { exported: export_store(&request.exports, &*store, now), ..outcome });
    }
    let hashes = question.as_ref().map(Question::hashes).unwrap_or_default();
    let mut read = known::with_known(request, false, hashes, |known| read(request, known, listener))?;
    expected::check_files(request.options.expected.as_ref(), &read.reading.hashes)?;
    let mut store = request.database.write_or_make("dsrules apply")?;
    transaction::begin(&mut *store, tree)?;
    known::confirm(request, &mut read, &*store)?;
    let policy = prepare(request, own, &mut read, &*store, listener)?;
    let asked = question.and_then(|question| question.of(&read.reading));
    let options = Options { asked, ..request.options.clone() };
    let mut places = read.reading.places(&request.manifests.options);
    let passed = read.reading.passed.clone();
    let planned =
        transaction::apply(&mut *store, &request.id, read.reading, &policy, &options, tree, listener)?;
    known::place(&mut places, &planned.judged, &*store, &request.id, &passed);
    let outcome = transaction::end(planned, &*store, tree);
    let exports: &[_] = if outcome.done { &request.exports } else { &[] };
    let exported = export_store(exports, &*store, now);
    Ok(Outcome { errors: read.errors, places, exported, passed: passed.len(), ..outcome })
}
