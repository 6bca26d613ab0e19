//! `--tree DIR`: the folder of Pod manifests that follows the store.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use dsrules::diagnostic::Diagnostic;
use dsrules::target::tree::{Destination, Format};

/// A folder to be kept equal to the store.
#[derive(Debug, Clone, Args)]
pub struct TreeArgs {
    /// Keep DIR/<node>/<namespace>_<pod>.yaml equal to the store; a plan shows what would change there
    #[arg(long, value_name = "DIR", env = "DSRULES_TREE")]
    tree: Option<PathBuf>,
    /// What stands in the tree: pods as they are, for `kubectl apply`, for a standalone kubelet,
    /// for `podman kube play`, or with units of systemd or quadlets that play them [default: what
    /// the tree has, else plain]
    #[arg(long, value_name = "FORMAT", value_enum, requires = "tree")]
    tree_format: Option<TreeFormat>,
    /// The full path that a node's folder has on its own machine [default: what the tree has, else
    /// where it is written]
    #[arg(long, value_name = "PATH", value_parser = full_path, requires = "tree")]
    tree_at: Option<PathBuf>,
}

/// `--tree-format`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TreeFormat {
    // Pods without what only an API server reads
    Plain,
    // Pods for `kubectl apply`, each with its node
    Manifest,
    // Static pods for a standalone kubelet: nothing refers to the API
    Static,
    // Pods for `podman kube play`
    KubePlay,
    // The same with a hardened unit of systemd for each
    Systemd,
    // The same with a quadlet of podman 4.4 or newer for each
    Quadlet,
}

impl TreeArgs {
    /// Whether one was named.
    pub fn is_named(&self) -> bool {
        self.tree.is_some()
    }

    /// The tree, if one was named.
    pub fn destination(&self) -> Result<Option<Destination>, Diagnostic> {
        let format = self.tree_format.map(|format| match format {
            TreeFormat::Plain => Format::Plain,
            TreeFormat::Manifest => Format::Manifest,
            TreeFormat::Static => Format::Static,
            TreeFormat::KubePlay => Format::KubePlay,
            TreeFormat::Systemd => Format::Systemd,
            TreeFormat::Quadlet => Format::Quadlet,
        });
        let find = |folder| Destination::find(folder, format, self.tree_at.clone());
        self.tree.clone().map(find).transpose()
    }
}

/// Whether what Secrets hold has to be read for the tree.
pub fn needs_secrets(tree: Option<&Destination>) -> bool {
    tree.is_some_and(|tree| tree.format.fills())
}

fn full_path(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    if path.is_absolute() && !text.contains(char::is_control) {
        Ok(path)
    } else {
        Err("not a full path, as `/etc/dsrules/pods`".to_owned())
    }
}
