//! How the ends of two plans differ: the pods that are there, each with why.

use serde::Serialize;

use crate::app::moved::{Moved, Side, Why, moved};
use crate::diagnostic::Diagnostic;
use crate::kube::ObjectKey;

/// How the end of a plan differs for one daemonset on one node.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Difference {
    /// The daemonset.
    pub daemonset: ObjectKey,
    /// The node.
    pub node: String,
    /// Whether a pod is there with the edits and not without them; else it is the other
    /// way round.
    pub gained: bool,
    /// What keeps a pod off with the edits, or kept one off without them.
    pub because: Vec<String>,
}

/// The pods that are there at the end of one plan and not at the end of the other.
///
/// # Errors
/// When a rule derives more than the limits allow.
pub(super) fn differences(without: Side<'_>, with: Side<'_>) -> Result<Vec<Difference>, Diagnostic> {
    let difference = |Moved { daemonset, node, gained, why }: Moved| {
        let because = match why {
            Why::NoDaemonset => vec!["there is no such daemonset".to_owned()],
            Why::NoNode => vec!["is not there".to_owned()],
            Why::Kept(kept) => kept.into_iter().map(|it| it.says).collect(),
        };
        Difference { daemonset, node, gained, because }
    };
    Ok(moved(without, with)?.into_iter().map(difference).collect())
}
