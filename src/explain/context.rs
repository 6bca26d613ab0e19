//! What an explanation is told with, beside the derivation.

use crate::state::World;

/// What is told beside the rules.
pub(super) struct Context<'a> {
    /// The objects.
    pub world: &'a World,
    /// The tolerations that the rules add to the daemonset's pods: key and effect.
    pub added: Vec<(String, String)>,
}
