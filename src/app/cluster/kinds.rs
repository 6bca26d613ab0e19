//! What is read of a cluster, and nothing else: the ClusterRole in examples/cluster-reader names
//! the same.

/// A kind that is read.
#[derive(Debug)]
pub struct Read {
    /// Its API group, empty for the core's.
    pub group: &'static str,
    /// Its resource, as paths name it.
    pub plural: &'static str,
    /// As objects say it.
    pub kind: &'static str,
    /// What is not known where it may not be read; nothing can be said at all where there is no
    /// such word.
    pub unknown: Option<&'static str>,
}

/// All of them, in the order in which they are read.
pub const READ: [Read; 8] = [
    needed("", "nodes", "Node"),
    needed("apps", "daemonsets", "DaemonSet"),
    needed("apps", "controllerrevisions", "ControllerRevision"),
    needed("", "pods", "Pod"),
    wanted(
        "",
        "namespaces",
        "Namespace",
        "the labels of namespaces, by which affinities may choose, are not known",
    ),
    wanted("", "services", "Service", "by which services pods are found is not known"),
    wanted(
        "scheduling.k8s.io",
        "priorityclasses",
        "PriorityClass",
        "which pods go before others is known by what pods say alone",
    ),
    wanted(
        "policy",
        "poddisruptionbudgets",
        "PodDisruptionBudget",
        "which evictions a budget forbids is not known",
    ),
];

const fn needed(group: &'static str, plural: &'static str, kind: &'static str) -> Read {
    Read { group, plural, kind, unknown: None }
}

const fn wanted(
    group: &'static str,
    plural: &'static str,
    kind: &'static str,
    unknown: &'static str,
) -> Read {
    Read { group, plural, kind, unknown: Some(unknown) }
}

impl Read {
    /// The apiVersion of its objects.
    #[must_use]
    pub fn api_version(&self) -> String {
        if self.group.is_empty() { "v1".to_owned() } else { format!("{}/v1", self.group) }
    }

    /// The path of all objects.
    #[must_use]
    pub fn path(&self) -> String {
        if self.group.is_empty() {
            format!("/api/v1/{}", self.plural)
        } else {
            format!("/apis/{}/v1/{}", self.group, self.plural)
        }
    }
}
