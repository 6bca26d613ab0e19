//! What was deleted, and what is asked to become of what belongs to it.
//!
//! Which objects go or stay is for the rules (`rules/cascade.dl`): here is only kept what
//! was done, until the objects that it concerns are dealt with.

use std::collections::BTreeSet;

use crate::kube::{Kind, ObjectKey};

/// What becomes of what a deleted daemonset owned: Kubernetes' propagation policies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Cascade {
    /// It is deleted after it.
    #[default]
    Background,
    /// It is deleted before it.
    Foreground,
    /// It stays, without an owner.
    Orphan,
}

impl Cascade {
    /// Kubernetes' name for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Cascade::Background => "Background",
            Cascade::Foreground => "Foreground",
            Cascade::Orphan => "Orphan",
        }
    }
}

/// What left an input.
#[derive(Debug, Clone, Default)]
pub struct Gone {
    /// The objects.
    pub objects: Vec<(Kind, ObjectKey)>,
    /// What the input still has in the namespaces among them.
    pub given: BTreeSet<(Kind, ObjectKey)>,
}
