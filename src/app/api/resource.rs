//! The resources that are served: what a path of the API names, and which kind that is.

use crate::kube::{Kind, KindInfo};

/// A resource of the API.
#[derive(Debug)]
pub struct Resource {
    /// Its API group, empty for the core's.
    pub group: &'static str,
    /// The version of the group.
    pub version: &'static str,
    /// As paths name it.
    pub plural: &'static str,
    /// One of them.
    pub singular: &'static str,
    /// As its objects name their kind.
    pub kind: &'static str,
    /// kubectl's short names.
    pub short: &'static [&'static str],
    /// Whether `kubectl get all` has it.
    pub in_all: bool,
    /// Whether its objects stand in a namespace.
    pub namespaced: bool,
    /// Whether the status is written by a path of its own.
    pub status: bool,
    /// What it is called where objects are kept.
    known: &'static str,
}

const fn of(group: &'static str, names: [&'static str; 4], short: &'static [&'static str]) -> Resource {
    let [plural, singular, kind, known] = names;
    Resource {
        group,
        version: "v1",
        plural,
        singular,
        kind,
        short,
        in_all: false,
        namespaced: true,
        status: false,
        known,
    }
}

const fn with_status(resource: Resource) -> Resource {
    Resource { status: true, ..resource }
}

const fn in_all(resource: Resource) -> Resource {
    Resource { in_all: true, ..resource }
}

const fn cluster_wide(resource: Resource) -> Resource {
    Resource { namespaced: false, ..resource }
}

/// All of them, by group in the order in which discovery names these.
pub static RESOURCES: [Resource; 11] = [
    of("", ["events", "event", "Event", "Event"], &["ev"]),
    cluster_wide(with_status(of("", ["namespaces", "namespace", "Namespace", "Namespace"], &["ns"]))),
    cluster_wide(with_status(of("", ["nodes", "node", "Node", "Node"], &["no"]))),
    in_all(with_status(of("", ["pods", "pod", "Pod", "Pod"], &["po"]))),
    in_all(with_status(of("", ["services", "service", "Service", "Service"], &["svc"]))),
    of(
        "apps",
        ["controllerrevisions", "controllerrevision", "ControllerRevision", "ControllerRevision"],
        &[],
    ),
    in_all(with_status(of("apps", ["daemonsets", "daemonset", "DaemonSet", "DaemonSet"], &["ds"]))),
    of("coordination.k8s.io", ["leases", "lease", "Lease", "Lease.coordination.k8s.io"], &[]),
    of(
        "discovery.k8s.io",
        ["endpointslices", "endpointslice", "EndpointSlice", "EndpointSlice.discovery.k8s.io"],
        &[],
    ),
    with_status(of(
        "policy",
        ["poddisruptionbudgets", "poddisruptionbudget", "PodDisruptionBudget", "PodDisruptionBudget.policy"],
        &["pdb"],
    )),
    cluster_wide(of(
        "scheduling.k8s.io",
        ["priorityclasses", "priorityclass", "PriorityClass", "PriorityClass.scheduling.k8s.io"],
        &["pc"],
    )),
];

/// The place of events among [`RESOURCES`].
pub const EVENTS: usize = 0;
/// The place of endpoint slices among them.
pub const SLICES: usize = 8;

impl Resource {
    /// The resource that a path names, with its place among all.
    #[must_use]
    pub fn named(group: &str, version: &str, plural: &str) -> Option<usize> {
        RESOURCES.iter().position(|it| (it.group, it.version, it.plural) == (group, version, plural))
    }

    /// The kind of its objects; that is in the store's words.
    #[must_use]
    pub fn stored(&self) -> Option<Kind> {
        Kind::known_as(self.known)
    }

    /// What is known of the kind.
    #[must_use]
    pub fn info(&self) -> Option<&'static KindInfo> {
        self.stored().map(Kind::info)
    }

    /// The apiVersion of its objects.
    #[must_use]
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.to_owned()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// As errors name it: `daemonsets.apps`.
    #[must_use]
    pub fn qualified(&self) -> String {
        qualified(self.plural, self.group)
    }

    /// As errors name its kind: `DaemonSet.apps`.
    #[must_use]
    pub fn qualified_kind(&self) -> String {
        qualified(self.kind, self.group)
    }
}

fn qualified(name: &str, group: &str) -> String {
    if group.is_empty() { name.to_owned() } else { format!("{name}.{group}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_resource_has_its_kind_and_place() {
        for (at, it) in RESOURCES.iter().enumerate() {
            assert_eq!(Resource::named(it.group, it.version, it.plural), Some(at));
            let kind = it.stored();
            assert_eq!(kind.map(Kind::written), Some(it.kind), "{}", it.plural);
            assert_eq!(kind.map(Kind::namespaced), Some(it.namespaced), "{}", it.plural);
        }
        assert_eq!(RESOURCES[EVENTS].plural, "events");
        assert_eq!(RESOURCES[SLICES].plural, "endpointslices");
    }
}
