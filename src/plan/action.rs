//! An action of a plan, and the rule that asks for it.

use std::sync::Arc;

use serde::Serialize;

use crate::kube::{Kind, Name, ObjectKey};
use crate::state::filled;

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Action {
    /// The daemonset it is about; `None` for a pod that belongs to none of ours.
    pub daemonset: Option<ObjectKey>,
    /// What to do.
    pub verb: Verb,
    /// The node, where there is one.
    pub node: Option<Name>,
    /// The pod, revision or daemonset it is done to.
    pub object: ObjectKey,
    /// The rule that asks for it; [`Action::reason`] says it with this action's names.
    pub because: Arc<Because>,
}

/// The rule that asks for an action.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Because {
    /// Its sentence, with variables to be filled in.
    pub sentence: Name,
    /// Where it stands, as `rules/pods.dl:120`.
    pub rule: String,
}

impl Action {
    /// Why: the sentence of the rule that fired, with names in place of its variables.
    #[must_use]
    pub fn reason(&self) -> String {
        let daemonset = self.daemonset.as_ref().map_or("", |key| &key.name);
        filled(&self.because.sentence, daemonset, self.node.as_deref(), &self.object.name)
    }
}

/// What an action does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verb {
    /// Create a pod.
    Create,
    /// Delete a pod.
    Delete,
    /// Make an orphan pod the daemonset's own.
    Adopt,
    /// Give up a pod that no longer matches the selector.
    Release,
    /// Change a pod's hash label.
    Relabel,
    /// Create a ControllerRevision.
    CreateRevision,
    /// Give a ControllerRevision a new number.
    RenumberRevision,
    /// Make an orphan ControllerRevision the daemonset's own.
    AdoptRevision,
    /// Give up a ControllerRevision that no longer matches.
    ReleaseRevision,
    /// Delete a ControllerRevision.
    DeleteRevision,
    /// Delete a daemonset.
    DeleteDaemonset,
    /// Take a pod from a node whose taints it does not tolerate, or no longer.
    Evict,
    /// Take a pod away for one of a higher priority.
    Preempt,
    /// Bind a pod that was pending to its node.
    Bind,
}

impl Verb {
    /// Its name, as documents have it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Verb::Create => "create",
            Verb::Delete => "delete",
            Verb::Adopt => "adopt",
            Verb::Release => "release",
            Verb::Relabel => "relabel",
            Verb::CreateRevision => "create-revision",
            Verb::RenumberRevision => "renumber-revision",
            Verb::AdoptRevision => "adopt-revision",
            Verb::ReleaseRevision => "release-revision",
            Verb::DeleteRevision => "delete-revision",
            Verb::DeleteDaemonset => "delete-daemonset",
            Verb::Evict => "evict",
            Verb::Preempt => "preempt",
            Verb::Bind => "bind",
        }
    }

    /// What it is done to.
    #[must_use]
    pub fn kind(self) -> Kind {
        match self {
            Verb::CreateRevision
            | Verb::RenumberRevision
            | Verb::AdoptRevision
            | Verb::ReleaseRevision
            | Verb::DeleteRevision => Kind::ControllerRevision,
            Verb::DeleteDaemonset => Kind::DaemonSet,
            _ => Kind::Pod,
        }
    }

    /// Whether it is done to a pod.
    #[must_use]
    pub fn is_of_pods(self) -> bool {
        use Verb::{Adopt, Bind, Create, Delete, Evict, Preempt, Relabel, Release};
        matches!(self, Create | Delete | Adopt | Release | Relabel | Evict | Preempt | Bind)
    }
}

/// An action for a daemonset.
pub(super) fn action(
    daemonset: &ObjectKey,
    verb: Verb,
    node: Option<Name>,
    object: ObjectKey,
    because: &Arc<Because>,
) -> Action {
    Action { daemonset: Some(daemonset.clone()), verb, node, object, because: because.clone() }
}
