//! Objects that stand for themselves, whatever they have in common with others.

use std::collections::BTreeSet;

use crate::kube::{Kind, Name, ObjectKey};

/// The objects that are not grouped, so that what is derived of them has their names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Alone {
    /// Daemonsets: each is a class of its own.
    pub daemonsets: BTreeSet<ObjectKey>,
    /// Nodes: each is a profile of its own.
    pub nodes: BTreeSet<Name>,
    /// Pods and revisions: each has a label set of its own.
    pub labelled: BTreeSet<(Kind, ObjectKey)>,
}

impl Alone {
    /// A daemonset and a node.
    #[must_use]
    pub fn pair(daemonset: Option<&ObjectKey>, node: Option<&Name>) -> Self {
        Alone {
            daemonsets: daemonset.into_iter().cloned().collect(),
            nodes: node.into_iter().cloned().collect(),
            labelled: BTreeSet::new(),
        }
    }

    /// Takes in others; true if one of them is new.
    pub fn join(&mut self, others: Alone) -> bool {
        let size = |it: &Alone| it.daemonsets.len() + it.nodes.len() + it.labelled.len();
        let before = size(self);
        self.daemonsets.extend(others.daemonsets);
        self.nodes.extend(others.nodes);
        self.labelled.extend(others.labelled);
        size(self) > before
    }

    /// Whether a pod or revision has a label set of its own. The set has the name of its
    /// object, so of a pod and a revision of one name it is the pod.
    pub(super) fn has_labels_of(&self, kind: Kind, key: &ObjectKey) -> bool {
        let is_in = |kind| self.labelled.contains(&(kind, key.clone()));
        is_in(kind) && (kind == Kind::Pod || !is_in(Kind::Pod))
    }
}
