//! What stands in a tree, for whom: the formats, as a table.

use std::path::{Path, PathBuf};

use super::index::Written;
use crate::target::standalone::Runtime;

/// What stands in a node's folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum Format {
    /// Pods as they are, but for what only an API server reads.
    #[default]
    Plain,
    /// Pods for `kubectl apply`, each with its node.
    Manifest,
    /// Static pods, for a standalone kubelet.
    Static,
    /// Pods for `podman kube play`.
    KubePlay,
    /// The same, each with a unit of systemd that plays it.
    Systemd,
    /// The same, each with a quadlet of podman 4.4 or newer.
    Quadlet,
}

impl Format {
    /// All of them.
    pub const ALL: [Format; 6] =
        [Format::Plain, Format::Manifest, Format::Static, Format::KubePlay, Format::Systemd, Format::Quadlet];

    /// Who runs the pods; nobody in particular, where they stand as they are.
    #[must_use]
    pub fn runtime(self) -> Option<Runtime> {
        match self {
            Format::Plain => None,
            Format::Manifest => Some(Runtime::Cluster),
            Format::Static => Some(Runtime::Kubelet),
            Format::KubePlay | Format::Systemd | Format::Quadlet => Some(Runtime::Podman),
        }
    }

    /// Whether what ConfigMaps and Secrets hold goes into it.
    #[must_use]
    pub fn fills(self) -> bool {
        matches!(self.runtime(), Some(Runtime::Kubelet | Runtime::Podman))
    }

    /// What it is called on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Format::Plain => "plain",
            Format::Manifest => "manifest",
            Format::Static => "static",
            Format::KubePlay => "kube-play",
            Format::Systemd => "systemd",
            Format::Quadlet => "quadlet",
        }
    }
}

/// A tree: where it is written, what stands in it, and where that will be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    /// The folder.
    pub folder: PathBuf,
    /// What stands in it.
    pub format: Format,
    /// The full path that a node's folder has on its own machine, where it is carried to one;
    /// else it stays where it is written.
    pub at: Option<PathBuf>,
}

impl Destination {
    /// A tree of plain pods.
    #[must_use]
    pub fn plain(folder: &Path) -> Self {
        Destination { folder: folder.to_owned(), format: Format::Plain, at: None }
    }

    /// What the next command is to know of it.
    pub(super) fn written(&self) -> Written {
        Written {
            format: (self.format != Format::Plain).then(|| self.format.name().to_owned()),
            at: self.at.as_ref().map(|at| at.display().to_string()),
        }
    }

    /// The full path of a node's folder on the machine that runs it.
    pub(super) fn on_machine(&self, node: &str) -> String {
        let written = || {
            let folder = self.folder.join(node);
            std::path::absolute(&folder).unwrap_or(folder)
        };
        self.at.clone().unwrap_or_else(written).display().to_string()
    }
}
