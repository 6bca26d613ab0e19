//! Plan: what apply would do; nothing is written.

use super::dry::{Dry, dry, start};
use super::follow;
use super::gone::gone;
use super::known;
use super::listener::Listener;
use super::manifests::Manifests;
use super::part::{self, Parted};
use super::planning;
use super::prepare::prepare;
use super::read::{Read, read};
use super::request::{Outcome, Request};
use super::rules;
use super::schedule::Coming;
use super::settled::{self, Question};
use super::unlisted;
use crate::diagnostic::Diagnostic;

/// Plans the manifests from what the store holds, or from what `base` leads to. A store
/// that is not there is empty.
///
/// # Errors
/// Everything that is wrong with the manifests, the rules or the store.
pub fn plan(
    request: &Request,
    base: Option<&Manifests>,
    listener: &dyn Listener,
) -> Result<Outcome, Vec<Diagnostic>> {
    let tree = request.tree.as_ref();
    listener.stage("reading");
    let own = rules::find(&request.rules, &request.manifests.beside());
    let question = if base.is_none() { settled::ask(request, &own) } else { None };
    if let Some((store, plan)) = settled::unchanged(request, question.as_ref())? {
        return Ok(Outcome::unchanged(plan, false, follow::compare_unchanged(tree, &*store)));
    }
    let hashes = question.as_ref().map(Question::hashes).unwrap_or_default();
    // The store knows nothing of a base.
    let all = base.is_some();
    let mut read = if request.is_about_the_cluster_alone() {
        Read::default()
    } else {
        known::with_known(request, all, hashes, |known| read(request, known, listener))?
    };
    let store = start(request, base, listener)?;
    known::confirm(request, &mut read, &*store)?;
    let policy = prepare(request, own, &mut read, &*store, listener)?;
    let gone = gone(&*store, &request.id, &read.reading, &request.options)?;
    let mut places = read.reading.places(&request.manifests.options);
    let objects = read.reading.objects;
    let coming = Coming::put(&objects, &gone);
    let about = part::about(&policy.own, &request.options);
    let asked = part::Asked {
        objects: &objects,
        gone: &gone,
        program: &policy.program,
        about: &about,
        options: &request.options,
    };
    // A tree is compared with all there is.
    let parted = if tree.is_none() && base.is_none() { part::plan(&*store, &asked)? } else { None };
    let mut dry = match parted {
        Some(Parted { planned, world, .. }) => Dry { planned, world, too_much: None },
        None => dry(&*store, &policy.program, &request.options, coming, &|world, options| {
            planning::plan(world, objects.clone(), &gone, &policy.program, options)
        })?,
    };
    let (planned, passed) = (&mut dry.planned, &read.reading.passed);
    let (names, kinds) =
        (passed.iter().map(|file| file.name.clone()).collect(), passed.iter().flat_map(|file| &file.kinds));
    unlisted::list(&mut planned.plan, &*store, &request.id, &names, kinds, request.options.lists)?;
    known::place(&mut places, &planned.judged, &*store, &request.id, passed);
    let tree = follow::compare(tree, &dry.world, &*store);
    Ok(Outcome {
        errors: read.errors,
        passed: read.reading.passed.len(),
        too_much: dry.too_much,
        places,
        ..Outcome::of(dry.planned, false, tree)
    })
}
