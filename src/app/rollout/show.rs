//! How far rollouts are, and the templates that daemonsets had: nothing is changed.

use super::daemonsets::{find, revisions};
use crate::app::listener::Listener;
use crate::app::load::load;
use crate::app::open::Database;
use crate::app::options::Options;
use crate::app::planning::waiting;
use crate::app::rules;
use crate::app::schedule::{self, Coming};
use crate::diagnostic::Diagnostic;
use crate::kube::{DaemonSet, ObjectKey, Revision, Status};
use crate::plan::Waiting;
use crate::policy::Asked;
use crate::state::{Part, SomePods};
use crate::target::Memory;

/// How far a daemonset's rollout is.
pub struct RolloutStatus {
    /// The daemonset, with its status.
    pub daemonset: DaemonSet,
    /// What is waited for, if anything is.
    pub waiting: Option<Waiting>,
}

impl RolloutStatus {
    /// How far it is in kubectl's words, and whether it is done.
    #[must_use]
    pub fn sentence(&self) -> (String, bool) {
        let DaemonSet { meta, status, .. } = &self.daemonset;
        sentence(&meta.key.name, meta.generation, status)
    }
}

/// kubectl's DaemonSetStatusViewer.
#[must_use]
pub fn sentence(name: &str, generation: i64, status: &Status) -> (String, bool) {
    let waiting = format!("Waiting for daemon set \"{name}\" rollout to finish:");
    let (updated, desired) = (status.updated_number_scheduled, status.desired_number_scheduled);
    if generation > status.observed_generation {
        ("Waiting for daemon set spec update to be observed...".to_owned(), false)
    } else if updated < desired {
        (format!("{waiting} {updated} out of {desired} new pods have been updated..."), false)
    } else if status.number_available < desired {
        let available = status.number_available;
        (format!("{waiting} {available} of {desired} updated pods are available..."), false)
    } else {
        (format!("daemon set \"{name}\" successfully rolled out"), true)
    }
}

/// How far the rollouts of daemonsets are at the time `now`, in seconds of Unix time.
///
/// # Errors
/// When one is not there, and when the rules or the store are not sound.
pub fn status(
    database: &Database,
    daemonsets: &[ObjectKey],
    asked: &Asked,
    now: i64,
    listener: &dyn Listener,
) -> Result<Vec<RolloutStatus>, Vec<Diagnostic>> {
    let store = database.read()?;
    let few = store.load_part(&Part::without_nodes(SomePods::None))?;
    let found = find(daemonsets, &few, &*store)?;
    let is_done = |it: &DaemonSet| sentence(&it.meta.key.name, it.meta.generation, &it.status).1;
    let waits =
        if found.iter().all(|it| is_done(it)) { Vec::new() } else { waits(&*store, asked, now, listener)? };
    let status = |daemonset: &DaemonSet| RolloutStatus {
        daemonset: daemonset.clone(),
        waiting: waits.iter().find(|it| it.daemonset == daemonset.meta.key).cloned(),
    };
    Ok(found.into_iter().map(status).collect())
}

/// What rollouts wait for, which only the rules say.
fn waits(
    store: &dyn Memory,
    asked: &Asked,
    now: i64,
    listener: &dyn Listener,
) -> Result<Vec<Waiting>, Vec<Diagnostic>> {
    let program = rules::of_store(asked, store, listener)?;
    let options = Options::at(now);
    let world = load(store, &program, &options, Coming::default())?;
    let program = schedule::asked(&program, &options, &world, Coming::default());
    Ok(waiting(&world, &program, now)?)
}

/// The revisions that daemonsets own, oldest first.
///
/// # Errors
/// When a daemonset is not there, and when the store is not sound.
pub fn history(
    database: &Database,
    daemonsets: &[ObjectKey],
) -> Result<Vec<(ObjectKey, Vec<Revision>)>, Vec<Diagnostic>> {
    let store = database.read()?;
    let world = store.load_part(&Part::without_nodes(SomePods::None))?;
    let of = |daemonset: &DaemonSet| {
        let revisions = revisions(&world, daemonset).into_iter().cloned().collect();
        (daemonset.meta.key.clone(), revisions)
    };
    Ok(find(daemonsets, &world, &*store)?.into_iter().map(of).collect())
}
