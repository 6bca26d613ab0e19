//! What was read, compared with what the store holds; and the rules to plan it with.

use super::cluster::merged;
use super::gone::left;
use super::listener::Listener;
use super::read::{Read, go_past};
use super::request::Request;
use super::restart::undoes_rollback;
use super::rules::{self, Policy};
use crate::diagnostic::{Diagnostic, counted};
use crate::kube::{Kind, ObjectKey};
use crate::manifest::Reading;
use crate::policy::Found;
use crate::target::Memory;

/// Compares what was read with what is stored, and gives the program to plan it with: with
/// the user's own rules that were found.
pub(super) fn prepare(
    request: &Request,
    own: Found,
    read: &mut Read,
    store: &dyn Memory,
    listener: &dyn Listener,
) -> Result<Policy, Vec<Diagnostic>> {
    if request.database.cluster.is_some() {
        merged::merged(&mut read.reading.objects, store)?;
    }
    check_updates(request, read, store, listener)?;
    if request.remind && !request.options.prune {
        note_left(request, &read.reading, store, listener)?;
    }
    rules::with(own, Some(&request.id), Some(store), listener)
}

/// Refuses what may not change of objects that are stored, as errors in the input.
fn check_updates(
    request: &Request,
    read: &mut Read,
    store: &dyn Memory,
    listener: &dyn Listener,
) -> Result<(), Vec<Diagnostic>> {
    let reading = &mut read.reading;
    check_known(request, reading, store)?;
    reading.check_updates(&request.manifests.options, |kind, key| store.object(kind, key))?;
    read.errors += go_past(request, reading, listener)?;
    let mut undone = Vec::new();
    for object in reading.objects.iter().filter(|object| object.kind == Kind::DaemonSet) {
        let stored = store.object(object.kind, &object.key)?;
        undone.extend(stored.and_then(|stored| undoes_rollback(object, &stored)));
    }
    listener.tell(undone);
    Ok(())
}

/// Refuses to prune what another input brought, or nothing at all: an input is known by
/// its paths, so a copy of it elsewhere has never brought anything.
fn check_known(request: &Request, reading: &Reading, store: &dyn Memory) -> Result<(), Diagnostic> {
    if !request.options.prune || (!request.takes_over && reading.is_empty()) {
        return Ok(());
    }
    if store.has_input(&request.id)? {
        return Ok(());
    }
    let known = store.inputs()?;
    if known.is_empty() || known.iter().any(|(input, _)| *input == request.id) {
        return Ok(());
    }
    const SHOWN: usize = 10;
    let shown = |input: &str| input.replace('\n', " and ");
    let what = format!("`--prune` over an input that was never applied: `{}`", shown(&request.id));
    let mut error =
        Diagnostic::error("unknown-input", what).because("it has brought nothing that could have left it");
    for (input, count) in known.iter().take(SHOWN) {
        error = error.because(format!("known is `{}`, of {}", shown(input), counted(*count, "object")));
    }
    if known.len() > SHOWN {
        error = error.because(format!("and {} more", known.len() - SHOWN));
    }
    Err(error.help(
        "name the input that it takes the place of with `--input-of PATH`, or apply it without `--prune` first; \
         `dsrules plan --base DIR` compares two folders without a store",
    ))
}

/// Says so if objects left the input that nobody asked to remove.
fn note_left(
    request: &Request,
    reading: &Reading,
    store: &dyn Memory,
    listener: &dyn Listener,
) -> Result<(), Diagnostic> {
    let left = left(reading, store.input_but(&request.id, &reading.passed())?);
    let stored = |(kind, key): &&(Kind, ObjectKey)| store.object(*kind, key).is_ok_and(|it| it.is_some());
    let left: Vec<&(Kind, ObjectKey)> = left.objects.iter().filter(stored).collect();
    let Some((kind, key)) = left.first() else { return Ok(()) };
    let first = format!("{}/{}", kind.resource(), key.name);
    let (which, remove) = match left.len() - 1 {
        0 => (format!("{first} has left the input, and stays"), "removes it"),
        more => (format!("{first} and {more} more have left the input, and stay"), "removes them"),
    };
    listener.note(&format!("note: {which}: `--prune` {remove}"));
    Ok(())
}
