//! Whose turn it is in the rollouts of one node, where whoever keeps it sees no other.

use std::collections::{BTreeMap, BTreeSet};

use crate::kube::{Name, ObjectKey};

/// The turns of a node.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Turns {
    /// The node.
    pub node: Name,
    /// The daemonsets whose turn it is.
    pub granted: BTreeSet<ObjectKey>,
    /// What the turns of others wait for, as far as that is known.
    pub waits: BTreeMap<ObjectKey, Name>,
}
