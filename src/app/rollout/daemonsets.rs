//! The daemonsets that a rollout is about, and the templates that they had.

use crate::app::resources::{Resource, Wanted, missing, wanted};
use crate::diagnostic::Diagnostic;
use crate::kube::{DaemonSet, Kind, ObjectKey, Revision};
use crate::state::World;
use crate::target::Memory;

/// The keys of the daemonsets that words name, in a namespace.
///
/// # Errors
/// When they name something else.
pub fn named(words: &[String], namespace: &str) -> Result<Vec<ObjectKey>, Diagnostic> {
    let only = || {
        Diagnostic::error("no-rollout", "only daemonsets have rollouts")
            .help("write it as `dsrules rollout COMMAND daemonset/NAME`")
    };
    let bare = |error: Diagnostic| match words {
        [name] if error.code == "unknown-resource" && !name.contains('/') => {
            error.help(format!("write `daemonset/{name}`"))
        }
        _ => error,
    };
    let Wanted::Named(names) = wanted(words).map_err(bare)? else { return Err(only()) };
    names
        .into_iter()
        .map(|(resource, name)| match resource {
            Resource::Kind(Kind::DaemonSet) => Ok(ObjectKey::new(namespace, name)),
            _ => Err(only()),
        })
        .collect()
}

/// The daemonsets of these keys, in order.
pub(super) fn find<'w>(
    keys: &[ObjectKey],
    world: &'w World,
    store: &dyn Memory,
) -> Result<Vec<&'w DaemonSet>, Vec<Diagnostic>> {
    let (mut found, mut problems) = (Vec::new(), Vec::new());
    for key in keys {
        match world.daemonsets.get(key) {
            Some(daemonset) => found.push(daemonset),
            None => problems.push(missing(Kind::DaemonSet, key, store)?),
        }
    }
    if problems.is_empty() { Ok(found) } else { Err(problems) }
}

/// The revisions that a daemonset owns, oldest first.
pub(super) fn revisions<'w>(world: &'w World, daemonset: &DaemonSet) -> Vec<&'w Revision> {
    let owned = |revision: &&Revision| {
        revision.meta.key.namespace == daemonset.meta.key.namespace
            && revision.meta.controller.as_ref().is_some_and(|owner| daemonset.meta.uid == *owner.uid)
    };
    let mut revisions: Vec<&Revision> = world.revisions.values().filter(owned).collect();
    revisions.sort_by_key(|revision| revision.revision);
    revisions
}

/// kubectl's words for a revision that is not there, and which there are.
#[must_use]
pub fn unknown(revision: i64, there: impl Iterator<Item = i64>) -> Diagnostic {
    let there: Vec<String> = there.map(|it| it.to_string()).collect();
    Diagnostic::error("no-revision", format!("unable to find specified revision {revision} in history")).help(
        match there.as_slice() {
            [only] => format!("its only revision is {only}"),
            _ => format!("there are {}", there.join(", ")),
        },
    )
}
