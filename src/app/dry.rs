//! What only asks: where it starts from, and a plan that may be too much to be carried
//! out.

use super::bound::TOO_MUCH;
use super::listener::Listener;
use super::load::load;
use super::manifests::Manifests;
use super::open::in_memory;
use super::options::{MaxDelete, Options};
use super::planning::Planned;
use super::request::Request;
use super::rules::{self, Policy};
use super::schedule::Coming;
use super::transaction;
use crate::datalog::Program;
use crate::diagnostic::Diagnostic;
use crate::kube::Object;
use crate::state::World;
use crate::target::Memory;

/// A plan that is not carried out.
pub(super) struct Dry {
    pub(super) planned: Planned,
    /// The world as the plan leaves it.
    pub(super) world: World,
    /// Why it could not be carried out.
    pub(super) too_much: Option<Diagnostic>,
}

/// Makes a plan: what `change`, with what is `coming`, comes to on the world that the store holds. One that deletes more than it may is
/// given all the same, with what refuses it: it is what a person has to look at.
pub(super) fn dry(
    store: &dyn Memory,
    program: &Program,
    options: &Options,
    coming: Coming<'_>,
    change: &dyn Fn(&mut World, &Options) -> Result<Planned, Diagnostic>,
) -> Result<Dry, Diagnostic> {
    let plan = |options: &Options, too_much: Option<Diagnostic>| -> Result<Dry, Diagnostic> {
        let mut world = load(store, program, options, coming)?;
        let planned = change(&mut world, options)?;
        Ok(Dry { planned, world, too_much })
    };
    match plan(options, None) {
        Err(refused) if refused.code == TOO_MUCH => {
            let all = Options { max_delete: Some(MaxDelete::Percent(100)), ..options.clone() };
            plan(&all, Some(refused))
        }
        dry => dry,
    }
}

/// The store that a plan starts from: the one that is named, or one in memory that holds
/// the base.
///
/// The base is applied as the same input; what is then planned is what an apply would do
/// in a cluster that runs the base: what left is pruned, and what may not change is
/// refused.
pub(super) fn start(
    request: &Request,
    base: Option<&Manifests>,
    listener: &dyn Listener,
) -> Result<Box<dyn Memory>, Vec<Diagnostic>> {
    match base {
        Some(base) => Ok(based(request, base, listener)?.store),
        None => Ok(request.database.read_or_empty()?),
    }
}

/// A store in memory that holds a base, and what it came from.
pub(super) struct Based {
    pub(super) store: Box<dyn Memory>,
    /// The rules that hold there.
    pub(super) policy: Policy,
    /// The objects as they were read.
    pub(super) objects: Vec<Object>,
}

/// Applies a base to a store in memory.
pub(super) fn based(
    request: &Request,
    base: &Manifests,
    listener: &dyn Listener,
) -> Result<Based, Vec<Diagnostic>> {
    let mut reading = base.read(listener)?;
    // From nothing is a way to begin, too.
    reading.diagnostics.retain(|error| !matches!(error.code, "no-objects" | "empty-folder"));
    if reading.has_errors() {
        return Err(reading.diagnostics);
    }
    let mut store = in_memory()?;
    let policy = rules::with(rules::find(&request.rules, &base.beside()), None, None, listener)?;
    // What runs there runs there, whatever one's own rules say of it now.
    let options = Options {
        max_delete: Some(MaxDelete::Percent(100)),
        ignore_violations: true,
        prune: false,
        allow_empty: false,
        ..request.options.clone()
    };
    let objects = reading.objects.clone();
    store.begin()?;
    transaction::apply(&mut *store, &request.id, reading, &policy, &options, None, listener)?;
    Ok(Based { store, policy, objects })
}
