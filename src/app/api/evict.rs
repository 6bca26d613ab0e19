//! Eviction: a pod is deleted unless the rules say that a disruption budget is against it; and
//! deleting many at once.

use std::sync::Arc;

use super::engine::Engine;
use super::entry::Entry;
use super::read::{Chosen, Paging};
use super::refused::{Cause, Reason, Refused};
use super::write::Deletion;
use crate::app::derived::{State, Wanted, derive_wanted};
use crate::app::options::Options;
use crate::app::session::Session;
use crate::datalog::explain::said;
use crate::diagnostic::Diagnostic;
use crate::facts::Grouping;
use crate::kube::{Object, ObjectKey, Origin};
use crate::policy::relations;
use crate::state::{Whole, World};

impl Engine {
    /// Evicts a pod.
    ///
    /// # Errors
    /// When there is none, or a budget is against it.
    pub fn evict(&mut self, resource: usize, key: &ObjectKey, deletion: &Deletion) -> Result<(), Refused> {
        self.get(resource, key)?;
        let options = self.options();
        if let Some(session) = self.loaded(&options)? {
            heed(session, key, &options)?;
        }
        self.delete(resource, key, deletion).map(drop)
    }

    /// Deletes all objects that are meant, and gives them as they were.
    ///
    /// # Errors
    /// As [`list`](Engine::list), and when they cannot be deleted.
    pub fn delete_all(&mut self, chosen: &Chosen, deletion: &Deletion) -> Result<Vec<Arc<Entry>>, Refused> {
        let found = self.list(chosen, &Paging::default())?.items;
        for entry in &found {
            let object = entry.value();
            let text = |field: &str| object["metadata"][field].as_str().unwrap_or("").to_owned();
            match self.delete(chosen.resource, &ObjectKey::new(text("namespace"), text("name")), deletion) {
                // What went with another one is gone as was asked.
                Err(refused) if refused.reason != Reason::NotFound => return Err(refused),
                _ => {}
            }
        }
        Ok(found)
    }
}

/// Asks the rules whether a pod may be evicted.
fn heed(session: &Session, key: &ObjectKey, options: &Options) -> Result<(), Refused> {
    let Some(world) = around(session, key, options.now)? else { return Ok(()) };
    let program = session.program();
    let [refused, unclear] =
        [relations::eviction_refused, relations::eviction_unclear].map(|it| program.id(it));
    let wanted = Wanted { relations: &[refused, unclear], atoms: &[], grouping: Grouping::Off };
    let State { symbols, evaluation } =
        derive_wanted(program, &world, options.now, None, &wanted, &options.limits)?;
    let first = |relation| {
        let row = evaluation.rows(relation).next()?;
        let said = said(program, &symbols, &evaluation, relation, &row);
        Some(said.map_or_else(|| "a rule is against it".to_owned(), |(sentence, _)| sentence))
    };
    if let Some(why) = first(unclear) {
        return Err(Refused::new(Reason::InternalError, why));
    }
    first(refused).map_or(Ok(()), |why| Err(used_up(why)))
}

/// What there is in the namespace of a pod that somebody asks to evict, where that is more than pods.
fn around(session: &Session, key: &ObjectKey, now: i64) -> Result<Option<World>, Diagnostic> {
    let mut world = World { whole: Whole::ALL, ..World::default() };
    for kind in session.store().kinds()?.into_iter().filter(|kind| kind.is_other() && kind.namespaced()) {
        session.store().objects(kind, Some(&key.namespace), &mut |key, value| {
            let origin = Origin { file: kind.name().into(), document: 0, path: String::new() };
            world.see(Object { kind, key, value, origin }, now);
            Ok(())
        })?;
    }
    let Some(known) = session.world().filter(|_| !world.others.is_empty()) else { return Ok(None) };
    for pod in known.pods.values().filter(|pod| pod.meta.key.namespace == key.namespace) {
        world.pods.insert(pod.meta.key.clone(), pod.clone());
    }
    world.asked_to_go.insert(key.clone());
    Ok(Some(world))
}

/// A budget is against it; it may be asked again.
fn used_up(why: String) -> Refused {
    let causes = vec![Cause { reason: "DisruptionBudget", message: why, field: String::new() }];
    let message = "Cannot evict pod as it would violate the pod's disruption budget.";
    Refused { causes, ..Refused::new(Reason::TooManyRequests, message) }
}
