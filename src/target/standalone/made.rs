//! What comes out: a pod with its files, or what stands in its way.

use std::collections::BTreeMap;

use serde_json::Value;

/// Who runs the pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Runtime {
    /// A cluster: somebody applies the manifest to an API server.
    Cluster,
    /// A kubelet that stands alone, for which it is a static pod.
    Kubelet,
    /// `podman kube play`, from 4.3 on.
    Podman,
}

/// A pod as its runtime takes it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Standalone {
    /// The manifest.
    pub pod: Value,
    /// The files of the volumes that are mounted from the machine, by the volume's name: each
    /// is a folder below the one that was named.
    pub volumes: BTreeMap<String, BTreeMap<String, DataFile>>,
    /// Whether the manifest says what a Secret holds.
    pub is_secret: bool,
    /// Why the pod cannot be written: then the rest is of no use.
    pub refused: Vec<Finding>,
    /// What the pod has to do without.
    pub missed: Vec<Finding>,
}

/// A file of a volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataFile {
    /// What it holds.
    pub bytes: Vec<u8>,
    /// Its permissions.
    pub mode: u32,
}

/// What is to be said of a field.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The field, as `spec.volumes[0].secret`.
    pub field: String,
    /// What is wrong with it, as the end of a sentence that begins with the field.
    pub why: String,
    /// What to do about it.
    pub help: String,
}

impl Runtime {
    /// What it is called in a sentence.
    #[must_use]
    pub fn said(self) -> &'static str {
        match self {
            Runtime::Cluster => "a cluster",
            Runtime::Kubelet => "a standalone kubelet",
            Runtime::Podman => "podman",
        }
    }
}
