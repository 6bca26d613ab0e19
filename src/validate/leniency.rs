//! What an update may keep although it is wrong, since the stored object has it already.

use serde_json::Value;

use super::labels;

/// The annotation that says how much a pod's deletion costs.
pub(super) const DELETION_COST: &str = "controller.kubernetes.io/pod-deletion-cost";

/// What is tolerated because the stored object has it already: nobody can mend it in
/// passing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Leniency {
    /// Values in label selectors that no label can have.
    pub(super) selector_values: bool,
    /// Pods are validated as such, not as templates.
    pub(super) is_pod: bool,
    /// A deletion cost that is no number.
    pub(super) deletion_cost: bool,
}

impl Leniency {
    /// What an update of this template may keep.
    pub(super) fn of_old(template: &Value) -> Self {
        let affinity = &template["spec"]["affinity"];
        let terms = ["podAffinity", "podAntiAffinity"].into_iter().flat_map(|kind| {
            let required = affinity[kind]["requiredDuringSchedulingIgnoredDuringExecution"].as_array();
            let preferred = affinity[kind]["preferredDuringSchedulingIgnoredDuringExecution"].as_array();
            let preferred = preferred.into_iter().flatten().map(|term| &term["podAffinityTerm"]);
            required.into_iter().flatten().chain(preferred)
        });
        let selectors = terms.flat_map(|term| [&term["labelSelector"], &term["namespaceSelector"]]);
        let spread = template["spec"]["topologySpreadConstraints"].as_array();
        let spread = spread.into_iter().flatten().map(|one| &one["labelSelector"]);
        Leniency {
            selector_values: selectors.chain(spread).any(labels::has_invalid_values),
            is_pod: false,
            deletion_cost: template["metadata"]["annotations"].get(DELETION_COST).is_some(),
        }
    }
}
