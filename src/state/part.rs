//! What a world has of a store: all of it, or a part that a question is about.
//!
//! A world of a part has the nodes and pods of the part, and of all else what every world has:
//! daemonsets, revisions, objects of other kinds. What is counted by node or pod (back-off,
//! attempts, refusals) it has for those. An object that is put into it must be of the part,
//! whether it is there or not: one that the store has and the world does not is taken for new,
//! and a save finds that it is not.

use std::collections::BTreeSet;

use crate::kube::{Name, ObjectKey};

/// A part of the objects of a store.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Part {
    /// Which nodes.
    pub nodes: SomeNodes,
    /// Which pods.
    pub pods: SomePods,
}

/// Which nodes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum SomeNodes {
    /// All.
    #[default]
    All,
    /// Those of these names, as far as there are such.
    These(BTreeSet<Name>),
}

/// Which pods.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum SomePods {
    /// All.
    #[default]
    All,
    /// None at all.
    None,
    /// Those that any of this holds for, and all that are on no node and meant for none.
    These {
        /// They are on one of these nodes, or else meant for it.
        on: BTreeSet<Name>,
        /// A controller with one of these uids owns them.
        of: BTreeSet<Name>,
        /// They have one of these keys.
        named: BTreeSet<ObjectKey>,
    },
}

impl SomePods {
    /// Those on, or else meant for, these nodes.
    #[must_use]
    pub fn on(nodes: BTreeSet<Name>) -> Self {
        SomePods::These { on: nodes, of: BTreeSet::new(), named: BTreeSet::new() }
    }

    /// Those with these keys.
    #[must_use]
    pub fn named(keys: BTreeSet<ObjectKey>) -> Self {
        SomePods::These { on: BTreeSet::new(), of: BTreeSet::new(), named: keys }
    }
}

impl Part {
    /// No node: what every world has, and these pods.
    #[must_use]
    pub fn without_nodes(pods: SomePods) -> Self {
        Part { nodes: SomeNodes::These(BTreeSet::new()), pods }
    }

    /// These nodes and the pods that are on them or meant for them.
    #[must_use]
    pub fn of_nodes(nodes: BTreeSet<Name>) -> Self {
        Part { nodes: SomeNodes::These(nodes.clone()), pods: SomePods::on(nodes) }
    }

    /// Whether it is all there is.
    #[must_use]
    pub fn is_all(&self) -> bool {
        self.nodes == SomeNodes::All && self.pods == SomePods::All
    }
}
