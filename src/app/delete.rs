//! Delete: objects, and what belongs to them.

use super::again::again;
use super::dry::dry;
use super::follow;
use super::listener::Listener;
use super::open::Database;
use super::options::Options;
use super::planning;
use super::request::Outcome;
use super::resources::{Resource, Wanted, key_of, missing};
use super::rules;
use super::schedule::Coming;
use super::selector::LabelSelector;
use super::transaction;
use crate::diagnostic::Diagnostic;
use crate::kube::{Kind, ObjectKey};
use crate::policy::Asked;
use crate::state::Cascade;
use crate::target::Memory;
use crate::target::tree::Destination;

/// What is to be deleted, and how.
#[derive(Debug, Clone)]
pub struct Deletion {
    /// The store.
    pub database: Database,
    /// What is meant.
    pub wanted: Wanted,
    /// The namespace it is in.
    pub namespace: String,
    /// Of a whole kind only the objects with these labels.
    pub selector: Option<LabelSelector>,
    /// Whether all objects of a kind are meant.
    pub all: bool,
    /// What becomes of a daemonset's pods.
    pub cascade: Cascade,
    /// Whether a name that nothing has is no error.
    pub ignore_missing: bool,
    /// Whether it is only asked what would be done.
    pub dry: bool,
    /// The user's own rules.
    pub rules: Asked,
    /// The folder of Pod manifests that follows the store.
    pub tree: Option<Destination>,
    /// How the plan is made.
    pub options: Options,
}

/// Deletes; gives nothing where there is nothing of the kind.
///
/// # Errors
/// When something is not there or cannot be deleted, and when the rules or the store are
/// not sound. Then nothing has changed; what fails after the store was written is in the
/// outcome.
pub fn delete(request: &Deletion, listener: &dyn Listener) -> Result<Option<Outcome>, Vec<Diagnostic>> {
    if request.dry {
        ask(request, listener)
    } else {
        again(listener, |listener| carry_out(request, listener))
    }
}

fn carry_out(request: &Deletion, listener: &dyn Listener) -> Result<Option<Outcome>, Vec<Diagnostic>> {
    let tree = request.tree.as_ref();
    let mut store = request.database.write("dsrules delete")?;
    transaction::begin(&mut *store, tree)?;
    let targets = targets(request, &*store)?;
    if targets.is_empty() {
        return Ok(None);
    }
    let program = rules::of_store(&request.rules, &*store, listener)?;
    let planned = transaction::delete(
        &mut *store,
        &targets,
        request.cascade,
        &program,
        &request.options,
        tree,
        listener,
    )?;
    Ok(Some(transaction::end(planned, &*store, tree)))
}

/// What would be done, also where it is more than may be.
fn ask(request: &Deletion, listener: &dyn Listener) -> Result<Option<Outcome>, Vec<Diagnostic>> {
    let store = request.database.read()?;
    let targets = targets(request, &*store)?;
    if targets.is_empty() {
        return Ok(None);
    }
    let program = rules::of_store(&request.rules, &*store, listener)?;
    let coming = Coming::deleted(&targets);
    let dry = dry(&*store, &program, &request.options, coming, &|world, options| {
        planning::delete(world, &targets, request.cascade, &program, options)
    })?;
    let tree = follow::compare(request.tree.as_ref(), &dry.world, &*store);
    Ok(Some(Outcome { too_much: dry.too_much, ..Outcome::of(dry.planned, false, tree) }))
}

/// What is to be deleted.
fn targets(request: &Deletion, store: &dyn Memory) -> Result<Vec<(Kind, ObjectKey)>, Vec<Diagnostic>> {
    match &request.wanted {
        Wanted::All(resources) => Ok(chosen(request, resources, store)?),
        Wanted::Named(_) if request.selector.is_some() || request.all => {
            let error =
                Diagnostic::error("name-and-selector", "names were given together with `-l` or `--all`");
            Err(vec![error.help("leave one of the two away")])
        }
        Wanted::Named(names) => named(request, names, store),
    }
}

/// The objects of whole kinds.
fn chosen(
    request: &Deletion,
    resources: &[Resource],
    store: &dyn Memory,
) -> Result<Vec<(Kind, ObjectKey)>, Diagnostic> {
    if request.selector.is_none() && !request.all {
        return Err(Diagnostic::error("nothing-named", "no name was given")
            .help("name what to delete, or choose by labels with `-l`, or say `--all`"));
    }
    let mut targets = Vec::new();
    for resource in resources {
        let kind = deletable(*resource)?;
        store.objects(kind, Some(&request.namespace), &mut |key, object| {
            if request.selector.as_ref().is_none_or(|selector| selector.matches(&object)) {
                targets.push((kind, key));
            }
            Ok(())
        })?;
    }
    Ok(targets)
}

/// The objects of these names.
fn named(
    request: &Deletion,
    names: &[(Resource, String)],
    store: &dyn Memory,
) -> Result<Vec<(Kind, ObjectKey)>, Vec<Diagnostic>> {
    let (mut targets, mut problems) = (Vec::new(), Vec::new());
    for (resource, name) in names {
        let kind = deletable(*resource)?;
        let key = key_of(kind, &request.namespace, name);
        match store.object(kind, &key)? {
            Some(_) => targets.push((kind, key)),
            None if request.ignore_missing => {}
            None => problems.push(missing(kind, &key, store)?),
        }
    }
    if problems.is_empty() { Ok(targets) } else { Err(problems) }
}

fn deletable(resource: Resource) -> Result<Kind, Diagnostic> {
    match resource {
        Resource::Kind(kind) => Ok(kind),
        Resource::Event => Err(Diagnostic::error("not-deleted", "events cannot be deleted")
            .help("they go by themselves, a week after they were last seen")),
    }
}
