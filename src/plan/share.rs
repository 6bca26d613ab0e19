//! A part of the daemonsets that is planned for, where others plan for the rest.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use super::action::Action;
use super::{Pass, Touched};
use crate::kube::ObjectKey;
use crate::state::World;

/// Which daemonsets are planned for.
#[derive(Clone)]
pub struct Share(Arc<dyn Fn(&ObjectKey) -> bool + Send + Sync>);

impl Share {
    /// Those that `has` holds for. Of what belongs to no daemonset it is asked by its own key.
    pub fn new(has: impl Fn(&ObjectKey) -> bool + Send + Sync + 'static) -> Self {
        Share(Arc::new(has))
    }

    /// Whether it is one of them.
    #[must_use]
    pub fn has(&self, daemonset: &ObjectKey) -> bool {
        (self.0)(daemonset)
    }

    fn acts(&self, action: &Action) -> bool {
        self.has(action.daemonset.as_ref().unwrap_or(&action.object))
    }

    /// Of the daemonsets that were touched those that are planned for.
    pub(super) fn of(&self, touched: Touched, world: &World) -> Touched {
        let mut keys = match touched {
            Touched::All => world.daemonsets.keys().cloned().collect::<BTreeSet<_>>(),
            Touched::Only(keys) => keys,
        };
        keys.retain(|key| self.has(key));
        Touched::Only(keys)
    }

    /// Leaves to others what is theirs.
    pub(super) fn keep(&self, pass: &mut Pass) {
        pass.collected.retain(|action| self.acts(action));
    }
}

impl fmt::Debug for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Share")
    }
}
