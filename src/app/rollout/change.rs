//! `rollout undo` and `rollout restart`: a changed template, applied as any other.

use serde_json::Value;

use super::daemonsets::find;
use super::template::{Template, restarted, undone};
use crate::app::again::again;
use crate::app::follow;
use crate::app::listener::Listener;
use crate::app::load::load;
use crate::app::open::Database;
use crate::app::options::Options;
use crate::app::planning;
use crate::app::request::Outcome;
use crate::app::restart::{IN_PLACE, mark_rolled_back};
use crate::app::rules::{self, Policy};
use crate::app::schedule::Coming;
use crate::app::transaction;
use crate::diagnostic::Diagnostic;
use crate::kube::{DaemonSet, Kind, Object, ObjectKey, Origin};
use crate::manifest::{Reading, faults};
use crate::plan::Plan;
use crate::policy::Asked;
use crate::state::{Gone, World};
use crate::target::Memory;
use crate::target::tree::Destination;

/// What is to be done to daemonsets.
#[derive(Debug, Clone)]
pub struct Rollout {
    /// The store.
    pub database: Database,
    /// The daemonsets.
    pub daemonsets: Vec<ObjectKey>,
    /// What is done.
    pub to: Goal,
    /// Whether it is only asked what would be done.
    pub dry: bool,
    /// The user's own rules.
    pub rules: Asked,
    /// The folder of Pod manifests that follows the store.
    pub tree: Option<Destination>,
    /// How the plan is made.
    pub options: Options,
}

/// Where a rollout goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goal {
    /// The template of this revision, or with 0 of the last one before.
    Revision(i64),
    /// The same template again: all pods are replaced.
    Again,
}

/// What came of it.
pub struct RolledOut {
    /// Each daemonset with why nothing was done to it, if so.
    pub daemonsets: Vec<(ObjectKey, Option<String>)>,
    /// The plan, empty where nothing was done to any.
    pub outcome: Outcome,
}

/// Gives daemonsets another template and carries out what follows.
///
/// # Errors
/// When a daemonset or the revision is not there, when an API server would refuse what
/// comes out, and when the rules or the store are not sound. Then nothing has changed.
pub fn roll_out(request: &Rollout, listener: &dyn Listener) -> Result<RolledOut, Vec<Diagnostic>> {
    again(listener, |listener| once(request, listener))
}

fn once(request: &Rollout, listener: &dyn Listener) -> Result<RolledOut, Vec<Diagnostic>> {
    let tree = request.tree.as_ref();
    let mut store =
        if request.dry { request.database.read()? } else { request.database.write("dsrules rollout")? };
    if !request.dry {
        transaction::begin(&mut *store, tree)?;
    }
    let program = rules::of_store(&request.rules, &*store, listener)?;
    let mut world = load(&*store, &program, &request.options, Coming::default())?;
    let (daemonsets, objects) = changed(request, &world, &*store)?;
    let nothing = objects.is_empty();
    let outcome = match (nothing, request.dry) {
        (true, true) => Outcome::unchanged(Plan::default(), false, follow::compare(tree, &world, &*store)),
        (true, false) => Outcome::unchanged(Plan::default(), true, follow::sync(tree, &*store)),
        (false, true) => {
            let planned = planning::plan(&mut world, objects, &Gone::default(), &program, &request.options)?;
            let tree = if planned.is_refused() { Ok(None) } else { follow::compare(tree, &world, &*store) };
            Outcome::of(planned, false, tree)
        }
        (false, false) => {
            // No input of its own: nothing is remembered that could be pruned.
            let policy = Policy { own: Vec::new(), program };
            let mut reading = Reading::default();
            reading.objects = objects;
            let planned =
                transaction::apply(&mut *store, "", reading, &policy, &request.options, tree, listener)?;
            transaction::end(planned, &*store, tree)
        }
    };
    Ok(RolledOut { daemonsets, outcome })
}

/// The daemonsets with their new templates, and for each whether it is left as it is.
type Templates = (Vec<(ObjectKey, Option<String>)>, Vec<Object>);

fn changed(request: &Rollout, world: &World, store: &dyn Memory) -> Result<Templates, Vec<Diagnostic>> {
    let (mut daemonsets, mut objects, mut wrong) = (Vec::new(), Vec::new(), Vec::new());
    for daemonset in find(&request.daemonsets, world, store)? {
        let key = daemonset.meta.key.clone();
        let mut value = (*daemonset.value).clone();
        let template = match request.to {
            Goal::Revision(to) => undone(world, daemonset, to, request.options.now)?,
            Goal::Again => restarted(daemonset, request.options.now)?,
        };
        match template {
            Template::Same(why) => {
                daemonsets.push((key, Some(why)));
                continue;
            }
            Template::New(template) => {
                value["spec"]["template"] = template;
                wrong.extend(refused(daemonset, &value, None));
            }
            Template::Former { template, revision, which } => {
                value["spec"]["template"] = template;
                wrong.extend(refused(daemonset, &value, Some(revision)));
                mark_rolled_back(&mut value, &which);
            }
        }
        let origin = Origin { file: IN_PLACE.into(), document: 0, path: String::new() };
        objects.push(Object { kind: Kind::DaemonSet, key: key.clone(), value, origin });
        daemonsets.push((key, None));
    }
    if wrong.is_empty() { Ok((daemonsets, objects)) } else { Err(wrong) }
}

/// What an API server would refuse about the daemonset with its new template. A revision
/// may hold anything: it was written by a manifest, or by another program.
fn refused(daemonset: &DaemonSet, value: &Value, revision: Option<(i64, ObjectKey)>) -> Vec<Diagnostic> {
    let mut wrong = faults(Kind::DaemonSet, value, &daemonset.value, Some(&daemonset.value));
    // Fields that there are not, an API server takes out.
    wrong.retain(|error| error.code != "unknown-field");
    for error in &mut wrong {
        let key = &daemonset.meta.key;
        let (what, way_out) = match &revision {
            Some((number, name)) => (
                format!("revision {number} of `{key}` cannot be restored"),
                format!(
                    "mend the template in a manifest and apply it, or undo to another revision; `{name}` holds this one"
                ),
            ),
            None => {
                (format!("`{key}` cannot be restarted"), "apply a manifest of it that is right".to_owned())
            }
        };
        error.message = format!("{what}: {}", error.message);
        error.notes.extend(error.help.replace(way_out));
    }
    wrong
}
